r"""The gap \(1 - |\rho|\) behind an activation, where the kernel itself has lost its digits.

Let \(v = c\,u\) but for an independent part, with \(\log c = \epsilon_r - i\alpha\). To leading order in the gap g in
front and in \(\epsilon = (\epsilon_r, \alpha)\), for functions without jumps,

.. math:: g' = \tfrac12 Q(\epsilon) + \frac{\sqrt{q_1q_2}}{\sqrt{\kappa_{11}\kappa_{22}}}\,
    g\,\bigl[\tfrac13 S(1) + \tfrac23 S(\rho)\bigr],

S the derivative of \(|\kappa|\) along \(|K|\), linear in \(\sqrt g\) where the function has kinks. Q is a quadratic
form: what \(\varphi\) loses when its argument is stretched and turned, seen at a step that is not small. Functions with
jumps have a gap of first order in \(\sqrt g\) and \(\epsilon\): there all are enlarged by one factor, by which the gap
is divided.
"""

from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._gap import by_ray, safe_ratio, snapped
from ..kernel_state import KernelState

if TYPE_CHECKING:
    from ._activation import AbstractActivation
    from ._dual import Dual

#: The kernel's own gap is trusted above NEAR, and everywhere within this many roundings.
NEAR, ROUNDINGS = 1e-6, 16
#: Beyond this, expansions in epsilon say nothing.
SMALL = 0.1


def gap_behind(
    activation: "AbstractActivation", state: KernelState, dual: "Dual", own1: "Dual", own2: "Dual"
) -> Float[jax.Array, "N1 N2"] | None:
    """The gap of (phi(u), phi(v)), (N1, N2), or None where that of (u, v) is not tracked.

    Args:
        activation: phi.
        state: in front of it.
        dual, own1, own2: its dual maps between inputs, and of each input with itself.

    Cost: a few operations for each entry, and one dual map of single inputs where any are nearly collinear.
    """
    if state.gap is None:
        return None
    q1, q2, covariance, gap = state.gaussians
    kappa1, kappa2 = jnp.real(own1.kappa)[:, None], jnp.real(own2.kappa)[None]
    features = activation.is_homogeneous, activation.symmetry == "phase"
    stretch, turn, plain, close = _as_it_stands(features, (q1, q2, covariance, gap), kappa1, kappa2, dual.kappa)
    if not bool(jnp.any(close)):
        return by_ray(plain)
    if activation.jumps:
        finer = _enlarged(activation, state, close, stretch, turn)
    else:
        is_real = not jnp.iscomplexobj(covariance)
        losses = _losses(activation, jnp.concatenate([state.variance1, state.variance2]), is_real)
        finer = _expanded(state.gaussians, dual, own1, own2, losses, stretch, turn)
    return by_ray(_within_rounding(plain, finer, close))


@partial(jax.jit, static_argnums=0)
def _as_it_stands(features, gaussians, kappa1, kappa2, kappa):
    """Stretch and turn between the two, the gap of the covariance, and where it has lost digits."""
    q1, q2, covariance, gap = gaussians
    is_homogeneous, is_equivariant = features
    eps = jnp.finfo(gap.dtype).eps
    both = (q1 > 0) & (q2 > 0)
    # What the function does not notice counts as none.
    notices = 0 if is_homogeneous else 1
    stretch = notices * jnp.log(jnp.where(both, q2, 1) / jnp.where(both, q1, 1)) / 2
    turn = jnp.zeros_like(gap)
    if jnp.iscomplexobj(covariance) and not is_equivariant:
        turn = jnp.angle(jnp.where(covariance == 0, 1, covariance))
    stretch, turn = (jnp.where(jnp.abs(part) < ROUNDINGS * eps, 0, part) for part in (stretch, turn))
    plain = jnp.where((kappa1 == 0) & (kappa2 == 0), 0, _lost(kappa1, kappa2, kappa))
    together = (gap == 0) & (stretch == 0) & (turn == 0)
    close = ~together & (plain < NEAR) & (jnp.abs(stretch) < SMALL) & (jnp.abs(turn) < SMALL)
    plain = jnp.where(together | (~close & (plain < ROUNDINGS / 2 * eps)), 0, plain)
    return stretch, turn, plain, close


@jax.jit
def _within_rounding(plain, finer, close):
    """The finer gap, as far as the covariance as it stands leaves room for it."""
    room = ROUNDINGS * jnp.finfo(plain.dtype).eps
    finer = jnp.clip(finer, jnp.maximum(plain - room, 0), jnp.maximum(plain + room, 0))
    return jnp.where(close, snapped(finer), plain)


