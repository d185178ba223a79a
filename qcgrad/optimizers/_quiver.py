"""Descent along random directions with shots that adapt: QUIVER."""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ..arrays import is_concrete
from . import _checks as checks
from ._direction_shots import Allocation, DirectionShots, QuiverState
from ._shots import Settings, optax_or_refuse

if TYPE_CHECKING:
    import optax


def quiver(
    learning_rate: float | None,
    lipschitz: float,
    *,
    allocation: Allocation = "step",
    min_shots: int = 2,
    max_shots: int = 1_000_000,
    average: float = 0.99,
) -> "optax.GradientTransformationExtraArgs":
    r"""Gradient descent along random directions, whose derivatives get the shots that gain most for what they cost.

    `qcgrad.ForwardGradient` with V directions v of P parameters has \(E|\hat g|^2 = \frac{V + P + \kappa - 2}{V}\,q +
    \frac{1}{V^2}\sum_l E\,|v_l|^2 \sigma_l^2/s_l\), where \(q = |g|^2\), \(\kappa\) is the fourth moment of a component
    (1 for signs, 3 for Gaussian ones) and \(\sigma_l^2\) the variance of the slope along \(v_l\) by one shot. A step
    \(-\eta\hat g\) gains at least \(\eta q - \tfrac12 L\eta^2 E|\hat g|^2\) on average, and so with

    .. math:: C = \frac{2V}{L\eta\,(V + P + \kappa - 2)}: \qquad
        \text{gain} = \eta q\Big(1 - \frac1C\Big) - \frac{L\eta^2}{2V^2} \sum_l E\,\frac{|v_l|^2\sigma_l^2}{s_l}.

    Over many steps what counts is the expected gain over the expected cost \(2\sum_l E\,s_l\). Where that ratio,
    \(\lambda\), is largest, no \(s_l\) that depends on the draw improves gain - \(\lambda\) cost: the derivative by it
    vanishes for \(s_l \propto |v_l|\,\sigma_l\), and the best factor is

    .. math:: s_l = \Big\lceil \frac{L\eta}{V}\,
        \frac{|v_l|\,\sigma_l\; \overline{|v|\,\sigma}}{q\,(1 - 1/C)} \Big\rceil,

    with the mean over draws under the bar ("step"). How steep F is along a direction does not enter: it moves the gain
    of this step alone, whatever the shots. All directions of signs take the same number, and Gaussian ones differ by
    their length.

    The formula that is known as QUIVER's ("direction") is another one:

    .. math:: s_l = \Big\lceil \frac{2\sigma_l^2}{Cq - (g\cdot v_l)^2} \Big\rceil .

    It is the maximum, for each direction by itself, of its share \(Cq - (g\cdot v_l)^2 - \sigma_l^2/s_l\) of the gain
    over its own shots, as in iCANS, with \(|v|^2/V\) of the noise replaced by \((V + P + \kappa - 2)/V\): steep
    directions take most. Its denominator vanishes or turns negative along directions that are too steep for the step,
    for one in six of them at C = 2; here it is at least half of its mean (C - 1) q, so that none takes more than twice
    what one of average slope takes. Where C is large, both agree but for the factor \((V + P + \kappa - 2)/P\).

    Args:
        learning_rate: eta; less than the one for which C = 1, beyond which no number of shots makes a step gain. None
            for \(V/(2L(V + P + \kappa - 2))\), C = 4. A step of exact slopes gains most at C = 2; but per shot the gain
            goes as \((1 - 1/C)^2\), so that shorter steps gain up to four times as much as those, for as long as
            directions take more than `min_shots`.
        lipschitz: L, as for `icans`. It is the worst case here too: along signs, a Hessian H with largest curvature
            \(\lambda\) and no negative ones bends a step of exact slopes as much as
            \(L = ((V + 1)\lambda + \mathrm{tr} H)/(V + P - 1)\) does, at most; where few directions are curved that is
            much less than \(\lambda\).
        allocation: "step" or "direction".
        min_shots, max_shots: limits of what is asked for, at least 2: one shot has no variance. The value takes the
            least.
        average: mu, between 0 and 1: how slowly the averages of g, q and sigma follow. q comes from squared slopes less
            their own noise, so that it is unbiased for one direction, too; it is taken to be no smaller than the
            average scatters by, \(\sqrt{2/n}\) of the mean square of n slopes.

    Returns:
        An optax transformation for `minimize` with `qcgrad.ForwardGradient`. `update(e.gradient, state, params,
        stats=e.stats, shots=s)` gives the step, and a state whose `shots(directions, steps)` are to be taken next.

    Raises:
        ValueError: numbers out of their range; a learning rate with C at most 1, when updating.
        TypeError: an update without stats of directions.
        NotApplicable: in `minimize`, another method, or directions that are not made of the parameters.
        ImportError: optax is not installed.

    Cost: none but arithmetic.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.optimizers import minimize, quiver
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).ry(1, param=1), "ZI + IZ")
        >>> found = minimize(objective, [1.0, 2.0], quiver(None, lipschitz=2.0), qg.ForwardGradient(directions=1),
        ...                  key=0, budget=qg.Budget(copies=20_000))
        >>> bool(found.values[-1] < -1.9), found.history[0].estimate.cost.copies  # value and pair, two shots each
        (True, 6)

    References:
        B. Coyle et al., "Adaptive directional gradients for parameterised quantum circuits", arXiv:2606.09734 (known
        here through accounts of others); A. Gu et al., arXiv:2108.10434, for the gain of a whole step.
    """
    settings = Settings.checked(
        1 / checks.positive("lipschitz", lipschitz) if learning_rate is None else learning_rate,
        lipschitz,
        min_shots,
        max_shots,
        average,
    )
    if allocation not in ("step", "direction"):
        raise ValueError(f"allocation={allocation!r}: give 'step' or 'direction'")
    rule = _Rule(settings, learning_rate is not None, allocation)

    def init(params):
        zeros = jax.tree.map(lambda leaf: jnp.zeros_like(jnp.asarray(leaf)), params)
        flat = ravel_pytree(zeros)[0]
        zero, one = jnp.zeros((), flat.dtype), jnp.ones((), flat.dtype)
        # Without noise known yet, everything takes the least.
        least = min_shots * one
        shots = DirectionShots(flat, one, zero, zero, one / 2, one, least, min_shots, max_shots, allocation)
        return QuiverState(jnp.zeros((), jnp.int32), zeros, jnp.zeros(4, flat.dtype), shots)

    def update(updates, state, params=None, *, stats=None, shots=None, **extra):
        del params, extra
        if stats is None or any(name not in stats for name in _NAMES):
            raise TypeError(
                "update needs stats=e.stats with slopes along random directions: give qcgrad.ForwardGradient with shots"
            )
        rule.check(stats)
        taken = state.shots.taken if shots is None else shots
        return _advance(rule, updates, state, [stats[name] for name in _NAMES], taken)

    return optax_or_refuse().GradientTransformationExtraArgs(init, update)


