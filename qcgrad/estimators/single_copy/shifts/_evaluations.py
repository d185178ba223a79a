"""The shifted evaluations that make up the derivatives of a circuit."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float

from ....array_types import Angles, Array
from ....arrays import add_at, is_concrete, namespace
from ....errors import NotApplicable
from ....estimator import AbstractEstimator
from ....ir import Circuit
from ....ir.angles import rounded
from ....ir.gates import Gate, frequencies
from ....memory import allowed_bytes, require
from ....queries import BYTES_OF_EVALUATION, ShiftedSettings
from ..._programs import name_of
from ._shift_rules import shift_rule

_Rule = TypeVar("_Rule")

# A generator with more gaps than this has no practical rule: 2R circuits each, noise growing with R.
MAX_FREQUENCIES = 32

# Measured: shifted, padded to a size that circuits share, and what JAX makes of them.
_COPIES_WHEN_TRACED = 5


class Evaluations(NamedTuple):
    """The shifted evaluations of all gates in order; arrays of one length.

    Attributes:
        num_gates: A.
        owner: which gate's angle is shifted.
        shifts: by how many radians.
        coefficients: factor of the evaluation in that gate's derivative.
    """

    num_gates: int
    owner: np.ndarray
    shifts: np.ndarray
    coefficients: np.ndarray

    @staticmethod
    @lru_cache(maxsize=32)
    def of(gates: tuple[Gate, ...], without: frozenset[int] = frozenset()) -> "Evaluations":
        """Those of all gates but some, by position.

        Raises:
            NotApplicable: one has no practical rule.
        """
        none = shift_rule(())
        rules = [
            none if position in without else rule_of(position, gate, shift_rule) for position, gate in enumerate(gates)
        ]
        owner = np.repeat(np.arange(len(gates)), [len(rule.shifts) for rule in rules])
        columns = [np.concatenate([rule[i] for rule in rules] or [np.zeros(0)]) for i in (0, 1)]
        return Evaluations(len(gates), owner, *columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(1 + B, A), of the settings."""
        return 1 + len(self.owner), self.num_gates

    @property
    def shares(self) -> Float[np.ndarray, "B"]:
        """In proportion to the coefficients of each gate, and 1 on average over them."""
        weight = np.abs(self.coefficients)
        counts = np.bincount(self.owner, minlength=self.num_gates)
        return weight * counts[self.owner] / np.bincount(self.owner, weight, self.num_gates)[self.owner]

    def check_memory(self, who: AbstractEstimator, angles: Angles, are_held: bool = False) -> None:
        """Refuse evaluations that would not fit, at angles (A,).

        Args:
            who: asks for them.
            angles: where; while JAX traces them, all settings are made at once.
            are_held: whether who asks makes them itself.
        """
        allowed, count, gates = allowed_bytes(), self.shape[0], self.num_gates
        what = f"{name_of(who)} on {gates:,} parameterised gates"
        advice = "use qcgrad.Adjoint, whose memory does not grow with"
        if is_concrete(angles) and not are_held:
            needed = BYTES_OF_EVALUATION * count
            fit = f"about {gates * allowed // max(needed, 1):,} such gates would fit; {advice} their number"
            require(f"{what} takes {count:,} evaluations, whose shifts and answers take", needed, allowed, fit)
            return
        needed = (1 if are_held else _COPIES_WHEN_TRACED) * math.prod(self.shape) * np.dtype(angles.dtype).itemsize
        fit = math.isqrt(gates**2 * allowed // max(needed, 1))
        require(
            f"{what} evaluates {count:,} settings of all angles, which take",
            needed,
            allowed,
            f"about {fit:,} such gates would fit; {advice} the square of their number",
        )

    def settings(self, circuit: Circuit, angles: Angles) -> ShiftedSettings:
        """(1 + B, A): the angles themselves, then every shifted copy."""
        if is_concrete(angles):
            # In float32 a shift would get lost beside a large angle, so it is added in float64 and reduced.
            moved = np.asarray(angles, float)[self.owner] + self.shifts
            moved = rounded(circuit, self.owner, moved, angles.dtype)
        else:
            moved = angles[self.owner] + self.shifts.astype(angles.dtype)
        return ShiftedSettings(angles, self.owner, self.shifts, moved)

    def sum_by_gate(self, rows: Float[Array, "B K"]) -> Float[Array, "A K"]:
        """(A, K) sums of the (B, K) rows that belong to each gate."""
        start = namespace(rows).zeros((self.num_gates, rows.shape[1]), rows.dtype)
        return add_at(start, self.owner, rows)


def has_rule(gate: Gate) -> bool:
    """Whether a gate has a practical shift rule."""
    try:
        rule_of(0, gate, shift_rule)
    except NotApplicable:
        return False
    return True


def rule_of(position: int, gate: Gate, rule: Callable[[tuple[float, ...]], _Rule]) -> _Rule:
    """What `rule` makes of a gate's frequencies, or a refusal that names the gate."""
    gaps = frequencies(gate)
    where = f"gate {gate.name} on qubits {gate.wires} (parameterised gate {position})"
    if gaps is None:
        raise NotApplicable(
            f"no shift rule: the spectrum of {where} is not known; "
            "use qcgrad.StochasticParameterShift, qcgrad.Adjoint, or split the gate"
        )
    if len(gaps) > MAX_FREQUENCIES:
        raise NotApplicable(
            f"no practical shift rule: {where} has {len(gaps)} frequencies, at most {MAX_FREQUENCIES} are practical; "
            "use qcgrad.StochasticParameterShift, qcgrad.Adjoint, or split the gate"
        )
    try:
        return rule(gaps)
    except ValueError as error:
        raise NotApplicable(f"no shift rule: {where} has {error}") from error
