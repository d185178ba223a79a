"""Rectified linear units: real, and split into real and imaginary parts."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from .._array_types import Gaps, RealCovariances, RealDual, RealValues, Variances
from .._gap import gap_of, safe_ratio, safe_sqrt
from ._real import AbstractRealActivation
from .split import AbstractSplit


class ReLU(AbstractRealActivation):
    r"""max(x, 0), for real networks.

    .. math:: \kappa = \sqrt{q_1q_2}\,\frac{\sin t + (\pi - t)\cos t}{2\pi},\quad D = \frac{\pi - t}{2\pi},\quad
        \cos t = K/\sqrt{q_1q_2} .

    Example:
        >>> from qcgrad import networks as nn
        >>> dual = nn.ReLU().dual(1.0, 1.0, 1.0)
        >>> float(dual.kappa), float(dual.holomorphic)
        (0.5, 0.5)

    References:
        Y. Cho and L. Saul, "Kernel methods for deep learning", NeurIPS 2009.
    """

    is_homogeneous: ClassVar[bool] = True

    def function(self, x: RealValues) -> RealValues:
        return jnp.maximum(x, 0)

    def slope(self, x: RealValues) -> RealValues:
        return jnp.where(jnp.isnan(x), x, jnp.where(x > 0, 1, 0)).astype(x.dtype)

    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        return self.real_dual_at(q1, q2, covariance)

    @eqx.filter_jit
    def real_dual_at(
        self, q1: Variances, q2: Variances, covariance: RealCovariances, gap: Gaps | None = None
    ) -> RealDual:
        gap = gap_of(q1, q2, covariance) if gap is None else gap
        scale = safe_sqrt(q1) * safe_sqrt(q2)
        cosine = jnp.where(scale == 0, 1 - gap, jnp.clip(safe_ratio(covariance, scale), -1, 1))
        sine = safe_sqrt(gap * (2 - gap))
        rest = jnp.pi - jnp.arctan2(sine, cosine)
        # A number that is always zero, as imaginary parts of real ones, has the slope of `slope` there.
        rest = jnp.where(scale == 0, 0, rest)
        return (scale * sine + rest * covariance) / (2 * jnp.pi), rest / (2 * jnp.pi)


class SplitReLU(AbstractSplit):
    r"""max(Re z, 0) + i max(Im z, 0).

    Its dual maps are the arc-cosine kernels of `ReLU` in Re K, with \(\operatorname{Im}\kappa = K_i/4\) and
    \(D, E = \tfrac12(k' \pm \tfrac14)\).

    Example:
        >>> from qcgrad import networks as nn
        >>> dual = nn.SplitReLU().dual(1.0, 1.0, 1.0 + 0.0j)
        >>> complex(dual.kappa), complex(dual.holomorphic), complex(dual.antiholomorphic)
        ((0.5+0j), (0.375+0j), (0.125+0j))
    """

    is_homogeneous: ClassVar[bool] = True

    @property
    def part(self) -> AbstractRealActivation:
        return ReLU()
