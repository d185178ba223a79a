"""How the Pauli sums that a method asks for are measured: in which groups, with how many shots each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, Int

from ....array_types import Key
from ....cost import Cost
from ....estimator import AbstractEstimator, OneRoundEstimator, total_cost, unknown
from ....ir.measured_groups import GROUPINGS, Grouping, measured_groups
from ....objective import Point, Reading
from ....queries import AbstractQuery, Access, Evaluate, Means
from ..._checks import checked_choice
from ..._programs import program_at
from ...accuracy import checked_accuracy
from ..shifts._parameter_shift import ParameterShift
from ._allocation import divided, range_weights
from ._parts import Parts, answers_by_part, is_divisible_by_groups, most_gates
from ._proved_shots import proved_shots
from ._refusals import Allocation, check_sums, checked_allocation, checked_method

# Of the shots of an evaluation, those that a pilot takes to learn the variances: a tenth costs a tenth at most, and
# divides the rest about as well as all would.
_PILOT = 0.1


class _State(NamedTuple):
    """What the method asks, (B, G) variances of the pilot for each question, and what the method made of it."""

    point: Point
    queries: tuple[AbstractQuery, ...]
    spreads: tuple[Any, ...] | None
    fewest: int
    reading: Reading | None = None


class Measured(AbstractEstimator):
    r"""Another method, with shots divided over groups of Pauli strings that are measured together.

    A method asks for sums \(\sum_t c_t P_t\) with N shots for each evaluation. Here these N are all shots of the
    evaluation, and group b of the strings, whose outcomes \(o_b = \sum_{t \in b} c_t P_t\) have the variance
    \(\sigma_b^2\) and lie in an interval of length \(2 r_b\), gets \(N_b\) of them:

    .. math:: \mathrm{Var} = \sum_b \sigma_b^2 / N_b, \qquad N_b \propto 1,\; r_b \text{ or } \sigma_b .

    Strings of a group are read off the same shots: their covariances count in full.

    Args:
        estimator: a method of one round that evaluates sums with shots, such as `ParameterShift(shots=1000)`.
        grouping: "qubit-wise", strings that agree on each qubit, whose basis changes are one-qubit gates; or
            "commuting", all that commute, behind a Clifford circuit: fewer groups, more gates.
        allocation: "uniform"; "weighted", by the proved range of a group's outcomes, which bounds the error best where
            nothing is known of the state; "optimal", by the standard deviations that a pilot of a tenth of the shots
            finds at each setting, which decides and is not averaged in, so that estimates stay unbiased; or a weight
            for each group.

    Access: single copy. Unbiased where the method is. Variances are sums of sample variances, NaN where a group
    has a single shot. A group of weight 0 is not measured: values that depend on it, and all derivatives beside
    them, are NaN, with a warning.

    Cost: N shots an evaluation, in one circuit for each group; "optimal" twice as many circuits.

    Raises:
        TypeError, ValueError: no method, a grouping or allocation that is not there, negative weights or not
            one for each group, fewer shots than one for each group.
        NotApplicable: a method of several rounds or of more access, or one that asks for no sums.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), {"XX": 1.0, "YY": 1.0, "ZZ": 0.5})
        >>> method = qg.Measured(qg.ParameterShift(shots=300), grouping="commuting")
        >>> e = qg.estimate(objective, [0.3], method, key=0)
        >>> e.cost.shots, e.cost.circuit_runs  # three evaluations, in one group
        (900, 3)

    References:
        V. Verteletskyi, T.-C. Yen, A. F. Izmaylov, J. Chem. Phys. 152, 124114 (2020), arXiv:1907.03358; O. Crawford et
        al., Quantum 5, 385 (2021), arXiv:1908.06942; D. Wecker, M. B. Hastings, M. Troyer, Phys. Rev. A 92, 042303
        (2015), arXiv:1507.08969.
    """

    estimator: OneRoundEstimator
    grouping: Grouping = eqx.field(static=True)
    allocation: Allocation | tuple[float, ...] = eqx.field(static=True)
    access = Access.single_copy

    def __init__(
        self,
        estimator: AbstractEstimator,
        grouping: Grouping = "qubit-wise",
        allocation: "Allocation | Sequence[float]" = "weighted",
    ):
        self.estimator = checked_method(estimator, self)
        self.grouping = checked_choice("grouping", grouping, GROUPINGS)
        self.allocation = checked_allocation(allocation)

    @property
    def is_traceable(self) -> bool:
        """Whether the method is, and no pilot decides."""
        return self.estimator.is_traceable and self.allocation != "optimal"

    @property
    def is_random(self) -> bool:
        return self.estimator.is_random

    @property
    def allots_shots(self) -> bool:
        return self.estimator.allots_shots

    def init(self, point: Point, key: Key | None) -> _State:
        queries = self.estimator.plan(point, key)
        check_sums(queries, self)
        return _State(point, queries, None if self.allocation == "optimal" else (), 0)

    def ask(self, state: _State) -> tuple[AbstractQuery, ...]:
        return () if state.reading is not None else self._asked(self._divided(state), state.queries)

    def tell(self, state: _State, answers: tuple) -> _State:
        parts = self._divided(state)
        found = answers_by_part(parts, answers)
        if state.spreads is None:
            spreads = tuple(None if p is None else _spreads(p, a) for p, a in zip(parts, found, strict=True))
            return state._replace(spreads=spreads)
        whole = tuple(a[0] if p is None else p.combined(a) for p, a in zip(parts, found, strict=True))
        fewest = min((int(p.shots[p.shots > 0].min()) for p in parts if p is not None), default=0)
        return state._replace(reading=self.estimator.combine(state.point, state.queries, whole), fewest=fewest)

    def read(self, state: _State) -> Reading:
        if state.reading is None:
            return unknown(state.point)
        stats = state.reading.stats
        if "degrees_of_freedom" in stats and state.fewest:
            stats = {**stats, "degrees_of_freedom": state.fewest - 1}
        return state.reading._replace(stats=stats)

    def report(self, stats: dict[str, Any]) -> str:
        return self.estimator.report(stats)

    def value_query(self, point: Point) -> AbstractQuery:
        """One question has one basis for each of its circuits: about as many copies, the same number in each."""
        query = self.estimator.value_query(point)
        if not is_divisible_by_groups(query):
            return query
        assert isinstance(query, Evaluate)
        return replace(query, shots=max(1, query.shots_per_setting[0] // len(query.program.bases)))

    def predict(self, point: Point) -> Cost:
        """Exact; with a pilot in copies, and then gates as if each were spent in the dearest group."""
        key = jax.random.key(0) if self.is_random else None
        state = self.init(point, key)
        cost = total_cost(self.ask(state))
        if self.allocation != "optimal":
            return cost
        evenly = self._divided(state._replace(spreads=tuple(_equal(query) for query in state.queries)))
        return cost + sum((most_gates(part) for part in evenly if part is not None), Cost())

    def allotted(self, point: Point, value: int, shots: Int[np.ndarray, "A"]) -> Self:
        return type(self)(self.estimator.allotted(point, value, shots), self.grouping, self.allocation)

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        r"""Parameter shifts with shots by Hoeffding's inequality, in the groups that take fewer.

        Of an evaluation with coefficient \(c_\mu\), divided by the ranges,

        .. math:: N_\mu = 2\ln(2M/\delta)\, \Big(\sum_b r_b\Big)^2\, |c_\mu| \sum_\nu |c_\nu| / \epsilon^2

        up to rounding; for parallel bases \(\sum_b r_b\) is the sum of |coefficients|, and less where strings of a
        group cannot all be 1 at once.
        """
        epsilon, delta = checked_accuracy(epsilon, delta)
        program = program_at(point, cls, samples=True)
        found = {g: proved_shots(cls, point, measured_groups(program, g), epsilon, delta) for g in GROUPINGS}
        grouping = min(GROUPINGS, key=lambda g: sum(found[g][1:]))
        shots = found[grouping]
        return cls(ParameterShift(shots[0] if len(set(shots)) == 1 else shots), grouping, "weighted")

    def _asked(self, parts, queries) -> tuple[AbstractQuery, ...]:
        return tuple(
            asked
            for part, query in zip(parts, queries, strict=True)
            for asked in ((query,) if part is None else part.queries)
        )

    def _divided(self, state: _State) -> list[Parts | None]:
        """What is asked of each question in this round, None for one that has no groups."""
        spreads = state.spreads or (None,) * len(state.queries)
        return [
            self._parts(query, spread, state.spreads is None)
            if isinstance(query, Evaluate) and is_divisible_by_groups(query)
            else None
            for query, spread in zip(state.queries, spreads, strict=True)
        ]

    def _parts(self, query: Evaluate, spread, is_pilot: bool) -> Parts:
        groups = measured_groups(query.program, self.grouping)
        totals = np.array(query.shots_per_setting)
        if self.allocation != "optimal":
            weights = self._weights(groups)
            return Parts(query, groups, divided(totals, np.broadcast_to(weights, (len(totals), len(groups)))))
        if totals.min() < 4 * len(groups):
            raise ValueError(
                f"shots={totals.min()} for an evaluation of {len(groups)} groups of strings: allocation='optimal' "
                f"takes at least {4 * len(groups)}, two in each group for the pilot and two more"
            )
        each = np.maximum(2, np.round(_PILOT * totals / len(groups))).astype(np.int64)
        if is_pilot:
            return Parts(query, groups, np.repeat(each[:, None], len(groups), axis=1))
        ranges = range_weights(groups)
        # Outcomes that were all alike may differ yet: one more than were seen, as far off as can be.
        squares = (each[:, None] * spread + ranges**2) / (each[:, None] + 1)
        return Parts(query, groups, divided(totals - each * len(groups), np.sqrt(squares)))

    def _weights(self, groups) -> Float[np.ndarray, "G"]:
        if self.allocation == "uniform":
            return np.ones(len(groups))
        if self.allocation == "weighted":
            return range_weights(groups)
        if len(self.allocation) != len(groups):
            raise ValueError(f"allocation has {len(self.allocation)} weights, but there are {len(groups)} groups")
        return np.array(self.allocation)


def _spreads(parts: Parts, answers: Sequence[Means]) -> Float[np.ndarray, "B G"]:
    """Sample variances of one outcome in each setting and group, of several observables their sum."""
    variances = np.stack([np.asarray(answer.variance, float).sum(axis=1) for answer in answers], axis=1)
    return np.nan_to_num(variances * parts.shots)


def _equal(query: AbstractQuery):
    return np.zeros((query.num_parts, 1))
