r"""Measurements of a pure state in stabilizer bases, drawn exactly from Pauli expectations.

With the outcome b of r independent commuting generators \(g_1 \dots g_r\) and \(g^a\) their products,

.. math:: \Pr[b] = 2^{-r} \sum_a (-1)^{a \cdot b}\, \langle g^a\rangle ,

a Walsh-Hadamard transform. No basis change is ever applied to the state, so thousands of bases cost little
more than one: the expectations of all strings are computed once, one transform for each X mask.
"""

from collections.abc import Sequence

import numpy as np

from ...array_types import Amplitudes, Key, MaskArray, Masks
from ...draws import generator
from ...errors import StateTooLarge
from ...ir import pauli, strings
from ...ir.stabilizers import group_elements, random_local_bases, random_stabilizer_bases
from ...memory import allowed_bytes, require_count
from ...queries import BasisCounts, MeasureBases, RandomizedMeasure, Snapshots

# Probabilities held at a time.
_CHUNK = 1 << 21
# Measured, of each of these: two masks, a sign, an expectation, what sorts them, and what transforms them.
_BYTES_PER_PROBABILITY = 100
# Masks held for each qubit of a random basis: x and z, and what they are made of.
_MASKS_HELD = {"local": 5, "clifford": 5}


def check_counts(query: MeasureBases, num_qubits: int, max_bytes: int | None = None) -> None:
    """Refuse sets of strings whose outcome counts would not fit.

    Args:
        query: on the n qubits that are simulated.
        num_qubits: n.
        max_bytes: refuse what needs more; by default 80 % of the memory that is free.

    Raises:
        StateTooLarge: with the number of sets that would fit.
    """
    bases, width = query.x.shape
    require_count(
        f"sets of {width} strings, with 2^{width} outcome counts each,",
        bases,
        lambda bases: (bases << 3 + width) + _working_bytes(num_qubits, bases, width),
        allowed_bytes(max_bytes),
        "measure fewer strings together",
        StateTooLarge,
    )


def check_snapshots(query: RandomizedMeasure, num_qubits: int, max_bytes: int | None = None) -> None:
    """Refuse more random bases than fit into memory; arguments and errors as for `check_counts`."""
    n = query.program.num_qubits
    each = (_MASKS_HELD[query.ensemble] * n + 4) * pauli.mask_bytes(n)
    require_count(
        f"random bases of {n} qubits",
        query.shots,
        lambda shots: shots * each + _working_bytes(num_qubits, shots, num_qubits),
        allowed_bytes(max_bytes),
        "give fewer copies, and average several estimates",
        StateTooLarge,
    )


def count(psi: Amplitudes, query: MeasureBases, key: Key) -> BasisCounts:
    """Outcome counts of each set of strings."""
    rng = generator(key)
    counts = np.empty((len(query.x), 1 << query.x.shape[1]), np.int64)
    for part, probability in _probabilities(psi, query.x, query.z):
        counts[part] = rng.multinomial(query.shots[part], probability)
    return BasisCounts(counts)


def snapshots(psi: Amplitudes, query: RandomizedMeasure, qubits: Sequence[int], key: Key) -> Snapshots:
    """One outcome in a fresh random basis for each shot; `psi` holds these qubits, the others are in |0>."""
    rng, n = generator(key), query.program.num_qubits
    if query.ensemble == "clifford":
        x, z = random_stabilizer_bases(n, query.shots, rng)
        return Snapshots(x, z, drawn_bits(psi, x, z, rng))
    x, z = random_local_bases(n, query.shots, rng)
    columns = list(qubits)
    own_x, own_z = (pauli.squeezed(masks[:, columns], qubits, n) for masks in (x, z))
    # String q is bit q of an outcome, so outcomes count qubits from the other end than masks do.
    bits = pauli.spread(drawn_bits(psi, own_x, own_z, rng), [n - 1 - q for q in reversed(columns)], n)
    for q in set(range(n)).difference(columns):
        # |0> measured in Z gives 0, in X or Y a coin's toss.
        bits |= np.where(x[:, q] != 0, rng.integers(2, size=len(bits)), 0).astype(bits.dtype) << q
    return Snapshots(x, z, bits)


def drawn_bits(psi: Amplitudes, x: MaskArray, z: MaskArray, rng: np.random.Generator) -> Masks:
    """(S,) one outcome for each set of strings (S, r)."""
    bits = np.empty(len(x), np.int64)
    for part, probability in _probabilities(psi, x, z):
        below = np.cumsum(probability, axis=1)
        # Scaling by the last sum keeps rounding from pointing past the end.
        target = rng.random(len(below)) * below[:, -1]
        bits[part] = np.sum(below <= target[:, None], axis=1)
    return bits


def _probabilities(psi, x, z):
    """Outcome distributions (C, 2^r), a slice of the bases at a time."""
    psi = np.asarray(psi, np.complex128)
    step = max(1, _CHUNK >> x.shape[1])
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        element_x, element_z, sign = group_elements(x[part], z[part])
        weights = np.maximum(strings.walsh_hadamard(sign * _expectations(psi, element_x, element_z)), 0)
        yield part, weights / weights.sum(axis=1, keepdims=True)


def _working_bytes(num_qubits: int, bases: int, width: int) -> int:
    """What a slice of the bases' outcome distributions and the transforms behind it hold."""
    together = min(bases, max(1, _CHUNK >> width)) << width
    dimension = 2**num_qubits
    return _BYTES_PER_PROBABILITY * together + strings.transform_bytes(dimension, min(together, dimension))


def _expectations(psi, x, z):
    """<P> of strings with masks of any shape."""
    dimension = len(psi)
    diagonals = strings.diagonals_of(psi)
    if x.size < dimension**2:
        return strings.expectations(diagonals, dimension, x.ravel(), z.ravel()).reshape(x.shape)
    # More strings than there are: each is worked out once.
    each = np.divmod(np.arange(dimension**2), dimension)
    return strings.expectations(diagonals, dimension, *each)[x * dimension + z]
