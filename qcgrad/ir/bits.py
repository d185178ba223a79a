"""Parities of many bitstrings with many others, a machine word at a time.

Rows of bits are arrays of unsigned 64-bit words; what is beyond the last bit is 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt64

Words = UInt64[np.ndarray, "rows words"]
"""Bits of each row, packed: bit i is bit i % 64 of word i // 64."""

_WORD = 64
# So many bytes of masks are looked at together.
_CHUNK_BYTES = 1 << 24


class Strings(NamedTuple):
    """N sets of qubits, by those bytes of their masks that are not zero.

    Attributes:
        num_qubits: n.
        starts: (N + 1,) where the bytes of each set begin and end.
        place: which byte of the mask; the least significant one is 0.
        value: what it holds.
    """

    num_qubits: int
    starts: np.ndarray
    place: np.ndarray
    value: np.ndarray

    @staticmethod
    def of(masks: Sequence[int], num_qubits: int) -> "Strings":
        """From masks, Python's integers."""
        width = -(-num_qubits // 8)
        counts, places, values = [np.zeros(1, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint8)]
        step = max(1, _CHUNK_BYTES // width)
        for start in range(0, len(masks), step):
            part = masks[start : start + step]
            data = np.frombuffer(b"".join(mask.to_bytes(width, "little") for mask in part), np.uint8)
            data = data.reshape(len(part), width)
            row, place = np.nonzero(data)
            counts.append(np.bincount(row, minlength=len(part)))
            places.append(place)
            values.append(data[row, place])
        return Strings(num_qubits, np.cumsum(np.concatenate(counts)), np.concatenate(places), np.concatenate(values))

    @property
    def number(self) -> int:
        """N."""
        return len(self.starts) - 1

    def transposed(self) -> Words:
        """(n, words) for each bit of a mask, the least significant one first, which of the sets hold it."""
        out = np.zeros((8 * -(-self.num_qubits // 8), words_of(self.number)), np.uint64)
        owner = np.repeat(np.arange(self.number), np.diff(self.starts))
        one = np.uint64(1) << (owner % _WORD).astype(np.uint64)
        for k in range(8):
            has = (self.value >> k & 1).astype(bool)
            np.bitwise_or.at(out, (8 * self.place[has] + k, owner[has] // _WORD), one[has])
        return out[: self.num_qubits]


def words_of(bits: int) -> int:
    """Words that hold so many bits; one at least."""
    return max(1, -(-bits // _WORD))


def parities(sets: Strings, rows: Words) -> Words:
    """(N, words) bit s of row j is the parity of bit s over all rows that set j holds.

    Eight rows at a time: all 256 sums of them are formed once, so that a set takes an exclusive or for each byte of its
    mask that is not zero, and not one for each of its qubits.

    Args:
        sets: N of them.
        rows: (n, words), row 0 belongs to the least significant bit.
    """
    out = np.zeros((sets.number, rows.shape[1]), np.uint64)
    used, where = np.unique(sets.place, return_inverse=True)
    table = _sums(used, rows)
    entry = 256 * where + sets.value
    counts = np.diff(sets.starts)
    for count in np.unique(counts[counts > 0]).tolist():
        chosen = np.flatnonzero(counts == count)
        first = sets.starts[chosen]
        found = table[entry[first]]
        for k in range(1, count):
            found ^= table[entry[first + k]]
        out[chosen] = found
    return out


def unpacked(words: Words, bits: int) -> Bool[np.ndarray, "rows bits"]:
    """The first bits of each row, one byte each."""
    # Words are little-endian in memory on every machine that JAX runs on.
    return np.unpackbits(words.view(np.uint8), axis=1, count=bits, bitorder="little").view(bool)


def _sums(used, rows: Words) -> Words:
    """(256 * number, words) for each byte that is used, the exclusive or of the rows of every subset of its bits."""
    table = np.zeros((len(used), 256, rows.shape[1]), np.uint64)
    for k in range(8):
        place = 8 * used + k
        inside = np.flatnonzero(place < len(rows))
        table[inside, 1 << k : 2 << k] = table[inside, : 1 << k] ^ rows[place[inside], None]
    return table.reshape(-1, rows.shape[1])
