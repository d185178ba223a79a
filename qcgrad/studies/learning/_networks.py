"""Networks by name: equal hidden layers of the catalogue, and what is read of the last one."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field, field_validator

from ... import networks as nn
from ...catalogue import Entry, activations, layers
from ...errors import NotApplicable
from ...networks.layers.layer import AbstractLayer
from ..choices import Maker, Written, checked, each, labelled, parsed
from ..kind import Number, Part, Whole

# What a study says of all weights.
_OURS = "width", "sigma_w", "sigma_b", "dtype"

_DEEPEST = 200


@dataclass(frozen=True)
class Architecture:
    """Equal hidden layers, and a dense one behind them.

    Attributes:
        layer, layer_options: of the catalogue, with a width; options as JSON.
        activation, activation_options: of the catalogue.
        width, depth: of each hidden layer, and how many.
        pools: whether layers with positions end in their mean, or else in all of them side by side.
        sigma_w, sigma_b: scales of all weights and biases.
    """

    layer: str
    layer_options: str
    activation: str
    activation_options: str
    width: int
    depth: int
    pools: bool
    sigma_w: float
    sigma_b: float

    @property
    def label(self) -> str:
        """For people."""
        layer = labelled(self.layer, self.layer_options) + (", pooled" if self.pools else "")
        return f"{layer}, {labelled(self.activation, self.activation_options)}, {self.depth} × {self.width}"

    @property
    def is_real(self) -> bool:
        """Whether its numbers are real: complex data are then pairs of them."""
        return bool(activations()[self.activation].make.is_real)

    @property
    def has_positions(self) -> bool:
        """Whether its layers know where on an image or in a sequence an input stands."""
        return hasattr(layers()[self.layer].make, "dimensions")

    def build(self, shape: tuple[int, ...], outputs: int, *, complex_outputs: bool) -> AbstractLayer:
        """The network for inputs of a shape, of so many outputs, read as real numbers unless they are complex.

        Raises:
            NotApplicable: the inputs have no such positions.
        """
        scales = {"sigma_w": self.sigma_w, "sigma_b": self.sigma_b, "dtype": "real" if self.is_real else "complex"}
        hidden = layers()[self.layer].make
        found: list[AbstractLayer] = []
        for _ in range(self.depth):
            found.append(hidden(self.width, **scales, **parsed(self.layer_options)))
            found.append(activations()[self.activation].make(**parsed(self.activation_options)))
        if self.has_positions:
            found.append(nn.GlobalAveragePool() if self.pools else nn.Flatten())
        found.append(nn.Dense(outputs, **scales))
        if not self.is_real and not complex_outputs:
            found.append(nn.Readout("real"))
        network = nn.serial(*found)
        try:
            network.output_shape(shape)
        except ValueError as error:
            raise NotApplicable(f"{self.layer} does not fit inputs of shape {shape}: {error}") from error
        return network


class Architectures(Part):
    """A grid of networks: equal hidden layers of the catalogue and a dense one behind them.

    Attributes:
        layers: dense, or convolutions: what has a width; names, or tables with `name` and options.
        activations: likewise; an option that is a list is a grid.
        widths, depths: of each hidden layer, and how many.
        pools: whether convolutions end in the mean over all positions, or else in all of them side by side.
        sigma_w, sigma_b: scales of all weights and biases, in NTK parameterisation.
    """

    layers: tuple[Written, ...] = Field(default=("dense",), min_length=1, validate_default=True)
    activations: tuple[Written, ...] = Field(min_length=1)
    widths: tuple[Whole, ...] = Field(default=(64,), min_length=1)
    depths: tuple[Whole, ...] = Field(default=(2,), min_length=1)
    pools: bool = False
    sigma_w: Number = Field(default=2**0.5, gt=0)
    sigma_b: Number = Field(default=0.1, ge=0)

    @field_validator("layers")
    @classmethod
    def _check_layers(cls, given):
        known = _with_width()
        return tuple(checked(written, known, "layer") for written in given)

    @field_validator("activations")
    @classmethod
    def _check_activations(cls, given):
        known = {name: entry for name, entry in activations().items() if not _takes_functions(entry)}
        return tuple(checked(written, known, "activation") for written in given)

    @field_validator("widths", "depths")
    @classmethod
    def _check_positive(cls, values):
        if any(value < 1 for value in values):
            raise ValueError("give positive integers")
        return tuple(sorted(set(values)))

    @field_validator("depths")
    @classmethod
    def _check_depths(cls, depths):
        if max(depths) > _DEEPEST:
            raise ValueError(f"{max(depths)} given: give at most {_DEEPEST} layers, which are compiled one by one")
        return tuple(sorted(set(depths)))

    def architectures(self) -> Iterator[Architecture]:
        """All of them, narrow and shallow ones first."""
        for layer, layer_options in each(self.layers):
            for activation, activation_options in each(self.activations):
                for depth in self.depths:
                    for width in self.widths:
                        yield Architecture(
                            layer,
                            layer_options,
                            activation,
                            activation_options,
                            width,
                            depth,
                            self.pools,
                            self.sigma_w,
                            self.sigma_b,
                        )


def _with_width() -> dict[str, Maker]:
    """Layers with weights; their options but for those that all layers of a network share."""
    found = {name: entry for name, entry in layers().items() if entry.option("width") is not None}
    return {name: _layer_maker(entry) for name, entry in found.items()}


def _layer_maker(entry: Entry) -> Maker:
    options = tuple(option for option in entry.options if option.name not in _OURS)
    return Maker(entry.name, options, lambda **given: entry.make(2, **given))


def _takes_functions(entry: Entry) -> bool:
    """Whether it has to be given a function, which no file can hold."""
    parameters = inspect.signature(entry.make).parameters
    return any("Callable" in str(parameters[option.name].annotation) for option in entry.options if option.is_required)
