"""Rectified linear units: real, and split into real and imaginary parts."""

import equinox as eqx
import jax.numpy as jnp

from .gaussian import correlation
from .real import AbstractRealActivation
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

    def function(self, x):
        return jnp.maximum(x, 0)

    def slope(self, x):
        return jnp.where(x > 0, 1, 0).astype(x.dtype)

    @eqx.filter_jit
    def real_dual(self, q1, q2, covariance):
        cosine, scale = correlation(q1, q2, covariance)
        rest = jnp.pi - jnp.arccos(cosine)
        # (1 - c)(1 + c) keeps the digits that 1 - c^2 loses near |c| = 1.
        sine = jnp.sqrt((1 - cosine) * (1 + cosine))
        return scale * (sine + rest * cosine) / (2 * jnp.pi), rest / (2 * jnp.pi)


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

    @property
    def part(self):
        return ReLU()
