"""What each method would take to reach a precision, ranked."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import numpy as np

from ..arguments import check_objective
from ..array_types import Params
from ..backend import AbstractBackend, resolve
from ..catalogue import Method, Offer, offers_at
from ..cost import Cost
from ..errors import NotApplicable
from ..estimator import AbstractEstimator
from ..estimators.accuracy import checked_accuracy
from ..objective import AbstractObjective, Point, Reading, point_at
from ..queries import Access
from ._device import DeviceModel
from ._growth import Growth, growth

RANKS = ("seconds", "copies", "circuit_runs", "gates", "qubits", "flops", "peak_bytes", "depth")
"""What plans are ranked by: one of these has to be small."""


@dataclass(frozen=True)
class Plan:
    """What one method takes, or why it does not do.

    Attributes:
        method: of the catalogue.
        estimator: its cheapest instance that keeps the promise, or None.
        cost: what that costs, an upper bound for adaptive methods; None where there is no instance.
        seconds: the same on the device model; NaN where there is no instance.
        growth: how the cost grows with the circuit, see `has_backpropagation_scaling`; None where that is not known.
        reason: why there is no instance, in words; else empty.
    """

    method: Method
    estimator: AbstractEstimator | None = None
    cost: Cost | None = None
    seconds: float = math.nan
    growth: Growth | None = None
    reason: str = ""

    @property
    def has_backpropagation_scaling(self) -> bool | None:
        """Whether neither gates (or FLOPs) nor qubits (or bytes), over those of the value alone, grow as a power of M.

        Predicted for the circuit once, twice and four times in a row; None where nobody knows.
        """
        return None if self.growth is None else self.growth.is_backpropagation


@dataclass(frozen=True)
class Advice:
    """All plans, the applicable ones first, the best of them on top.

    Attributes:
        plans: one for each method that differentiates such an objective.
        epsilon, delta: what was asked for, by the user's parameters.
        rank: what the plans are ranked by.
        device: the model behind `seconds`.
    """

    plans: tuple[Plan, ...]
    epsilon: float
    delta: float
    rank: str
    device: DeviceModel

    @property
    def best(self) -> Plan:
        """The cheapest plan.

        Raises:
            NotApplicable: no method does; the reason of each is in the message.
        """
        if not self.plans or self.plans[0].estimator is None:
            reasons = "; ".join(f"{plan.method.name}: {plan.reason}" for plan in self.plans)
            raise NotApplicable(f"no method reaches epsilon={self.epsilon:g} here: {reasons or 'none is known'}")
        return self.plans[0]

    def __getitem__(self, name: str) -> Plan:
        """The plan of a method, by its name in the catalogue."""
        for plan in self.plans:
            if plan.method.name == name:
                return plan
        raise KeyError(f"{name!r}: there are plans for {', '.join(plan.method.name for plan in self.plans)}")

    def __repr__(self) -> str:
        from ._table import in_words

        return in_words(self)

    def _repr_html_(self) -> str:
        from ._table import in_html

        return in_html(self)


def advise(
    objective: AbstractObjective,
    epsilon: float,
    delta: float = 0.05,
    *,
    params: Params | None = None,
    access: "Access | str | None" = None,
    max_qubits: int | None = None,
    backend: AbstractBackend | None = None,
    rank: str = "seconds",
    device: DeviceModel | None = None,
    with_growth: bool = True,
) -> Advice:
    r"""For every method of the catalogue, what it takes until no derivative is off by more than epsilon.

    Each method is asked for the cheapest instance that is *proved* to keep all derivatives by `params` within epsilon
    with probability 1 - delta, for the worst state that its bounds allow; nothing is run. Errors of derivatives by gate
    angles add up where one parameter drives several, so angles get
    \(\epsilon / \max_p \sum_a |\partial\theta_a/\partial p|\).

    Args:
        objective: what to differentiate.
        epsilon: largest error of a derivative by a parameter, in units of the observable per unit of the parameter.
        delta: probability that any derivative is further off.
        params: where, as for `qcgrad.estimate`; by default at the objective's example, or at angles that are special to
            no method: derivatives are on one common state, as some methods need, at Clifford angles only.
        access: the most that may be done with a state, a name of `qcgrad.queries.Access`; by default all that the
            backend grants.
        max_qubits: how many qubits can be held coherently; any number by default.
        backend: who would answer; the default one of the objective.
        rank: what the best plan has least of: "seconds" on the device model, or a field of `qcgrad.Cost`. Ties go to
            fewer seconds.
        device: speeds of the machines; see `DeviceModel`.
        with_growth: whether to predict how costs grow with the circuit, which takes as long as all else three times.

    Returns:
        An `Advice`: print it, or look at `advice.best.estimator`.

    Raises:
        ValueError, TypeError: bad epsilon, delta, access, max_qubits, rank or params.

    Cost: predictions only. Adaptive methods predict from all that they might ask.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
        >>> advice = qg.advise(objective, epsilon=0.1, params=[0.5, 0.2], access="single_copy", rank="copies")
        >>> advice["parameter-shift"].cost.copies
        2195
        >>> advice["gentle-sweep"].reason
        'needs multi_copy access, and single_copy is allowed'

    References:
        A. Abbas et al., NeurIPS 2023, arXiv:2305.13362, for what backpropagation scaling is.
    """
    check_objective(objective)
    epsilon, delta = checked_accuracy(epsilon, delta)
    if rank not in RANKS:
        raise ValueError(f"rank={rank!r}: give one of {', '.join(RANKS)}")
    if device is not None and not isinstance(device, DeviceModel):
        raise TypeError(f"device is {device!r}: give a qcgrad.DeviceModel")
    device, limits = device or DeviceModel(), Limits(checked_access(access), checked_qubits(max_qubits))
    point = point_of(objective, params)
    found = plans(point, epsilon, delta, resolve(backend, point.objective), device, limits)
    if with_growth:
        narrow = epsilon / amplification(point)
        found = [_with_growth(plan, point, narrow, delta) for plan in found]
    return Advice(ranked(found, rank), epsilon, delta, rank, device)


class Limits(NamedTuple):
    """What a user can do."""

    access: Access | None
    max_qubits: int | None

    def refusal(self, access: Access, cost: Cost | None) -> str:
        """Why these limits rule out what needs such access and costs so much; empty where they do not."""
        if self.access is not None and access > self.access:
            return f"needs {access.name} access, and {self.access.name} is allowed"
        if cost is not None and self.max_qubits is not None and cost.qubits > self.max_qubits:
            return f"holds {cost.qubits:,} qubits at a time, and {self.max_qubits:,} are allowed"
        return ""


def point_of(objective: AbstractObjective, params: Params | None) -> Point:
    """Where; at angles that are special to no method where there are no parameters."""
    if params is None:
        params = getattr(objective, "example", None)
    if params is None:
        params = getattr(objective, "weights_like", None)
    if params is None:
        if (count := getattr(objective, "num_parameters", None)) is None:
            raise TypeError(f"params are missing: a {type(objective).__name__} does not say what they look like")
        # Multiples of the golden ratio are spread over the circle, and none is a Clifford angle.
        turns = (np.arange(1, count + 1) * (5**0.5 - 1) / 2) % 1
        params = (np.pi * (2 * turns - 1)).astype(jax.dtypes.canonicalize_dtype(float))
    return point_at(objective, params)[0]


def plans(
    point: Point, epsilon: float, delta: float, backend: AbstractBackend, device: DeviceModel, limits: Limits
) -> list[Plan]:
    """A plan for each method of the catalogue, in its order, to reach epsilon by the user's parameters."""
    found = offers_at(point, epsilon / amplification(point), delta, backend)
    return [_plan(offer, device, limits) for offer in found]


