"""The interface of a layer: one description of a finite and of an infinitely wide network."""

import abc
from collections.abc import Iterator
from typing import Any, ClassVar

import equinox as eqx

from ..kernel_state import Kernel, KernelState


class AbstractLayer(eqx.Module):
    """A layer, and any composition of layers: (init, apply, kernel) from one description.

    Shapes leave out the batch: (d,) for vectors, (H, W, channels) for images, (L, channels) for sequences.
    """

    #: Whether the layer brings independent random weights, so that what it returns is a centred Gaussian.
    has_weights: ClassVar[bool] = False
    #: Whether the layer mixes positions, so that kernels between all pairs of positions are needed in front of it.
    pools: ClassVar[bool] = False

    @property
    def is_proper(self) -> bool:
        """Whether the layer's own weights are circular: E[omega^2] = 0."""
        return True

    @property
    def sublayers(self) -> "tuple[AbstractLayer, ...]":
        """The layers that this one is composed of."""
        return ()

    def walk(self) -> "Iterator[AbstractLayer]":
        """This layer and all that it is composed of."""
        yield self
        for layer in self.sublayers:
            yield from layer.walk()

    @abc.abstractmethod
    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape behind the layer.

        Raises:
            ValueError: inputs of this shape do not fit.
        """

    @abc.abstractmethod
    def init(self, key, shape: tuple[int, ...]) -> Any:
        """Random parameters for inputs of this shape: entries of unit variance (NTK parameterisation)."""

    @abc.abstractmethod
    def apply(self, params, x, rule=None) -> Any:
        """Outputs for a batch x (N, *shape); `rule` changes derivatives, never values (see `rules`)."""

    @abc.abstractmethod
    def propagate(self, state: KernelState) -> KernelState:
        """The kernels behind the layer, in the limit of infinite width.

        Raises:
            NotApplicable: the layer has no infinite-width kernel, and why.
        """

    def kernel(self, x1, x2=None) -> Kernel:
        """Infinite-width kernels of the network between inputs x1 (N1, *shape) and x2 (N2, *shape), default x1."""
        from ..recursion import kernel

        return kernel(self, x1, x2)
