"""Coupled adaptive numbers of shots: iCANS and gCANS."""

from typing import TYPE_CHECKING

import jax.numpy as jnp

from ._shots import Averages, Settings, transformation

if TYPE_CHECKING:
    import optax


def icans(
    learning_rate: float,
    lipschitz: float,
    *,
    guarded: bool = False,
    min_shots: int = 2,
    max_shots: int = 1_000_000,
    average: float = 0.99,
    bias: float = 1e-6,
) -> "optax.GradientTransformationExtraArgs":
    r"""Gradient descent in which every derivative gets the shots that gain most for what they cost.

    A step \(-\alpha g_i\) with variance \(S_i/s_i\) of \(g_i\) gains at least
    \((\alpha - \tfrac12 L\alpha^2)\,g_i^2 - \tfrac12 L\alpha^2 S_i/s_i\) on average. Per shot that is most at

    .. math:: s_i = \Big\lceil \frac{2L\alpha}{2 - L\alpha}\, \frac{\xi_i}{\chi_i^2 + b\mu^k} \Big\rceil,
        \qquad \gamma_i = \frac{1}{w_i s_i}\Big[\big(\alpha - \tfrac12 L\alpha^2\big)\chi_i^2
        - \frac{L\alpha^2}{2 s_i}\,\xi_i\Big],

    with running averages \(\chi\) of g and \(\xi\) of S, and \(w_i\) the cost of a shot for that derivative. No
    derivative takes more than the one with the largest \(\gamma_i\). On `qcgrad.WeightedRandomSampling` this is
    Rosalin.

    Args:
        learning_rate: alpha, less than 2/L. `guarded` steps may be shorter.
        lipschitz: L, such that the gradient changes by at most L times the length of a step; see `lipschitz_constant`.
        guarded: the more careful variant (iCANS2): the step of each parameter is shortened to
            \(\min(\alpha, \chi_i^2 / (L(\chi_i^2 + \xi_i/s_i + b\mu^k)))\), which keeps its expected gain positive.
        min_shots, max_shots: limits of what is asked for, at least 2: one shot has no variance.
        average: mu, between 0 and 1: how slowly the averages follow.
        bias: b, a small positive number.

    Returns:
        An optax transformation. `update(e.gradient, state, params, variance=e.variance)` gives the step, and a state
        whose `shots` say, as the parameters, how often each evaluation for that derivative is to be measured in the
        next estimate. Where that took other numbers, or derivatives differ in cost, say so with `shots=` and
        `evaluations=`, as `minimize` does. Works under `jax.jit` and in `optax.chain`.

    Raises:
        ValueError: numbers out of their range; variances of another structure, when updating.
        TypeError: an update without variances.
        ImportError: optax is not installed.

    Cost: none but arithmetic.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.optimizers import icans
        >>> optimizer = icans(0.1, lipschitz=10.0)
        >>> state = optimizer.init(jnp.zeros(2))
        >>> step, state = optimizer.update(jnp.array([1.0, 0.1]), state, variance=jnp.array([8.0, 8.0]))
        >>> print(step, state.shots)  # 2 x 16 shots for each derivative have variances of 16 a shot
        [-0.1  -0.01] [32 32]

    References:
        J. M. Kübler, A. Arrasmith, L. Cincio, P. J. Coles, "An adaptive optimizer for measurement-frugal variational
        algorithms", Quantum 4, 263 (2020), arXiv:1909.09083; A. Arrasmith et al., arXiv:2004.06252 (Rosalin).
    """
    settings = Settings.checked(learning_rate, lipschitz, min_shots, max_shots, average, bias)
    alpha, size = settings.learning_rate, settings.lipschitz

    def wanted(now: Averages):
        square = now.gradient**2
        shots = jnp.ceil(2 * size * alpha / (2 - size * alpha) * now.spread / (square + now.floor))
        shots = jnp.maximum(shots, settings.min_shots)
        gain = (alpha - size * alpha**2 / 2) * square - size * alpha**2 / (2 * shots) * now.spread
        return jnp.minimum(shots, shots[jnp.argmax(gain / (shots * now.evaluations))])

    def rates(now: Averages):
        if not guarded:
            return alpha
        square = now.gradient**2
        return jnp.minimum(alpha, square / (size * (square + now.spread / now.taken + now.floor)))

    return transformation(settings, wanted, rates)


def gcans(
    learning_rate: float,
    lipschitz: float,
    *,
    min_shots: int = 2,
    max_shots: int = 1_000_000,
    average: float = 0.99,
    bias: float = 1e-6,
) -> "optax.GradientTransformationExtraArgs":
    r"""Gradient descent in which all derivatives together get the shots that gain most for what they cost.

    The gain of a whole step, \((\alpha - \tfrac12 L\alpha^2)\|g\|^2 - \tfrac12 L\alpha^2\sum_i S_i/s_i\), over its cost
    \(\sum_i w_i s_i\) is largest at

    .. math:: s_i = \Big\lceil \frac{2L\alpha}{2 - L\alpha}\,
        \frac{\sqrt{\xi_i/w_i}\, \sum_j \sqrt{w_j \xi_j}}{\|\chi\|^2 + b\mu^k} \Big\rceil,

    with averages as in `icans`. A derivative that vanishes takes no more shots than its share of the noise is worth,
    and on smooth strongly convex functions the loss falls geometrically with the steps.

    Args:
        learning_rate, lipschitz, min_shots, max_shots, average, bias: as for `icans`.

    Returns:
        An optax transformation, used as `icans` is.

    Raises:
        ValueError, TypeError, ImportError: as for `icans`.

    Cost: none but arithmetic.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad.optimizers import gcans
        >>> optimizer = gcans(0.1, lipschitz=10.0)
        >>> state = optimizer.init(jnp.zeros(2))
        >>> step, state = optimizer.update(jnp.array([1.0, 0.1]), state, variance=jnp.array([8.0, 2.0]))
        >>> print(state.shots)  # as 4 to 2, the deviations of one shot
        [48 24]

    References:
        A. Gu, A. Lowe, P. A. Dub, P. J. Coles, A. Arrasmith, "Adaptive shot allocation for fast convergence in
        variational quantum algorithms", arXiv:2108.10434 (with all w equal).
    """
    settings = Settings.checked(learning_rate, lipschitz, min_shots, max_shots, average, bias)
    alpha, size = settings.learning_rate, settings.lipschitz

    def wanted(now: Averages):
        deviation, cost = jnp.sqrt(now.spread), jnp.sqrt(now.evaluations)
        share = deviation / cost * jnp.sum(deviation * cost)
        return 2 * size * alpha / (2 - size * alpha) * share / (jnp.sum(now.gradient**2) + now.floor)

    return transformation(settings, wanted, lambda now: alpha)
