"""The identity: linear networks."""

from typing import ClassVar

import jax.numpy as jnp

from .._array_types import Covariances, Numbers, Values, Variances, WirtingerPair
from ..kernel_state import KernelState
from ._activation import AbstractActivation, Symmetry
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual, by_quadrature


class Identity(AbstractActivation):
    """phi(z) = z, in complex and real networks: kappa = K, D = 1, E = 0.

    Example:
        >>> from qcgrad import networks as nn
        >>> complex(nn.Identity().dual(1.0, 1.0, 0.5j).kappa)
        0.5j
    """

    is_homogeneous: ClassVar[bool] = True

    @property
    def certificate(self) -> Certificate:
        return Certificate(True, True, "linear")

    @property
    def symmetry(self) -> Symmetry:
        return "phase"

    def value(self, z: Numbers) -> Values:
        return jnp.asarray(z)

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        return jnp.ones_like(z), jnp.zeros_like(z)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        return by_quadrature(self, pair)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        del q1, q2
        covariance = jnp.asarray(covariance)
        return Dual(covariance, jnp.ones_like(covariance), jnp.zeros_like(covariance))

    def propagate(self, state: KernelState) -> KernelState:
        """Kernels pass; the rule keeps its share of phi_z = 1."""
        kept, _ = state.branches
        pseudo = None if state.ntk_rule_pseudo is None else kept * state.ntk_rule_pseudo
        return state._replace(ntk_rule=kept * state.ntk_rule, ntk_rule_pseudo=pseudo)
