r"""The JAX interpreter of op tables: `lax.scan` over the rows, so no circuit is ever compiled.

A row applies \(\psi_j \leftarrow a\,\psi_j + b\,(-i)^{|x \& z|}(-1)^{|j \& z|}\,\psi_{j \oplus x}\) to
the amplitudes whose control bits are all 1. Tables are padded to a few lengths with rows a = 1, b = 0,
which is why circuits of about the same size share one compiled program.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ir.op_table import MATRIX, OpTable


class Rows(NamedTuple):
    """An op table as device-ready arrays of one padded length; fields as in `OpTable`."""

    is_matrix: np.ndarray
    x: np.ndarray
    z: np.ndarray
    controls: np.ndarray
    kappa: np.ndarray
    slot: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    matrix: np.ndarray
    wires: np.ndarray
    matrices: np.ndarray


def bucket(length: int, smallest: int = 64) -> int:
    """The next power of two, at least `smallest`: few sizes, so that circuits share compiled programs."""
    size = smallest
    while size < length:
        size *= 2
    return size


def to_rows(table: OpTable, dtype) -> Rows:
    """Pad a table to its bucket and round its constants to the precision `dtype` (a real dtype)."""
    extra = bucket(table.num_ops) - table.num_ops
    complex_dtype = np.result_type(dtype, np.complex64)

    def pad(column, fill=0):
        return np.concatenate([column, np.full((extra, *column.shape[1:]), fill, column.dtype)])

    index = np.int32 if table.num_qubits <= 30 else np.int64
    matrices = table.matrices.astype(complex_dtype)
    if table.matrix_wires:
        spare = np.zeros((bucket(len(matrices), 4) - len(matrices), *matrices.shape[1:]), complex_dtype)
        matrices = np.concatenate([matrices, spare])
    return Rows(
        is_matrix=pad(table.kind == MATRIX),
        x=pad(table.x).astype(index),
        z=pad(table.z).astype(index),
        controls=pad(table.controls).astype(index),
        kappa=pad(table.kappa).astype(dtype),
        slot=pad(table.slot, -1),
        scale=pad(table.scale).astype(dtype),
        offset=pad(table.offset).astype(dtype),
        cosine=pad(table.cosine, 1).astype(complex_dtype),
        sine=pad(table.sine).astype(complex_dtype),
        matrix=pad(np.maximum(table.matrix, 0)),
        wires=pad(table.wires),
        matrices=matrices,
    )


def coefficients(rows: Rows, angles):
    """(a, b) of every row at the given angles (A,), complex."""
    slot = jnp.clip(rows.slot, 0)
    # A circuit without angles still needs something to index.
    values = angles if angles.shape[0] else jnp.zeros(1, rows.scale.dtype)
    t = rows.scale * values[slot] + rows.offset
    phase = jnp.exp(0.5j * t * rows.kappa).astype(rows.cosine.dtype)
    driven = rows.slot >= 0
    a = jnp.where(driven, phase * jnp.cos(t / 2), rows.cosine)
    b = jnp.where(driven, -1j * phase * jnp.sin(t / 2), rows.sine)
    return a.astype(rows.cosine.dtype), b.astype(rows.cosine.dtype)


def pauli_image(psi, x, z):
    """P|psi> for the string of masks x, z."""
    j = lax.iota(x.dtype, psi.shape[0])
    return signs(j, z).astype(psi.real.dtype) * minus_i_power(x & z, psi.dtype) * psi[j ^ x]


def signs(j, z):
    """(-1)^{|j & z|}, as int32."""
    return 1 - 2 * (lax.population_count(j & z) & 1).astype(jnp.int32)


def minus_i_power(mask, dtype):
    """(-i)^{|mask|}, exactly."""
    quarter = lax.population_count(mask) & 3
    return jnp.array([1, -1j, -1, 1j], dtype)[quarter]


def active(psi, controls):
    """Which amplitudes have all control bits set."""
    j = lax.iota(controls.dtype, psi.shape[0])
    return (j & controls) == controls


def apply_row(psi, row: Rows, a, b, matrices):
    """One row of the table on one state."""

    def rotate(psi):
        changed = a * psi + b * pauli_image(psi, row.x, row.z)
        return jnp.where(active(psi, row.controls), changed, psi)

    if row.wires.shape[0] == 0:
        return rotate(psi)
    return lax.cond(row.is_matrix, lambda psi: _apply_matrix(psi, matrices[row.matrix], row.wires), rotate, psi)


def _apply_matrix(psi, matrix, wires):
    """A dense unitary on the bit positions `wires`, most significant first, found by index arithmetic."""
    count = wires.shape[0]
    j = lax.iota(wires.dtype, psi.shape[0])
    local = jnp.zeros_like(j)
    base = j
    for wire in wires:
        local = local * 2 + ((j >> wire) & 1)
        base = base & ~(1 << wire)
    spread = jnp.zeros(2**count, wires.dtype)
    for position, wire in enumerate(wires):
        digit = (jnp.arange(2**count, dtype=wires.dtype) >> (count - 1 - position)) & 1
        spread = spread | (digit << wire)

    def add_column(total, column):
        index, entries = column
        return total + entries[local] * psi[base | index], None

    return lax.scan(add_column, jnp.zeros_like(psi), (spread, matrix.T))[0]


def run_rows(psi, rows: Rows, angles):
    """The whole table on a state."""
    a, b = coefficients(rows, angles)

    def step(psi, inputs):
        row, a, b = inputs
        return apply_row(psi, row, a, b, rows.matrices), None

    return lax.scan(step, psi, (_scanned(rows), a, b))[0]


def initial_state(num_qubits: int, dtype):
    """|0...0>."""
    return jnp.zeros(2**num_qubits, dtype).at[0].set(1)


def _scanned(rows: Rows):
    """The rows without the shared matrices, which are no column."""
    return rows._replace(matrices=rows.matrix)


def adjoint_rows(psi, lambdas, rows: Rows, angles):
    r"""Un-compute psi and the adjoint states together, reading off dF/dangle row by row.

    For U = exp(-i t G) the derivative of F is 2 Im <lambda|G|psi> taken after the row, where
    G = (P - kappa)/2 on the controlled subspace and |lambda> is the observable's image, un-computed.

    Args:
        psi: final state (2^n,).
        lambdas: (C, 2^n).
        angles: (A,).

    Returns:
        (C, A) gradient.
    """
    a, b = coefficients(rows, angles)
    inverses = rows.matrices.conj().swapaxes(1, 2)

    def step(carry, inputs):
        psi, lambdas = carry
        row, a, b = inputs
        image = jnp.where(active(psi, row.controls), pauli_image(psi, row.x, row.z) - row.kappa * psi, 0)
        slope = jnp.imag(jnp.conj(lambdas) @ image) * row.scale  # 0 for fixed and padded rows

        def undo(state):
            # (a + bP)^dagger = conj(a) + conj(b) P
            return apply_row(state, row, jnp.conj(a), jnp.conj(b), inverses)

        return (undo(psi), jax.vmap(undo)(lambdas)), slope

    _, slopes = lax.scan(step, (psi, lambdas), (_scanned(rows), a, b), reverse=True)
    slot = jnp.where(rows.slot < 0, angles.shape[0], rows.slot)
    return jnp.zeros((lambdas.shape[0], angles.shape[0] + 1), slopes.dtype).at[:, slot].add(slopes.T)[:, :-1]
