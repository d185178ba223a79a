"""Circuits that turn sets of commuting Pauli strings into strings of Z, so that reading all qubits measures them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ..array_types import MaskArray, Masks
from . import pauli
from .gates import Gate

_Vector = tuple[int, int]


class BasisChange(NamedTuple):
    """Gates of a basis change, and what outcomes of reading all qubits behind it say of the strings.

    Attributes:
        gates: as a tuple, so that equal changes can be found.
        masks: (r,) the string i came out as Z on this mask of qubits, up to its sign.
        signs: (r,) +1 or -1.
    """

    gates: tuple[Gate, ...]
    masks: Masks
    signs: Int[np.ndarray, "r"]

    def bits(self, outcomes: Masks) -> MaskArray:
        """(N, r) 0 where string i came out as +1, 1 where as -1, from N outcomes of all qubits."""
        odd = pauli.popcount(outcomes[:, None] & self.masks) & 1
        return odd ^ (self.signs < 0)


def basis_change(x: Masks, z: Masks, num_qubits: int) -> BasisChange:
    """The change for r commuting strings (x, z): one gate a qubit where they agree on each, else that of a graph state.

    Example:
        >>> import numpy as np
        >>> from qcgrad.ir.basis_change import basis_change
        >>> change = basis_change(np.array([3, 0]), np.array([0, 3]), 2)  # XX and ZZ
        >>> [(gate.name, gate.wires) for gate in change.gates]
        [('h', (1,)), ('cz', (0, 1)), ('h', (0,)), ('h', (1,))]
        >>> change.masks, change.signs  # which of the two qubits to read
        (array([2, 1]), array([1, 1]))
    """
    all_x, all_z = int(np.bitwise_or.reduce(x, initial=0)), int(np.bitwise_or.reduce(z, initial=0))
    support = x | z
    if np.all((all_x & support == x) & (all_z & support == z)):
        gates = product_change(all_x, all_z, num_qubits)
        return BasisChange(gates, support, np.ones(len(x), np.int64))
    gates = _graph_change([(int(a), int(b)) for a, b in zip(x, z, strict=True)], num_qubits)
    images = [_conjugated(int(a), int(b), gates, num_qubits) for a, b in zip(x, z, strict=True)]
    masks = pauli.mask_array([mask for _, mask, _ in images], num_qubits)
    return BasisChange(gates, masks, np.array([sign for _, _, sign in images], np.int64))


def product_change(x: int, z: int, num_qubits: int) -> tuple[Gate, ...]:
    """Rotations that turn the X and Y letters of one string into Z."""
    gates = []
    for q in range(num_qubits):
        if x & pauli.bit(q, num_qubits):
            is_y = bool(z & pauli.bit(q, num_qubits))
            gates.append(Gate("rx", (q,), offset=np.pi / 2) if is_y else Gate("h", (q,)))
    return tuple(gates)


def _graph_change(strings: list[_Vector], n: int) -> tuple[Gate, ...]:
    """H on some qubits, inverse S on some, CZ on the edges of a graph, H everywhere.

    H goes where the X parts have no pivot. The X parts of the n generators are then independent, and reduced to the
    identity they read X_i Z^(row i of a symmetric matrix): its diagonal asks for S, what is off it for CZ.
    """
    rows = _completed(strings, n)
    pivots = _reduced(rows, n, part=0)
    flipped = [q for q in range(n) if q not in pivots]
    swapped = sum(pauli.bit(q, n) for q in flipped)
    for i, (x, z) in enumerate(rows):
        difference = (x ^ z) & swapped
        rows[i] = (x ^ difference, z ^ difference)
    _reduced(rows, n, part=0)
    gates = [Gate("h", (q,)) for q in flipped]
    gates += [Gate("sdg", (q,)) for q in range(n) if rows[q][1] & pauli.bit(q, n)]
    edges = [(q, p) for q in range(n) for p in range(q + 1, n) if rows[q][1] & pauli.bit(p, n)]
    return (*gates, *(Gate("cz", edge) for edge in edges), *(Gate("h", (q,)) for q in range(n)))


def _reduced(rows: list[_Vector], n: int, part: int) -> list[int]:
    """Bring the rows into reduced echelon form by their X parts (0) or Z parts (1), in place; the pivots' qubits."""
    pivots: list[int] = []
    for q in range(n):
        bit, start = pauli.bit(q, n), len(pivots)
        found = next((i for i in range(start, len(rows)) if rows[i][part] & bit), None)
        if found is None:
            continue
        rows[start], rows[found] = rows[found], rows[start]
        x, z = rows[start]
        for i, (other_x, other_z) in enumerate(rows):
            if i != start and rows[i][part] & bit:
                rows[i] = (other_x ^ x, other_z ^ z)
        pivots.append(q)
    return pivots


def _completed(strings: list[_Vector], n: int) -> list[_Vector]:
    """n independent commuting strings whose products hold the given ones."""
    free = [(pauli.bit(q, n), 0) for q in range(n)] + [(0, pauli.bit(q, n)) for q in range(n)]
    rows: list[_Vector] = []
    echelon: list[int] = []
    waiting = list(strings)
    while len(rows) < n:
        # `free` spans all that commutes with the rows; what of it is no product of them extends them.
        x, z = waiting.pop(0) if waiting else free.pop(0)
        if not (left := _remainder(x << n | z, echelon)):
            continue
        echelon.append(left)
        rows.append((x, z))
        odd = [v for v in free if _anticommute(v, (x, z))]
        if odd:
            a, b = odd[0]
            free = [(v[0] ^ a, v[1] ^ b) if v in odd else v for v in free if v != odd[0]]
    return rows


def _remainder(vector: int, echelon: list[int]) -> int:
    """What is left of a vector over GF(2) that is reduced by others; 0 where it is a sum of them."""
    for other in echelon:
        vector = min(vector, vector ^ other)
    return vector


def _anticommute(one: _Vector, other: _Vector) -> bool:
    return bool(((one[0] & other[1]).bit_count() + (one[1] & other[0]).bit_count()) & 1)


def _conjugated(x: int, z: int, gates: tuple[Gate, ...], n: int) -> tuple[int, int, int]:
    """(x, z, sign) of a string behind gates H, inverse S and CZ."""
    sign = 1
    for gate in gates:
        a = pauli.bit(gate.wires[0], n)
        has_x, has_z = bool(x & a), bool(z & a)
        if gate.name == "h":
            sign = -sign if has_x and has_z else sign
            if has_x != has_z:
                x, z = x ^ a, z ^ a
        elif gate.name == "sdg":
            sign = -sign if has_x and not has_z else sign
            z ^= a if has_x else 0
        else:
            b = pauli.bit(gate.wires[1], n)
            sign = -sign if has_x and x & b and has_z != bool(z & b) else sign
            z ^= (b if has_x else 0) | (a if x & b else 0)
    return x, z, sign
