"""The identity: linear networks."""

from typing import ClassVar

import jax.numpy as jnp

from .activation import AbstractActivation
from .dual import Certificate, Dual
from .improper import by_quadrature


class Identity(AbstractActivation):
    """phi(z) = z, in complex and real networks: kappa = K, D = 1, E = 0.

    Example:
        >>> from qcgrad import networks as nn
        >>> complex(nn.Identity().dual(1.0, 1.0, 0.5j).kappa)
        0.5j
    """

    is_homogeneous: ClassVar[bool] = True

    @property
    def certificate(self):
        return Certificate(True, True, "linear")

    @property
    def symmetry(self):
        return "phase"

    def value(self, z):
        return jnp.asarray(z)

    def wirtinger(self, z):
        return jnp.ones_like(z), jnp.zeros_like(z)

    def improper_dual(self, pair):
        return by_quadrature(self, pair)

    def dual(self, q1, q2, covariance):
        del q1, q2
        covariance = jnp.asarray(covariance)
        return Dual(covariance, jnp.ones_like(covariance), jnp.zeros_like(covariance))

    def propagate(self, state):
        return state
