r"""A density matrix of n qubits as a state of 2n, and noisy circuits as circuits on these.

\(\rho\) is read row by row: its rows are numbered by qubits 0 to n - 1, its columns by qubits n to 2n - 1. A gate U is
then U on the row qubits and conj(U) on the column qubits, and a channel one matrix on both. The op table holds all of
that, so the interpreters of state vectors walk it, forwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ir.gates import MatrixPrimitive, PauliPrimitive, Primitive
from ...ir.noise.noisy_circuit import ChannelStep, GateStep, NoisyCircuit, Step
from ...ir.op_table import OpTable, lower


@dataclass(frozen=True)
class _Doubled:
    """A step on 2n qubits, as `op_table.lower` takes gates."""

    step: Step
    num_qubits: int
    wires: tuple[int, ...]

    @property
    def param(self) -> int | None:
        return self.step.gate.param if isinstance(self.step, GateStep) else None

    @property
    def offset(self) -> float:
        return self.step.gate.offset if isinstance(self.step, GateStep) else 0.0

    def primitives(self) -> list[Primitive]:
        if isinstance(self.step, GateStep):
            rows = self.step.primitives()
            return [*rows, *(p for row in rows for p in _conjugated(row, self.num_qubits))]
        return [_superoperator(self.step, self.wires, self.num_qubits)]


def doubled(circuit: NoisyCircuit) -> OpTable:
    """The op table on 2n qubits; angle a belongs to the a-th parameterised gate."""
    n, steps = circuit.num_qubits, circuit.steps
    placed = widened(steps, n)
    items: list[Any] = [_Doubled(step, n, wires) for step, wires in zip(steps, placed, strict=True)]
    return lower(2 * n, items)


def _conjugated(primitive: Primitive, n: int) -> list[Primitive]:
    """The complex conjugate, on column qubits."""
    wires = tuple(n + wire for wire in primitive.wires)
    if isinstance(primitive, MatrixPrimitive):
        return [MatrixPrimitive(primitive.matrix.conj(), wires)]
    moved = primitive._replace(wires=wires, controls=tuple(n + wire for wire in primitive.controls))
    if primitive.letters.count("Y") % 2 == 0:
        # P is real: exp(-i t (P - kappa)/2) turns the other way.
        return [moved._replace(scale=-moved.scale, offset=-moved.offset)]
    # P is imaginary, conj(P) = -P: the turn stays, and the phase of kappa turns round.
    found: list[Primitive] = [moved._replace(kappa=0)]
    if primitive.kappa:
        found.append(PauliPrimitive("", (), moved.controls, 0, moved.scale, moved.offset))
    return found


def _superoperator(step: ChannelStep, wires: tuple[int, ...], n: int) -> MatrixPrimitive:
    """The channel's matrix on rows and columns of `wires`, which begin with qubits that it leaves alone."""
    idle, size = len(wires) - step.channel.width, 2**step.channel.width
    channel = step.channel.superoperator.reshape(size, size, size, size)
    identity = np.eye(2**idle)
    # Rows (idle, own), columns (idle, own), behind and before.
    widened = np.einsum("ij,kl,abcd->iakbjcld", identity, identity, channel)
    side = (2**idle * size) ** 2
    return MatrixPrimitive(widened.reshape(side, side), (*wires, *(n + wire for wire in wires)))


def widened(steps: Sequence[Step], n: int) -> list[tuple[int, ...]]:
    """Each channel's qubits, with others in front until all channels have as many as the widest.

    All matrices of an op table have one size. What fills a channel up are the qubits of the last gate on its own, or of
    the next one, so that the two end up in one block.
    """
    most = max((step.channel.width for step in steps if isinstance(step, ChannelStep)), default=0)
    before, after = _neighbours(steps, n), _neighbours(steps[::-1], n)[::-1]
    placed = []
    for step, last, coming in zip(steps, before, after, strict=True):
        near = dict.fromkeys((*last, *coming, *range(n))) if isinstance(step, ChannelStep) else ()
        others = [qubit for qubit in near if qubit not in step.wires]
        placed.append((*others[: max(0, most - len(step.wires))], *step.wires))
    return placed


def _neighbours(steps: Sequence[Step], n: int) -> list[tuple[int, ...]]:
    """For each step the qubits of the last one on several, that its first qubit was in."""
    latest: list[tuple[int, ...]] = [()] * n
    found = []
    for step in steps:
        found.append(latest[step.wires[0]] if step.wires else ())
        if len(step.wires) > 1:
            for wire in step.wires:
                latest[wire] = step.wires
    return found
