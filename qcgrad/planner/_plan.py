"""Plans and advice as records, and how plans are ranked."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..backend import AbstractBackend
from ..catalogue import Method, Offer, offers_at
from ..cost import Cost
from ..errors import NotApplicable
from ..estimator import AbstractEstimator
from ..ir.noise import NoiseModel
from ..objective import Point
from ..queries import Access
from ._chain import amplification
from ._device import DeviceModel
from ._growth import Growth
from ._noise import Bias

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
        bias: how far noise moves its derivatives; None where nobody spoke of noise.
        reason: why there is no instance, in words; else empty.
    """

    method: Method
    estimator: AbstractEstimator | None = None
    cost: Cost | None = None
    seconds: float = math.nan
    growth: Growth | None = None
    bias: Bias | None = None
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
        noise: what goes wrong where circuits run; None where nothing does, or the backend does not say.
    """

    plans: tuple[Plan, ...]
    epsilon: float
    delta: float
    rank: str
    device: DeviceModel
    noise: NoiseModel | None = None

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


class Asked(NamedTuple):
    """What plans have to do, and by what.

    Attributes:
        epsilon, delta: by the user's parameters.
        backend: who would answer.
        device: speeds of the machines.
        limits: what the user can do.
        rank: what the best plan has least of, one of `RANKS`.
    """

    epsilon: float
    delta: float
    backend: AbstractBackend
    device: DeviceModel
    limits: Limits
    rank: str

    def order(self, plan: Plan) -> tuple[float, float]:
        """What has to be small of a plan with a cost."""
        return getattr(plan if self.rank == "seconds" else plan.cost, self.rank), plan.seconds

    def ranked(self, found: Iterable[Plan]) -> tuple[Plan, ...]:
        """The plans that apply, the best first, then the others in their order."""
        applicable = sorted((plan for plan in found if plan.cost is not None), key=self.order)
        return (*applicable, *(plan for plan in found if plan.cost is None))


def plan_of(offer: Offer, asked: Asked) -> Plan:
    """What an offer takes on the device, or why it does not do."""
    method, cost = offer.method, offer.cost
    # Of some methods one instance reads amplitudes, and another one samples.
    access = method.access if offer.estimator is None else offer.estimator.access
    if reason := asked.limits.refusal(access, cost) or offer.reason:
        return Plan(method, reason=reason)
    return Plan(method, offer.estimator, cost, math.nan if cost is None else asked.device.seconds(cost))


def plans(point: Point, asked: Asked) -> list[Plan]:
    """A plan for each method of the catalogue, in its order, without noise."""
    found = offers_at(point, asked.epsilon / amplification(point), asked.delta, asked.backend)
    return [plan_of(offer, asked) for offer in found]
