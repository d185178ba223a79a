"""As many shots as a precision takes, found out by a pilot."""

import math
from dataclasses import replace
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from ....array_types import Key
from ....cost import Cost
from ....errors import NotApplicable
from ....estimator import AbstractEstimator, OneRoundEstimator, total_cost, unknown
from ....ir.measured_groups import GROUPINGS, Grouping, MeasuredGroup, measured_groups
from ....memory import allowed_bytes, require
from ....objective import Point, Reading
from ....queries import AbstractQuery, Access, Evaluate
from ..._checks import checked_choice
from ..._programs import program_at
from ...accuracy import checked_accuracy, log_of
from ..shifts._parameter_shift import ParameterShift
from ._linear import weights_of
from ._parts import Parts, most_gates
from ._pilot import Need, needs
from ._refusals import checked_method


class _State(NamedTuple):
    """What is asked altogether, what it takes, and what was found: variances by the pilot, then the reading."""

    point: Point
    query: Evaluate
    groups: tuple[MeasuredGroup, ...]
    need: Need
    variances: Float[np.ndarray, "B G K"] | None = None
    reading: Reading | None = None


class AdaptiveShots(AbstractEstimator):
    r"""Another method, with as many shots as it takes until every derivative is as precise as asked.

    A pilot measures each evaluation in each group of strings a few times; then the shots \(N_u\) of each kind of
    outcome u are chosen so that their total is about the smallest that will do, and all of them are taken anew. A
    derivative is a weighted sum \(\sum_u w_u \bar X_u\) of means, of variance \(V = \sum_u w_u^2\sigma_u^2/N_u\).

    With `delta`, all M derivatives are within epsilon with probability \(1-\delta\) at least: standard deviations are
    at most \(s_u + 2 r_u \sqrt{2\ln(2U/\delta)/(n_u - 1)}\) by the pilot's n outcomes in an interval of length
    \(2r_u\), for all u but with probability \(\delta/2\) (Maurer and Pontil), and where they are, Bernstein's
    inequality for the fresh shots asks for

    .. math:: V + \tfrac13 \max_u \frac{2 r_u |w_u|}{N_u}\,\epsilon \le \frac{\epsilon^2}{2\ln(4M/\delta)} .

    Where that takes more than Hoeffding's inequality, the latter is used; where the pilot could not save its own shots,
    there is none. Without `delta`, epsilon is the standard error of every derivative.

    Args:
        estimator: a method of one round whose derivatives are weighted sums of evaluations, such as
            `ParameterShift()`; its own shots are left aside.
        epsilon: in units of the outputs over those of a coordinate.
        delta: probability with which any derivative may be further off, or None for standard errors.
        grouping: as for `Measured`.

    Access: single copy. Unbiased where the method is: the pilot decides and is not averaged in, so that how many shots
    there are does not depend on the shots that count, and their sample variances are unbiased however large it was.

    Cost: known when it ends. `predict` is an upper bound: all outcomes as spread as their ranges allow.

    Raises:
        TypeError, ValueError: no method, a precision that is no positive number, a delta that is not between 0 and 1.
        NotApplicable: derivatives that are no weighted sums of evaluations, or more shots than can be counted.
        TooLarge: weights that would not fit into memory.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0, "X": 0.1})
        >>> e = qg.estimate(objective, [0.5], qg.ParameterShift(), key=0, precision=qg.Precision(0.01, delta=0.05))
        >>> bool(abs(e.gradient[0] + 0.3917) < 0.01), e.cost.shots < 200_000
        (True, True)

    References:
        A. Maurer, M. Pontil, "Empirical Bernstein bounds and sample variance penalization", COLT 2009, arXiv:0907.3740,
        theorem 10; C. Stein, Ann. Math. Stat. 16, 243 (1945), for deciding by a first sample alone.
    """

    estimator: OneRoundEstimator
    epsilon: float = eqx.field(static=True)
    delta: float | None = eqx.field(static=True)
    grouping: Grouping = eqx.field(static=True)
    access = Access.single_copy
    is_traceable = False

    def __init__(
        self,
        estimator: AbstractEstimator,
        epsilon: float,
        delta: float | None = None,
        grouping: Grouping = "qubit-wise",
    ):
        self.estimator = checked_method(estimator, self)
        self.epsilon, checked = checked_accuracy(epsilon, 0.5 if delta is None else delta)
        self.delta = None if delta is None else checked
        self.grouping = checked_choice("grouping", grouping, GROUPINGS)

    @property
    def is_random(self) -> bool:
        return self.estimator.is_random

    def init(self, point: Point, key: Key | None) -> _State:
        queries = self.estimator.plan(point, key)
        if len(queries) != 1 or not isinstance(queries[0], Evaluate):
            asked = " and ".join(type(query).__name__ for query in queries) or "nothing"
            raise NotApplicable(
                f"{type(self).__name__} chooses the shots of one set of evaluations, but "
                f"{type(self.estimator).__name__} asks {asked}: use it alone"
            )
        query = queries[0]
        groups = measured_groups(query.program, self.grouping)
        settings, outputs = query.num_parts, query.program.num_observables
        components = len(point.cotangents) * len(point.coordinates)
        require(
            f"{type(self).__name__}: weights of {settings:,} evaluations in {len(groups)} groups of strings in each of "
            f"{components:,} derivatives take",
            24 * components * settings * max(outputs, len(groups)),
            allowed_bytes(),
            "differentiate by fewer parameters at a time",
        )
        weights = np.abs(weights_of(self, self.estimator, point, query)).reshape(components, settings, outputs)
        ranges = np.array([group.ranges for group in groups]).reshape(len(groups), outputs)
        state = _State(point, query, groups, needs(type(self), weights, ranges, self.epsilon, self.delta))
        # A constant is known, and nothing needs to be asked.
        return state if groups else self.tell(state, ())

    def ask(self, state: _State) -> tuple[AbstractQuery, ...]:
        return self._parts(state).queries if state.reading is None else ()

    def tell(self, state: _State, answers: tuple) -> _State:
        parts = self._parts(state)
        if state.variances is None and state.need.pilot is not None:
            found = np.stack([np.asarray(answer.variance, float) for answer in answers], axis=1)
            return state._replace(variances=found * parts.shots[:, :, None])
        means = parts.combined(answers)
        reading = self.estimator.combine(state.point, (state.query,), (means,))
        stats = {**reading.stats, "degrees_of_freedom": int(parts.shots.min()) - 1} if state.groups else reading.stats
        return state._replace(reading=reading._replace(stats=stats))

    def read(self, state: _State) -> Reading:
        return unknown(state.point) if state.reading is None else state.reading

    def report(self, stats: dict[str, Any]) -> str:
        return self.estimator.report(stats)

    def value_query(self, point: Point) -> Evaluate:
        """As precise as the derivatives, whatever the state, the same number in every basis."""
        program = program_at(point, self, samples=True)
        squares = sum((group.ranges**2 for group in measured_groups(program)), np.zeros(program.num_observables))
        factor = 1.0 if self.delta is None else 2 * log_of(program.num_observables, self.delta)
        shots = max(2, math.ceil(factor * float(np.max(squares, initial=0.0)) / self.epsilon**2))
        return Evaluate(program, point.coordinates[None], shots)

    def predict(self, point: Point) -> Cost:
        """An upper bound, exact where there is no pilot."""
        state = self.init(point, jax.random.key(0) if self.is_random else None)
        cost = total_cost(self.ask(state))
        if state.need.pilot is None or not state.groups:
            return cost
        return cost + most_gates(Parts(state.query, state.groups, state.need.most))

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """Parameter shifts, in the groups whose upper bound on the shots is smaller."""
        epsilon, delta = checked_accuracy(epsilon, delta)
        program_at(point, cls, samples=True)
        found = [cls(ParameterShift(), epsilon, delta, grouping) for grouping in GROUPINGS]
        return min(found, key=lambda one: one.predict(point).copies)

    def _parts(self, state: _State) -> Parts:
        need = state.need
        if need.pilot is None:
            shots = need.most
        else:
            shots = need.pilot if state.variances is None else need.shots(state.variances)
        return Parts(replace(state.query, shots=None), state.groups, shots)
