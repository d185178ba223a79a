"""Convolutional layers on sequences and images."""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Inexact

from .._array_types import Batch, Outputs
from ..kernel_state import KernelState
from ._positions import check_sizes, check_space
from ._reach import reach, spacing_behind
from ._weights import AbstractWeightLayer, Weights
from .layer import Pairs

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


class AbstractConv(AbstractWeightLayer):
    """A convolution in NTK parameterisation; the fan-in counts the filter and the channels."""

    dimensions: eqx.AbstractClassVar[int]
    filter_shape: eqx.AbstractVar[tuple[int, ...]]
    strides: eqx.AbstractVar[tuple[int, ...] | None]
    padding: eqx.AbstractVar[Literal["same", "circular"]]

    def __check_init__(self) -> None:
        check_sizes(type(self).__name__, "filter_shape", self.filter_shape, self.dimensions)
        if self.strides is not None:
            check_sizes(type(self).__name__, "strides", self.strides, self.dimensions)
        if self.padding not in ("same", "circular"):
            raise ValueError(f'padding must be "same" or "circular", but {self.padding!r} was given.')

    @property
    def steps(self) -> tuple[int, ...]:
        """Strides, 1 where none were given."""
        return self.strides or (1,) * self.dimensions

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        check_space(self, shape, self.dimensions)
        space = (math.ceil(size / step) for size, step in zip(shape, self.steps, strict=False))
        return (*space, self.width)

    def weight_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        check_space(self, shape, self.dimensions)
        return (*self.filter_shape, shape[-1], self.width)

    def apply(self, params: Weights, x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        weight, bias = self.scaled(params)
        check_space(self, x.shape[1:], self.dimensions)
        if x.shape[-1] != weight.shape[-2]:
            raise ValueError(f"{type(self).__name__} has weights for {weight.shape[-2]} channels, x has {x.shape[-1]}.")
        dtype = jnp.promote_types(x.dtype, weight.dtype)
        axes = tuple(range(1, 1 + self.dimensions))
        padded = self._reach(x.shape[1:-1], (1,) * self.dimensions).padded(x, axes, self._padding_mode)
        letters = "HW"[: self.dimensions]
        z = jax.lax.conv_general_dilated(
            padded.astype(dtype),
            weight.astype(dtype),
            window_strides=self.steps,
            padding="VALID",
            dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
        )
        return z if bias is None else z + bias.reshape((1,) * (z.ndim - 1) + bias.shape)

    def meets(self, x: Inexact[jax.Array, "N *positions channels"]) -> Inexact[jax.Array, "N *positions fan_in"]:
        """Patches (N, *output positions, filter and channels) of inputs (N, *positions, channels)."""
        axes = tuple(range(1, x.ndim - 1))
        found = self._reach(x.shape[1:-1], (1,) * len(axes))
        padded = found.padded(x, axes, self._padding_mode)
        return jnp.concatenate([padded[:, *meeting.slices] for meeting in found.meetings[0]], axis=-1)

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        if behind is None:
            return None
        # Both inputs move by the same offset, s p + delta and s p' + delta: distances are multiples of the stride.
        spacing = tuple(step * gap for step, gap in zip(self.steps, behind, strict=True))
        divide = all(size % gap == 0 for size, gap in zip(shape, spacing, strict=False))
        return spacing if divide else (1,) * self.dimensions

    def propagate(self, state: KernelState) -> KernelState:
        def mean(array, batch_axes):
            if state.positions != "all":
                one_start = jnp.expand_dims(array, batch_axes)
                return jnp.squeeze(self._mean(one_start, batch_axes, (1,) * self.dimensions), batch_axes)
            return self._mean(array, batch_axes, state.spacing)

        behind = spacing_behind(state.spacing, self.steps) if state.positions == "all" else ()
        return self.propagate_weights(state, mean)._replace(spacing=behind)

    def _mean(self, array, batch_axes, spacing):
        """Mean over the filter of entries that lie under the same weight: (*batch, F, *space, *space) or one space."""
        space = array.shape[batch_axes + 1 :]
        inputs = len(space) // self.dimensions
        found = self._reach(space[: self.dimensions], spacing)
        for i in range(inputs):
            first = batch_axes + 1 + i * self.dimensions
            array = found.padded(array, tuple(range(first, first + self.dimensions)), self._padding_mode)
        whole = (slice(None),) * batch_axes
        # A weight meets both inputs at the same offset, so the axes of both move together.
        means = [
            sum(array[*whole, meeting.start, *meeting.slices * inputs] for meeting in meetings) / len(meetings)
            for meetings in found.meetings
        ]
        return jnp.stack(means, axis=batch_axes)

    @property
    def _padding_mode(self) -> str:
        return "wrap" if self.padding == "circular" else "constant"

    def _reach(self, lengths, spacing):
        return reach(lengths, spacing, self.steps, self.filter_shape)


class Conv1D(AbstractConv):
    r"""A convolution of sequences (L, channels): \(z_p = \sigma_w (kc)^{-1/2}\sum_\delta\omega_\delta h_{sp+\delta}
    + \sigma_b\beta\), with k the size of the filter and c the channels.

    In the limit of many channels
    \(K'_{pp'} = \sigma_w^2\,\mathrm{mean}_\delta K_{sp+\delta,\,sp'+\delta} + \sigma_b^2\), and the tangent kernels
    as in `Dense` with the same mean.

    Args:
        width: number of output channels.
        filter_shape: size of the filter, (k,).
        strides: step between outputs, (s,); 1 if left out. There are ceil(L / s) outputs.
        padding: "same": zeros beyond the ends; "circular": the sequence repeats.
        sigma_w, sigma_b, dtype, tau: as in `Dense`; the fan-in is k times the channels.

    Raises:
        ValueError: a size, stride, padding or scale is out of range.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> layer = nn.Conv1D(4, (3,), padding="circular")
        >>> params = layer.init(jax.random.key(0), (8, 2))  # weight (3, 2, 4)
        >>> layer.apply(params, jax.numpy.ones((5, 8, 2))).shape
        (5, 8, 4)
    """

    dimensions: ClassVar[int] = 1
    width: int = eqx.field(static=True)
    filter_shape: tuple[int, ...] = eqx.field(static=True)
    strides: tuple[int, ...] | None = eqx.field(static=True, default=None)
    padding: Literal["same", "circular"] = eqx.field(static=True, default="same")
    sigma_w: float = eqx.field(static=True, default=1.0)
    sigma_b: float = eqx.field(static=True, default=0.0)
    dtype: Literal["complex", "real"] = eqx.field(static=True, default="complex")
    tau: complex = eqx.field(static=True, default=0.0)


class Conv2D(AbstractConv):
    r"""A convolution of images (H, W, channels), as `Conv1D` with two axes.

    Args:
        width: number of output channels.
        filter_shape: size of the filter, (k, k').
        strides: steps between outputs, (s, s'); 1 if left out. There are ceil(H / s) x ceil(W / s') outputs.
        padding: "same": zeros beyond the border; "circular": the image repeats.
        sigma_w, sigma_b, dtype, tau: as in `Dense`; the fan-in is k k' times the channels.

    Raises:
        ValueError: a size, stride, padding or scale is out of range.

    Example:
        >>> import jax
        >>> from qcgrad import networks as nn
        >>> net = nn.serial(nn.Conv2D(4, (3, 3), strides=(2, 2)), nn.Flatten(), nn.Dense(1))
        >>> params = net.init(jax.random.key(0), (8, 8, 2))
        >>> net.apply(params, jax.numpy.ones((5, 8, 8, 2))).shape
        (5, 1)
    """

    dimensions: ClassVar[int] = 2
    width: int = eqx.field(static=True)
    filter_shape: tuple[int, ...] = eqx.field(static=True)
    strides: tuple[int, ...] | None = eqx.field(static=True, default=None)
    padding: Literal["same", "circular"] = eqx.field(static=True, default="same")
    sigma_w: float = eqx.field(static=True, default=1.0)
    sigma_b: float = eqx.field(static=True, default=0.0)
    dtype: Literal["complex", "real"] = eqx.field(static=True, default="complex")
    tau: complex = eqx.field(static=True, default=0.0)
