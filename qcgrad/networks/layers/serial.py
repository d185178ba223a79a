"""Layers one behind the other."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...array_types import Key
from .._array_types import Batch, Outputs, Signal
from ..kernel_state import KernelState
from ..leaves import as_array, as_data, checked_shape
from ..rules._activation_rule import ActivationRule
from ..rules._layer_rule import LayerRule
from ..rules.rule import NetworkRule
from .layer import AbstractLayer, Pairs, Placed


class Serial(AbstractLayer):
    """Layers one behind the other; write it with `serial`."""

    layers: tuple[AbstractLayer, ...]

    @property
    def sublayers(self) -> tuple[AbstractLayer, ...]:
        return self.layers

    def unfolded(self) -> Iterator[AbstractLayer]:
        for layer in self.layers:
            yield from layer.unfolded()

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[PyTree, ...]:
        shape = checked_shape(shape)
        params = []
        for layer, layer_key in zip(self.layers, jax.random.split(key, max(len(self.layers), 1)), strict=False):
            params.append(layer.init(layer_key, shape))
            shape = layer.output_shape(shape)
        return tuple(params)

    def apply(self, params: tuple[PyTree, ...], x: Batch, rule: NetworkRule | None = None) -> Outputs:
        if len(params) != len(self.layers):
            raise ValueError(f"params hold {len(params)} entries, but there are {len(self.layers)} layers")
        if rule is not None and not isinstance(rule, ActivationRule):
            return rule.through(self, params, x)
        x, params = as_data("x", x), jax.tree.map(lambda leaf: as_array("params", leaf), params)
        for layer, layer_params in zip(self.layers, params, strict=True):
            x = layer.apply(layer_params, x, rule)
        return x

    def placed(self, shape: tuple[int, ...]) -> Iterator[Placed]:
        for i, layer in enumerate(self.layers):
            yield from (((i, *path), single, inputs) for path, single, inputs in layer.placed(shape))
            shape = layer.output_shape(shape)

    def trace(
        self, params: tuple[PyTree, ...], x: Batch, rule: LayerRule, path: tuple[int, ...]
    ) -> tuple[Outputs, tuple[PyTree, ...]]:
        kept = []
        for i, (layer, layer_params) in enumerate(zip(self.layers, params, strict=True)):
            x, residual = layer.trace(layer_params, x, rule, (*path, i))
            kept.append(residual)
        return jnp.asarray(x), tuple(kept)

    def pull(
        self,
        params: tuple[PyTree, ...],
        kept: tuple[PyTree, ...],
        cotangent: Outputs,
        rule: LayerRule,
        path: tuple[int, ...],
    ) -> tuple[tuple[PyTree, ...], Signal]:
        gradients = []
        for i, layer in reversed(list(enumerate(self.layers))):
            gradient, cotangent = layer.pull(params[i], kept[i], cotangent, rule, (*path, i))
            gradients.append(gradient)
        return tuple(reversed(gradients)), cotangent

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        shapes = [shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        for layer, before in zip(reversed(self.layers), reversed(shapes[:-1]), strict=True):
            behind = layer.pairs_in_front(behind, before)
        return behind

    def propagate(self, state: KernelState) -> KernelState:
        for layer in self.layers:
            state = layer.propagate(state)
        return state


def serial(*layers: AbstractLayer) -> Serial:
    """A network: layers one behind the other, finite and infinitely wide from one description.

    Args:
        *layers: the layers in the order of the forward pass; none at all is the identity.

    Returns:
        A layer: `init(key, shape)` gives a tuple with one entry for each layer, `apply(params, x, rule=None)` the
        outputs (N, *output shape) of a batch, `kernel(x1, x2=None, *, rule, batch_size, progress, max_bytes)` the
        kernels in the limit of infinite width.

    Raises:
        TypeError: an argument is not a layer.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> net = nn.serial(nn.Dense(64, sigma_w=1.0), nn.Dense(2))
        >>> params = net.init(jax.random.key(0), (3,))
        >>> net.apply(params, jax.numpy.ones((5, 3))).shape
        (5, 2)
        >>> net.kernel(jax.numpy.ones((5, 3))).ntk.shape
        (5, 5)
    """
    for layer in layers:
        if not isinstance(layer, AbstractLayer):
            hint = " Write its parentheses: give an instance, not the class." if isinstance(layer, type) else ""
            raise TypeError(f"serial takes layers, but {layer!r} was given.{hint}")
    return Serial(layers)
