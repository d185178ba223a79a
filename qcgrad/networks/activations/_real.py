"""The interface of activations for real networks."""

import abc
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from .._array_types import (
    Covariances,
    Energies,
    Gaps,
    Numbers,
    RealCovariances,
    RealDual,
    RealValues,
    Values,
    Variances,
    WirtingerPair,
)
from ..leaves import as_data
from ._activation import AbstractActivation, Symmetry
from ._differentiated import differentiated
from ._dual import Certificate, Dual
from ._hermite import hermite_coefficients


class AbstractRealActivation(AbstractActivation):
    r"""A real function \(\sigma\) of real numbers. Subclasses give `function`, `slope` and `real_dual`.

    In a real network \(\varphi_z\) is \(\sigma'\), \(\varphi_{\bar z}\) is zero, and the dual maps are
    \(\kappa = \mathbb E[\sigma(u)\sigma(v)]\) and \(D = \mathbb E[\sigma'(u)\sigma'(v)]\) over real Gaussian (u, v).
    `qcgrad.networks.activations.split.AbstractSplit` uses the same object on real and imaginary parts.
    """

    is_real: ClassVar[bool] = True

    @abc.abstractmethod
    def function(self, x: RealValues) -> RealValues:
        """sigma(x)."""

    @abc.abstractmethod
    def slope(self, x: RealValues) -> RealValues:
        """sigma'(x), almost everywhere."""

    @abc.abstractmethod
    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        """(kappa, D), elementwise on real arrays that broadcast; |covariance| may exceed its bound by rounding."""

    @property
    def certificate(self) -> Certificate:
        return Certificate(True, True, "weakly differentiable, and its slope grows slower than a Gaussian decays")

    @property
    def symmetry(self) -> Symmetry:
        return "none"

    def value(self, z: Numbers) -> Values:
        return differentiated(self.function, self.wirtinger, self._require_real(z))

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        slope = jnp.asarray(self.slope(self._require_real(z)))
        return slope, jnp.zeros_like(slope)

    def real_dual_at(
        self, q1: Variances, q2: Variances, covariance: RealCovariances, gap: Gaps | None = None
    ) -> RealDual:
        """`real_dual`, told the gap 1 - |rho| or None (see `dual_at`)."""
        del gap
        return self.real_dual(q1, q2, covariance)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        return self.dual_at(q1, q2, covariance)

    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        kappa, slope = self.real_dual_at(q1, q2, self._require_real(covariance), gap)
        return Dual(kappa, slope, jnp.zeros_like(slope))

    def energies(self, variance: float, degree: int) -> Energies:
        """Squares of the Hermite coefficients at one variance, n = 0 ... degree."""
        return hermite_coefficients(self, np.asarray([float(variance)]), degree + 1).terms[:, 0] ** 2

    def _require_real(self, x):
        if jnp.iscomplexobj(x):
            name = type(self).__name__
            raise TypeError(
                f"{name} acts on real numbers and got {jnp.asarray(x).dtype}: use Split{name}, which acts on real and "
                "imaginary parts, another complex activation, or layers with dtype='real'"
            )
        return as_data("x", x)
