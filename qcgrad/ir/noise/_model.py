"""Where noise happens: a model is a list of rules."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..circuit import Circuit
from ..gates import GATES, PauliPrimitive
from . import _checks as checks
from ._errors import OverRotation, ReadoutError
from .channel import Channel

When = Literal["after", "before"]

_NAMES = (*sorted(GATES), "pauli_rot", "evolution", "unitary")


@dataclass(frozen=True)
class GateNoise:
    """Noise of gates.

    Attributes:
        error: what happens: a channel, or an error of the angle.
        gates: names of the gates; None for every gate that it fits.
        qubits: which qubits it happens on; None for all.
        wires: only gates on exactly these qubits, in this order; None for all.
        when: "after" or "before" the gate.
    """

    error: Channel | OverRotation
    gates: tuple[str, ...] | None = None
    qubits: tuple[int, ...] | None = None
    wires: tuple[int, ...] | None = None
    when: When = "after"


@dataclass(frozen=True)
class IdleNoise:
    """A channel on qubits that wait: a one-qubit `error`, and the `qubits` that it happens on, None for all."""

    error: Channel
    qubits: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Readout:
    """The `error` of reading some `qubits`, None for all."""

    error: ReadoutError
    qubits: tuple[int, ...] | None = None


@dataclass(frozen=True, repr=False)
class NoiseModel:
    """What goes wrong, where: noise of gates, of qubits that wait, and of reading; without any, nothing does.

    Models are data, and every method returns a new one. `DensityMatrix` and `Trajectories` run circuits with them.
    Noise follows the gates of a circuit as they are written; the rotations in front of a measurement have none, and
    what reading adds is said by its own error. Costs do not depend on noise.

    Attributes:
        gates: noise of gates, in the order in which it happens around a gate.
        idle: noise of qubits that wait.
        readout: errors of reading; of several for one qubit the last one counts.

    Example:
        >>> import qcgrad as qg
        >>> noise = qg.NoiseModel().add(qg.Depolarizing(0.01, 2), gates="cx").add(qg.AmplitudeDamping(0.002))
        >>> noise.add_readout(qg.ReadoutError(0.02, 0.05))
        NoiseModel(
            Depolarizing(probability=0.01, num_qubits=2) after cx
            AmplitudeDamping(gamma=0.002, excited_population=0.0) after every gate
            ReadoutError(one_given_zero=0.02, zero_given_one=0.05)
        )
    """

    gates: tuple[GateNoise, ...] = ()
    idle: tuple[IdleNoise, ...] = ()
    readout: tuple[Readout, ...] = ()

    def add(
        self,
        error: Channel | OverRotation,
        gates: str | Iterable[str] | None = None,
        qubits: int | Iterable[int] | None = None,
        *,
        wires: Iterable[int] | None = None,
        when: When = "after",
    ) -> "NoiseModel":
        """This model with noise of gates.

        Args:
            error: a channel: one on a single qubit happens on each qubit of the gate, one on k qubits on gates of k
                qubits, in their order. Or an `OverRotation`.
            gates: a name or several, of `qcgrad.Circuit`; by default every gate that the error fits.
            qubits: a one-qubit channel happens on these only; other errors with gates that lie within them.
            wires: only gates on exactly these qubits, in this order, controls first.
            when: "after" or "before" the gate.

        Raises:
            TypeError: no error of gates.
            ValueError: gate names that do not exist, or that the error does not fit; no qubits.
        """
        if not isinstance(error, (Channel, OverRotation)):
            raise TypeError(
                f"error is {error!r}: give a channel, for example qcgrad.Depolarizing(0.01), or OverRotation"
            )
        if when not in ("after", "before"):
            raise ValueError(f"NoiseModel.add when={when!r}: give 'after' or 'before'")
        placed = checks.qubits("NoiseModel.add wires", wires)
        names = _checked_names(gates)
        for name in names or ():
            if reason := _misfit(error, name):
                raise ValueError(f"NoiseModel.add gates: {error} does not fit {name}: {reason}")
        rule = GateNoise(error, names, checks.qubits("NoiseModel.add qubits", qubits), placed, when)
        return replace(self, gates=(*self.gates, rule))

    def add_idle(self, error: Channel, qubits: int | Iterable[int] | None = None) -> "NoiseModel":
        """This model with noise of qubits that wait.

        Gates start as soon as their qubits are free, and all take one step. In each step of the circuit a qubit that no
        gate acts on gets the channel, also before its first gate and after its last one.

        Args:
            error: a one-qubit channel.
            qubits: which; by default all.
        """
        if not isinstance(error, Channel) or error.width != 1:
            raise TypeError(f"error is {error!r}: give a one-qubit channel, for example qcgrad.PhaseDamping(0.01)")
        rule = IdleNoise(error, checks.qubits("NoiseModel.add_idle qubits", qubits))
        return replace(self, idle=(*self.idle, rule))

    def add_readout(self, error: ReadoutError, qubits: int | Iterable[int] | None = None) -> "NoiseModel":
        """This model with errors of reading some qubits, by default all.

        Args:
            error: how outcomes are confused.
            qubits: which.
        """
        if not isinstance(error, ReadoutError):
            raise TypeError(f"error is {error!r}: give a qcgrad.ReadoutError(0.02)")
        rule = Readout(error, checks.qubits("NoiseModel.add_readout qubits", qubits))
        return replace(self, readout=(*self.readout, rule))

    @property
    def is_noiseless(self) -> bool:
        """Whether nothing ever goes wrong."""
        return all(rule.error.is_identity for rule in (*self.gates, *self.idle, *self.readout))

    def readout_of(self, qubit: int) -> ReadoutError | None:
        """The error of reading a qubit; None where there is none."""
        found = [rule.error for rule in self.readout if rule.qubits is None or qubit in rule.qubits]
        return found[-1] if found and not found[-1].is_identity else None

    def check(self, circuit: Circuit) -> None:
        """Refuse a circuit that lacks a qubit which the model names.

        Raises:
            ValueError: with the qubit.
        """
        for rule in (*self.gates, *self.idle, *self.readout):
            named = {*(rule.qubits or ()), *(getattr(rule, "wires", None) or ())}
            if missing := [qubit for qubit in sorted(named) if qubit >= circuit.num_qubits]:
                raise ValueError(
                    f"noise {rule.error} names qubit {missing[0]}: the circuit has qubits 0 to {circuit.num_qubits - 1}"
                )

    def __repr__(self) -> str:
        lines = [f"{r.error} {r.when} {_where(r)}" for r in self.gates]
        lines += [f"{r.error} while idle{_on(r.qubits)}" for r in self.idle]
        lines += [f"{r.error}{_on(r.qubits)}" for r in self.readout]
        return "NoiseModel(" + "".join(f"\n    {line}" for line in lines) + ("\n)" if lines else ")")


def _where(rule: GateNoise) -> str:
    gates = "every gate" if rule.gates is None else ", ".join(rule.gates)
    wires = "" if rule.wires is None else f" on exactly ({', '.join(map(str, rule.wires))})"
    return gates + wires + _on(rule.qubits)


def _on(qubits: tuple[int, ...] | None) -> str:
    return "" if qubits is None else f" on qubit{'s' if len(qubits) > 1 else ''} {', '.join(map(str, qubits))}"


def _checked_names(gates: Any) -> tuple[str, ...] | None:
    if gates is None:
        return None
    names = (gates,) if isinstance(gates, str) else tuple(gates)
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"NoiseModel.add gates={gates!r}: give a gate's name, or several")
    # Two names that circuits have for one gate; see `Circuit.cnot`.
    names = tuple({"cnot": "cx", "toffoli": "ccx"}.get(name, name) for name in names)
    if unknown := [name for name in names if name not in _NAMES]:
        raise ValueError(f"NoiseModel.add gates: {unknown[0]!r} is not known; the gates are {', '.join(_NAMES)}")
    return tuple(dict.fromkeys(names))


def _misfit(error: Channel | OverRotation, name: str) -> str | None:
    """Why no gate of that name can have the error."""
    if isinstance(error, OverRotation):
        is_turn = name in ("pauli_rot", "evolution") or (name in GATES and has_angle(name))
        return None if is_turn else "it is not one turn by an angle"
    wires = GATES[name].num_wires if name in GATES else None
    if wires == 0:
        return "it acts on no qubit"
    if wires is not None and error.width not in (1, wires):
        return f"it acts on {wires} qubit{'s' if wires > 1 else ''}, and the channel on {error.width}"
    return None


def has_angle(name: str) -> bool:
    """Whether a named gate has an angle, or is one turn about a Pauli string by a fixed one."""
    spec = GATES[name]
    if spec.has_angle:
        return spec.num_wires > 0
    return len(spec.primitives) == 1 and isinstance(spec.primitives[0], PauliPrimitive)
