r"""Rules for whole layers.

Behind a layer \(y = \ell_p(x)\) stands the cotangent \(c_y\) (JAX's convention, no conjugates inside). Backpropagation
keeps what it needs of the forward pass, hands \(c_x = (\partial y/\partial x)^T c_y\) down and takes
\(g_p = (\partial y/\partial p)^T c_y\) for the parameters. A rule may change each of the three: what is *stored*, the
teaching signal that is *sent* down, the gradient that is *kept*.
"""

from typing import TYPE_CHECKING

import jax
from jaxtyping import PyTree

from .._array_types import Batch, Outputs, Signal
from .._backward import with_rule
from .rule import NetworkRule

if TYPE_CHECKING:
    from ..layers.layer import AbstractLayer


class LayerRule(NetworkRule):
    r"""A rule in three hooks, `store`, `send` and `keep`, each exact by default.

    They are called for each single layer of a network, nested networks and branches unfolded, each layer with the rule
    that `at(path)` returns for it. A layer's path are its indices in `serial` and `Sum`, outermost first.

    Example:
        >>> import qcgrad.networks as nn
        >>> class Halved(nn.LayerRule):  # half of the signal at every step
        ...     def send(self, layer, params, residual, cotangent):
        ...         return super().send(layer, params, residual, cotangent) / 2
        >>> rule = Halved()

    References:
        T. P. Lillicrap et al., "Backpropagation and the brain", Nature Reviews Neuroscience 21, 335 (2020).
    """

    def told(self, error: Outputs) -> "LayerRule":
        """The rule for one backward pass, told the cotangent of the network's outputs (N, *outputs)."""
        del error
        return self

    def at(self, path: tuple[int, ...]) -> "LayerRule":
        """The rule for the layer at this path."""
        del path
        return self

    def store(self, x: Batch, y: Outputs) -> PyTree:
        """What is kept of a layer's inputs and outputs until the backward pass; by default its inputs."""
        del y
        return x

    def send(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> Signal:
        """The cotangent in front of the layer, in the shape of its inputs.

        Args:
            layer: a layer that is not composed of others; `layer.has_weights` where it has parameters.
            params: its parameters.
            residual: what `store` kept.
            cotangent: behind the layer, in the shape of its outputs.
        """
        return jax.vjp(lambda x: layer.apply(params, x), residual)[1](cotangent)[0]

    def keep(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> PyTree:
        """The gradient by the layer's parameters, in their structure; arguments as in `send`."""
        return jax.vjp(lambda p: layer.apply(p, residual), params)[1](cotangent)[0]

    def through(self, layer: "AbstractLayer", params: PyTree, x: Batch) -> Outputs:
        return with_rule(layer, params, x, self)
