"""Hyperbolic tangents: real, and split into real and imaginary parts."""

import jax.numpy as jnp
import numpy as np

from .._array_types import RealCovariances, RealDual, RealValues, Variances
from ._hermite import hermite_dual
from ._real import AbstractRealActivation
from .split import AbstractSplit


class Tanh(AbstractRealActivation):
    """tanh(x), for real networks; dual maps by Hermite series and quadrature (`hermite`).

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.Tanh().dual(1.0, 1.0, 0.5).kappa), 4)
        0.1863
    """

    def function(self, x: RealValues) -> RealValues:
        return np.tanh(x) if isinstance(x, np.ndarray) else jnp.tanh(x)

    def slope(self, x: RealValues) -> RealValues:
        # 1 / cosh(x)^2 without overflow, and without what 1 - tanh(x)^2 loses.
        tail = np.exp(-2 * np.abs(x)) if isinstance(x, np.ndarray) else jnp.exp(-2 * jnp.abs(x))
        return 4 * tail / (1 + tail) ** 2

    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        return hermite_dual(self, q1, q2, covariance)


class SplitTanh(AbstractSplit):
    """tanh(Re z) + i tanh(Im z); dual maps from `Tanh`.

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.SplitTanh().dual(2.0, 2.0, 1.0 + 0.0j).kappa.real), 4)  # twice that of Tanh
        0.3726
    """

    @property
    def part(self) -> AbstractRealActivation:
        return Tanh()
