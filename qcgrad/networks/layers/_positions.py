"""Axes of kernels that stand for pairs of positions: pixels of images, points of sequences."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Inexact

from ..kernel_state import KernelState

if TYPE_CHECKING:
    from .layer import AbstractLayer


def check_sizes(name: str, label: str, sizes: tuple[int, ...], dimensions: int) -> None:
    """Refuse sizes of filters, windows or strides that are not one positive integer for each axis."""
    fits = isinstance(sizes, tuple) and len(sizes) == dimensions
    if not fits or not all(isinstance(size, (int, np.integer)) and size >= 1 for size in sizes):
        raise ValueError(f"{name}: {label} must be a tuple of {dimensions} positive integers, but {sizes!r} was given.")


def check_space(layer: "AbstractLayer", shape: tuple[int, ...], dimensions: int) -> None:
    """Refuse inputs that do not have this number of axes of positions and one of channels."""
    if len(shape) != dimensions + 1 or 0 in shape:
        axes = ("L", "channels") if dimensions == 1 else ("H", "W", "channels")
        raise ValueError(
            f"{type(layer).__name__} takes inputs of shape ({', '.join(axes)}), but theirs is {shape} (without the "
            "batch)."
        )


def position_axes(state: KernelState, array: Inexact[jax.Array, "..."], batch_axes: int) -> list[tuple[int, ...]]:
    """The axes of an array of the state that belong to positions: one group for each input that has its own."""
    if state.positions != "all":
        axes = tuple(range(batch_axes, array.ndim))
        return [axes] if axes else []
    axes = tuple(range(batch_axes + 1, array.ndim))
    return [axes[: len(axes) // 2], axes[len(axes) // 2 :]]


def on_positions(
    state: KernelState, function: Callable[[Inexact[jax.Array, "..."], tuple[int, ...]], Inexact[jax.Array, "..."]]
) -> KernelState:
    """The state with `function(array, axes)` applied to each group of position axes: acts on each input alone."""

    def both(array, batch_axes):
        for axes in position_axes(state, array, batch_axes):
            array = function(array, axes)
        return array

    return state.map_arrays(both)


def diagonal(array: Inexact[jax.Array, "*pairs"], batch_axes: int) -> Inexact[jax.Array, "*positions"]:
    """Entries (f, u, u) of an array over pairs of positions (*batch, F, *space, *space): (*batch, F, *space)."""
    batch = array.shape[: batch_axes + 1]
    space = array.shape[batch_axes + 1 :][: (array.ndim - batch_axes - 1) // 2]
    size = math.prod(space)
    return jnp.diagonal(array.reshape((*batch, size, size)), axis1=-2, axis2=-1).reshape(batch + space)


def without_positions(state: KernelState) -> KernelState:
    """A state whose arrays have lost their positions, marked as such."""
    real = {name: getattr(state, name).real for name in ("variance1", "variance2")}
    return state._replace(**real, positions="none", spacing=())


def mean_over_same(state: KernelState) -> KernelState:
    """The kernels averaged over positions, both inputs at the same one: what a weight for each position sees."""

    def mean(array, batch_axes):
        if state.positions == "all":
            array = diagonal(array, batch_axes)
        return array.mean(axis=tuple(range(batch_axes, array.ndim)))

    return state if state.positions == "none" else without_positions(state.map_arrays(mean))


def entries(
    state: KernelState,
    own1: Inexact[jax.Array, "N1 *positions"],
    own2: Inexact[jax.Array, "N2 *positions"],
    real: bool = True,
) -> list[jax.Array]:
    """Entries of each input at each position with itself, (N, *space)."""
    arrays = [diagonal(own, 1) for own in (own1, own2)] if state.positions == "all" else [own1, own2]
    return [jnp.real(array) if real else array for array in arrays]


def between(
    state: KernelState, own1: Inexact[jax.Array, "N1 *space"], own2: Inexact[jax.Array, "N2 *space"]
) -> tuple[Inexact[jax.Array, "N1 1 *space"], Inexact[jax.Array, "1 N2 *space"]]:
    """Numbers of each input, shaped so that they broadcast against kernels between inputs."""
    first, second = within(state, own1)[0], within(state, own2)[1]
    return first[:, None], second[None]


def within(
    state: KernelState, own: Inexact[jax.Array, "N *space"]
) -> tuple[Inexact[jax.Array, "N *first"], Inexact[jax.Array, "N *second"]]:
    """The same for kernels of each input with itself."""
    if state.positions != "all":
        return own, own
    (length, starts, *space), ones = own.shape, (1,) * (own.ndim - 2)
    return own.reshape(length, starts, *space, *ones), own.reshape(length, starts, *ones, *space)
