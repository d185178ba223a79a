"""Circuits written gate by gate, each with what drives its angle."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ....array_types import Angles as CircuitAngles
from ....array_types import Settings
from ....arrays import is_concrete
from ....ir import Gate, Program, pauli
from ....ir.adjoint import adjoint


class Step(NamedTuple):
    """A gate; its angle is slope times a coordinate plus, at setting b, turns[b].

    Attributes:
        gate: with a parameter where something drives it; which one, its scale and its offset then play no role, since
            settings hold angles.
        source: the coordinate, None where there is none.
        slope: factor of it.
        turns: radians, for each setting; empty for zeros.
    """

    gate: Gate
    source: int | None = None
    slope: float = 0.0
    turns: tuple[float, ...] = ()

    @property
    def undone(self) -> "Step":
        """The step backwards."""
        if self.gate.param is not None:
            return self._replace(slope=-self.slope, turns=tuple(-turn for turn in self.turns))
        name, offset, detail = adjoint(self.gate.name, self.gate.offset, self.gate.detail)
        return Step(Gate(name, self.gate.wires, None, 1.0, offset, detail))


class Angles(NamedTuple):
    """How A' angles at B settings follow from the coordinates.

    Attributes:
        source: (A',) which coordinate drives each.
        slope: (A',) by what factor; 0 where none does.
        offsets: (B, A') radians.
    """

    source: np.ndarray
    slope: np.ndarray
    offsets: np.ndarray

    def at(self, coordinates: CircuitAngles) -> Settings:
        """(B, A') angles at the coordinates (A,)."""
        if is_concrete(coordinates):
            moved = self.slope * np.asarray(coordinates, float)[self.source] + self.offsets
            return moved.astype(coordinates.dtype)
        moved = coordinates[self.source] * self.slope.astype(coordinates.dtype)
        return moved[None] + self.offsets.astype(coordinates.dtype)


@lru_cache(maxsize=16)
def steps_of(program: Program) -> tuple[Step, ...]:
    """The gates of a circuit, driven by its coordinates."""
    slots = iter(range(program.num_angles))
    return tuple(Step(g) if g.param is None else Step(g, next(slots), 1.0) for g in program.circuit.gates)


def assembled(steps: Sequence[Step], settings: int = 1) -> tuple[list[Gate], Angles]:
    """The gates, and the angles of the driven ones at the settings."""
    driven = [step for step in steps if step.gate.param is not None]
    turns = [step.turns or (0.0,) * settings for step in driven]
    return [step.gate for step in steps], Angles(
        np.array([step.source or 0 for step in driven], np.int64),
        np.array([step.slope for step in driven], float),
        np.array(turns, float).reshape(len(driven), settings).T,
    )


def rotation(x: int, z: int, num_qubits: int, angle: float | None = None) -> Gate:
    """exp(-i t P/2) of a string; driven where no angle is given."""
    word = pauli.word(x, z, num_qubits)
    wires = tuple(wire for wire in range(num_qubits) if word[wire] != "I")
    letters = "".join(word[wire] for wire in wires)
    return (
        Gate("pauli_rot", wires, 0, detail=letters)
        if angle is None
        else Gate("pauli_rot", wires, None, 1.0, angle, letters)
    )


def quarter_turns(x: int, z: int, num_qubits: int) -> Step:
    """The same by a quarter turn either way, at two settings."""
    return Step(rotation(x, z, num_qubits), turns=(np.pi / 2, -np.pi / 2))


def controlled_string(ancilla: int, x: int, z: int, num_qubits: int) -> list[Step]:
    """H on an ancilla, then a string that it controls, letter by letter."""
    word = pauli.word(x, z, num_qubits)
    letters = [Gate(f"c{word[w].lower()}", (ancilla, w)) for w in range(num_qubits) if word[w] != "I"]
    return [Step(Gate("h", (ancilla,))), *map(Step, letters)]
