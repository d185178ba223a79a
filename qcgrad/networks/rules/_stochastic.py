"""Stochastic backpropagation: positions are left out of the backward pass."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, PyTree

from ...errors import NotApplicable
from .._array_types import Batch, Outputs, RawKey, Signal
from ._layer_rule import LayerRule

if TYPE_CHECKING:
    from ..layers.layer import AbstractLayer


class StochasticBackprop(LayerRule):
    r"""Only a random part of all positions (pixels, points of a sequence) takes part in the backward pass.

    One mask a pass, on a grid of cells that all layers share: behind every layer with weights
    \(c_y \to m\odot c_y\), so its gradient and what it sends down come from the kept positions alone, and only these
    have to be stored. Layers without positions are exact. Values never change. Signals around a branch (`Residual`)
    pass whole. The gradient is biased: about `keep_ratio` of the true one, and `rescale` divides by it at each layer,
    which is unbiased for one layer only.

    Args:
        keep_ratio: share of the cells that are kept, 0 < keep_ratio <= 1.
        cells: how many cells an axis has, at most the positions of the coarsest layer.
        mask: "random", so many cells drawn without replacement; "grid", a regular lattice that starts at a random cell:
            every s-th cell, keep_ratio = 1/s (for 1/2 a chequerboard).
        rescale: whether kept signals are divided by keep_ratio.
        key: of the mask, drawn anew for each pass: leave it out.

    Raises:
        ValueError: a ratio or number of cells is out of range.
        NotApplicable: layers with weights have no positions, or fewer than there are cells.

    Cost: charged as the masked program that runs here; a program that skips masked positions takes keep_ratio of it.

    Example:
        >>> from qcgrad import networks as nn
        >>> rule = nn.StochasticBackprop(keep_ratio=0.5, cells=4)

    References:
        F. Cheng et al., "Stochastic backpropagation: a memory efficient strategy for training video models", CVPR 2022.
    """

    keep_ratio: float = eqx.field(static=True, default=0.5)
    cells: int = eqx.field(static=True, default=2)
    mask: Literal["grid", "random"] = eqx.field(static=True, default="random")
    rescale: bool = eqx.field(static=True, default=False)
    key: jax.Array | None = None

    is_random = True

    def __check_init__(self) -> None:
        if not 0 < self.keep_ratio <= 1:
            raise ValueError(f"keep_ratio is {self.keep_ratio!r}: give a number above 0 and at most 1")
        if not isinstance(self.cells, int) or self.cells < 1:
            raise ValueError(f"cells is {self.cells!r}: give a positive integer")
        if self.mask not in ("grid", "random"):
            raise ValueError(f'mask is {self.mask!r}: give "grid" or "random"')
        if self.mask == "grid" and (abs(self._step * self.keep_ratio - 1) > 1e-9 or self.cells % self._step):
            raise ValueError(
                f'keep_ratio is {self.keep_ratio!r} with {self.cells} cells: a "grid" keeps every s-th cell, so give '
                'a ratio 1/s where s divides the cells, or mask="random"'
            )

    @property
    def _step(self) -> int:
        return round(1 / self.keep_ratio)

    def drawn(self, key: RawKey | None) -> "StochasticBackprop":
        return replace(self, key=key)

    def through(self, layer: "AbstractLayer", params: PyTree, x: Batch) -> Outputs:
        shapes = [one.output_shape(shape)[:-1] for _, one, shape in layer.placed(x.shape[1:]) if one.has_weights]
        smallest = min((size for space in shapes for size in space), default=0)
        if smallest < self.cells:
            found = f"{smallest} along an axis: give fewer cells" if smallest else "none: use convolutions"
            raise NotApplicable(
                f"StochasticBackprop leaves out cells of positions, {self.cells} along an axis, but layers with "
                f"weights have {found}"
            )
        return super().through(layer, params, x)

    def send(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> Signal:
        return super().send(layer, params, residual, self._masked(layer, cotangent))

    def keep(self, layer: "AbstractLayer", params: PyTree, residual: PyTree, cotangent: Outputs) -> PyTree:
        return super().keep(layer, params, residual, self._masked(layer, cotangent))

    def _masked(self, layer, cotangent):
        """The cotangent (N, *positions, channels) at the positions that are kept."""
        space = cotangent.shape[1:-1]
        if not space or not layer.has_weights:
            return cotangent
        mask = self.kept_cells(len(space))
        for axis, size in enumerate(space):
            mask = jnp.take(mask, np.arange(size) * self.cells // size, axis)
        scale = 1 / self.keep_ratio if self.rescale else 1.0
        return jnp.where(mask[None, ..., None], scale * cotangent, 0)

    def kept_cells(self, axes: int) -> Bool[jax.Array, "..."]:
        """Which cells of this pass are kept: booleans (cells, ..., cells)."""
        if self.key is None:
            raise ValueError("StochasticBackprop draws a mask for each pass: give rule.drawn(jax.random.key_data(key))")
        key, shape = jax.random.wrap_key_data(self.key), (self.cells,) * axes
        if self.mask == "grid":
            start = jax.random.randint(key, (), 0, self._step)
            return (np.indices(shape).sum(0) + start) % self._step == 0
        number = math.prod(shape)
        order = jax.random.permutation(key, number)
        return (order < max(1, round(self.keep_ratio * number))).reshape(shape)
