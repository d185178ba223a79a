"""The strings of a program's observables, divided into groups that are measured together, each a program of its own."""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ..array_types import Masks
from . import pauli
from .basis_change import basis_change
from .circuit import Circuit
from .gates import Gate
from .observable import PauliSum, qubit_wise_groups
from .program import Program
from .strings import walsh_hadamard

Grouping = Literal["qubit-wise", "commuting"]
"""Which strings are measured together: those that agree on every qubit, or all that commute."""

GROUPINGS: tuple[Grouping, ...] = ("qubit-wise", "commuting")

# Largest number of independent strings whose outcomes are all looked at: 2^16 values for each observable.
_MOST_ENUMERATED = 16


class MeasuredGroup(NamedTuple):
    """Strings that are measured together.

    Attributes:
        program: the circuit, with a basis change behind it where single qubits' bases do not do, and what the group
            adds to each observable. It has one measurement basis.
        supports: (T,) masks; the parity of the outcome on a support is that of a string, up to signs in `coefficients`.
        coefficients: (K, T).
    """

    program: Program
    supports: Masks
    coefficients: Float[np.ndarray, "K T"]

    @property
    def is_used_by(self) -> Bool[np.ndarray, "K"]:
        """(K,) which observables it adds to."""
        return np.any(self.coefficients != 0, axis=1)

    @property
    def ranges(self) -> Float[np.ndarray, "K"]:
        """(K,) r with which outcomes for each observable are proved to lie in an interval of length 2r."""
        return half_ranges(self.supports, self.coefficients)


def commuting_groups(x: Masks, z: Masks) -> list[Int[np.ndarray, "group"]]:
    """Split Pauli strings into groups of strings that all commute with each other.

    The graph whose edges join strings that anticommute is coloured greedily: in falling order of the number of
    edges (largest first), by saturation, and in the order of qubit-wise groups; the fewest of the three are taken. So
    they are never more than `qubit_wise_groups`, and an upper bound on the least possible.

    Args:
        x, z: masks of T strings, shape (T,).

    Returns:
        Index arrays into the strings. Identity strings are left out.

    Example:
        >>> import numpy as np
        >>> from qcgrad.ir.measured_groups import commuting_groups
        >>> [group.tolist() for group in commuting_groups(np.array([3, 3, 0]), np.array([0, 3, 3]))]  # XX, YY, ZZ
        [[0, 1, 2]]

    References:
        V. Verteletskyi, T.-C. Yen, A. F. Izmaylov, J. Chem. Phys. 152, 124114 (2020), arXiv:1907.03358.
    """
    strings = np.flatnonzero(x | z)
    x, z = x[strings], z[strings]
    edges = [_bits(~np.asarray(pauli.commute(x[t], z[t], x, z))) for t in range(len(strings))]
    degrees = [row.bit_count() for row in edges]
    local = [t for group in qubit_wise_groups(x, z) for t in group.tolist()]
    orders = (sorted(range(len(strings)), key=lambda t: -degrees[t]), _by_saturation(edges, degrees), local)
    fewest = min((_coloured(order, edges) for order in orders), key=len)
    return [strings[np.sort(group)] for group in fewest]


@lru_cache(maxsize=64)
def measured_groups(program: Program, grouping: Grouping = "qubit-wise") -> tuple[MeasuredGroup, ...]:
    """The groups of a program: its own measurement bases, or general commuting groups."""
    n = program.num_qubits
    if grouping == "qubit-wise":
        found = []
        for basis in program.bases:
            x, z = (pauli.mask_array(letters & basis.supports, n) for letters in (basis.x, basis.z))
            observables = [PauliSum.from_masks(n, x, z, row) for row in basis.coefficients]
            part = Program(program.circuit, observables)
            found.append(MeasuredGroup(part, basis.supports, basis.coefficients))
        return tuple(found)
    x, z, coefficients = program.terms
    return tuple(_changed(program, x[g], z[g], coefficients[:, g]) for g in commuting_groups(x, z))


