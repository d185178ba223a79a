"""Many Pauli strings at once, as arrays of masks."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float, Inexact, Int

from ..array_types import Array, Masks
from . import pauli

_FACTOR = 64

# Amplitudes transformed at a time: keeps the working set at a few tens of MiB.
CHUNK_AMPLITUDES = 1 << 20

# Measured, of a transform: what is multiplied, real and imaginary parts before and behind, and what becomes of them.
_BYTES_PER_AMPLITUDE = 96

Diagonals = Callable[[Masks], Complex[Array, "D 2**n"]]
"""From masks x to the elements rho[b, b XOR x] of a state."""


def distinct(x: Masks, z: Masks) -> tuple[Masks, Masks, Int[np.ndarray, "given"]]:
    """Each string once, ascending by x, then z, and where each of the given ones went: (x, z, position)."""
    order = np.lexsort((z, x))
    x, z = x[order], z[order]
    first = np.ones(len(x), bool)
    first[1:] = (x[1:] != x[:-1]) | (z[1:] != z[:-1])
    position = np.empty(len(x), np.int64)
    position[order] = np.cumsum(first) - 1
    return x[first], z[first], position


def walsh_hadamard(rows: Inexact[np.ndarray, "... 2**n"]) -> Inexact[np.ndarray, "... 2**n"]:
    """sum_b (-1)^{b.z} rows[..., b] for every z, along the last axis of 2^n floats or complex numbers."""
    if np.iscomplexobj(rows):
        return walsh_hadamard(np.real(rows)) + 1j * walsh_hadamard(np.imag(rows))
    shape, done = rows.shape, 1
    while done < shape[-1]:
        # A product with a matrix that fits the cache does several levels at once, and BLAS does it.
        size = min(_FACTOR, shape[-1] // done)
        matrix = _hadamard(size, rows.dtype)
        rows = rows.reshape(-1, size) @ matrix if done == 1 else np.matmul(matrix, rows.reshape(-1, size, done))
        done *= size
    return rows.reshape(shape)


def expectations(diagonals: Diagonals, dimension: int, x: Masks, z: Masks) -> Float[np.ndarray, "D"]:
    r"""tr(P rho) for D strings: one transform of rho[b, b XOR x] for each distinct x; O(n 2^n) each.

    Args:
        diagonals: function from masks (m,) to the elements rho[b, b XOR x], (m, 2^n).
        dimension: 2^n.
        x, z: masks (D,).
    """
    masks, where = np.unique(x, return_inverse=True)
    out = np.empty(len(x))
    order = np.argsort(where, kind="stable")
    together = max(1, CHUNK_AMPLITUDES // dimension)
    for start in range(0, len(masks), together):
        table = walsh_hadamard(np.asarray(diagonals(masks[start : start + together]), np.complex128))
        low, high = np.searchsorted(where[order], [start, start + together])
        chosen = order[low:high]
        # P|b> = i^{|x & z|} (-1)^{z.b} |b XOR x>
        out[chosen] = np.real(1j ** pauli.popcount(x[chosen] & z[chosen]) * table[where[chosen] - start, z[chosen]])
    return out


def transform_bytes(dimension: int, masks: int) -> int:
    """What `expectations`, and other transforms of that many rows, hold while they work on vectors of 2^n numbers."""
    together = max(1, CHUNK_AMPLITUDES // dimension)
    return _BYTES_PER_AMPLITUDE * dimension * min(masks, together)


def diagonals_of(state: Complex[np.ndarray, "2**n"] | Complex[np.ndarray, "2**n 2**n"]) -> Diagonals:
    """`diagonals` of a pure state (2^n,) or of a density matrix."""
    index = np.arange(len(state))
    if state.ndim == 2:
        return lambda masks: state[index, index ^ masks[:, None]]
    return lambda masks: state * state.conj()[index ^ masks[:, None]]


@lru_cache(maxsize=16)
def _hadamard(size, dtype):
    index = np.arange(size)
    return (1 - 2 * (np.bitwise_count(index[:, None] & index) & 1).astype(np.int64)).astype(dtype)
