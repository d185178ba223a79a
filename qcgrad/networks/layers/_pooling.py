"""Layers that average over positions, and the step from images to vectors."""

import math
from typing import TYPE_CHECKING, ClassVar

import equinox as eqx
import jax.numpy as jnp

from ...array_types import Key
from .._array_types import Batch, Outputs
from ..kernel_state import KernelState
from ._positions import check_sizes, check_space, mean_over_same, on_positions, without_positions
from .layer import AbstractLayer, Pairs

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


class AbstractPool(AbstractLayer):
    """Averages over windows that do not overlap."""

    dimensions: eqx.AbstractClassVar[int]
    window: eqx.AbstractVar[tuple[int, ...]]

    def __check_init__(self) -> None:
        check_sizes(type(self).__name__, "window", self.window, self.dimensions)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        check_space(self, shape, self.dimensions)
        if any(size % window for size, window in zip(shape, self.window, strict=False)):
            raise ValueError(
                f"{type(self).__name__}: the window {self.window} must divide the positions, but inputs have shape "
                f"{shape}. Choose another window, or crop."
            )
        return (*(size // window for size, window in zip(shape, self.window, strict=False)), shape[-1])

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        return (1,) * self.dimensions

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        self.output_shape(x.shape[1:])
        return self._pool(x, tuple(range(1, 1 + self.dimensions)))

    def propagate(self, state: KernelState) -> KernelState:
        # Linear and the same for every channel: kernels are averaged over the windows of both inputs.
        return on_positions(state, self._pool)

    def _pool(self, array, axes):
        shape, means = [], []
        for axis, size in enumerate(array.shape):
            if axis in axes:
                window = self.window[axes.index(axis)]
                shape += [size // window, window]
                means.append(len(shape) - 1)
            else:
                shape.append(size)
        return jnp.mean(array.reshape(shape), axis=tuple(means))


class AveragePool1D(AbstractPool):
    """Means over windows (w,) of sequences (L, channels); w divides L.

    Args:
        window: (w,), in positions.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> nn.AveragePool1D((2,)).apply((), jnp.ones((5, 8, 3))).shape
        (5, 4, 3)
    """

    dimensions: ClassVar[int] = 1
    window: tuple[int, ...] = eqx.field(static=True)


class AveragePool2D(AbstractPool):
    """Means over windows (w, w') of images (H, W, channels); they divide H and W.

    Args:
        window: (w, w'), in pixels.

    Cost: in front of pooling, kernels are kept for all pairs of pixels: (H W)^2 numbers for each pair of images.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> nn.AveragePool2D((2, 2)).apply((), jnp.ones((5, 8, 8, 3))).shape
        (5, 4, 4, 3)
    """

    dimensions: ClassVar[int] = 2
    window: tuple[int, ...] = eqx.field(static=True)


class GlobalAveragePool(AbstractLayer):
    """Mean over all positions: (L, channels) or (H, W, channels) to (channels,).

    Cost: as `AveragePool2D`.
    """

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        _check_has_positions(self, shape)
        return shape[-1:]

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        return (1,) * (len(shape) - 1)

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        self.output_shape(x.shape[1:])
        return jnp.mean(x, axis=tuple(range(1, x.ndim - 1)))

    def propagate(self, state: KernelState) -> KernelState:
        averaged = state.map_arrays(lambda array, batch_axes: array.mean(axis=tuple(range(batch_axes, array.ndim))))
        return without_positions(averaged)


class Flatten(AbstractLayer):
    """All positions and channels as one vector of features.

    Weights behind it are independent for each position, so kernels need both inputs at the same position only.
    """

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (math.prod(shape),)

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        return None

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        return jnp.reshape(x, (x.shape[0], -1))

    def propagate(self, state: KernelState) -> KernelState:
        if state.positions == "none":
            return state
        # Entries have different variances at different positions: Gaussian again only behind the next weights.
        return mean_over_same(state)._replace(law="flattened" if state.law == "gaussian" else state.law)


def _check_has_positions(layer, shape):
    if len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            f"{type(layer).__name__} takes inputs of shape (L, channels) or (H, W, channels), but theirs is {shape} "
            "(without the batch)."
        )
