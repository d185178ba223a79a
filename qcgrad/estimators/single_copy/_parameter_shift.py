"""The parameter-shift rule."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Angles, Array, Key, Settings
from ...arrays import add_at, is_concrete, namespace
from ...cost import Cost
from ...errors import NotApplicable
from ...estimator import OneRoundEstimator
from ...ir import Circuit
from ...ir.angles import rounded
from ...ir.gates import Gate, frequencies
from ...memory import allowed_bytes, require
from ...objective import Point, Reading
from ...queries import Access, Evaluate, Means
from .._checks import checked_count
from .._programs import program_at
from ..accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ._shift_rules import ShiftRule, shift_rule

# A generator with more gaps than this has no practical rule: 2R circuits each, noise growing with R.
MAX_FREQUENCIES = 32

# Measured: shifted, padded to a size that circuits share, and what JAX makes of them.
_COPIES_WHEN_TRACED = 5


class ParameterShift(OneRoundEstimator):
    r"""Unbiased gradients from evaluations at shifted angles, one parameterised gate at a time.

    For a gate whose generator has R distinct positive eigenvalue gaps,

    .. math:: \partial_a F = \sum_{\mu=1}^{2R} c_\mu\, F(\theta_a + s_\mu),

    which is the two-term rule for Pauli rotations and phase gates (R = 1), the four-term rule for
    controlled rotations (R = 2) and the general rule for any known spectrum, equidistant or not.
    A shared parameter is differentiated gate by gate and summed.

    Args:
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact
            expectation values (circuit runs are counted, shots and copies are 0). A sequence gives each
            evaluation its own number: first the value, then the evaluations of every angle in order.
        split: with an integer `shots`, "equal", or "coefficient" to give the 2R evaluations of a gate the
            same total but in proportion to \(|c_\mu|\), which lowers the variance of general rules.

    Access: single copy. Unbiased. Variances are sample variances of the mean, from the same shots;
    NaN where an evaluation has a single shot.

    Cost: 1 + sum over gates of 2R evaluations. Gates grow as M times the circuit: no backpropagation
    scaling. The settings of all evaluations are held, about 2 M^2 numbers.

    Raises:
        ValueError: shots that are zero, negative, fractional or boolean, or a sequence of wrong length.
        TooLarge: settings that would not fit into memory.
        NotApplicable: a gate's spectrum is not known (evolution under a large Hamiltonian).

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=10_000), key=jax.random.key(0))
        >>> bool(abs(e.gradient[0] + 0.4794) < 5 * e.variance[0] ** 0.5), e.cost.shots
        (True, 30000)

    References:
        K. Mitarai et al., Phys. Rev. A 98, 032309 (2018); M. Schuld et al., Phys. Rev. A 99, 032331
        (2019); D. Wierichs et al., Quantum 6, 677 (2022), arXiv:2107.12390.
    """

    shots: int | tuple[int, ...] | None = eqx.field(static=True)
    split: Literal["equal", "coefficient"] = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "shots"
    is_typical = True

    def __init__(self, shots: "int | Sequence[int] | None" = None, split: Literal["equal", "coefficient"] = "equal"):
        if isinstance(shots, (list, tuple, np.ndarray)):
            shots = tuple(checked_count("shots", s) for s in shots)
        elif shots is not None:
            shots = checked_count("shots", shots)
        if split not in ("equal", "coefficient"):
            raise ValueError(f"split={split!r}: give 'equal' or 'coefficient'")
        self.shots = shots
        self.split = split

    def plan(self, point: Point, key: Key | None) -> tuple[Evaluate]:
        program = program_at(point, self, samples=self.shots is not None)
        shifts = _Evaluations.of(program.circuit.angle_gates)
        shifts.check_memory(point.coordinates)
        return (Evaluate(program, shifts.settings(program.circuit, point.coordinates), self._shots(shifts)),)

    def predict(self, point: Point) -> Cost:
        """Exact; the number of settings decides, so all are taken to be the same and none is made."""
        program = program_at(point, self, samples=self.shots is not None)
        shifts = _Evaluations.of(program.circuit.angle_gates)
        settings = np.broadcast_to(np.asarray(point.coordinates), shifts.shape)
        return Evaluate(program, settings, self._shots(shifts)).cost()

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Means]) -> Reading:
        mean, variance, off = answers[0].mean, answers[0].variance, answers[0].bias
        shifts = _Evaluations.of(program_at(point, self, samples=self.shots is not None).circuit.angle_gates)
        xp = namespace((mean, point.cotangents))
        cotangents = xp.asarray(point.cotangents, mean.dtype)
        coefficients = xp.asarray(shifts.coefficients, mean.dtype)[:, None]
        return Reading(
            value=mean[0],
            gradient=cotangents @ shifts.sum_by_gate(coefficients * mean[1:]).T,
            # All evaluations are independent, so variances add up with squared coefficients.
            variance=xp.square(cotangents) @ shifts.sum_by_gate(coefficients**2 * variance[1:]).T,
            value_variance=variance[0],
            bias_bound=None if off is None else abs(cotangents) @ shifts.sum_by_gate(abs(coefficients) * off[1:]).T,
            value_bias_bound=None if off is None else off[0],
            stats={} if self.shots is None else {"degrees_of_freedom": np.min(self.shots) - 1},
        )

    def value_query(self, point: Point) -> Evaluate:
        shots = self.shots if self.shots is None or isinstance(self.shots, int) else self.shots[0]
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], shots)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Shots by Hoeffding's inequality, one number where all evaluations take the same.

        Outcomes in basis b lie between \(-r_b\) and \(r_b\), the sum of the observable's |coefficients| in it. Divided
        over the evaluations of a gate in proportion to \(|c_\mu|\), which is best, it takes

        .. math:: N_\mu = 2\ln(2M/\delta)\, \sum_b r_b^2\; |c_\mu| \sum_\nu |c_\nu| / \epsilon^2,

        \(\ln(2M/\delta) \sum_b r_b^2/\epsilon^2\) in each evaluation of the two-term rule.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        shifts = _Evaluations.of(program.circuit.angle_gates)
        cotangents = np.asarray(point.cotangents)
        ranges = [np.abs(cotangents @ basis.coefficients).sum(axis=1) for basis in program.bases]
        size = np.max(np.square(ranges).sum(axis=0), initial=0.0)
        weight = np.abs(shifts.coefficients)
        spread = size * weight * np.bincount(shifts.owner, weight, shifts.num_gates)[shifts.owner]
        log = log_of(num_components(point), delta)
        # At least two, so that every evaluation keeps a sample variance.
        shots = [max(2, counted(cls, hoeffding(each, log, epsilon), epsilon)) for each in spread.tolist()] or [2]
        # The value is not promised: it gets as many as the worst evaluation.
        return cls(shots[0] if len(set(shots)) == 1 else (max(shots), *shots))

    def _shots(self, shifts: "_Evaluations"):
        if isinstance(self.shots, tuple):
            if len(self.shots) != 1 + len(shifts.owner):
                raise ValueError(
                    f"shots has {len(self.shots)} numbers, but there are {1 + len(shifts.owner)} circuit evaluations: "
                    "one for the value, then those of every angle"
                )
            return self.shots
        if self.shots is None or self.split == "equal":
            return self.shots
        weight = np.abs(shifts.coefficients)
        counts = np.bincount(shifts.owner, minlength=shifts.num_gates)
        share = weight * counts[shifts.owner] / np.bincount(shifts.owner, weight, shifts.num_gates)[shifts.owner]
        # At least two, so that every evaluation keeps a sample variance.
        return (self.shots, *(max(2, round(self.shots * s)) for s in share.tolist()))


class _Evaluations(NamedTuple):
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
    def of(gates: tuple[Gate, ...]) -> "_Evaluations":
        rules = [_rule(position, gate) for position, gate in enumerate(gates)]
        owner = np.repeat(np.arange(len(gates)), [len(rule.shifts) for rule in rules])
        columns = [np.concatenate([rule[i] for rule in rules] or [np.zeros(0)]) for i in (0, 1)]
        return _Evaluations(len(gates), owner, *columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(1 + B, A), of the settings."""
        return 1 + len(self.owner), self.num_gates

    def check_memory(self, angles: Angles) -> None:
        """Refuse settings that would not fit, of angles (A,)."""
        allowed = allowed_bytes()
        # What JAX traces is copied as a whole by whoever answers; what it does not is copied in slices.
        copies = 1 if is_concrete(angles) else _COPIES_WHEN_TRACED
        needed = copies * math.prod(self.shape) * np.dtype(angles.dtype).itemsize
        require(
            f"ParameterShift on {self.num_gates:,} parameterised gates evaluates {self.shape[0]:,} settings of all "
            "angles, which take",
            needed,
            allowed,
            f"about {math.isqrt(self.num_gates**2 * allowed // max(needed, 1)):,} such gates would fit; use "
            "qcgrad.Adjoint, whose memory does not grow with the square of their number",
        )

    def settings(self, circuit: Circuit, angles: Angles) -> Settings:
        """(1 + B, A): the angles themselves, then every shifted copy."""
        shape, rows = self.shape, 1 + np.arange(len(self.owner))
        if is_concrete(angles):
            # In float32 a shift would get lost beside a large angle, so it is added in float64 and reduced.
            moved = np.asarray(angles, float)[self.owner] + self.shifts
            settings = np.broadcast_to(angles, shape).copy()
            settings[rows, self.owner] = rounded(circuit, self.owner, moved, angles.dtype)
            return settings
        moved = angles[self.owner] + self.shifts.astype(angles.dtype)
        return jnp.broadcast_to(angles, shape).at[rows, self.owner].set(moved)

    def sum_by_gate(self, rows: Float[Array, "B K"]) -> Float[Array, "A K"]:
        """(A, K) sums of the (B, K) rows that belong to each gate."""
        start = namespace(rows).zeros((self.num_gates, rows.shape[1]), rows.dtype)
        return add_at(start, self.owner, rows)


def _rule(position: int, gate: Gate) -> ShiftRule:
    gaps = frequencies(gate)
    where = f"gate {gate.name} on qubits {gate.wires} (parameterised gate {position})"
    if gaps is None:
        raise NotApplicable(
            f"ParameterShift: the spectrum of {where} is not known; use qcgrad.Adjoint, or split the gate"
        )
    if len(gaps) > MAX_FREQUENCIES:
        raise NotApplicable(
            f"ParameterShift: {where} has {len(gaps)} frequencies, at most {MAX_FREQUENCIES} are practical; "
            "use qcgrad.Adjoint, or split the gate"
        )
    try:
        return shift_rule(gaps)
    except ValueError as error:
        raise NotApplicable(f"ParameterShift: {where} has {error}") from error
