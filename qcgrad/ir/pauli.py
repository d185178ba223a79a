"""Pauli strings as pairs of bit masks.

A string on n qubits is P = i^{|x & z|} X^x Z^z, Hermitian for every pair of masks (x, z). Qubit q is bit
n-1-q of a mask, so qubit 0 is the most significant bit of a basis-state index, as it is the first
character of a word: "XYZ" acts with X on qubit 0.
"""

import numpy as np

LETTERS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
_LETTER_OF = {bits: letter for letter, bits in LETTERS.items()}

# Masks travel as signed 64-bit integers; the state would not fit any memory long before.
MAX_QUBITS = 62


def bit(qubit: int, num_qubits: int) -> int:
    """Mask with only this qubit's bit set."""
    return 1 << (num_qubits - 1 - qubit)


def masks(word: str, wires, num_qubits: int) -> tuple[int, int]:
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


def commute(x1, z1, x2, z2):
    """Whether two strings (or arrays of strings) commute: symplectic form x1.z2 + z1.x2 even."""
    return (popcount(np.bitwise_and(x1, z2)) + popcount(np.bitwise_and(z1, x2))) % 2 == 0


def popcount(mask):
    """Number of set bits, elementwise."""
    return np.bitwise_count(np.asarray(mask, dtype=np.int64)).astype(np.int64)


def product(x1, z1, x2, z2):
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
