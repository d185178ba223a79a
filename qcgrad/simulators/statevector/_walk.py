r"""Rows of an op table on amplitudes, in JAX: the circuit is data, so it is never compiled.

A row applies \(\psi_j \leftarrow a\,\psi_j + b\,(-i)^{|x \& z|}(-1)^{|j \& z|}\,\psi_{j \oplus x}\) to
the amplitudes whose control bits are all 1. Tables are padded to a few lengths with rows a = 1, b = 0,
which is why circuits of about the same size share one compiled program.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Bool, Complex, Float, Int

from ...array_types import Angles, Array
from ...ir.op_table import MATRIX, OpTable
from ._register import Bits, BlockRegister, Held, Register

Factors = Complex[jax.Array, "..."]
"""What amplitudes are multiplied with, in one row or in many."""


class Rows(NamedTuple):
    """Rows of an op table as device-ready arrays of one padded shape; fields as in `OpTable`."""

    is_matrix: np.ndarray
    x: np.ndarray
    z: np.ndarray
    controls: np.ndarray
    kappa: np.ndarray
    slot: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    a: np.ndarray
    b: np.ndarray
    matrix: np.ndarray
    wires: np.ndarray
    matrices: np.ndarray


def bucket(length: int, smallest: int = 64) -> int:
    """The next power of two, at least `smallest`: few sizes, so that circuits share compiled programs."""
    size = smallest
    while size < length:
        size *= 2
    return size


def to_rows(table: OpTable, dtype: np.dtype, order: Int[np.ndarray, "..."] | None = None) -> Rows:
    """Rows of a table, rounded to the precision `dtype` (a real dtype).

    Args:
        table: where the rows are.
        dtype: of the constants.
        order: which rows, an array of any shape, -1 where padded; by default all of them, padded to a bucket.
    """
    if order is None:
        order = np.pad(np.arange(table.num_ops), (0, bucket(table.num_ops) - table.num_ops), constant_values=-1)
    complex_dtype = np.result_type(dtype, np.complex64)

    def take(column, fill=0):
        # The row appended at the end is the one that -1 picks.
        return np.concatenate([column, np.full((1, *column.shape[1:]), fill, column.dtype)])[order]

    index = np.int32 if table.num_qubits <= 30 else np.int64
    matrices = table.matrices.astype(complex_dtype)
    if len(matrices):
        spare = np.zeros((bucket(len(matrices), 4) - len(matrices), *matrices.shape[1:]), complex_dtype)
        matrices = np.concatenate([matrices, spare])
    return Rows(
        is_matrix=take(table.kind == MATRIX),
        x=take(table.x).astype(index),
        z=take(table.z).astype(index),
        controls=take(table.controls).astype(index),
        kappa=take(table.kappa).astype(dtype),
        slot=take(table.slot, -1),
        scale=take(table.scale).astype(dtype),
        offset=take(table.offset).astype(dtype),
        a=take(table.a, 1).astype(complex_dtype),
        b=take(table.b).astype(complex_dtype),
        matrix=take(np.maximum(table.matrix, 0)),
        wires=take(table.wires),
        matrices=matrices,
    )


def coefficients(rows: Rows, angles: Angles) -> tuple[Factors, Factors]:
    """(a, b) of every row at the given angles (A,), complex."""
    slot = jnp.clip(rows.slot, 0)
    # A circuit without angles still needs something to index.
    values = angles if angles.shape[0] else jnp.zeros(1, rows.scale.dtype)
    t = rows.scale * values[slot] + rows.offset
    cosine, sine = jnp.cos(t / 2), jnp.sin(t / 2)
    phase = jnp.where(rows.kappa == 0, 1, lax.complex(cosine, sine))
    driven = rows.slot >= 0
    return jnp.where(driven, phase * cosine, rows.a), jnp.where(driven, -1j * phase * sine, rows.b)


def pauli_image(register: Register | BlockRegister, psi: Held, x: Bits, z: Bits) -> Held:
    """P|psi> for the string of masks x, z."""
    sign = signs(register.indices(x.dtype), z).astype(psi.real.dtype)
    return sign * minus_i_power(x & z, psi.dtype) * register.flip(psi, x)


def signs(j: Bits, z: Bits) -> Int[jax.Array, "..."]:
    """(-1)^{|j & z|}, as int32."""
    return 1 - 2 * (lax.population_count(j & z) & 1).astype(jnp.int32)


def minus_i_power(mask: Bits, dtype: np.dtype) -> Factors:
    """(-i)^{|mask|}, exactly."""
    quarter = lax.population_count(mask) & 3
    return jnp.array([1, -1j, -1, 1j], dtype)[quarter]


def active(register: Register | BlockRegister, controls: Bits) -> Bool[Array, "..."]:
    """Which amplitudes have all control bits set."""
    return (register.indices(controls.dtype) & controls) == controls


def rotate(register: Register | BlockRegister, psi: Held, row: Rows, a: Factors, b: Factors) -> Held:
    """(a + b P)|psi> where all controls are 1."""
    changed = a * psi + b * pauli_image(register, psi, row.x, row.z)
    return jnp.where(active(register, row.controls), changed, psi)


def rotate_back(
    register: Register | BlockRegister, states: Complex[Array, "1+C ..."], row: Rows, a: Factors, b: Factors
) -> tuple[Complex[Array, "1+C ..."], Float[Array, "C ..."]]:
    """Un-compute psi = states[0] and the adjoint states behind it, and read off the derivative by the row's angle.

    For U = exp(-i t G) the derivative of F is 2 Im <lambda|G|psi> taken after the row, G = (P - kappa)/2 on
    the controlled subspace; |lambda> is the observable's image, un-computed. Zero for rows without an angle.

    Returns:
        states, and slopes (C, ...) of what is held here.
    """
    images = jax.vmap(lambda psi: pauli_image(register, psi, row.x, row.z))(states)
    is_active = active(register, row.controls)

    def undo(state, image):
        # (a + bP)^dagger = conj(a) + conj(b) P
        return jnp.where(is_active, jnp.conj(a) * state + jnp.conj(b) * image, state)

    pushed = jnp.where(is_active, images[0] - row.kappa * states[0], 0)
    slopes = jax.vmap(lambda adjoint: jnp.sum(jnp.imag(jnp.conj(adjoint) * pushed), axis=-1))(states[1:])
    return jax.vmap(undo)(states, images), slopes * row.scale.reshape(1, *slopes.shape[1:])


def apply_row(
    register: Register, psi: Held, row: Rows, a: Factors, b: Factors, matrices: Complex[Array, "number 2**K 2**K"]
) -> Held:
    """One row of the table on one state."""
    if row.wires.shape[0] == 0:
        return rotate(register, psi, row, a, b)
    return lax.cond(
        row.is_matrix,
        lambda psi: multiply(register, psi, matrices[row.matrix], row.wires),
        lambda psi: rotate(register, psi, row, a, b),
        psi,
    )


def multiply(register: Register, psi: Held, matrix: Complex[Array, "2**K 2**K"], wires: Int[Array, "K"]) -> Held:
    """A dense unitary on the bit positions `wires`, most significant first: sum_m U[b, b ^ m] psi[j ^ spread(m)]."""
    count = wires.shape[0]
    j = register.indices(wires.dtype)
    local = jnp.zeros_like(j)
    m = jnp.arange(2**count, dtype=wires.dtype)
    spread = jnp.zeros_like(m)
    for position, wire in enumerate(wires):
        local = local * 2 + ((j >> wire) & 1)
        spread = spread | (((m >> (count - 1 - position)) & 1) << wire)

    # Derivatives keep no copy of the state for each of the offsets.
    @jax.checkpoint
    def add_offset(total, offset):
        m, mask = offset
        return total + matrix[local, local ^ m] * register.flip(psi, mask), None

    return lax.scan(add_offset, jnp.zeros_like(psi), (m, spread))[0]


def without_matrices(rows: Rows) -> Rows:
    """The rows without the shared matrices, which are no column."""
    return rows._replace(matrices=rows.matrix)


def add_by_angle(
    gradient: Float[jax.Array, "C A"], rows: Rows, slopes: Float[Array, "C ..."]
) -> Float[jax.Array, "C A"]:
    """Add the slopes (C, *rows) to the gradient (C, A); rows without an angle add nothing."""
    slot = jnp.where(rows.slot < 0, gradient.shape[1], rows.slot)
    return gradient.at[:, slot].add(slopes, mode="drop")
