"""The parameter-shift rule."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import equinox as eqx
import numpy as np
from jaxtyping import Int

from ....array_types import Key
from ....arrays import namespace
from ....cost import Cost
from ....estimator import OneRoundEstimator
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means, ShiftSums
from ..._checks import checked_count
from ..._programs import program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ._evaluations import Evaluations


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
    scaling. Settings are made when they are run: memory grows as M, under `jax.jit` as M^2.

    Raises:
        ValueError: shots that are zero, negative, fractional or boolean, or a sequence of wrong length.
        TooLarge: evaluations that would not fit into memory.
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
    allots_shots = True

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
        shifts = Evaluations.of(program.circuit.angle_gates)
        shifts.check_memory(self, point.coordinates)
        settings = shifts.settings(program.circuit, point.coordinates)
        weights = shifts.coefficients if self.shots is None else None
        return (Evaluate(program, settings, self._shots(shifts), weights=weights),)

    def predict(self, point: Point) -> Cost:
        """Exact; the number of settings decides, so all are taken to be the same and none is made."""
        program = program_at(point, self, samples=self.shots is not None)
        shifts = Evaluations.of(program.circuit.angle_gates)
        settings = np.broadcast_to(np.asarray(point.coordinates), shifts.shape)
        return Evaluate(program, settings, self._shots(shifts)).cost()

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Means | ShiftSums]) -> Reading:
        if isinstance(answers[0], ShiftSums):
            return _exact_reading(point, answers[0])
        mean, variance, off = answers[0].mean, answers[0].variance, answers[0].bias
        shifts = Evaluations.of(program_at(point, self, samples=self.shots is not None).circuit.angle_gates)
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

    def allotted(self, point: Point, value: int, shots: Int[np.ndarray, "A"]) -> Self:
        shifts = Evaluations.of(program_at(point, self, samples=True).circuit.angle_gates)
        each = np.asarray(shots)[shifts.owner]
        return type(self)((value, *_counts(each * shifts.shares if self.split == "coefficient" else each)))

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
        shifts = Evaluations.of(program.circuit.angle_gates)
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

    def _shots(self, shifts: Evaluations):
        if isinstance(self.shots, tuple):
            if len(self.shots) != 1 + len(shifts.owner):
                raise ValueError(
                    f"shots has {len(self.shots)} numbers, but there are {1 + len(shifts.owner)} circuit evaluations: "
                    "one for the value, then those of every angle"
                )
            return self.shots
        if self.shots is None or self.split == "equal":
            return self.shots
        return (self.shots, *_counts(self.shots * shifts.shares))


def _exact_reading(point, answer: ShiftSums) -> Reading:
    value, sums = answer.mean[0], answer.sums
    xp = namespace((sums, point.cotangents))
    gradient = xp.asarray(point.cotangents, sums.dtype) @ sums.T
    return Reading(value, gradient, xp.zeros_like(gradient), xp.zeros_like(value))


def _counts(shots):
    """Integers, at least two, so that every evaluation keeps a sample variance."""
    return np.maximum(2, np.round(shots)).astype(int).tolist()
