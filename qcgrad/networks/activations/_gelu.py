"""Gaussian error linear units: real, and split into real and imaginary parts."""

import equinox as eqx
import jax
import jax.numpy as jnp

from .._array_types import RealCovariances, RealDual, RealValues, Variances
from ._real import AbstractRealActivation
from .split import AbstractSplit

#: Beyond this the normal density is zero.
FAR = 40.0


class GELU(AbstractRealActivation):
    r"""\(x\,\Phi(x)\) with the normal distribution function \(\Phi\) (no tanh approximation), for real networks.

    With \(F = \mathbb E[\Phi(u)\Phi(v)] = \tfrac14 + \tfrac1{2\pi}\arcsin(K/\sqrt w)\), \(w = (1+q_1)(1+q_2)\) and
    \(G = \partial F/\partial K = 1/(2\pi\sqrt{w - K^2})\), Stein's lemma twice gives

    .. math:: \kappa = K F + G\,[\,q_1q_2(w - K^2) + K^2\,]/w,\qquad D = \partial\kappa/\partial K .

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.GELU().dual(1.0, 1.0, 0.0).kappa), 6)  # (E[x Phi(x)])^2 = 1/(4 pi)
        0.079577
    """

    def function(self, x: RealValues) -> RealValues:
        # Below -FAR both factors of x Phi(x) leave the numbers: one to infinity, one to zero.
        return jax.nn.gelu(jnp.maximum(x, -FAR), approximate=False)

    def slope(self, x: RealValues) -> RealValues:
        return jax.scipy.stats.norm.cdf(x) + jnp.clip(x, -FAR, FAR) * jax.scipy.stats.norm.pdf(x)

    @eqx.filter_jit
    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        k, widths, product = covariance, (1 + q1) * (1 + q2), q1 * q2
        # w - K^2 is at least 1 + q1 + q2; rounding of large variances must not make it less.
        least = 1 + q1 + q2
        gap = jnp.maximum(least + (product - k**2), least / 2)
        both = 1 / 4 + jnp.arctan2(k, jnp.sqrt(gap)) / (2 * jnp.pi)
        density = 1 / (2 * jnp.pi * jnp.sqrt(gap))
        curvature = (1 - product) / widths
        bracket = (product * gap + k**2) / widths
        slope = both + k * density + density * k / gap * bracket + 2 * density * curvature * k
        return both * k + density * bracket, slope


class SplitGELU(AbstractSplit):
    """GELU(Re z) + i GELU(Im z); dual maps from `GELU`.

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.SplitGELU().dual(2.0, 2.0, 0.0j).kappa.real), 6)  # 2/(4 pi)
        0.159155
    """

    @property
    def part(self) -> AbstractRealActivation:
        return GELU()
