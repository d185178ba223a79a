r"""Forward mode by the native engine: derivatives of the state as states at other angles.

A row \(U(t) = e^{-it(P-\kappa)/2}\), on the subspace where all controls are 1, has few frequencies, so that its
derivative is a sum of what it is at other t:

.. math:: U'(t) = \tfrac12 U(t+\pi), \qquad
    U'(t) = \tfrac{i}{2}\big(U(t) - U(t+\pi)\big), \qquad
    U'(t) = \tfrac14\big(U(t+\pi) - U(t-\pi)\big)

for \(\kappa = 0\), for \(\kappa = 1\), and for \(\kappa = 0\) with controls. The second one's first term multiplies the
state by i, which changes no expectation value, and is left out.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Complex, Float, Int

from ...array_types import Angles, Expectations
from ...ir import Program
from ...ir.op_table import OpTable
from . import _kernels as kernels
from . import _observe as observe
from ._register import WholeRegister

# Derivatives of the state are held this many bytes at a time, and images of it by observables as many.
_BYTES = 1 << 22


class Moves(NamedTuple):
    """States whose sum, with factors, is the derivative by an angle.

    Attributes:
        row: (B,) which driven row of the table is moved, counted among these.
        shift: (B,) by how many radians.
        factor: (B,) complex.
        slot: (B,) which angle they belong to.
    """

    row: np.ndarray
    shift: np.ndarray
    factor: np.ndarray
    slot: np.ndarray


def by_rows(table: OpTable) -> tuple[OpTable, Int[np.ndarray, "R"]]:
    """The table with an angle for each row that some angle drives, and which rows these are."""
    driven = np.flatnonzero(table.slot >= 0)
    slot, scale, offset = np.array(table.slot), np.array(table.scale), np.array(table.offset)
    slot[driven], scale[driven], offset[driven] = np.arange(len(driven)), 1.0, 0.0
    return table._replace(slot=slot, scale=scale, offset=offset), driven


def moves(table: OpTable, driven: Int[np.ndarray, "R"]) -> Moves:
    """Of all driven rows."""
    has_pair = (table.kappa[driven] == 0) & (table.controls[driven] != 0)
    row = np.repeat(np.arange(len(driven)), np.where(has_pair, 2, 1))
    is_second = np.append(False, row[1:] == row[:-1])
    factor = np.where(table.kappa[driven[row]] == 1, -0.5j, 0.5) * np.where(has_pair[row], 0.5, 1.0)
    shift, factor = np.where(is_second, -np.pi, np.pi), np.where(is_second, -factor, factor)
    return Moves(row, shift, table.scale[driven[row]] * factor, table.slot[driven[row]])


def states_held(num_qubits: int, itemsize: int, count: int) -> int:
    """States of memory: a block of derivatives, one of images, the state, and two to work in."""
    return 2 * min(count, block(num_qubits, itemsize)) + 3


def block(num_qubits: int, itemsize: int) -> int:
    """How many states are held at a time."""
    return max(1, _BYTES // (2 * itemsize << num_qubits))


def derivatives(
    program: Program,
    angles: Angles,
    run: Callable[[OpTable, Float[np.ndarray, "B R"]], Complex[np.ndarray, "B states"]],
) -> tuple[Float[np.ndarray, "K"], Expectations]:
    """Values (K,) and their derivatives (A, K), at angles (A,) at hand.

    Args:
        program: circuit and observables.
        angles: radians.
        run: the final states of a table at some settings of its angles.
    """
    table, driven = by_rows(program.circuit.op_table)
    whole, dtype = program.circuit.op_table, angles.dtype
    found = moves(whole, driven)
    point = whole.scale[driven] * np.asarray(angles, float)[whole.slot[driven]] + whole.offset[driven]
    step = block(program.num_qubits, dtype.itemsize)
    psi = run(table, point.astype(dtype)[None])[0]
    images = _Images(program, psi, dtype, step)
    value = np.concatenate([np.real(rows @ psi) for rows in images])
    slopes = np.zeros((len(angles), program.num_observables), dtype)
    for start in range(0, len(found.row), step):
        some = slice(start, start + step)
        settings = np.repeat(point[None], len(found.row[some]), axis=0)
        settings[np.arange(len(settings)), found.row[some]] += found.shift[some]
        tangents = run(table, settings.astype(dtype))
        overlaps = np.concatenate([rows @ tangents.T for rows in images])
        np.add.at(slopes, found.slot[some], 2 * np.real(found.factor[some, None] * overlaps.T).astype(dtype))
    return value.astype(dtype), slopes


class _Images:
    """<psi|O_k of all observables, a block of rows at a time; kept where one block holds them all."""

    def __init__(self, program: Program, psi: Complex[np.ndarray, "states"], dtype: np.dtype, step: int):
        self.register, self.psi, self.step = WholeRegister(program.num_qubits), jax.numpy.asarray(psi), step
        self.terms, self.count = observe.to_terms(program, dtype), program.num_observables
        self.weights = np.eye(self.count, dtype=dtype)
        self.kept = [self._rows(0)] if self.count <= step else None

    def __iter__(self) -> Iterator[Complex[np.ndarray, "rows states"]]:
        return iter(self.kept or (self._rows(start) for start in range(0, self.count, self.step)))

    def _rows(self, start: int):
        weights = self.weights[start : start + self.step]
        return np.asarray(kernels.bras(self.register, self.psi, self.terms, weights))
