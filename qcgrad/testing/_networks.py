"""Small networks that show the usual mistakes of backward rules."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from .. import networks as nn
from ..networks.layers.layer import AbstractLayer
from ..networks.rules.rule import Task


class Problem(NamedTuple):
    """A network, a loss, and what may go wrong.

    Attributes:
        network: the network.
        shape: of its inputs.
        loss: the objective.
        weights: where to differentiate it.
        hint: what to look at.
    """

    network: AbstractLayer
    shape: tuple[int, ...]
    loss: nn.Loss
    weights: PyTree
    hint: str

    @property
    def task(self) -> Task:
        """What a rule is given."""
        return Task(self.loss.apply, self.loss.loss_fn, self.loss.batch)

    @property
    def rounding(self) -> float:
        """What numbers of order one may be off."""
        return 1e-9 if jax.dtypes.canonicalize_dtype(float) == np.float64 else 1e-4


def problems() -> list[Problem]:
    """A real network, a complex one with branches, and images."""
    real = nn.serial(nn.Dense(4, sigma_b=0.3, dtype="real"), nn.Tanh(), nn.Dense(2, dtype="real"))
    inner = nn.serial(nn.Dense(4, sigma_b=0.2), nn.SplitReLU(), nn.Dense(3))
    branches = nn.serial(nn.Dense(3), nn.Residual(inner), nn.SplitReLU(), nn.Dense(2))
    images = nn.serial(
        nn.Conv1D(3, filter_shape=(2,), padding="circular"),
        nn.SplitReLU(),
        nn.AveragePool1D((2,)),
        nn.Flatten(),
        nn.Dense(2),
    )
    return [
        _problem(real, (3,), False, "real weights: gradients are real, so take the real part of complex signals"),
        _problem(
            branches, (3,), True, "complex weights behind branches: look at conjugates and at the paths of layers"
        ),
        _problem(images, (4, 2), True, "images: positions, pooling and shared weights"),
    ]


def _distance(outputs, y) -> Float[jax.Array, ""]:
    return jnp.mean(jnp.abs(outputs - y) ** 2)


def _problem(network, shape, is_complex, hint) -> Problem:
    rng = np.random.default_rng(0)

    def draw(*size):
        return jnp.asarray(rng.normal(size=size) + (1j * rng.normal(size=size) if is_complex else 0))

    weights = network.init(jax.random.key(0), shape)
    x, y = draw(5, *shape), draw(5, *network.output_shape(shape))
    return Problem(network, shape, nn.Loss(network.apply, _distance, (x, y), weights), weights, hint)
