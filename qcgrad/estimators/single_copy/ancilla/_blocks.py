"""Blocks of commuting generators in a circuit."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ....errors import NotApplicable
from ....ir import Program, light_cone, pauli
from ....ir.pull_back import NotClifford
from ....ir.rotations import Rotations, rotations
from ....memory import allowed_bytes, require
from ._insertions import driven_gates

# Of the table of all pairs, at a time: each takes a few integers.
_ROWS = 64


class Block(NamedTuple):
    """Driven strings that anticommute with the same later ones.

    Attributes:
        members: indices of rotations.
        flipped: (S,) the rotations that they anticommute with.
    """

    members: np.ndarray
    flipped: np.ndarray


class Blocks(NamedTuple):
    """What a circuit is made of.

    Attributes:
        blocks: in order.
        rotations: their members, and fixed ones.
        of_gate: indices of the rotations at each position; none at those of Clifford gates and of gates before all
            blocks. Gates that no observable sees have no position.
    """

    blocks: tuple[Block, ...]
    rotations: Rotations
    of_gate: dict[int, list[int]]


def blocks_of(program: Program) -> Blocks:
    """Driven strings by the set of later ones that they anticommute with.

    Those of one set commute, and each commutes with all that comes before the first of the set: they may be thought of
    as one block there, wherever the circuit has them.

    Raises:
        NotApplicable: names the first gate that is neither Clifford nor a rotation, or that leaves of a run of strings
            that commute nothing but single ones.
        TooLarge: more rotations than a table of all pairs holds.
    """
    x, z, _ = program.terms
    seen = light_cone.seen_gates(program.circuit.gates, program.qubits_of(x) | program.qubits_of(z))
    try:
        found = rotations(program, seen, driven_gates(program))
    except NotClifford as error:
        raise NotApplicable(f"CommutingBlock does not apply: {error}; use qcgrad.HadamardTest") from error
    against = _later(found)
    _check_runs(program, found, against)
    members: dict[bytes, list[int]] = {}
    for s in np.flatnonzero(found.coordinate >= 0).tolist():
        members.setdefault(np.packbits(against[s]).tobytes(), []).append(s)
    of_gate: dict[int, list[int]] = {position: [] for position in seen}
    for s, position in enumerate(found.position.tolist()):
        of_gate[position].append(s)
    blocks = tuple(Block(np.array(strings), against[strings[0]]) for strings in members.values())
    return Blocks(blocks, found, of_gate)


def _later(found: Rotations) -> Bool[np.ndarray, "S S"]:
    """Which string anticommutes with which later one."""
    count = len(found.position)
    require(
        f"which of {count:,} rotations anticommute takes",
        count**2,
        allowed_bytes(),
        "use fewer gates, or qcgrad.Adjoint",
    )
    against = np.zeros((count, count), bool)
    x, z = found.end_x, found.end_z
    for start in range(0, count, _ROWS):
        rows = slice(start, start + _ROWS)
        against[rows] = ~np.asarray(pauli.commute(x[rows, None], z[rows, None], x, z), bool)
    return np.triu(against)


def _check_runs(program: Program, found: Rotations, against: Bool[np.ndarray, "S S"]):
    """Refuse circuits in which a run of strings that commute falls apart into single ones."""
    runs: list[list[int]] = []
    for s in range(len(against)):
        if runs and not against[runs[-1], s].any():
            runs[-1].append(s)
        else:
            runs.append([s])
    for run in runs:
        members = np.array(run)[found.coordinate[run] >= 0]
        if len(members) > 1 and len(np.unique(against[members], axis=0)) == len(members):
            _refuse(program, found, members, against[members])


def _refuse(program: Program, found: Rotations, members, against):
    """Name the first gate that treats generators of the run differently."""
    breaks = int(np.flatnonzero(against.any(axis=0) & ~against.all(axis=0))[0])
    touched, spared = members[against[:, breaks]][0], members[~against[:, breaks]][0]

    def named(s):
        position = int(found.position[s])
        gate, number = program.circuit.gates[position], int(found.coordinate[s])
        which = f"parameterised gate {number}" if number >= 0 else f"gate {position} of the circuit"
        return f"{gate.name} on qubits {gate.wires} ({which})"

    raise NotApplicable(
        f"CommutingBlock finds no commuting blocks: {named(breaks)} anticommutes with the generator of "
        f"{named(touched)} and commutes with that of {named(spared)}, which belong to one run of commuting generators; "
        "in a commuting block all generators commute or all anticommute with each later one. Use qcgrad.HadamardTest "
        "or qcgrad.ParameterShift"
    )
