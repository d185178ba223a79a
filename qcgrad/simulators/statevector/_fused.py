"""The unitaries of blocks, and the derivatives that they pass on to their rows: the walk on small matrices."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Complex, Float

from ...array_types import Angles, Array
from . import _walk as walk
from ._register import BlockRegister

Unitaries = Complex[jax.Array, "number 2**k 2**k"]
"""A matrix for each block."""


def unitaries(rows: walk.Rows, angles: Angles) -> Unitaries:
    """(number, 2^k, 2^k): the product of each block's rows (number, R)."""
    number, width = rows.x.shape[0], rows.matrices.shape[-1].bit_length() - 1
    register = BlockRegister(number, width)

    # Derivatives keep what is in front of each row, and work out again what the row makes of it.
    @jax.checkpoint
    def step(columns, inputs):
        rotated = walk.rotate(register, columns, *inputs)
        return _or_multiplied(rotated, columns, rows.matrices, inputs[0]), None

    identity = jnp.eye(2**width, dtype=rows.a.dtype)
    start = jnp.broadcast_to(identity.ravel(), (number, 4**width))
    columns, _ = lax.scan(step, start, _scanned(rows, angles))
    return columns.reshape(number, 2**width, 2**width).swapaxes(1, 2)


def gradient(
    rows: walk.Rows, unitaries: Unitaries, transitions: Complex[Array, "C number 2**k 2**k"], angles: Angles
) -> Float[jax.Array, "C A"]:
    """(C, A): the adjoint sweep within each block.

    Args:
        rows: of the blocks (number, R).
        unitaries: (number, 2^k, 2^k).
        transitions: T (C, number, 2^k, 2^k) with dF = 2 Re sum_ab T[a, b] dU[a, b]: for column b, conj(T[:, b]) takes
            the place of the adjoint state.
        angles: (A,).
    """
    number, dimension, _ = unitaries.shape
    width = dimension.bit_length() - 1
    register = BlockRegister(number, width)
    inverses = rows.matrices.conj().swapaxes(-1, -2)

    def step(states, inputs):
        row = inputs[0]
        rotated, slopes = walk.rotate_back(register, states, *inputs)
        return jax.vmap(lambda new, old: _or_multiplied(new, old, inverses, row))(rotated, states), slopes

    columns = jnp.concatenate([unitaries[None], transitions.conj()]).swapaxes(-1, -2)
    states = columns.reshape(-1, number, dimension**2)
    _, slopes = lax.scan(step, states, _scanned(rows, angles), reverse=True)
    start = jnp.zeros((len(transitions), angles.shape[0]), angles.dtype)
    return walk.add_by_angle(start, rows, jnp.moveaxis(slopes, 0, -1))


def _scanned(rows: walk.Rows, angles):
    """Rows, a and b as (R, number, 1): one row of all blocks at a time."""
    columns = (walk.without_matrices(rows)._replace(wires=rows.matrix), *walk.coefficients(rows, angles))
    return jax.tree.map(lambda column: jnp.asarray(column).T[..., None], columns)


def _or_multiplied(rotated, columns, matrices, row: walk.Rows):
    """`rotated`, but for blocks whose row is a matrix: that matrix times the columns."""
    if not len(matrices):
        return rotated
    dimension = matrices.shape[-1]
    blocks = columns.reshape(-1, dimension, dimension)
    multiplied = jnp.einsum("sij,scj->sci", matrices[row.matrix[:, 0]], blocks)
    return jnp.where(row.is_matrix, multiplied.reshape(columns.shape), rotated)
