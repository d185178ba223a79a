"""Direct feedback alignment."""

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...array_types import Key
from ...errors import NotApplicable
from .._array_types import Outputs, Signal
from ..leaves import checked_shape
from ._layer_rule import LayerRule

if TYPE_CHECKING:
    from ..layers.layer import AbstractLayer


class DirectFeedbackAlignment(LayerRule):
    r"""Every hidden layer is taught by the error of the outputs itself, through fixed random weights.

    With e the cotangent of the network's outputs, of n numbers for each input, the signal in front of a layer with
    weights is

    .. math:: c_x = n^{-1/2}\,B_\ell^T e

    in place of \(W_\ell^T c_y\). It then passes activations, norms and pooling exactly, and the gradients by the
    weights are exact for it. So layers can be updated side by side. In networks with branches, what is sent down a
    branch adds to what passes the others. The gradient is biased.

    Args:
        feedback: arrays (n, *inputs of the layer) of unit variance by the path of the layer:
            `DirectFeedbackAlignment.init` draws them.
        error, path: the outputs' cotangent and the layer where it is used, which a pass fills in: leave them out.

    Raises:
        NotApplicable: there are no feedback weights for a layer.

    Cost: as backpropagation; one product with the error in place of one with the layer's weights.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> net = nn.serial(nn.Dense(8), nn.SplitReLU(), nn.Dense(2))
        >>> rule = nn.DirectFeedbackAlignment.init(net, (3,), jax.random.key(1))
        >>> {path: b.shape for path, b in rule.feedback.items()}
        {(0,): (2, 3), (2,): (2, 8)}

    References:
        A. Nøkland, "Direct feedback alignment provides learning in deep neural networks", NeurIPS 2016.
    """

    feedback: dict[tuple[int, ...], jax.Array]
    error: Any = None
    path: tuple[int, ...] = eqx.field(static=True, default=())

    @classmethod
    def init(cls, network: "AbstractLayer", shape: tuple[int, ...], key: Key) -> "DirectFeedbackAlignment":
        """Feedback weights for a network with inputs of this shape."""
        shape = checked_shape(shape)
        outputs, feedback = math.prod(network.output_shape(shape)), {}
        for path, layer, inputs in network.placed(shape):
            if layer.has_weights:
                key, used = jax.random.split(key)
                feedback[path] = jax.random.normal(used, (outputs, *inputs), complex)
        return cls(feedback)

    def told(self, error: Outputs) -> "DirectFeedbackAlignment":
        return DirectFeedbackAlignment(self.feedback, error.reshape(len(error), -1))

    def at(self, path: tuple[int, ...]) -> "DirectFeedbackAlignment":
        return DirectFeedbackAlignment(self.feedback, self.error, path)

    def send(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> Signal:
        if not layer.has_weights:
            return super().send(layer, params, residual, cotangent)
        if self.path not in self.feedback:
            raise NotApplicable(
                f"DirectFeedbackAlignment has no feedback weights for the layer {type(layer).__name__} at "
                f"{self.path}: draw them for this network, DirectFeedbackAlignment.init(network, shape, key)"
            )
        weights = self.feedback[self.path]
        signal = jnp.tensordot(self.error, weights, 1) / math.sqrt(len(weights))
        # Real parts of circular numbers have half of the variance.
        return signal if jnp.iscomplexobj(residual) else 2**0.5 * signal.real