# What the estimate says of its directions.
_NAMES = "slopes", "slope_variances", "steps", "lengths", "scatter"


class _Rule(NamedTuple):
    """The numbers of an optimiser, and whether its learning rate was given; else it follows from the directions."""

    settings: Settings
    is_given: bool
    allocation: Allocation

    def rate(self, curvature: Any) -> Any:
        """eta, for (V + P + kappa - 2)/V."""
        return self.settings.learning_rate if self.is_given else 1 / (2 * self.settings.lipschitz * curvature)

    def check(self, stats: dict[str, Any]) -> None:
        """Refuse steps that can gain nothing, where numbers are at hand."""
        if not self.is_given or not is_concrete(stats["scatter"]):
            return
        most = 2 / (self.settings.lipschitz * float(_curvature(stats["steps"], stats["scatter"])))
        if self.settings.learning_rate >= most:
            raise ValueError(
                f"learning_rate={self.settings.learning_rate:g}: along so few random directions steps of {most:.3g} or "
                "more gain nothing, whatever the shots; give less, None, more directions, or a smaller lipschitz"
            )


def _curvature(steps, scatter):
    return (len(steps) + scatter) / len(steps)


@partial(jax.jit, static_argnums=0)
def _advance(rule, updates, state, stats, shots):
    """The step, and the state after it."""
    gradient, unravel = ravel_pytree(updates)
    slopes, noise, steps, lengths, scatter = (jnp.ravel(jnp.asarray(each, gradient.dtype)) for each in stats)
    shots = jnp.broadcast_to(jnp.asarray(shots, gradient.dtype), steps.shape)
    numbers = jnp.stack([slopes**2, noise, noise * shots * steps**2, lengths / steps]).mean(axis=1)
    mu, k = rule.settings.average, state.count.astype(gradient.dtype)
    before = ravel_pytree(state.gradient)[0], state.numbers
    sums = [mu * old + (1 - mu) * new for old, new in zip(before, (gradient, numbers), strict=True)]
    forgotten = mu ** (k + 1)
    mean, (squares, noise, spread, reach) = (each / (1 - forgotten) for each in sums)
    # Averages with these weights scatter as those of so many slopes.
    count = len(steps) * (1 - forgotten) * (1 + mu) / (1 + forgotten) / (1 - mu)
    curvature = _curvature(steps, scatter[0])
    rate = rule.settings.lipschitz * rule.rate(curvature)
    following = DirectionShots(
        mean,
        jnp.maximum(squares - noise, jnp.sqrt(2 / count) * squares),
        spread,
        reach * jnp.sqrt(spread),
        rate * curvature / 2,
        jnp.asarray(rate, gradient.dtype),
        shots.mean(),
        rule.settings.min_shots,
        rule.settings.max_shots,
        rule.allocation,
    )
    return unravel(-rule.rate(curvature) * gradient), QuiverState(state.count + 1, unravel(sums[0]), sums[1], following)
