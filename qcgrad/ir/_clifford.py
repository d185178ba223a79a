"""Rows of an op table as Clifford maps of Pauli strings, by stim's tableaus."""

from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Coefficients, Masks
from . import pauli
from .op_table import MATRIX, OpTable

if TYPE_CHECKING:  # stim is slow to import, so it waits until it is used
    import stim

TOLERANCE = 1e-6
"""Quarter turns by which an angle may miss a multiple of pi/2."""

# Dense conjugation of one gate; wider fixed unitaries would need 2^k x 2^k matrices.
_MAX_DENSE_WIRES = 6


def conjugate(inverse: "stim.Tableau", x: Masks, z: Masks) -> tuple[Masks, Masks, Coefficients]:
    """Masks and signs of the images of strings (D,): products of the images of single letters."""
    n = len(inverse)
    power = pauli.popcount(x & z)
    out_x, out_z = np.zeros_like(x), np.zeros_like(z)
    for letters, image in ((x, inverse.x_output), (z, inverse.z_output)):
        for q in range(n):
            string = image(q)
            image_x, image_z = (pauli.from_bits(bits) for bits in string.to_numpy())
            has = (letters >> (n - 1 - q)) & 1
            out_x, out_z, more = pauli.product(out_x, out_z, has * image_x, has * image_z)
            power = power + more + has.astype(np.int64) * (0 if string.sign == 1 else 2)
    return out_x, out_z, 1.0 - power % 4


def advance(inverse: "stim.Tableau", table: OpTable, row: int, t: float) -> None:
    """Extend the map P -> W^dagger P W by one more row that does something; ValueError if it is not Clifford."""
    import stim

    n = table.num_qubits
    if table.kind[row] == MATRIX:
        wires = [n - 1 - int(w) for w in table.wires[row]]
        _prepend(inverse, _dense_tableau(table.matrices[table.matrix[row]]), wires)
        return
    word = pauli.word(int(table.x[row]), int(table.z[row]), n)
    controls = [q for q in range(n) if int(table.controls[row]) & pauli.bit(q, n)]
    quarter = t / (np.pi / 2)
    if controls:
        targets = [q for q in range(n) if word[q] != "I"]
        matrix = _controlled_matrix(len(controls), "".join(word[q] for q in targets), int(table.kappa[row]), t)
        _prepend(inverse, _dense_tableau(matrix), controls + targets)
        return
    if abs(quarter - round(quarter)) > TOLERANCE:
        raise ValueError("angle is no multiple of pi/2")
    support = [q for q in range(n) if word[q] != "I"]
    turns = round(quarter) % 4
    name, repeat = {1: ("SPP", 1), 2: ("SPP", 2), 3: ("SPP_DAG", 1)}[turns]
    product = "*".join(f"{word[q]}{i}" for i, q in enumerate(support))
    gate = stim.Circuit(f"{name} {product}\n" * repeat).to_tableau()
    _prepend(inverse, gate, support)


def _prepend(inverse, gate, targets):
    inverse.prepend(gate.inverse(), targets)


def _dense_tableau(matrix):
    import stim

    wires = int(np.log2(len(matrix)))
    if wires > _MAX_DENSE_WIRES:
        raise ValueError(f"a unitary on {wires} qubits is too wide to check")
    tableau = stim.Tableau.from_unitary_matrix(matrix, endian="big")
    # stim accepts what is Clifford to a few digits only; a gradient needs all of them.
    for position in range(wires):
        for letter, output in (("X", tableau.x_output), ("Z", tableau.z_output)):
            string = stim.PauliString("_" * position + letter + "_" * (wires - 1 - position))
            image = matrix @ string.to_unitary_matrix(endian="big") @ matrix.conj().T
            if np.abs(image - output(position).to_unitary_matrix(endian="big")).max() > 1e-6:
                raise ValueError("it is Clifford only roughly")
    return tableau


def _controlled_matrix(num_controls, letters, kappa, t):
    factors = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
    string = np.eye(1)
    for letter in letters:
        string = np.kron(string, np.array(factors[letter]))
    identity = np.eye(len(string))
    rotation = np.exp(0.5j * t * kappa) * (np.cos(t / 2) * identity - 1j * np.sin(t / 2) * string)
    matrix = np.eye(len(string) * 2**num_controls, dtype=complex)
    matrix[-len(string) :, -len(string) :] = rotation
    return matrix
