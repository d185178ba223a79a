"""Cells on a classical network: the baseline."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...estimate import estimate
from ...networks import Loss
from ...objective import point_at
from .._memory import check_network
from .._methods import EXACT
from ..records import Record, costs
from ._method_cell import MethodCell


@dataclass(frozen=True, kw_only=True)
class NetworkCell(MethodCell):
    """A method on a perceptron with 2^n inputs and 2^n - 1 hidden units.

    Attributes:
        n: M = 4^n - 1, as for the hard instance.
        batch: examples.
    """

    kind: ClassVar[str] = "network"
    model: str = "perceptron"
    n: int
    batch: int = 32

    @property
    def where(self) -> str:
        return f"{self.model}, n = {self.n}"

    @property
    def effort(self) -> float:
        return 0.5 + 4**self.n / 100_000  # compiling, and arithmetic

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        check_network(self.n, self.batch, max_bytes)
        inputs = 2**self.n
        hidden = inputs - 1
        rng = np.random.default_rng((self.seed, self.n))
        weights = {
            "in": rng.normal(size=(inputs, hidden)) / math.sqrt(inputs),
            "out": rng.normal(size=hidden) / math.sqrt(hidden),
        }
        batch = rng.normal(size=(self.batch, inputs)), rng.normal(size=self.batch)
        loss = Loss(_perceptron, _mean_square, batch)
        method = self.described.make.for_accuracy(point_at(loss, weights)[0], *EXACT)
        found = estimate(loss, weights, method, key=self.seed)
        size = sum(w.size for w in weights.values())
        return {"M": size, "qubits": 0, **costs(found.cost, loss.forward_cost(weights))}


def _perceptron(weights, x):
    import jax.numpy as jnp

    return jnp.tanh(x @ weights["in"]) @ weights["out"]


def _mean_square(outputs, y):
    return ((outputs - y) ** 2).mean()
