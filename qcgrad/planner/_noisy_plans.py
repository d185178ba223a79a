"""Plans that know how far noise moves what they estimate."""

from dataclasses import replace

from ..catalogue import offer_at
from ..errors import NotApplicable
from ..ir.noise import NoiseModel
from ..objective import Point
from ..queries import NOISY, Access
from ._chain import amplification
from ._noise import Bias, Probe
from ._plan import Asked, Plan, plan_of

# What noise does to copies that are held together is not known.
_TOGETHER = (Access.multi_copy, Access.coherent)
# How often an instance is made for what its bias leaves of epsilon: the bias of another instance may be another one.
_TRIES = 5


class NoisyPlans:
    """Makes plans on a noisy device of plans that do not know of it.

    Args:
        asked: what was asked for.
        noise: what goes wrong; None where that is not known.
        point: where.

    Raises:
        ValueError: the noise names a qubit that the circuit does not have.
        NotApplicable: the objective is no circuit; access to more than single copies.
    """

    def __init__(self, asked: Asked, noise: NoiseModel | None, point: Point):
        access = asked.limits.access
        if access is not None and access in _TOGETHER:
            raise NotApplicable(
                f"access={access.name!r} with noise: what noise does to copies that are held together is not known; "
                "give access='single_copy', or no noise"
            )
        self.asked, self.point, self.probe = asked, point, Probe(noise, point)

    def plan(self, plan: Plan) -> Plan:
        """The plan with its bias, and an instance for what that leaves of epsilon; a reason where nothing is left."""
        if plan.estimator is None or plan.cost is None:
            return plan
        if not plan.cost.copies:
            # What is simulated has no noise.
            return replace(plan, bias=Bias())
        if plan.method.access in _TOGETHER:
            return Plan(plan.method, reason="holds several copies at a time, and what noise does to these is not known")
        left = self.asked.epsilon
        for count in range(_TRIES):
            bias = self.probe.bias(plan.method, plan.estimator)
            if not bias.is_known or bias.most + left <= self.asked.epsilon:
                return replace(plan, bias=bias)
            if bias.most >= self.asked.epsilon:
                return Plan(plan.method, bias=bias, reason=self._out_of_reach(bias))
            # Rounding must not make a sum larger than epsilon; a bias that moves with the instance takes some room.
            left = (self.asked.epsilon - bias.most) * (1 - max(1e-12, 0.02 * count))
            plan = self._within(plan, left)
            if plan.estimator is None:
                return replace(plan, bias=bias)
        return Plan(plan.method, bias=bias, reason=f"noise moves a derivative by {bias}, more the less its errors are")

    def _within(self, plan: Plan, epsilon: float) -> Plan:
        offer = offer_at(
            plan.method, self.point, epsilon / amplification(self.point), self.asked.delta, self.asked.backend
        )
        return plan_of(offer, self.asked)

    def _out_of_reach(self, bias: Bias) -> str:
        moved = f"noise moves a derivative by {bias}"
        if bias.size < self.asked.epsilon:
            return f"{moved}, which may be more than epsilon={self.asked.epsilon:g}: nothing is left for the shots"
        return (
            f"{moved}, more than epsilon={self.asked.epsilon:g}, and no number of shots undoes that: extrapolate with "
            "qcgrad.ZeroNoiseExtrapolation, give a larger epsilon, or a circuit with less noise"
        )


def with_noise(asked: Asked, noise: NoiseModel | None, point: Point) -> NoisyPlans | None:
    """Who makes plans for what goes wrong where circuits run; None where nothing does.

    Args:
        asked: whose backend may have noise of its own.
        noise: what the user says of it.
        point: where.

    Raises:
        TypeError: no noise model.
        ValueError: noise beside a backend that has its own.
    """
    if noise is not None and not isinstance(noise, NoiseModel):
        raise TypeError(f"noise is {noise!r}: give a qcgrad.NoiseModel, or None")
    backend, own = asked.backend, asked.backend.noise
    if noise is None:
        return NoisyPlans(asked, own, point) if backend.fidelity == NOISY else None
    if backend.fidelity == NOISY and own != noise:
        raise ValueError(f"noise beside backend {type(backend).__name__}, which has its own: give one of them")
    # Models without any error are checked too.
    return NoisyPlans(asked, noise, point)
