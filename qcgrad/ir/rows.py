"""Rows of an op table at fixed angles, applied to dense arrays in NumPy.

For registers that are small enough to hold many vectors or a density matrix: hypothesis states and
collective measurements. States are arrays of shape (..., 2^n); every function returns a new one.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from ..array_types import Angles
from .op_table import MATRIX, OpTable, rotation_coefficients

# Of strings at each dimension; all 256 of a large one would take more than the states.
_REMEMBERED_BYTES = 32 << 20

States = Complex[np.ndarray, "... 2**n"]
"""One state, or any array of them."""


class Row(NamedTuple):
    """One primitive: a + b P on the subspace where all controls are 1, or a matrix on some wires.

    Attributes:
        x, z: masks of P.
        controls: mask.
        a, b: complex coefficients; unused with a matrix.
        matrix: (2^K, 2^K), or None.
        wires: bit positions of the matrix's wires, most significant first.
    """

    x: int
    z: int
    controls: int
    a: complex
    b: complex
    matrix: np.ndarray | None = None
    wires: tuple[int, ...] = ()

    def inverse(self) -> "Row":
        """The adjoint, which is the inverse."""
        matrix = None if self.matrix is None else self.matrix.conj().T
        return self._replace(a=np.conj(self.a), b=np.conj(self.b), matrix=matrix)

    @property
    def touched(self) -> int:
        """Mask of the qubits that the row acts on."""
        return self.x | self.z | self.controls | sum(1 << wire for wire in self.wires)

    def on(self, qubits: Sequence[int], num_qubits: int) -> "Row":
        """The row on some of its n qubits alone, all that it touches among them: `qubits[i]` becomes qubit i."""
        place = {num_qubits - 1 - q: len(qubits) - 1 - i for i, q in enumerate(qubits)}

        def narrowed(mask):
            return sum(1 << new for old, new in place.items() if mask >> old & 1)

        x, z, controls = narrowed(self.x), narrowed(self.z), narrowed(self.controls)
        return self._replace(x=x, z=z, controls=controls, wires=tuple(place[wire] for wire in self.wires))


def bind(table: OpTable, angles: Angles) -> tuple[Row, ...]:
    """The table's rows at the gate angles (A,), radians."""
    slot = np.maximum(table.slot, 0)
    driven = table.slot >= 0
    angles = np.asarray(angles, np.float64)
    t = table.offset + (table.scale * angles[slot] if driven.any() else 0.0)
    a, b = rotation_coefficients(t, table.kappa)
    return tuple(
        Row(
            int(table.x[i]),
            int(table.z[i]),
            int(table.controls[i]),
            a[i],
            b[i],
            table.matrices[table.matrix[i]] if table.kind[i] == MATRIX else None,
            tuple(int(w) for w in table.wires[i]) if table.kind[i] == MATRIX else (),
        )
        for i in range(table.num_ops)
    )


def apply(row: Row, states: States) -> States:
    """The row on states (..., 2^n)."""
    if row.matrix is not None:
        return _apply_matrix(row.matrix, row.wires, states)
    changed = row.a * states + row.b * apply_pauli(row.x, row.z, states)
    if not row.controls:
        return changed
    index = np.arange(states.shape[-1])
    return np.where((index & row.controls) == row.controls, changed, states)


def run(rows: Iterable[Row], states: States) -> States:
    """All rows, first one first."""
    for row in rows:
        states = apply(row, states)
    return states


def apply_pauli(x: int, z: int, states: States) -> States:
    """P|state> for the string of masks x, z."""
    source, phase = _string(x, z, states.shape[-1])
    return phase * states[..., source]


def expectation(x: int, z: int, states: States) -> Float[np.ndarray, "..."]:
    """<P> for each of the states (..., 2^n), real."""
    return np.real(np.sum(states.conj() * apply_pauli(x, z, states), axis=-1))


def zero_state(num_qubits: int) -> Complex[np.ndarray, "2**n"]:
    """|0...0>."""
    state = np.zeros(2**num_qubits, np.complex128)
    state[0] = 1
    return state


def _string(x: int, z: int, dimension: int):
    """P|psi>[j] = phase[j] psi[source[j]]."""
    return _strings_of(dimension)(x, z)


@lru_cache(maxsize=32)
def _strings_of(dimension: int):
    """`_string` at one dimension, remembering as many strings as fit into the memory set aside for it."""

    @lru_cache(maxsize=_REMEMBERED_BYTES // (24 * dimension))
    def make(x: int, z: int):
        j = np.arange(dimension)
        signs = 1 - 2 * (np.bitwise_count(j & z) & 1).astype(np.int64)
        return j ^ x, (-1j) ** (int(x & z).bit_count() % 4) * signs

    return make


def _apply_matrix(matrix, wires, states):
    n = states.shape[-1].bit_length() - 1
    batch = states.shape[:-1]
    axes = [len(batch) + n - 1 - w for w in wires]
    tensor = np.moveaxis(states.reshape(*batch, *(2,) * n), axes, range(len(batch), len(batch) + len(wires)))
    shape = tensor.shape
    product = matrix @ tensor.reshape(*batch, len(matrix), -1)
    tensor = np.moveaxis(product.reshape(shape), range(len(batch), len(batch) + len(wires)), axes)
    return tensor.reshape(*batch, -1)
