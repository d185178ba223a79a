"""The interface of a layer: one description of a finite and of an infinitely wide network."""

import abc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

import equinox as eqx
from jaxtyping import Num, PyTree

from ...array_types import Array, Key
from ...errors import NotApplicable
from .._array_types import Batch, Outputs, Signal
from ..infinite import kernel
from ..kernel_state import Kernel, KernelState
from ._spacing import Pairs

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule
    from ..rules._layer_rule import LayerRule


class AbstractLayer(eqx.Module):
    """A layer, and any composition of layers: (init, apply, kernel) from one description.

    Shapes leave out the batch: (d,) for vectors, (H, W, channels) for images, (L, channels) for sequences.
    """

    called: ClassVar[str] = ""
    """Name in catalogues where it is not the class name in kebab case."""

    #: Whether the layer brings independent random weights, so that what it returns is a centred Gaussian.
    has_weights: ClassVar[bool] = False

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

    def unfolded(self) -> "Iterator[AbstractLayer]":
        """The layers one behind the other that this one stands for; itself where it has branches or is single."""
        yield self

    @abc.abstractmethod
    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape behind the layer.

        Raises:
            ValueError: inputs of this shape do not fit.
        """

    @abc.abstractmethod
    def init(self, key: Key, shape: tuple[int, ...]) -> PyTree:
        """Random parameters for inputs of this shape: entries of unit variance (NTK parameterisation)."""

    @abc.abstractmethod
    def apply(self, params: PyTree, x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        """Outputs for a batch x (N, *shape); `rule` changes derivatives, never values (see `rules`)."""

    def placed(self, shape: tuple[int, ...]) -> "Iterator[Placed]":
        """(path, layer, shape of its inputs) of each layer that is not composed of others."""
        self._require_single()
        yield (), self, shape

    def trace(self, params: PyTree, x: Batch, rule: "LayerRule", path: tuple[int, ...]) -> tuple[Outputs, PyTree]:
        """(outputs, what the rule keeps until the backward pass)."""
        self._require_single()
        y = self.apply(params, x)
        return y, rule.at(path).store(x, y)

    def pull(
        self, params: PyTree, kept: PyTree, cotangent: Outputs, rule: "LayerRule", path: tuple[int, ...]
    ) -> tuple[PyTree, Signal]:
        """(gradient by the parameters, cotangent in front) from the one behind, as the rule says."""
        here = rule.at(path)
        return here.keep(self, params, kept, cotangent), here.send(self, params, kept, cotangent)

    def _require_single(self):
        if self.sublayers:
            raise NotApplicable(
                f"{type(self).__name__} is composed of layers, but does not say how rules for layers pass it: give it "
                "the methods placed, trace and pull"
            )

    def pairs_in_front(self, behind: Pairs, shape: tuple[int, ...]) -> Pairs:
        """Which pairs of positions must be known in front of the layer, to know those `behind` it.

        Args:
            behind: the spacing of pairs, or None.
            shape: of the layer's inputs.
        """
        return behind

    def start(self, gram: Callable[[Callable], KernelState]) -> KernelState | None:
        """The kernels behind a network's first layer, where it needs less than those of the data; else None.

        Args:
            gram: the kernels of what a function makes of the inputs, at the pairs of positions needed behind the layer.
        """
        return None

    @abc.abstractmethod
    def propagate(self, state: KernelState) -> KernelState:
        """The kernels behind the layer, in the limit of infinite width.

        Raises:
            NotApplicable: the layer has no infinite-width kernel, and why.
        """

    def kernel(
        self,
        x1: Num[Array, "N1 *shape"],
        x2: Num[Array, "N2 *shape"] | None = None,
        *,
        rule: "ActivationRule | None" = None,
        batch_size: int | None = None,
        progress: bool = False,
        max_bytes: int | None = None,
    ) -> Kernel:
        """Infinite-width kernels of the network between inputs x1 (N1, *shape) and x2 (N2, *shape), default x1.

        Arguments, errors and memory: see `qcgrad.networks.infinite.kernel`.
        """
        return kernel(self, x1, x2, rule, batch_size, progress, max_bytes)


Placed = tuple[tuple[int, ...], AbstractLayer, tuple[int, ...]]
"""The path of a layer in a network, the layer, and the shape of its inputs."""
