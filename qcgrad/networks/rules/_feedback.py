"""Feedback alignment."""

from typing import TYPE_CHECKING, Any

from jaxtyping import PyTree

from ...array_types import Key
from .._array_types import Outputs, Signal
from ..leaves import checked_shape
from ._layer_rule import LayerRule

if TYPE_CHECKING:
    from ..layers.layer import AbstractLayer


class FeedbackAlignment(LayerRule):
    r"""Signals travel down through fixed random weights in place of the network's own.

    .. math:: c_x = B^T c_y\quad\text{in place of}\quad c_x = W^T c_y

    for every layer with weights, dense or convolutional; B is drawn once, as the layer's own weights are. All other
    layers, and the gradients by the weights, are exact. No weight transport: the backward pass does not know W. The
    gradient is biased; with B = W it is the true one.

    Args:
        feedback: weights for the way down, in the structure of the network's own: `FeedbackAlignment.init` draws them.

    Cost: as backpropagation.

    Example:
        >>> import jax, jax.numpy as jnp, qcgrad as qg
        >>> from qcgrad import networks as nn
        >>> net = nn.serial(nn.Dense(8), nn.SplitReLU(), nn.Dense(1))
        >>> weights = net.init(jax.random.key(0), (3,))
        >>> loss = qg.Loss(net.apply, lambda f, y: jnp.mean(abs(f - y) ** 2), (jnp.ones((4, 3)), jnp.ones((4, 1))))
        >>> rule = nn.FeedbackAlignment.init(net, (3,), jax.random.key(1))
        >>> e = qg.estimate(loss, weights, qg.Backprop(rule))

    References:
        T. P. Lillicrap, D. Cownden, D. B. Tweed, C. J. Akerman, Nature Communications 7, 13276 (2016).
    """

    feedback: Any

    @classmethod
    def init(cls, network: "AbstractLayer", shape: tuple[int, ...], key: Key) -> "FeedbackAlignment":
        """Feedback weights for a network with inputs of this shape, drawn as its own weights would be."""
        return cls(network.init(key, checked_shape(shape)))

    def at(self, path: tuple[int, ...]) -> "FeedbackAlignment":
        feedback = self.feedback
        for index in path:
            feedback = feedback[index]
        return FeedbackAlignment(feedback)

    def send(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> Signal:
        return super().send(layer, self.feedback if layer.has_weights else params, residual, cotangent)
