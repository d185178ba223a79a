r"""Gradients as Pauli expectations of one common state, wherever a circuit is Clifford behind it.

Let \(|\phi\rangle\) be the state before the first parameterised gate and let every gate from there on be
Clifford at the given angles. With W_r the product of these gates up to row r, the generator
\(Q_r = W_r^\dagger G_r W_r\) and the observable \(\tilde O = W^\dagger O W\) are Pauli sums, and

.. math:: \partial_r F = \langle\phi|\, i[Q_r, \tilde O]\,|\phi\rangle

is one too. Conjugations are done by stim's tableaus.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import pauli
from .circuit import Circuit
from .op_table import MATRIX, OpTable
from .program import Program

# Dense conjugation of one gate; wider fixed unitaries would need 2^k x 2^k matrices.
_MAX_DENSE_WIRES = 6


if TYPE_CHECKING:  # scipy.sparse doubles the package's own import time, so it waits until it is used
    import scipy.sparse as sparse


class PauliComponents(NamedTuple):
    """K values and K x A derivatives as linear combinations of D Pauli expectations of one state.

    Attributes:
        preparation: parameter-free program that prepares the common state.
        x, z: (D,) masks of the distinct strings, identity left out.
        gradient: sparse (K * A, D); row k * A + a is the derivative of output k by angle a.
        value: sparse (K, D).
        constants: (K,) identity part of the values.
    """

    preparation: Program
    x: np.ndarray
    z: np.ndarray
    gradient: "sparse.csr_array"
    value: "sparse.csr_array"
    constants: np.ndarray


class NotClifford(ValueError):
    """A gate after the first parameterised one is not Clifford at its angle."""


def pull_back(program: Program, angles: np.ndarray) -> PauliComponents:
    """Write values and derivatives of a program as Pauli expectations of its common state.

    Args:
        program: circuit and K observables.
        angles: (A,) gate angles in radians.

    Raises:
        NotClifford: names the first gate that is not Clifford.
    """
    import stim

    gates = program.circuit.gates
    first = next((i for i, g in enumerate(gates) if g.param is not None), len(gates))
    suffix = Circuit(program.num_qubits, gates[first:])
    table = suffix.op_table
    inverse = stim.Tableau(program.num_qubits)  # maps P to W_r^dagger P W_r
    generators = []
    for row in range(table.num_ops):
        t = _angle(table, row, angles)
        try:
            _advance(inverse, table, row, t)
        except ValueError as error:
            raise NotClifford(
                f"gate {_name_of(suffix, row)} is not Clifford at angle {t:.6g}: the gradient observables do not "
                "pull back to Pauli strings of one common state"
            ) from error
        if table.slot[row] >= 0:
            generators.append((int(table.slot[row]), _pulled_sum(inverse, *_generator(table, row))))
    preparation = Program(Circuit(program.num_qubits, gates[:first]), program.observables)
    return _collect(program, preparation, generators, inverse)


def _collect(program, preparation, generators, inverse) -> PauliComponents:
    strings: dict[tuple[int, int], int] = {}
    entries: list[tuple[int, int, float]] = []
    values: list[tuple[int, int, float]] = []
    constants = np.zeros(program.num_observables)
    count = program.num_angles
    for k, observable in enumerate(program.observables):
        ox, oz, oc = _pulled_sum(inverse, observable.x, observable.z, observable.coefficients)
        for x, z, c in zip(ox.tolist(), oz.tolist(), oc.tolist(), strict=True):
            if x | z:
                values.append((k, strings.setdefault((x, z), len(strings)), c))
            else:
                constants[k] += c
        for slot, (gx, gz, gc) in generators:
            x, z, power = pauli.product(gx[:, None], gz[:, None], ox, oz)
            # i[Q, O] = 2i QO where the two anticommute, and QO = i^power P with power odd: real.
            c = np.where(power % 2 == 1, 2 * np.real(1j * 1j**power), 0.0) * gc[:, None] * oc
            for i, j in zip(*np.nonzero(c), strict=True):
                key = int(x[i, j]), int(z[i, j])
                entries.append((k * count + slot, strings.setdefault(key, len(strings)), float(c[i, j])))
    masks = np.array(list(strings), dtype=np.int64).reshape(-1, 2)
    return PauliComponents(
        preparation,
        masks[:, 0],
        masks[:, 1],
        _sparse(entries, (program.num_observables * count, len(strings))),
        _sparse(values, (program.num_observables, len(strings))),
        constants,
    )


def _sparse(entries, shape):
    import scipy.sparse as sparse

    rows, columns, data = zip(*entries, strict=True) if entries else ((), (), ())
    return sparse.csr_array((np.array(data, float), (np.array(rows, int), np.array(columns, int))), shape=shape)


def _angle(table: OpTable, row, angles) -> float:
    slot = table.slot[row]
    driven = float(table.scale[row] * angles[slot]) if slot >= 0 else 0.0
    return driven + float(table.offset[row])


def _generator(table: OpTable, row):
    """Masks and coefficients of scale * C (P - kappa)/2, with C the projector on all controls being 1."""
    x, z = int(table.x[row]), int(table.z[row])
    scale = float(table.scale[row])
    terms = [(x, z, scale / 2)] + ([(0, 0, -scale / 2)] if table.kappa[row] else [])
    controls = int(table.controls[row])
    while controls:
        lowest = controls & -controls
        controls ^= lowest
        # (1 - Z)/2 on each control qubit
        terms = [(tx, tz ^ flip, c * sign / 2) for tx, tz, c in terms for flip, sign in ((0, 1), (lowest, -1))]
    kept = [term for term in terms if term[0] | term[1]]
    xs, zs, cs = zip(*kept, strict=True) if kept else ((), (), ())
    return np.array(xs, np.int64), np.array(zs, np.int64), np.array(cs, float)


def _pulled_sum(inverse, x, z, coefficients):
    images = [_conjugate(inverse, int(a), int(b)) for a, b in zip(x, z, strict=True)]
    masks = np.array([(i[0], i[1]) for i in images], np.int64).reshape(-1, 2)
    return masks[:, 0], masks[:, 1], np.asarray(coefficients) * np.array([i[2] for i in images])


def _conjugate(inverse, x, z):
    """Masks and sign of the image of one string."""
    import stim

    n = len(inverse)
    image = inverse(stim.PauliString(pauli.word(x, z, n).replace("I", "_")))
    xs, zs = image.to_numpy()
    weights = 1 << np.arange(n - 1, -1, -1, dtype=np.int64)
    return int(xs @ weights), int(zs @ weights), float(image.sign.real)


def _advance(inverse, table: OpTable, row, t):
    """Extend the map P -> W^dagger P W by one more row; ValueError if it is not Clifford."""
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
    if abs(quarter - round(quarter)) > 1e-6:
        raise ValueError("angle is no multiple of pi/2")
    support = [q for q in range(n) if word[q] != "I"]
    turns = round(quarter) % 4
    if not turns or not support:
        return
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


def _name_of(circuit: Circuit, row: int) -> str:
    """The gate that a row of the op table belongs to, in words."""
    for gate in circuit.gates:
        size = len(gate.primitives())
        if row < size:
            return f"{gate.name} on qubits {gate.wires}"
        row -= size
    raise IndexError(row)
