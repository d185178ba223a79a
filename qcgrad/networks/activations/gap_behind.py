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

import jax.numpy as jnp
import numpy as np

from ...objective import is_concrete
from ..gap import by_ray, safe_ratio, safe_sqrt, snapped

#: The kernel's own gap is trusted above NEAR, and everywhere within this many roundings.
NEAR, ROUNDINGS = 1e-6, 16
#: Beyond this, expansions in epsilon say nothing.
SMALL = 0.1


def gap_behind(activation, state, dual, own1, own2):
    """The gap of (phi(u), phi(v)), (N1, N2), or None where that of (u, v) is not tracked.

    Args:
        activation: phi.
        state: in front of it.
        dual, own1, own2: its dual maps between inputs, and of each input with itself.

    Cost: a few operations for each entry; up to five dual maps of single inputs, where inputs are nearly collinear.
    """
    if state.gap is None:
        return None
    q1, q2, covariance, gap = state.gaussians
    kappa1, kappa2 = jnp.real(own1.kappa)[:, None], jnp.real(own2.kappa)[None]
    plain = _lost(kappa1, kappa2, dual.kappa)
    plain = jnp.where((kappa1 == 0) & (kappa2 == 0), 0, plain)
    stretch, turn = _ratio(activation, q1, q2, covariance)
    together = (gap == 0) & (stretch == 0) & (turn == 0)
    close = (plain < NEAR) & (jnp.abs(stretch) < SMALL) & (jnp.abs(turn) < SMALL)
    rounding = ROUNDINGS * jnp.finfo(gap.dtype).eps
    exact = jnp.where(together, 0, jnp.where(plain < rounding / 2, 0, plain))
    if is_concrete(exact) and not bool(jnp.any(close & ~together)):
        return by_ray(exact)
    if activation.jumps:
        finer = _enlarged(activation, state, close & ~together, stretch, turn)
    else:
        finer = _expanded(activation, state, dual, own1, own2, stretch, turn)
    finer = snapped(jnp.clip(finer, jnp.maximum(plain - rounding, 0), jnp.maximum(plain + rounding, 0)))
    return by_ray(jnp.where(close & ~together, finer, exact))


def _ratio(activation, q1, q2, covariance):
    """Stretch and turn between the two, zero where the function does not notice or rounding explains them."""
    eps = jnp.finfo(jnp.real(covariance).dtype).eps
    both = (q1 > 0) & (q2 > 0)
    stretch = jnp.log(jnp.where(both, q2, 1) / jnp.where(both, q1, 1)) / 2
    if activation.is_homogeneous:
        stretch = 0 * stretch
    if activation.symmetry == "phase" or not jnp.iscomplexobj(covariance):
        turn = 0 * jnp.real(covariance)
    else:
        turn = jnp.angle(jnp.where(covariance == 0, 1, covariance))
    return tuple(jnp.where(jnp.abs(part) < ROUNDINGS * eps, 0, part) for part in (stretch, turn))


def _lost(kappa1, kappa2, kappa):
    return 1 - safe_ratio(jnp.abs(kappa), safe_sqrt(kappa1) * safe_sqrt(kappa2))


def _expanded(activation, state, dual, own1, own2, stretch, turn):
    q1, q2, covariance, gap = state.gaussians
    kappa1, kappa2 = jnp.real(own1.kappa)[:, None], jnp.real(own2.kappa)[None]
    unit = safe_ratio(covariance, jnp.abs(covariance))
    along = unit * dual.holomorphic + jnp.conj(unit) * dual.antiholomorphic
    here = safe_ratio(jnp.real(along * jnp.conj(dual.kappa)), jnp.abs(dual.kappa))
    at_one = [jnp.real(own.holomorphic + own.antiholomorphic) for own in (own1, own2)]
    at_one = safe_sqrt(at_one[0])[:, None] * safe_sqrt(at_one[1])[None]
    scale = safe_ratio(safe_sqrt(q1) * safe_sqrt(q2), safe_sqrt(kappa1) * safe_sqrt(kappa2))
    is_real = not jnp.iscomplexobj(covariance)
    first, second = (_losses(activation, q, is_real) for q in (state.variance1, state.variance2))
    by_stretch, by_turn, mixed = ((a[:, None] + b[None]) / 2 for a, b in zip(first, second, strict=True))
    form = by_stretch * stretch**2 + by_turn * turn**2 + 2 * mixed * stretch * turn
    return form / 2 + scale * gap * (at_one + 2 * here) / 3


def _losses(activation, q, is_real):
    """The quadratic form Q of each input (N,): of stretches, of turns, and mixed."""
    eps = jnp.finfo(q.dtype).eps
    step = float(eps) ** 0.25
    zero = jnp.zeros_like(q)

    def variance(q):
        return jnp.real(activation.dual_at(q, q, q if is_real else q + 0j, zero).kappa)

    def lost(stretch, turn):
        stretched = q * np.exp(2 * stretch)
        turned = q * np.exp(stretch) * (1.0 if is_real else np.exp(1j * turn))
        kappa = activation.dual_at(q, stretched, turned, zero).kappa
        loss = 2 * _lost(variance(q), variance(stretched), kappa) / step**2
        # Less than this is rounding: the function does not notice.
        return jnp.where(loss < 32 * eps**0.5, 0, loss)

    by_stretch = zero if activation.is_homogeneous else lost(step, 0.0)
    if is_real or activation.symmetry == "phase":
        return by_stretch, zero, zero
    by_turn = lost(0.0, step)
    both = by_turn if activation.is_homogeneous else lost(step, step)
    return by_stretch, by_turn, (both - by_stretch - by_turn) / 2


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
