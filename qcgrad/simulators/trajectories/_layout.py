"""Which angle of an op table belongs to what: gates, drawn errors, and rotations in front of a measurement."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...ir import pauli
from ...ir.circuit import Circuit
from ...ir.gates import Gate
from ...ir.noise.noisy_circuit import GateStep, NoisyCircuit
from ...ir.observable import PauliSum
from ...ir.op_table import OpTable, lower
from ...ir.program import Program
from ..statevector import _walk as walk

GATE, ERROR, TURN = 0, 1, 2


class Layout(NamedTuple):
    """An op table on n qubits whose angles are of three kinds.

    Attributes:
        table: the gates, what stands for the channels, and one RY and one RX a qubit at the end.
        kind: (A',) whether an angle is one of a `GATE`, of an `ERROR`, or a `TURN` in front of a measurement.
        rank: (A',) which one of its kind, in order.
    """

    table: OpTable
    kind: Int[np.ndarray, "all"]
    rank: Int[np.ndarray, "all"]

    def places(self, gates: int, errors: Int[np.ndarray, "E"], count: int) -> Int[np.ndarray, "padded"]:
        """Where each of the table's angles is in an array that holds gate angles, then error turns, then the others.

        Args:
            gates: room for gate angles.
            errors: where the table's error turns are among those.
            count: room for error turns.
        """
        start = np.array([0, gates, gates + count])[self.kind]
        inside = self.rank.copy()
        inside[self.kind == ERROR] = errors
        found = start + inside
        return np.pad(found, (0, walk.bucket(len(found)) - len(found)))


def laid_out(circuit: NoisyCircuit, channels: list[list[Any]]) -> Layout:
    """The table of a circuit.

    Args:
        circuit: with its noise.
        channels: what stands for each channel, in order: things that `op_table.lower` takes.
    """
    n, waiting = circuit.num_qubits, iter(channels)
    items, kinds = [], []
    for step in circuit.steps:
        found = [_Turned(step)] if isinstance(step, GateStep) else next(waiting)
        items += found
        kinds += [GATE if isinstance(step, GateStep) else ERROR for item in found if item.param is not None]
    items += [Gate(name, (q,), param=0) for q in range(n) for name in ("ry", "rx")]
    kind = np.array([*kinds, *[TURN] * (2 * n)], np.int64)
    rank = np.empty_like(kind)
    for each in (GATE, ERROR, TURN):
        rank[kind == each] = np.arange(np.count_nonzero(kind == each))
    return Layout(lower(n, items), kind, rank)


def measuring_turns(x: int, z: int, num_qubits: int) -> Float[np.ndarray, "2n"]:
    """Angles of RY and RX of each qubit that turn the letters of a string into Z."""
    turns = np.zeros((num_qubits, 2))
    for q in range(num_qubits):
        bit = pauli.bit(q, num_qubits)
        if x & bit:
            turns[q] = (0, np.pi / 2) if z & bit else (-np.pi / 2, 0)
    return turns.ravel()


class _Turned:
    """A gate with errors of its angle, as `op_table.lower` takes gates."""

    def __init__(self, step: GateStep):
        self.param, self.offset, self.primitives = step.gate.param, step.gate.offset, step.primitives


class TableProgram(Program):
    """A program that is an op table, for engines that look at nothing else; nothing is observed."""

    def __init__(self, table: OpTable):
        super().__init__(_TableCircuit(table), [PauliSum("I" * table.num_qubits)])

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class _TableCircuit(Circuit):
    def __init__(self, table: OpTable):
        super().__init__(table.num_qubits)
        self.op_table = table


def padded_angles(circuit: NoisyCircuit) -> int:
    """The number of gate angles that circuits of about this size share."""
    return walk.bucket(max(circuit.num_angles, 1), 64)
