r"""Entire functions: holomorphic everywhere, so that E = 0 and \(\kappa = \sum_p |a_p|^2\,p!\,K^p\)."""

import jax.numpy as jnp

from .._array_types import Covariances, Numbers, Values, Variances, WirtingerPair
from ._activation import AbstractActivation, Symmetry
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual, by_quadrature


class AbstractEntire(AbstractActivation):
    """Holomorphic everywhere, of order one."""

    @property
    def certificate(self) -> Certificate:
        return _ENTIRE

    @property
    def symmetry(self) -> Symmetry:
        return "holomorphic"

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        return by_quadrature(self, pair)


class Exponential(AbstractEntire):
    r"""\(e^z\): \(\kappa = D = e^K\).

    Example:
        >>> from qcgrad import networks as nn
        >>> complex(nn.Exponential().dual(1.0, 1.0, 0.0j).kappa)
        (1+0j)
    """

    def value(self, z: Numbers) -> Values:
        return jnp.exp(z)

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        return jnp.exp(z), jnp.zeros_like(z)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        del q1, q2
        kappa = jnp.exp(covariance)
        return Dual(kappa, kappa, jnp.zeros_like(kappa))


class Sine(AbstractEntire):
    r"""\(\sin z\): \(\kappa = \sinh K\), \(D = \cosh K\).

    Example:
        >>> from qcgrad import networks as nn
        >>> complex(nn.Sine().dual(1.0, 1.0, 0.0j).holomorphic)
        (1+0j)
    """

    def value(self, z: Numbers) -> Values:
        return jnp.sin(z)

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        return jnp.cos(z), jnp.zeros_like(z)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        del q1, q2
        return Dual(jnp.sinh(covariance), jnp.cosh(covariance), jnp.zeros_like(covariance))


_ENTIRE = Certificate(True, True, "entire of order one: Gaussian moments of every order are finite")
