"""Finite differences."""

import math
from typing import Any, Literal, Self

import equinox as eqx
import numpy as np

from ....array_types import Key
from ....arrays import namespace
from ....cost import Cost
from ....estimator import OneRoundEstimator
from ....ir import Program
from ....objective import Point, Reading
from ....queries import Access, Evaluate, Means
from ..._checks import checked_choice, checked_count, checked_positive
from ..._programs import check_covariances, program_at
from ...accuracy import checked_accuracy, counted, hoeffding, log_of, num_components
from ._derivative_bounds import bandwidths, ranges_along, relative_rounding, spread_along
from ._evaluations import Evaluations
from ._stencils import ORDERS, Stencil, check_step, stencil


class FiniteDifference(OneRoundEstimator):
    r"""Gradients from evaluations at a small distance: for any gate, with a bias.

    .. math:: \partial_a F \approx \frac1h \sum_j c_j\, F(\theta_a + h s_j),

    off by at most \(C h^p\,\Omega_a^{p+1} R\), where \(\Omega_a\) is the fastest frequency in the gate's angle, R the
    sum of the observable's |coefficients| and \(C = \sum_j |c_j||s_j|^{p+1}/(p+1)!\), by Taylor's theorem and
    Bernstein's inequality. With N shots a derivative has a variance of about \(\sum_j c_j^2 R^2/(h^2 N)\): a smaller
    step has less bias and more noise.

    Args:
        step: h, radians of a gate's angle. None for the step of each gate at which the sum of squares of the largest
            bias and the largest noise is least, which shrinks as \(N^{-1/(2p+2)}\); with exact evaluations, rounding
            takes the place of noise.
        order: p, the power of the step in the bias: 2 or 4 of central, 1, 2 or 4 of forward differences; None for the
            smallest.
        scheme: "central" for steps to both sides, p evaluations of each gate; "forward" for p steps to one side and
            the value itself.
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.

    Access: single copy. Biased: `bias_bound` is proved, up to rounding, which counts to first order. Variances are
    sample variances; NaN for a single shot.

    Cost: 1 + p times the number of gates evaluations.

    Raises:
        ValueError: a step that is no positive number, or so small that shot noise or rounding swamps it; an unknown
            scheme or order; shots that are no positive integer.
        TooLarge: settings that would not fit into memory.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> e = qg.estimate(objective, [0.5], qg.FiniteDifference(step=0.1))
        >>> print(e.gradient.round(4), e.bias_bound.round(4), e.cost.circuit_runs)  # 0.1^2 / 6 off at most
        [-0.4786] [0.0017] 3

    References:
        B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Math. Comput. 51, 699
        (1988).
    """

    step: float | None = eqx.field(static=True)
    order: int = eqx.field(static=True)
    scheme: Literal["central", "forward"] = eqx.field(static=True)
    shots: int | None = eqx.field(static=True)
    access = Access.single_copy
    accuracy_option = "shots"

    def __init__(
        self,
        step: float | None = None,
        order: int | None = None,
        scheme: Literal["central", "forward"] = "central",
        shots: int | None = None,
    ):
        self.step = None if step is None else checked_positive("step", step)
        self.scheme = checked_choice("scheme", scheme, tuple(ORDERS))
        order = ORDERS[scheme][0] if order is None else checked_count("order", order)
        if order not in ORDERS[scheme]:
            known = " or ".join(map(str, ORDERS[scheme]))
            raise ValueError(f"order={order}: {scheme} differences have order {known}")
        self.order = order
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, point: Point, key: Key | None) -> tuple[Evaluate]:
        program, found = self._problem(point)
        found.check_memory(self, point.coordinates)
        if self._stencil.centre:
            check_covariances(point, self)
        return (Evaluate(program, found.settings(program.circuit, point.coordinates), self.shots),)

    def predict(self, point: Point) -> Cost:
        """Exact; the number of settings decides, so all are taken to be the same and none is made."""
        program, found = self._problem(point)
        return Evaluate(program, np.broadcast_to(np.asarray(point.coordinates), found.shape), self.shots).cost()

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Means]) -> Reading:
        mean, variance, off = answers[0].mean, answers[0].variance, answers[0].bias
        program, found = self._problem(point)
        xp = namespace((mean, point.cotangents, point.coordinates))
        cotangents = xp.asarray(point.cotangents, mean.dtype)
        factors = xp.asarray(found.coefficients, mean.dtype)[:, None]
        # What is subtracted first is not multiplied by 1/h: differences of values keep their digits.
        moved = mean[1:] - mean[:1]
        centre = xp.asarray(self._stencil.centre / self._steps(program, mean.dtype), mean.dtype)
        squares = xp.square(cotangents)
        alone = squares @ found.sum_by_gate(factors**2 * variance[1:]).T
        # The value goes into the forward differences of all gates.
        shared = squares @ variance[0]
        bias = self._bias(point, program, mean.dtype)
        if off is not None:
            bias = (
                bias + abs(cotangents) @ (found.sum_by_gate(abs(factors) * off[1:]) + abs(centre)[:, None] * off[:1]).T
            )
        covariance = None
        if self._stencil.centre and point.objective.mixes_coordinates:
            own = xp.eye(len(centre), dtype=mean.dtype)[None] * alone[:, :, None]
            covariance = own + xp.outer(centre, centre)[None] * shared[:, None, None]
        return Reading(
            value=mean[0],
            gradient=cotangents @ found.sum_by_gate(factors * moved).T,
            variance=alone + shared[:, None] * centre[None] ** 2,
            value_variance=variance[0],
            bias_bound=xp.asarray(bias, mean.dtype),
            value_bias_bound=None if off is None else off[0],
            covariance=covariance,
            stats={} if self.shots is None else {"degrees_of_freedom": self.shots - 1},
        )

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self, samples=self.shots is not None), point.coordinates[None], self.shots)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Central differences of order 2, a third of the error for the bias, and shots by Hoeffding's inequality.

        .. math:: h = \sqrt{2\epsilon/(R\,\Omega^3)}, \qquad N = \frac{9\ln(2M/\delta)\sum_b r_b^2}{4\,h^2\epsilon^2},

        for the largest \(\Omega\) and R: the share that makes N least, which grows as \(\epsilon^{-3}\).
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        cotangents = np.asarray(point.cotangents)
        fastest = float(np.max(bandwidths(program.circuit.angle_gates), initial=0.0))
        size = float(np.max(ranges_along(program, cotangents), initial=0.0))
        if not fastest * size:
            return cls(shots=2)
        # Beyond a quarter turn of the fastest frequency nothing is gained.
        step = min(math.sqrt(2 * epsilon / size / fastest**3), math.pi / 2 / fastest)
        rest = epsilon - step**2 * size * fastest**3 / 6
        spread = spread_along(program, cotangents) / (2 * step**2)
        shots = counted(cls, hoeffding(np.array([spread]), log_of(num_components(point), delta), rest), epsilon)
        return cls(step, 2, "central", max(2, shots))

    @property
    def _stencil(self) -> Stencil:
        return stencil(self.scheme, self.order)

    def _problem(self, point) -> tuple[Program, Evaluations]:
        program = program_at(point, self, samples=self.shots is not None)
        dtype, found = point.coordinates.dtype, self._stencil
        steps = self._steps(program, dtype)
        count, each = len(steps), len(found.nodes)
        owner = np.repeat(np.arange(count), each)
        return program, Evaluations(
            count, owner, np.tile(found.nodes, count) * steps[owner], np.tile(found.weights, count) / steps[owner]
        )

    def _steps(self, program, dtype) -> np.ndarray:
        """(A,) of each gate."""
        fastest = bandwidths(program.circuit.angle_gates)
        if self.step is None:
            return self._stencil.best(program, dtype, self.shots) / np.where(fastest > 0, fastest, 1.0)
        check_step(self.step, np.max(fastest, initial=0.0), self.shots, self._stencil, program, dtype)
        return np.full(len(fastest), self.step)

    def _bias(self, point, program, dtype):
        """(C, A): what Taylor's theorem leaves, and what rounding adds to exact evaluations."""
        found, steps = self._stencil, self._steps(program, dtype)
        fastest = bandwidths(program.circuit.angle_gates)
        xp = namespace((point.cotangents, point.coordinates))
        sizes = ranges_along(program, point.cotangents)
        bias = sizes[:, None] * (found.remainder * steps**found.order * fastest ** (found.order + 1))[None]
        if self.shots is None:
            whole = abs(xp.asarray(point.cotangents) @ program.terms[2]).sum(axis=1)
            bias = bias + whole[:, None] * (found.size * relative_rounding(program, dtype) / steps)[None]
        # A shifted angle is rounded to its own precision.
        angle = np.finfo(dtype).eps * (abs(xp.asarray(point.coordinates)) + np.abs(found.nodes).max() * steps)
        return bias + sizes[:, None] * (found.size * fastest * angle / steps)[None]