def half_ranges(supports: Masks, coefficients: Float[np.ndarray, "K T"]) -> Float[np.ndarray, "K"]:
    """(K,) half the distance between the largest and the smallest value of sums of parities.

    All values are looked at where at most 16 of the supports are independent; else it is the sum of |coefficients|,
    which is never less.
    """
    pivots = _pivots(supports)
    if len(pivots) > _MOST_ENUMERATED:
        return np.abs(coefficients).sum(axis=1)
    # Over rows in reduced form, a support is the sum of those whose pivots it holds.
    members = np.zeros(len(supports), np.int64)
    for place, pivot in enumerate(pivots):
        members |= np.array([int(s) >> pivot & 1 for s in supports], np.int64) << place
    table = np.zeros((len(coefficients), 1 << len(pivots)))
    np.add.at(table.T, members, coefficients.T)
    values = walsh_hadamard(table)
    return (values.max(axis=1) - values.min(axis=1)) / 2


def _changed(program: Program, x, z, coefficients) -> MeasuredGroup:
    """The group behind its basis change, which touches no qubit that no string acts on."""
    n = program.num_qubits
    qubits = sorted(program.qubits_of(x | z))
    change = basis_change(pauli.squeezed(x, qubits, n), pauli.squeezed(z, qubits, n), len(qubits))
    gates = (Gate(g.name, tuple(qubits[w] for w in g.wires), offset=g.offset) for g in change.gates)
    circuit = Circuit(n, (*program.circuit.gates, *gates), program.circuit.name)
    supports, signed = pauli.spread(change.masks, qubits, n), coefficients * change.signs
    nothing = np.zeros_like(supports)
    part = Program(circuit, [PauliSum.from_masks(n, nothing, supports, row) for row in signed])
    return MeasuredGroup(part, supports, signed)


def _pivots(masks: Masks) -> list[int]:
    """Positions of the pivot bits of the rows in reduced echelon form that span the masks."""
    rows: list[int] = []
    for mask in map(int, masks):
        for row in rows:
            mask = min(mask, mask ^ row)
        if mask:
            top = 1 << mask.bit_length() - 1
            rows = [row ^ mask if row & top else row for row in rows] + [mask]
            rows.sort(reverse=True)
    return [row.bit_length() - 1 for row in rows]


def _coloured(order: list[int], edges: list[int]) -> list[list[int]]:
    """First fit: each string joins the first group with all of which it commutes."""
    groups: list[list[int]] = []
    members: list[int] = []
    for t in order:
        place = next((g for g, held in enumerate(members) if not held & edges[t]), len(groups))
        if place == len(groups):
            groups.append([])
            members.append(0)
        groups[place].append(t)
        members[place] |= 1 << t
    return groups


def _by_saturation(edges: list[int], degrees: list[int]) -> list[int]:
    """The order in which strings have the fewest groups left to join, ties by the number of edges (Brelaz's DSATUR)."""
    order: list[int] = []
    members: list[int] = []
    saturation = np.zeros(len(edges), np.int64)
    blocked: list[int] = []
    size = max(degrees, default=0) + 1
    score = np.array(degrees, np.int64)
    for _ in edges:
        t = int(np.argmax(saturation * size + score))
        saturation[t] = -len(edges) - 1
        order.append(t)
        place = next((g for g, held in enumerate(members) if not held & edges[t]), len(members))
        if place == len(members):
            members.append(0)
            blocked.append(0)
        members[place] |= 1 << t
        fresh = edges[t] & ~blocked[place]
        blocked[place] |= edges[t]
        saturation[_places(fresh, len(edges))] += 1
    return order


def _bits(flags: Bool[np.ndarray, "T"]) -> int:
    """Flags as the bits of an integer, flag t as bit t."""
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def _places(bits: int, count: int) -> Int[np.ndarray, "set"]:
    """Which of `count` bits are set."""
    raw = np.frombuffer(bits.to_bytes((count + 7) // 8 or 1, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(raw, bitorder="little")[:count])
