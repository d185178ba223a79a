r"""Rules for activations only.

With \(c = 2\,\partial L/\partial h\) behind \(h = \varphi(z)\) (what `jax.vjp` passes around), the chain rule in
Wirtinger calculus is

.. math:: 2\,\partial L/\partial z = \varphi_z\,c + \overline{\varphi_{\bar z}\,c} .

Full Wirtinger backpropagation keeps both terms and equals backpropagation on real and imaginary parts up to a factor 2
in the learning rate: both are the true gradient, which is what `rule=None` gives. A rule that differs has to drop or
replace a term, so it is biased.
"""

import abc
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...errors import NotApplicable
from .._array_types import Batch, Numbers, Outputs, Values
from .rule import NetworkRule

if TYPE_CHECKING:
    from ..activations._activation import AbstractActivation
    from ..layers.layer import AbstractLayer


class ActivationRule(NetworkRule):
    r"""A rule for activations: `pull_back` says how a cotangent passes one. All other layers keep their derivatives.

    Example:
        >>> import jax.numpy as jnp, qcgrad.networks as nn
        >>> class StraightThrough(nn.ActivationRule):
        ...     def pull_back(self, holomorphic, antiholomorphic, cotangent):
        ...         return cotangent
        >>> rule = StraightThrough()
    """

    @abc.abstractmethod
    def pull_back(self, holomorphic: Values, antiholomorphic: Values, cotangent: Values) -> Values:
        """The cotangent in front of an activation.

        Args:
            holomorphic, antiholomorphic: phi_z and phi_zbar at the pre-activations.
            cotangent: c behind the activation, same shape, in JAX's convention (2 dL/dh).
        """

    def branches(self) -> tuple[float, float]:
        r"""What the rule keeps of either branch, where that is all it does: its kernels of infinite width follow.

        Returns:
            Real numbers (a, b) with `pull_back` \(= a\,\varphi_z\,c + \overline{b\,\varphi_{\bar z}\,c}\).

        Raises:
            NotApplicable: the rule does something else, or does not say.
        """
        raise NotApplicable(
            f"{type(self).__name__} has no infinite-width kernel here: where it keeps constant shares of phi_z and "
            "phi_zbar, say them in a method `branches`; else compute the kernel of a finite network, ntk.cross"
        )

    def through(self, layer: "AbstractLayer", params: PyTree, x: Batch) -> Outputs:
        return layer.apply(params, x, self)

    def activate(self, activation: "AbstractActivation", z: Numbers) -> Values:
        """phi(z), with this rule for its derivative.

        Args:
            activation: an object with `value(z)` and `wirtinger(z)` -> (phi_z, phi_zbar).
            z: pre-activations, any shape.
        """

        @jax.custom_vjp
        def value(z):
            return activation.value(z)

        def forward(z):
            return activation.value(z), z

        def backward(z, cotangent):
            holomorphic, antiholomorphic = activation.wirtinger(z)
            passed = self.pull_back(holomorphic, antiholomorphic, cotangent)
            # A real pre-activation takes the real part, as JAX's own rules do.
            return ((passed if jnp.iscomplexobj(z) else jnp.real(passed)).astype(z.dtype),)

        value.defvjp(forward, backward)
        return value(z)
