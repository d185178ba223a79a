"""Pauli strings as pairs of bit masks.

A string on n qubits is P = i^{|x & z|} X^x Z^z, Hermitian for every pair of masks (x, z). Qubit q is bit
n-1-q of a mask, so qubit 0 is the most significant bit of a basis-state index, as it is the first
character of a word: "XYZ" acts with X on qubit 0.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import ArrayLike

from ..array_types import AnyMasks, MaskArray

LETTERS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
_LETTER_OF = {bits: letter for letter, bits in LETTERS.items()}

# Masks travel as signed 64-bit integers up to here, which is more than any dense state has; beyond, as Python's
# integers in object arrays, on which NumPy's bitwise functions work alike.
WORD_QUBITS = 62
# A mask of this many bits takes 13 kB, and a circuit has three for each gate.
MAX_QUBITS = 100_000


def bit(qubit: int, num_qubits: int) -> int:
    """Mask with only this qubit's bit set."""
    return 1 << (num_qubits - 1 - qubit)


def mask_array(values: ArrayLike, num_qubits: int) -> MaskArray:
    """Masks on n qubits as an array of the dtype that holds them."""
    return np.array(values, np.int64 if num_qubits <= WORD_QUBITS else object)


def mask_bytes(num_qubits: int) -> int:
    """What a mask takes in such an array, the integer that it points to included."""
    return 8 if num_qubits <= WORD_QUBITS else 8 + sys.getsizeof(1 << (num_qubits - 1))


def squeezed(mask: AnyMasks, qubits: Sequence[int], num_qubits: int) -> MaskArray:
    """The bits of some qubits alone, as masks on these: qubit `qubits[i]` becomes qubit i.

    Args:
        mask: one mask, or an array of any shape.
        qubits: which to keep, m of them.
        num_qubits: n of the masks given.
    """
    kept = len(qubits)
    given = np.asarray(mask)
    out = np.zeros(given.shape, np.int64 if kept <= WORD_QUBITS else object)
    for new, old in enumerate(qubits):
        bits = (given >> (num_qubits - 1 - old)) & 1
        out |= np.asarray(bits, out.dtype) << (kept - 1 - new)
    return out


def spread(mask: AnyMasks, qubits: Sequence[int], num_qubits: int) -> MaskArray:
    """The reverse of `squeezed`: masks on n qubits whose other bits are 0."""
    given = np.asarray(mask)
    out = np.zeros(given.shape, np.int64 if num_qubits <= WORD_QUBITS else object)
    for old, new in enumerate(qubits):
        bits = (given >> (len(qubits) - 1 - old)) & 1
        out |= np.asarray(bits, out.dtype) << (num_qubits - 1 - new)
    return out


def from_bits(bits: Bool[np.ndarray, "n"]) -> int:
    """The mask whose qubit q is set where bits[q] is."""
    packed = np.packbits(bits)
    return int.from_bytes(packed.tobytes()) >> (8 * len(packed) - len(bits))


def masks(word: str, wires: Iterable[int], num_qubits: int) -> tuple[int, int]:
    """(x, z) of the string whose i-th letter acts on `wires[i]`.

    Raises:
        ValueError: for a letter other than I, X, Y, Z.
    """
    x = z = 0
    for letter, wire in zip(word, wires, strict=True):
        if letter not in LETTERS:
            raise ValueError(f"Pauli word {word!r} has the letter {letter!r}: use only I, X, Y, Z")
        has_x, has_z = LETTERS[letter]
        x |= has_x * bit(wire, num_qubits)
        z |= has_z * bit(wire, num_qubits)
    return x, z


def word(x: int, z: int, num_qubits: int) -> str:
    """The letters of a string, qubit 0 first."""
    return "".join(_LETTER_OF[bool(x & bit(q, num_qubits)), bool(z & bit(q, num_qubits))] for q in range(num_qubits))


def commute(x1: AnyMasks, z1: AnyMasks, x2: AnyMasks, z2: AnyMasks) -> np.bool_ | Bool[np.ndarray, "..."]:
    """Whether two strings (or arrays of strings) commute: symplectic form x1.z2 + z1.x2 even."""
    return (popcount(np.bitwise_and(x1, z2)) + popcount(np.bitwise_and(z1, x2))) % 2 == 0


def popcount(mask: AnyMasks) -> Int[np.ndarray, "..."]:
    """Number of set bits, elementwise."""
    return np.asarray(np.bitwise_count(np.asarray(mask))).astype(np.int64)


def product(
    x1: MaskArray, z1: MaskArray, x2: MaskArray, z2: MaskArray
) -> tuple[MaskArray, MaskArray, Int[np.ndarray, "..."]]:
    """P1 P2 = i^power P: returns (x, z, power mod 4), elementwise."""
    x, z = np.bitwise_xor(x1, x2), np.bitwise_xor(z1, z2)
    # i^{|x1 z1|} X^x1 Z^z1 i^{|x2 z2|} X^x2 Z^z2: moving Z^z1 past X^x2 gives (-1)^{|z1 x2|}.
    power = (
        popcount(np.bitwise_and(x1, z1))
        + popcount(np.bitwise_and(x2, z2))
        + 2 * popcount(np.bitwise_and(z1, x2))
        - popcount(np.bitwise_and(x, z))
    )
    return x, z, power % 4
