"""Expectation values, exact or from shots: what any quantum computer answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..arrays import namespace
from ..cost import Cost
from ._query import EXACT, AbstractQuery, Access, Fidelity, Runnable, state_bytes


class Means(NamedTuple):
    """Answer of `Evaluate`.

    Attributes:
        mean: (B, K) expectation values.
        variance: (B, K) variances of these estimates.
        bias: (B, K) bounds on how far off they are on average, as devices with noise may know; None means zero.
        fidelity: "exact", or how a simulation idealizes.
    """

    mean: Any
    variance: Any
    bias: Any = None
    fidelity: Fidelity = EXACT

    def map(self, function: Callable[[Any], Any]) -> "Means":
        """The same with a function of each array."""
        bias = None if self.bias is None else function(self.bias)
        return self._replace(mean=function(self.mean), variance=function(self.variance), bias=bias)


class ShiftSums(NamedTuple):
    """Answer of `Evaluate` with `weights` by who knows the sums without the single values. They have no variance.

    Attributes:
        mean: (1, K) expectation values at the point.
        sums: (A, K), for each angle the sum of weights times expectation values over the settings that move it.
        fidelity: as in `Means`.
    """

    mean: Any
    sums: Any
    fidelity: Fidelity = EXACT


@dataclass(frozen=True, eq=False)
class Evaluate(AbstractQuery):
    """Expectation values of K observables at B settings of the gate angles. Answer: `Means`, or `ShiftSums`.

    Attributes:
        program: circuit and observables.
        angles: (B, A) radians; `ShiftedSettings` where the settings are shifts of one point.
        shots: shots per circuit evaluation: in each of the program's measurement bases one setting is
            measured this often. One number, B numbers, or None for exact expectation values.
        weights: of exact values at `ShiftedSettings`, one for each shift, where the asker reads nothing but the value
            at the point and, for every angle, the sum of weights times values over the settings that move it. It is
            what a quantum computer would run, and charged as such; whoever has these sums more cheaply may answer them
            as `ShiftSums`, and everybody else answers each value.

    Cost: B evaluations of `len(basis_rotations)` measured circuits each; with `shots=None` B exact
    runs, charged as simulated gates, FLOPs and one state of memory.
    """

    program: Runnable
    angles: Any
    shots: "int | tuple[int, ...] | None" = None
    weights: np.ndarray | None = field(default=None, kw_only=True)
    access: ClassVar[Access] = Access.single_copy
    is_divisible: ClassVar[bool] = True

    @property
    def is_random(self) -> bool:
        return self.shots is not None

    @property
    def num_parts(self) -> int:
        """B."""
        return len(self.angles)

    def first(self, parts: int) -> "Evaluate":
        shots = self.shots[:parts] if isinstance(self.shots, tuple) else self.shots
        return replace(self, angles=self.angles[:parts], shots=shots, weights=None)

    def completed(self, answer: Means | None) -> Means:
        return completed_means(answer, (self.num_parts, self.program.num_observables), self.angles.dtype)

    @property
    def shots_per_setting(self) -> tuple[int, ...]:
        return shots_for_each(self.shots, len(self.angles))

    def cost(self) -> Cost:
        p, settings = self.program, len(self.angles)
        if self.shots is None:
            return Cost(
                circuit_runs=settings,
                gates=settings * p.num_gates,
                qubits=p.num_qubits,
                flops=settings * (p.run_flops + p.observable_flops),
                peak_bytes=2 * state_bytes(p.dense_qubits, self.angles.dtype),
            )
        total = sum(self.shots_per_setting)
        gates = sum(p.num_gates + rotations for rotations in p.basis_rotations)
        bases = len(p.basis_rotations)
        return Cost(
            copies=total * bases,
            shots=total * bases,
            circuit_runs=settings * bases,
            gates=total * gates,
            qubits=p.num_qubits,
        )


def completed_means(answer: Means | None, shape: tuple[int, int], dtype: np.dtype) -> Means:
    """Values of the first settings (None for no value), with NaN for all others."""
    known = Means(np.zeros((0, shape[1]), dtype), np.zeros((0, shape[1]), dtype)) if answer is None else answer
    if len(known.mean) == shape[0]:
        return known
    xp = namespace(known)
    unknown = np.full((shape[0] - len(known.mean), shape[1]), np.nan, dtype)
    return known.map(lambda part: xp.concatenate([part, unknown]))


def shots_for_each(shots: "int | tuple[int, ...] | None", settings: int) -> tuple[int, ...]:
    """Shots of every setting, 0 for exact values."""
    return (shots,) * settings if isinstance(shots, int) else tuple(shots or (0,) * settings)