def _lost(kappa1, kappa2, kappa):
    return 1 - safe_ratio(jnp.abs(kappa), jnp.sqrt(kappa1) * jnp.sqrt(kappa2))


@jax.jit
def _expanded(gaussians, dual, own1, own2, losses, stretch, turn):
    """The gap of functions without jumps, to leading order."""
    q1, q2, covariance, gap = gaussians
    kappa1, kappa2 = jnp.real(own1.kappa)[:, None], jnp.real(own2.kappa)[None]
    unit = safe_ratio(covariance, jnp.abs(covariance))
    along = unit * dual.holomorphic + jnp.conj(unit) * dual.antiholomorphic
    here = safe_ratio(jnp.real(along * jnp.conj(dual.kappa)), jnp.abs(dual.kappa))
    slopes = [jnp.sqrt(jnp.maximum(jnp.real(own.holomorphic + own.antiholomorphic), 0)) for own in (own1, own2)]
    at_one = slopes[0][:, None] * slopes[1][None]
    scale = safe_ratio(jnp.sqrt(q1) * jnp.sqrt(q2), jnp.sqrt(kappa1) * jnp.sqrt(kappa2))
    count = len(own1.kappa)
    by_stretch, by_turn, mixed = ((loss[:count, None] + loss[None, count:]) / 2 for loss in losses)
    form = by_stretch * stretch**2 + by_turn * turn**2 + 2 * mixed * stretch * turn
    return form / 2 + scale * gap * (at_one + 2 * here) / 3


def _losses(activation, q, is_real):
    """The quadratic form Q of each input (N,): of stretches, of turns, and mixed."""
    eps = float(jnp.finfo(q.dtype).eps)
    step = eps**0.25
    feels_stretch = not activation.is_homogeneous
    feels_turn = not (is_real or activation.symmetry == "phase")
    steps = [(step * a, step * b) for a, b in ((1, 0), (0, 1), (1, 1)) if a <= feels_stretch and b <= feels_turn]
    zero = jnp.zeros_like(q)
    if not steps:
        return zero, zero, zero
    # One call: of each step, of what it leads to, and of where it starts.
    stretches = np.array([a for a, _ in steps] + [a for a, _ in steps] + [0.0])[:, None]
    turns = np.array([b for _, b in steps] + [0.0] * (len(steps) + 1))[:, None]
    starts = np.array([0.0] * len(steps) + [a for a, _ in steps] + [0.0])[:, None]
    first, second = (q[None] * jnp.asarray(np.exp(2 * power), q.dtype) for power in (starts, stretches))
    factor = np.exp(starts + stretches) * (1 if is_real else np.exp(1j * turns))
    kappa = activation.dual_at(first, second, q[None] * factor, jnp.zeros_like(first)).kappa
    lost = 2 / step**2 * _lost(jnp.real(kappa[-1:]), jnp.real(kappa[len(steps) : -1]), kappa[: len(steps)])
    # Less than this is rounding: the function does not notice.
    found = dict(zip([(a > 0, b > 0) for a, b in steps], jnp.where(lost < 32 * eps**0.5, 0, lost), strict=True))
    by_stretch, by_turn = found.get((True, False), zero), found.get((False, True), zero)
    return by_stretch, by_turn, (found.get((True, True), by_stretch + by_turn) - by_stretch - by_turn) / 2


def _enlarged(activation, state, chosen, stretch, turn):
    """The gaps of functions with jumps, in the entries chosen: these run on the host."""
    rows, columns = np.nonzero(np.asarray(chosen))
    q1, q2 = state.variance1[rows], state.variance2[columns]
    gap, stretch, turn = (array[rows, columns] for array in (state.gap, stretch, turn))
    size = jnp.maximum(jnp.sqrt(2 * gap), jnp.maximum(jnp.abs(stretch), jnp.abs(turn)))
    factor = jnp.maximum(float(jnp.finfo(gap.dtype).eps) ** (1 / 3) / size, 1)
    middle, more = jnp.sqrt(q1 * q2), jnp.exp((factor - 1) * stretch)
    first, second = q1 / more, q2 * more
    enlarged = factor**2 * gap
    unit = jnp.exp(1j * turn * factor)
    kappa = activation.dual_at(first, second, middle * (1 - enlarged) * unit, enlarged).kappa
    own1, own2 = (jnp.real(activation.dual_at(q, q, q + 0j, 0 * gap).kappa) for q in (first, second))
    return jnp.zeros_like(state.gap).at[rows, columns].set(_lost(own1, own2, kappa) / factor)
