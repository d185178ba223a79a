r"""Backward rules: how derivatives pass an activation, without changing any value.

With \(c = 2\,\partial L/\partial h\) behind \(h = \varphi(z)\) (what `jax.vjp` passes around), the chain rule in
Wirtinger calculus is

.. math:: 2\,\partial L/\partial z = \varphi_z\,c + \overline{\varphi_{\bar z}\,c} .

Full Wirtinger backpropagation keeps both terms and equals backpropagation on real and imaginary parts up to a factor 2
in the learning rate: both are the true gradient, which is what `rule=None` gives. A rule that differs has to drop or
replace a term, so it is biased.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp


class AbstractRule(eqx.Module):
    r"""A backward rule. To add one, say in `pull_back` how a cotangent passes an activation.

    The rule then works in `Backprop(rule=...)`, in `ntk.empirical(..., rule=...)` and wherever a network's `apply`
    takes `rule=`. Fields are arrays or static. A rule that changes more than activations (fixed feedback weights, say)
    is written as a whole function with the network's values and other derivatives, see `ntk.cross`.

    Example:
        >>> import jax.numpy as jnp, qcgrad.networks as nn
        >>> class StraightThrough(nn.AbstractRule):
        ...     def pull_back(self, holomorphic, antiholomorphic, cotangent):
        ...         return cotangent
        >>> rule = StraightThrough()
    """

    is_exact: ClassVar[bool] = False
    """Whether the rule is the chain rule, so that its gradient is the true one."""

    @abc.abstractmethod
    def pull_back(self, holomorphic, antiholomorphic, cotangent) -> jax.Array:
        """The cotangent in front of an activation.

        Args:
            holomorphic, antiholomorphic: phi_z and phi_zbar at the pre-activations.
            cotangent: c behind the activation, same shape, in JAX's convention (2 dL/dh).
        """

    def activate(self, activation, z):
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


class FullWirtinger(AbstractRule):
    """The true gradient: both branches."""

    is_exact: ClassVar[bool] = True

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return holomorphic * cotangent + jnp.conj(antiholomorphic * cotangent)


class HolomorphicBranch(AbstractRule):
    r"""Only \(\varphi_z\): as if the activation were holomorphic (V1). Exact where it is, biased elsewhere."""

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        del antiholomorphic
        return holomorphic * cotangent
