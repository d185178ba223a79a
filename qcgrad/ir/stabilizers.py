"""Sets of commuting Pauli strings, many sets at a time."""

import numpy as np
from jaxtyping import Int, Shaped

from ..array_types import MaskArray
from . import pauli


def group_elements(
    x: Shaped[np.ndarray, "B r"], z: Shaped[np.ndarray, "B r"]
) -> tuple[Shaped[np.ndarray, "B 2**r"], Shaped[np.ndarray, "B 2**r"], Int[np.ndarray, "B 2**r"]]:
    """All products of r commuting strings, for B sets at once.

    Args:
        x, z: (B, r) masks of the generators.

    Returns:
        Masks x and z of the products, and their signs, each (B, 2^r): the product of the generators i whose
        bit i is set in a is `sign[:, a]` times the string `(x[:, a], z[:, a])`.

    Example:
        >>> import numpy as np
        >>> from qcgrad.ir.stabilizers import group_elements
        >>> [part.tolist() for part in group_elements(np.array([[3, 0]]), np.array([[0, 3]]))]  # XX ZZ = -YY
        [[[0, 3, 0, 3]], [[0, 0, 3, 3]], [[1, 1, 1, -1]]]
    """
    count, generators = np.shape(x)
    element_x, element_z = (np.zeros((count, 1 << generators), x.dtype) for _ in range(2))
    # Exponents of i in i^raw X^x Z^z; unsigned bytes wrap at a multiple of 4.
    raw = np.zeros((count, 1 << generators), np.uint8)
    for i in range(generators):
        old, new = slice(1 << i), slice(1 << i, 2 << i)
        gx, gz = x[:, [i]], z[:, [i]]
        element_x[:, new] = element_x[:, old] ^ gx
        element_z[:, new] = element_z[:, old] ^ gz
        # Moving Z^z past X^gx costs a sign for each qubit they share.
        raw[:, new] = raw[:, old] + _count(gx & gz) + 2 * _count(element_z[:, old] & gx)
    # Products of commuting strings are Hermitian, so they are +1 or -1 times i^|x & z| X^x Z^z.
    return element_x, element_z, 1 - (raw - _count(element_x & element_z) & 3).astype(np.int64)


def parity_sign(members: MaskArray, bits: MaskArray) -> Int[np.ndarray, "..."]:
    """(-1)^(members . bits): the eigenvalue of a product of generators where the outcome bits are `bits`."""
    return 1 - 2 * (pauli.popcount(members & bits) & 1)


def random_stabilizer_bases(
    num_qubits: int, count: int, rng: np.random.Generator
) -> tuple[Shaped[np.ndarray, "count n"], Shaped[np.ndarray, "count n"]]:
    """Generators (count, n) of uniformly random stabilizer groups, up to signs (which only relabel outcomes).

    Vectors are drawn one after another from the symplectic complement of what is there: a generator, then a
    partner that anticommutes with it, so that the next ones can be projected. (stim draws random tableaus
    too, but takes no seed.)
    """
    pairs: list = []
    for _ in range(num_qubits):
        first = _complement_vector(num_qubits, count, rng, pairs, lambda x, z, todo: (x | z) != 0)
        partner = _complement_vector(
            num_qubits,
            count,
            rng,
            pairs,
            lambda x, z, todo, first=first: ~pauli.commute(x, z, first[0][todo], first[1][todo]),
        )
        pairs.append((first, partner))
    return tuple(np.stack([first[i] for first, _ in pairs], axis=1) for i in (0, 1))  # pyright: ignore[reportReturnType]


def random_local_bases(
    num_qubits: int, count: int, rng: np.random.Generator
) -> tuple[Shaped[np.ndarray, "count n"], Shaped[np.ndarray, "count n"]]:
    """Masks (count, n) of X, Y or Z at random on each qubit."""
    letter = rng.integers(3, size=(count, num_qubits))
    bits = pauli.mask_array([pauli.bit(q, num_qubits) for q in range(num_qubits)], num_qubits)
    return bits * (letter != 2).astype(bits.dtype), bits * (letter != 0).astype(bits.dtype)


def _complement_vector(num_qubits, count, rng, pairs, accepts):
    """A uniformly random vector for each of `count` problems, orthogonal to all pairs and accepted."""
    found = np.zeros((2, count), np.int64)
    todo = np.arange(count)
    while len(todo):
        x, z = rng.integers(1 << num_qubits, size=(2, len(todo)))
        for (ex, ez), (fx, fz) in pairs:
            on_e = ~pauli.commute(x, z, fx[todo], fz[todo])
            on_f = ~pauli.commute(x, z, ex[todo], ez[todo])
            x = x ^ on_e * ex[todo] ^ on_f * fx[todo]
            z = z ^ on_e * ez[todo] ^ on_f * fz[todo]
        good = accepts(x, z, todo)
        found[:, todo[good]] = x[good], z[good]
        todo = todo[~good]
    return found


def _count(masks):
    """Set bits modulo 256."""
    return np.bitwise_count(masks).astype(np.uint8)
