"""Blocks of commuting generators in a circuit."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ....errors import NotApplicable
from ....ir import Program, light_cone, pauli
from ....ir.pull_back import NotClifford
from ....ir.rotations import Rotations, rotations
from ._insertions import driven_gates


class Block(NamedTuple):
    """Driven strings that commute, and the same with each later one.

    Attributes:
        members: indices of rotations.
        flipped: (S,) the later rotations that they anticommute with.
    """

    members: np.ndarray
    flipped: np.ndarray


class Blocks(NamedTuple):
    """The blocks of a circuit in order, its rotations, and the positions of the gates that matter."""

    blocks: tuple[Block, ...]
    rotations: Rotations
    positions: tuple[int, ...]


def blocks_of(program: Program) -> Blocks:
    """Maximal runs of rotations that commute, split by what they do to later ones.

    Raises:
        NotApplicable: names the first gate that is neither Clifford nor a rotation, or that leaves of a run nothing but
            single generators.
    """
    x, z, _ = program.terms
    seen = light_cone.seen_gates(program.circuit.gates, program.qubits_of(x) | program.qubits_of(z))
    try:
        found = rotations(program, seen, driven_gates(program))
    except NotClifford as error:
        raise NotApplicable(f"CommutingBlock does not apply: {error}; use qcgrad.HadamardTest") from error
    runs = _runs(found)
    blocks = []
    for k, run in enumerate(runs):
        later = np.concatenate([np.zeros(0, np.int64), *runs[k + 1 :]])
        members = run[found.coordinate[run] >= 0]
        against = _anticommute(found, members, later)
        kinds, kind = np.unique(against, axis=0, return_inverse=True)
        if len(kinds) == len(members) > 1:
            _refuse(program, found, members, later, against)
        for which, row in enumerate(kinds):
            flipped = np.zeros(len(found.position), bool)
            flipped[later[row]] = True
            blocks.append(Block(members[np.ravel(kind) == which], flipped))
    return Blocks(tuple(blocks), found, tuple(seen))


def _runs(found: Rotations) -> list[Int[np.ndarray, "run"]]:
    """In order, each as long as all of it commutes."""
    runs: list[list[int]] = []
    for s in range(len(found.position)):
        if runs and not _anticommute(found, np.array([s]), np.array(runs[-1])).any():
            runs[-1].append(s)
        else:
            runs.append([s])
    return [np.array(run) for run in runs]


def _anticommute(found: Rotations, one: np.ndarray, other: np.ndarray) -> Bool[np.ndarray, "one other"]:
    x, z = found.end_x, found.end_z
    return ~np.asarray(pauli.commute(x[one, None], z[one, None], x[other], z[other]), bool)


def _refuse(program: Program, found: Rotations, members, later, against):
    """Name the first gate that treats generators of the run differently."""
    column = int(np.flatnonzero(against.any(axis=0) & ~against.all(axis=0))[0])
    breaks, touched, spared = later[column], members[against[:, column]][0], members[~against[:, column]][0]

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