def _plan(offer: Offer, device, limits) -> Plan:
    method, cost = offer.method, offer.cost
    # Of some methods one instance reads amplitudes, and another one samples.
    access = method.access if offer.estimator is None else offer.estimator.access
    if reason := limits.refusal(access, cost) or offer.reason:
        return Plan(method, reason=reason)
    return Plan(method, offer.estimator, cost, math.nan if cost is None else device.seconds(cost))


def _with_growth(plan: Plan, point, epsilon, delta) -> Plan:
    return plan if plan.estimator is None else replace(plan, growth=growth(plan.method.make, point, epsilon, delta))


def ranked(found: Iterable[Plan], rank: str) -> tuple[Plan, ...]:
    """The plans that apply, the best first, then the others in their order."""
    applicable = [plan for plan in found if plan.cost is not None]
    applicable.sort(key=lambda plan: (getattr(plan if rank == "seconds" else plan.cost, rank), plan.seconds))
    return (*applicable, *(plan for plan in found if plan.cost is None))


def amplification(point: Point) -> float:
    r"""\(\max_p \sum_a |\partial\theta_a/\partial p|\): how errors of coordinates add up in one parameter, at most.

    Raises:
        NotApplicable: it depends on parameters, and there are none.
    """
    params = point.params
    if params is None:
        if getattr(point.objective, "parameter_map", None) is not None:
            raise NotApplicable("params are missing: how errors of gate angles add up depends on them here")
        params = np.zeros(getattr(point.objective, "num_parameters", 0))
    # The chain rule carries bounds on biases as sums of absolute values, which is what is asked here.
    rows = jax.tree.map(lambda leaf: np.zeros((1, *np.shape(leaf)), leaf.dtype), point.coordinates)
    ones = jax.tree.map(lambda leaf: np.ones_like(leaf.real), rows)
    nothing = jax.tree.map(np.zeros_like, ones)
    outer = point.objective.to_params(params, Reading(np.zeros(1), rows, nothing, np.zeros(1), ones))
    # A parameter that drives nothing has no error.
    return max((float(np.max(leaf, initial=0.0)) for leaf in jax.tree.leaves(outer.bias_bound)), default=0.0) or 1.0


def checked_access(access: "Access | str | None") -> Access | None:
    """A level of access by its name, or one clear error."""
    if access is None or isinstance(access, Access):
        return access
    if isinstance(access, str) and access in Access.__members__:
        return Access[access]
    raise ValueError(f"access={access!r}: give one of {', '.join(Access.__members__)}, or None")


def checked_qubits(max_qubits: int | None) -> int | None:
    """A positive number of qubits or None, or one clear error."""
    is_count = isinstance(max_qubits, (int, np.integer)) and not isinstance(max_qubits, bool) and max_qubits > 0
    if max_qubits is not None and not is_count:
        raise ValueError(f"max_qubits={max_qubits!r}: give a positive integer, or None")
    return None if max_qubits is None else int(max_qubits)
