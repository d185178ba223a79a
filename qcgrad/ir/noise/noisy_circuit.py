"""A circuit with its noise, step by step, and the part of it that measurements depend on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...array_types import Array
from .. import light_cone
from ..circuit import Circuit
from ..gates import Gate, MatrixPrimitive, PauliPrimitive, Primitive
from ._errors import OverRotation, ReadoutError
from ._model import GateNoise, NoiseModel, has_angle
from .channel import Channel


@dataclass(frozen=True)
class GateStep:
    """A gate that turns by factor * angle + shift (radians) instead of by its angle."""

    gate: Gate
    factor: float = 1.0
    shift: float = 0.0

    @property
    def wires(self) -> tuple[int, ...]:
        """The qubits that it does something to."""
        return light_cone.acted_on(self.gate)

    def primitives(self) -> list[Primitive]:
        """Those of the gate, turned so."""
        found = self.gate.primitives()
        if (self.factor, self.shift) == (1, 0):
            return found
        if len(found) == 1 and isinstance(found[0], PauliPrimitive) and not found[0].scale:
            # A fixed gate that is one turn: its angle is the primitive's.
            return [found[0]._replace(offset=self.factor * found[0].offset + self.shift)]
        return [self._turned(p) if isinstance(p, PauliPrimitive) else p for p in found]

    def _turned(self, p: PauliPrimitive) -> PauliPrimitive:
        return p._replace(scale=self.factor * p.scale, offset=p.offset + self.shift * p.scale)


@dataclass(frozen=True)
class ChannelStep:
    """A channel on some qubits."""

    channel: Channel
    wires: tuple[int, ...]


Step = GateStep | ChannelStep


class NoisyPart(NamedTuple):
    """Some steps of a noisy circuit, on some of its qubits.

    Attributes:
        circuit: the steps, on qubits 0 to m - 1.
        qubits: the whole circuit's qubits that these are, ascending.
        angles: which of the whole circuit's angles are kept.
    """

    circuit: "NoisyCircuit"
    qubits: tuple[int, ...]
    angles: np.ndarray

    def select(self, angles: Float[Array, "... A"]) -> Float[Array, "... part"]:
        """Angles (..., A) of the part."""
        return angles[..., self.angles]


@dataclass(frozen=True)
class NoisyCircuit:
    """Steps on n qubits that start in |0>, and what is wrong with reading each.

    Attributes:
        num_qubits: n.
        steps: gates and channels in order.
        readout: the error of reading each qubit, or None.
        name: of the circuit.
    """

    num_qubits: int
    steps: tuple[Step, ...]
    readout: tuple[ReadoutError | None, ...]
    name: str = ""

    @cached_property
    def num_angles(self) -> int:
        """A, one for each gate with a parameter."""
        return sum(isinstance(step, GateStep) and step.gate.param is not None for step in self.steps)

    @cached_property
    def channels(self) -> tuple[ChannelStep, ...]:
        """The channels alone."""
        return tuple(step for step in self.steps if isinstance(step, ChannelStep))

    @cached_property
    def matrix_wires(self) -> int:
        """How many qubits the widest dense gate or channel acts on."""
        gates = [p for step in self.steps if isinstance(step, GateStep) for p in step.primitives()]
        dense = [len(p.wires) for p in gates if isinstance(p, MatrixPrimitive)]
        return max([*dense, *(step.channel.width for step in self.channels)], default=0)

    def seen(self, measured: Iterable[int]) -> NoisyPart:
        """What outcomes of measurements of some qubits depend on.

        Channels preserve the trace, so what acts on none of the qubits that matter changes no outcome, as for gates.
        """
        cone, kept = set(measured) or {0}, []
        for position in range(len(self.steps) - 1, -1, -1):
            wires = self.steps[position].wires
            if not cone.isdisjoint(wires):
                cone.update(wires)
                kept.append(position)
        return self._part(kept[::-1], tuple(sorted(cone)))

    def _part(self, positions: list[int], qubits: tuple[int, ...]) -> NoisyPart:
        place = {qubit: k for k, qubit in enumerate(qubits)}
        is_driven = [isinstance(step, GateStep) and step.gate.param is not None for step in self.steps]
        angle_of = np.cumsum(is_driven) - 1
        angles = np.array([angle_of[i] for i in positions if is_driven[i]], np.int64)
        steps = tuple(_moved(self.steps[i], place) for i in positions)
        readout = tuple(self.readout[qubit] for qubit in qubits)
        return NoisyPart(NoisyCircuit(len(qubits), steps, readout, self.name), qubits, angles)


@lru_cache(maxsize=64)
def noisy(circuit: Circuit, model: NoiseModel) -> NoisyCircuit:
    """A circuit with the noise of a model.

    Raises:
        ValueError: the model names a qubit that is not there.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.ir.noise.noisy_circuit import noisy
        >>> model = qg.NoiseModel().add(qg.PhaseDamping(0.1), "cx", qubits=1)
        >>> [step.wires for step in noisy(qg.Circuit(2).h(0).cx(0, 1), model).steps]
        [(0,), (0, 1), (1,)]
    """
    model.check(circuit)
    waits = _idle(circuit, model)
    steps: list[Step] = []
    for gate in circuit.gates:
        steps += next(waits)
        steps += [*_around(gate, model, "before"), _gate_step(gate, model), *_around(gate, model, "after")]
    steps += next(waits)
    readout = tuple(map(model.readout_of, range(circuit.num_qubits)))
    return NoisyCircuit(circuit.num_qubits, tuple(steps), readout, circuit.name)


def errs(gate: Gate, model: NoiseModel) -> bool:
    """Whether anything goes wrong in a gate."""
    step = _gate_step(gate, model)
    is_turned = (step.factor, step.shift) != (1.0, 0.0)
    return is_turned or any(True for when in ("before", "after") for _ in _around(gate, model, when))


def _gate_step(gate: Gate, model: NoiseModel) -> GateStep:
    factor, shift = 1.0, 0.0
    for rule in model.gates:
        if isinstance(rule.error, OverRotation) and _fits(rule, gate):
            scale = 1 + rule.error.scale
            factor, shift = scale * factor, scale * shift + rule.error.offset
    return GateStep(gate, factor, shift)


def _around(gate: Gate, model: NoiseModel, when: str) -> Iterator[ChannelStep]:
    for rule in model.gates:
        if rule.when != when or not isinstance(rule.error, Channel) or rule.error.is_identity or not _fits(rule, gate):
            continue
        if rule.error.width > 1:
            yield ChannelStep(rule.error, tuple(gate.wires))
            continue
        for wire in gate.wires:
            if rule.qubits is None or wire in rule.qubits:
                yield ChannelStep(rule.error, (wire,))


def _fits(rule: GateNoise, gate: Gate) -> bool:
    if rule.gates is not None and gate.name not in rule.gates:
        return False
    if rule.wires is not None and tuple(gate.wires) != rule.wires:
        return False
    if isinstance(rule.error, OverRotation):
        is_turn = gate.name in ("pauli_rot", "evolution") or (gate.name != "unitary" and has_angle(gate.name))
        return is_turn and (rule.qubits is None or set(gate.wires) <= set(rule.qubits))
    if rule.error.width == 1:
        return True
    if rule.error.width != len(gate.wires):
        if rule.gates is None:
            return False
        raise ValueError(
            f"noise {rule.error} acts on {rule.error.width} qubits, but gate {gate.name} on {gate.wires} does not: "
            "give wires=... or another channel"
        )
    return rule.qubits is None or set(gate.wires) <= set(rule.qubits)


def _idle(circuit: Circuit, model: NoiseModel) -> Iterator[list[ChannelStep]]:
    """What happened to the qubits of each gate while they waited for it, and at last to all until the end."""
    free = [0] * circuit.num_qubits
    for gate in circuit.gates:
        level = max((free[w] for w in gate.wires), default=0)
        yield [step for w in gate.wires for step in _waiting(model, w, level - free[w])]
        for wire in gate.wires:
            free[wire] = level + 1
    yield [step for q, busy in enumerate(free) for step in _waiting(model, q, max(free) - busy)]


def _waiting(model: NoiseModel, qubit: int, steps: int) -> list[ChannelStep]:
    rules = [r for r in model.idle if (r.qubits is None or qubit in r.qubits) and not r.error.is_identity]
    return [ChannelStep(rule.error, (qubit,)) for _ in range(steps) for rule in rules]


def _moved(step: Step, place: dict[int, int]) -> Step:
    if isinstance(step, ChannelStep):
        return replace(step, wires=tuple(place[w] for w in step.wires))
    return replace(step, gate=light_cone.moved(step.gate, place))
