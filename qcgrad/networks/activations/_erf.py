"""Error functions: real, and split into real and imaginary parts."""

import equinox as eqx
import jax
import jax.numpy as jnp

from .._array_types import RealCovariances, RealDual, RealValues, Variances
from ._real import AbstractRealActivation
from .split import AbstractSplit


class Erf(AbstractRealActivation):
    r"""erf(x), for real networks.

    .. math:: \kappa = \frac2\pi\arcsin\frac{2K}{\sqrt{(1+2q_1)(1+2q_2)}},\qquad
        D = \frac4\pi\,\frac1{\sqrt{(1+2q_1)(1+2q_2) - 4K^2}} .

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.Erf().dual(0.5, 0.5, 0.5).kappa), 6)  # 2/pi * arcsin(1/2)
        0.333333

    References:
        C. K. I. Williams, "Computing with infinite networks", NeurIPS 1996.
    """

    def function(self, x: RealValues) -> RealValues:
        return jax.scipy.special.erf(x)

    def slope(self, x: RealValues) -> RealValues:
        return 2 / jnp.sqrt(jnp.pi).astype(x.dtype) * jnp.exp(-(x**2))

    @eqx.filter_jit
    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        # (1 + 2 q1)(1 + 2 q2) - 4 K^2 is at least 1 + 2 (q1 + q2); rounding of large variances must not make it less.
        least = 1 + 2 * (q1 + q2)
        root = jnp.sqrt(jnp.maximum(least + 4 * (q1 * q2 - covariance**2), least / 2))
        return 2 / jnp.pi * jnp.arctan2(2 * covariance, root), 4 / jnp.pi / root


class SplitErf(AbstractSplit):
    """erf(Re z) + i erf(Im z); dual maps from `Erf`.

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.SplitErf().dual(1.0, 1.0, 1.0 + 0.0j).kappa.real), 6)
        0.666667
    """

    @property
    def part(self) -> AbstractRealActivation:
        return Erf()
