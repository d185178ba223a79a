"""The basis states with w ones out of n, and where gates and strings move them."""

import math
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Int

from ...ir import pauli


class Subspace(NamedTuple):
    """The basis states of n qubits with w ones, in ascending order.

    Attributes:
        num_qubits: n.
        masks: (D,) with D = n! / w! (n - w)!; qubit 0 is the most significant bit.
    """

    num_qubits: int
    masks: np.ndarray

    @staticmethod
    @lru_cache(maxsize=16)
    def of(num_qubits: int, weight: int) -> "Subspace":
        bits = [pauli.bit(q, num_qubits) for q in reversed(range(num_qubits))]
        masks = sorted(sum(chosen) for chosen in combinations(bits, weight))
        return Subspace(num_qubits, pauli.mask_array(masks, num_qubits))

    def places(self, masks: np.ndarray) -> tuple[Int[np.ndarray, "..."], np.ndarray]:
        """Where these basis states stand, and whether they are in here at all."""
        found = np.searchsorted(self.masks, masks)
        found = np.minimum(found, len(self.masks) - 1)
        return found, self.masks[found] == masks

    def groups(self, wires: tuple[int, ...]) -> "list[tuple[Int[np.ndarray, 'C'], Int[np.ndarray, 'R C']]]":
        """For each number of ones on some wires the patterns there, and places of states that differ in these only.

        Gates that conserve the number of ones mix each row of places by a block of their matrix.
        """
        k = len(wires)
        bits = [pauli.bit(wire, self.num_qubits) for wire in wires]
        local = np.zeros(len(self.masks), np.int64)
        for j, bit in enumerate(bits):
            local |= ((self.masks & bit) != 0).astype(np.int64) << (k - 1 - j)
        found = []
        for ones in range(k + 1):
            patterns = np.array([p for p in range(2**k) if p.bit_count() == ones])
            first = np.flatnonzero(local == patterns[0])
            if not len(first):
                continue
            rest = self.masks[first] & ~sum(b for j, b in enumerate(bits) if patterns[0] >> (k - 1 - j) & 1)
            columns = [
                self.places(rest | sum(b for j, b in enumerate(bits) if p >> (k - 1 - j) & 1))[0] for p in patterns
            ]
            found.append((patterns, np.stack(columns, axis=1)))
        return found

    def string(self, x: int, z: int) -> tuple[Int[np.ndarray, "D"], Complex[np.ndarray, "D"]]:
        """P within the subspace: (P psi)[j] = phase[j] psi[source[j]], with phase 0 where P leads out of it."""
        source, is_inside = self.places(self.masks ^ x)
        signs = 1 - 2 * (pauli.popcount(self.masks & z) & 1).astype(np.int64)
        return source, (-1j) ** (int(x & z).bit_count() % 4) * signs * is_inside


def dimension(num_qubits: int, weight: int) -> int:
    """D."""
    return math.comb(num_qubits, weight)
