"""Relaxation of single qubits: what a bath does to populations and phases."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import _checks as checks
from .channel import Channel, Operators


@dataclass(frozen=True)
class AmplitudeDamping(Channel):
    r"""Decay of \(|1\rangle\) to \(|0\rangle\), and the other way in a bath that is not cold.

    Populations approach (1 - e, e) by the share gamma, and coherences shrink by \(\sqrt{1 - \gamma}\).

    Args:
        gamma: from 0 to 1.
        excited_population: e, of the bath's state; above 0 this is generalised amplitude damping.
    """

    gamma: float
    excited_population: float = 0.0

    def __post_init__(self) -> None:
        _set_probabilities(self, "gamma", "excited_population")

    @property
    def width(self) -> int:
        return 1

    @cached_property
    def operators(self) -> Operators:
        return _relaxation(self.gamma, self.excited_population, math.sqrt(1 - self.gamma))


@dataclass(frozen=True)
class PhaseDamping(Channel):
    r"""Loss of phase: coherences shrink by \(\sqrt{1 - \gamma}\), populations stay.

    The same as Z with probability \((1 - \sqrt{1 - \gamma})/2\).

    Args:
        gamma: from 0 to 1; as in PennyLane and Qiskit.
    """

    gamma: float

    def __post_init__(self) -> None:
        _set_probabilities(self, "gamma")

    @property
    def width(self) -> int:
        return 1

    @cached_property
    def operators(self) -> Operators:
        return _relaxation(0.0, 0.0, math.sqrt(1 - self.gamma))


@dataclass(frozen=True)
class ThermalRelaxation(Channel):
    r"""Relaxation for a while: populations approach the thermal ones by \(1 - e^{-t/T_1}\), coherences shrink by
    \(e^{-t/T_2}\).

    Args:
        t1, t2: times, positive, in any unit; \(T_2 \le 2 T_1\); infinite ones are allowed.
        time: t in the same unit, of the gate that it belongs to; 0 or more.
        excited_population: of the thermal state.

    Raises:
        ValueError: times that are not positive, or T2 above 2 T1.
    """

    t1: float
    t2: float
    time: float
    excited_population: float = 0.0

    def __post_init__(self) -> None:
        for name in ("t1", "t2"):
            value = getattr(self, name)
            if value != math.inf:
                value = checks.real(f"ThermalRelaxation {name}", value)
            if not value > 0:
                raise ValueError(f"ThermalRelaxation {name}={value!r}: give a positive time")
            object.__setattr__(self, name, float(value))
        time = checks.real("ThermalRelaxation time", self.time)
        if time < 0:
            raise ValueError(f"ThermalRelaxation time={self.time!r}: give a time of 0 or more")
        if self.t2 > 2 * self.t1:
            raise ValueError(
                f"ThermalRelaxation t2={self.t2!r} is more than 2 t1={2 * self.t1!r}: no channel does that"
            )
        object.__setattr__(self, "time", time)
        _set_probabilities(self, "excited_population")

    @property
    def width(self) -> int:
        return 1

    @cached_property
    def operators(self) -> Operators:
        return _relaxation(-math.expm1(-self.time / self.t1), self.excited_population, math.exp(-self.time / self.t2))


def _set_probabilities(channel, *names: str) -> None:
    for name in names:
        value = checks.probability(f"{type(channel).__name__} {name}", getattr(channel, name))
        object.__setattr__(channel, name, value)


def _relaxation(share: float, excited: float, coherence: float) -> Operators:
    """Kraus operators of populations that approach (1 - excited, excited) by a share, and coherences that shrink.

    What keeps the populations where they are is the block [[a, c], [c, b]] of Choi's matrix; its eigenvectors are
    the diagonal operators.
    """
    up, down = excited * share, (1 - excited) * share
    weights, vectors = np.linalg.eigh([[1 - up, coherence], [coherence, 1 - down]])
    found = [math.sqrt(w) * np.diag(v) for w, v in zip(weights[::-1], vectors.T[::-1], strict=True) if w > 0]
    for weight, place in ((down, (0, 1)), (up, (1, 0))):
        if weight > 0:
            jump = np.zeros((2, 2))
            jump[place] = math.sqrt(weight)
            found.append(jump)
    return np.array(found, np.complex128)
