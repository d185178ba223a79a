"""Parameter shifts of a random subset of the angles."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ....array_types import Key, Settings
from ....arrays import add_at, is_concrete, namespace
from ....estimator import OneRoundEstimator
from ....ir import Program
from ....ir.angles import rounded
from ....ir.gates import Gate
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_count
from ..._programs import check_covariances, program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ..shifts._derivative_bounds import spread_along
from ..shifts._evaluations import Evaluations


@dataclass(frozen=True, eq=False)
class _Subset(Evaluate):
    """The value's setting, and those of the angles that were drawn.

    Attributes:
        rows: (k,) which of the angles that a rule shifts.
    """

    rows: Any = None


class RandomCoordinateShift(OneRoundEstimator):
    r"""Unbiased gradients from the parameter-shift rule on k angles, drawn anew each time without replacement.

    .. math:: \hat g_a = \frac{M}{k}\, d_a \;\text{ if a is among the k drawn, else } 0,

    where \(d_a\) is the derivative by the shift rule and M the number of angles. A step of stochastic gradient descent
    then costs k/M of a gradient, and is coordinate descent for k = 1.

    Args:
        coordinates: k; where there are no more angles than that, all are shifted.
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.

    Access: single copy. Unbiased. The variance is \((M/k - 1)\,g_a^2 + (M/k)\,\sigma_a^2\), from not being drawn and
    from the noise of shots; that of an angle which was not drawn is known through the others only, so all components
    report its mean over angles, estimated without bias by those drawn. The sum over components is unbiased. NaN for
    k = 1, and for single shots. Where k = M nothing is left out, and each has its own variance, as in `ParameterShift`.

    Cost: 1 + k T evaluations, where T is the number of terms of the longest shift rule in the circuit (2 for rotations,
    4 for controlled ones). Angles of shorter rules have their evaluations repeated, so that the cost is known before
    anything is drawn.

    Raises:
        ValueError: coordinates or shots that are no positive integer.
        NotApplicable: a gate's spectrum is not known (evolution under a large Hamiltonian).

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1).ry(0, param=2), "Z")
        >>> e = qg.estimate(objective, [0.5, 0.2, 0.1], qg.RandomCoordinateShift(coordinates=2), key=0)
        >>> int((e.gradient == 0).sum()), e.cost.circuit_runs
        (1, 5)

    References:
        Z. Ding, T. Ko, J. Yao, L. Lin, X. Li, "Random coordinate descent: a simple alternative for optimizing
        parameterized quantum circuits", Phys. Rev. Res. 6, 033029 (2024), arXiv:2311.00088.
    """

    coordinates: int = eqx.field(static=True)
    shots: int | None = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "shots"
    is_random = True

    def __init__(self, coordinates: int = 1, shots: int | None = None):
        self.coordinates = checked_count("coordinates", coordinates)
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, point: Point, key: Key) -> tuple[_Subset]:
        program, rules, count = self._problem(point)
        check_covariances(point, self)
        if count == len(rules.owner):
            rows = np.arange(count)
        else:
            rows = jax.random.permutation(key, len(rules.owner))[:count]
            rows = np.asarray(rows) if is_concrete((rows, point.coordinates)) else rows
        return (_Subset(program, _settings(program, point.coordinates, rules, rows), self.shots, rows),)

    def combine(self, point: Point, queries: tuple[_Subset], answers: tuple[Means]) -> Reading:
        _, rules, count = self._problem(point)
        mean, variance, off, rows = answers[0].mean, answers[0].variance, answers[0].bias, queries[0].rows
        xp = namespace((mean, rows, point.cotangents))
        dtype, every = mean.dtype, len(rules.owner)
        cotangents = xp.asarray(point.cotangents, dtype)
        factors = xp.asarray(rules.coefficients, dtype)[rows][:, :, None]

        def by_angle(numbers):  # (k, C) to (C, A)
            where = xp.asarray(rules.owner)[rows]
            return add_at(xp.zeros((len(point.coordinates), len(cotangents)), dtype), where, numbers).T

        def of_rows(numbers):
            return numbers[1:].reshape(*rules.coefficients[:count].shape, -1)

        shifted = (factors * of_rows(mean)).sum(axis=1) @ cotangents.T
        noise = (xp.square(factors) * of_rows(variance)).sum(axis=1) @ xp.square(cotangents).T
        bias = None
        if off is not None:
            # On average over what is drawn; known of what was.
            bias = by_angle((abs(factors) * of_rows(off)).sum(axis=1) @ abs(cotangents).T) * (every / max(count, 1))
        spread, covariance = by_angle(noise), None
        if count < every:
            pooled = _pooled(xp, shifted, noise, every)
            # Angles that change nothing have no error.
            moves = np.isin(np.arange(len(point.coordinates)), rules.owner)
            spread = xp.where(moves[None], pooled[:, None], 0)
            if point.objective.mixes_coordinates:
                covariance = self._covariance(xp, by_angle(shifted), spread, count, every)
        return Reading(
            value=mean[0],
            gradient=by_angle(shifted) * (every / max(count, 1)),
            variance=spread,
            value_variance=variance[0],
            bias_bound=bias,
            value_bias_bound=None if off is None else off[0],
            covariance=covariance,
            stats={"degrees_of_freedom": count - 1} if count < every else self._stats(),
        )

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], self.shots)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""All angles, since a derivative that is left out is not known to any accuracy; shots as for `ParameterShift`.

        .. math:: N = 2\ln(2M/\delta)\, \sum_b r_b^2 \max_a \sum_\mu c_{a\mu}^2 / \epsilon^2 .
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        rules = _rules(program.circuit.angle_gates)
        squares = np.square(rules.coefficients).sum(axis=1)
        spread = spread_along(program, np.asarray(point.cotangents)) * squares
        needed = hoeffding(spread, log_of(num_components(point), delta), epsilon)
        return cls(max(1, len(rules.owner)), max(2, counted(cls, needed, epsilon)))

    @staticmethod
    def _covariance(xp, found, spread, count, every):
        """(C, A, A): being drawn leaves less room for others. Unbiased off the diagonal, by pairs that were drawn."""
        pairs = found[:, :, None] * found[:, None, :] * (every * (every - 1) / max(count * (count - 1), 1))
        own = xp.eye(found.shape[1], dtype=found.dtype)[None]
        off = -(every - count) / (count * (every - 1)) * pairs
        return own * spread[:, :, None] + (1 - own) * off

    def _stats(self):
        return {} if self.shots is None else {"degrees_of_freedom": self.shots - 1}

    def _problem(self, point) -> "tuple[Program, _Rules, int]":
        program = program_at(point, self, samples=self.shots is not None)
        rules = _rules(program.circuit.angle_gates)
        return program, rules, min(self.coordinates, len(rules.owner))


class _Rules(NamedTuple):
    """Shift rules of one length.

    Attributes:
        owner: (M,) the angles that have one.
        shifts, coefficients: (M, T).
    """

    owner: np.ndarray
    shifts: np.ndarray
    coefficients: np.ndarray


@lru_cache(maxsize=32)
def _rules(gates: tuple[Gate, ...]) -> _Rules:
    found = Evaluations.of(gates)
    owner, first, counts = np.unique(found.owner, return_index=True, return_counts=True)
    longest = max(counts, default=0)
    # Term j stands wherever a row says j: those of a shorter rule come again, and share their coefficient.
    term = np.arange(longest)[None, :] % counts[:, None] if longest else np.zeros((0, 0), int)
    shared = np.array([np.bincount(row, minlength=longest)[row] for row in term]).reshape(term.shape)
    which = first[:, None] + term
    return _Rules(owner, found.shifts[which], found.coefficients[which] / np.maximum(shared, 1))


def _settings(program, angles, rules, rows) -> Settings:
    """(1 + k T, A): the angles themselves, then those of each angle drawn."""
    each = rules.shifts.shape[1]
    if is_concrete((angles, rows)):
        owner, shifts = np.repeat(rules.owner[rows], each), rules.shifts[rows].ravel()
        settings = np.broadcast_to(angles, (1 + len(owner), len(angles))).copy()
        moved = np.asarray(angles, float)[owner] + shifts
        settings[1 + np.arange(len(owner)), owner] = rounded(program.circuit, owner, moved, angles.dtype)
        return settings
    angles = jnp.asarray(angles)  # a traced key alone leaves them NumPy's, which no traced index reads
    owner = jnp.repeat(jnp.asarray(rules.owner)[rows], each, total_repeat_length=len(rows) * each)
    moved = angles[owner] + jnp.asarray(rules.shifts, angles.dtype)[rows].ravel()
    settings = jnp.broadcast_to(angles, (1 + len(owner), len(angles)))
    return settings.at[1 + jnp.arange(len(owner)), owner].set(moved)


def _pooled(xp, shifted, noise, every):
    """(C,) the mean over angles of what not being drawn and noise add up to; NaN from one angle."""
    count = len(shifted)
    if count < 2:
        return xp.full(shifted.shape[1], np.nan, shifted.dtype)
    ratio = every / count
    # A square of an estimate is too large by its noise; rounding may leave less than nothing.
    return xp.maximum((ratio - 1) * xp.square(shifted).mean(axis=0) + noise.mean(axis=0), 0)
