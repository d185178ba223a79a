r"""Gradients as Pauli expectations of one common state, wherever a circuit is Clifford behind it.

Let \(|\phi\rangle\) be the state before the first parameterised gate and let every gate from there on be
Clifford at the given angles. With W_r the product of these gates up to row r, the generator
\(Q_r = W_r^\dagger G_r W_r\) and the observable \(\tilde O = W^\dagger O W\) are Pauli sums, and

.. math:: \partial_r F = \langle\phi|\, i[Q_r, \tilde O]\,|\phi\rangle

is one too. Conjugations are done by stim's tableaus.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ..array_types import Angles
from . import _clifford as clifford
from . import pauli
from .circuit import Circuit
from .generators import generator
from .op_table import MATRIX, OpTable
from .program import Program
from .strings import distinct

# Products of strings formed at a time.
_CHUNK = 1 << 20


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


def pull_back(program: Program, angles: Angles, to_start: bool = False) -> PauliComponents:
    """Write values and derivatives of a program as Pauli expectations of its common state.

    Args:
        program: circuit and K observables.
        angles: (A,) gate angles in radians.
        to_start: take the state before all gates for the common one, not the one before the first parameterised gate;
            fixed gates in front then have to be Clifford too.

    Raises:
        NotClifford: names the first gate that is not Clifford.
    """
    import stim

    gates, table = program.circuit.gates, program.circuit.op_table
    first = 0 if to_start else next((i for i, g in enumerate(gates) if g.param is not None), len(gates))
    start = sum(len(gate.primitives()) for gate in gates[:first])
    inverse = stim.Tableau(program.num_qubits)  # maps P to W_r^dagger P W_r
    t = _row_angles(table, angles)
    generators = []
    # Rows that do nothing leave the map as it is: all generators up to the next one that does are pulled together.
    for row in (start + np.flatnonzero(~_idle(table, t)[start:])).tolist():
        generators.append(_pulled_generators(inverse, table, start, row))
        start = row
        try:
            clifford.advance(inverse, table, row, t[row])
        except ValueError as error:
            raise NotClifford(
                f"gate {name_of_row(program.circuit, row)} is not Clifford at angle {t[row]:.6g}: the gradient "
                "observables do not pull back to Pauli strings of one common state"
            ) from error
    generators.append(_pulled_generators(inverse, table, start, table.num_ops))
    preparation = Program(Circuit(program.num_qubits, gates[:first]), program.observables)
    return _collect(program, preparation, _joined(generators), inverse)


class _Terms(NamedTuple):
    """Terms c * P of a matrix of Pauli sums: the row each belongs to, masks, coefficients."""

    row: np.ndarray
    x: np.ndarray
    z: np.ndarray
    c: np.ndarray

    def part(self, chosen: slice | Bool[np.ndarray, "D"] | Int[np.ndarray, "part"]) -> "_Terms":
        return _Terms(self.row[chosen], self.x[chosen], self.z[chosen], self.c[chosen])


_NOTHING = _Terms(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _collect(program, preparation, generators: _Terms, inverse) -> PauliComponents:
    count, outputs = program.num_angles, program.num_observables
    values, gradients = [], []
    for k, observable in enumerate(program.observables):
        x, z, sign = clifford.conjugate(inverse, observable.x, observable.z)
        pulled = _Terms(np.full(len(x), k), x, z, sign * observable.coefficients)
        values.append(pulled)
        gradients += _commutators(generators, pulled, k * count)
    value, gradient = _joined(values), _joined(gradients)
    is_identity = (value.x | value.z) == 0
    constants = np.bincount(value.row[is_identity], weights=value.c[is_identity], minlength=outputs)
    value = value.part(~is_identity)
    x, z, position = distinct(np.concatenate([value.x, gradient.x]), np.concatenate([value.z, gradient.z]))
    return PauliComponents(
        preparation,
        x,
        z,
        _sparse(gradient, position[len(value.x) :], (outputs * count, len(x))),
        _sparse(value, position[: len(value.x)], (outputs, len(x))),
        constants,
    )


def _commutators(generators: _Terms, observable: _Terms, offset) -> list[_Terms]:
    """i[Q, O] for every generator term Q, in parts of limited memory."""
    parts = []
    step = max(1, _CHUNK // max(len(observable.x), 1))
    for start in range(0, len(generators.x), step):
        row, gx, gz, gc = generators.part(slice(start, start + step))
        x, z, power = pauli.product(gx[:, None], gz[:, None], observable.x, observable.z)
        i, j = np.nonzero(power % 2)
        # i[Q, O] = 2i QO where the two anticommute, and QO = i^power P with power odd: real.
        c = np.where(power[i, j] == 1, -2.0, 2.0) * gc[i] * observable.c[j]
        parts.append(_Terms(offset + row[i], x[i, j], z[i, j], c))
    return parts


def _joined(parts: list[_Terms]) -> _Terms:
    row, x, z, c = zip(_NOTHING, *parts, strict=True)
    return _Terms(np.concatenate(row), np.concatenate(x), np.concatenate(z), np.concatenate(c))


def _sparse(terms: _Terms, columns, shape):
    import scipy.sparse as sparse

    return sparse.csr_array((terms.c, (terms.row, columns)), shape=shape)


def _row_angles(table: OpTable, angles) -> np.ndarray:
    driven = table.slot >= 0
    if not driven.any():
        return table.offset
    return table.offset + np.where(driven, table.scale * np.asarray(angles, float)[table.slot], 0.0)


def _idle(table: OpTable, t) -> np.ndarray:
    """Which rows are the identity up to a phase: rotations by multiples of 2 pi without controls."""
    turns = t / (2 * np.pi)
    is_whole = np.abs(turns - np.round(turns)) * 4 <= clifford.TOLERANCE
    return (table.kind != MATRIX) & (table.controls == 0) & (is_whole | ((table.x | table.z) == 0))


def _pulled_generators(inverse, table: OpTable, start, stop):
    """(slot, x, z, coefficient) of the generators of rows start to stop, all pulled back by one map."""
    rows = start + np.flatnonzero(table.slot[start:stop] >= 0)
    if not len(rows):
        return _NOTHING
    plain = rows[(table.controls[rows] == 0) & ((table.x[rows] | table.z[rows]) != 0)]
    terms = [_Terms(table.slot[plain], table.x[plain], table.z[plain], table.scale[plain] / 2)]
    for row in rows[table.controls[rows] != 0].tolist():
        x, z, c = generator(table, row)
        terms.append(_Terms(np.full(len(x), table.slot[row]), x, z, c))
    row, x, z, c = _joined(terms)
    x, z, sign = clifford.conjugate(inverse, x, z)
    return _Terms(row, x, z, sign * c)


def name_of_row(circuit: Circuit, row: int) -> str:
    """The gate that a row of the op table belongs to, in words."""
    for gate in circuit.gates:
        size = len(gate.primitives())
        if row < size:
            return f"{gate.name} on qubits {gate.wires}"
        row -= size
    raise IndexError(row)
