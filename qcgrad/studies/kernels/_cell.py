"""Cells of a kernel study: one random network of one width."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...catalogue import activations
from ..cells import Cell
from ..ntk_convergence import converge
from ..records import Record


@dataclass(frozen=True, kw_only=True)
class KernelCell(Cell):
    """A network with equal activations in all hidden layers, of one width, against its limit.

    Attributes:
        activation: a name that `qcgrad methods --kind activations` lists.
        bias: of an activation that takes one, else None.
        depth, width: hidden layers, and of each.
        network: which of the random networks.
        inputs, dimension: random complex inputs.
        sigma_w, sigma_b: scales of weights and biases.
    """

    kind: ClassVar[str] = "kernel"
    activation: str
    bias: float | None = None
    depth: int
    width: int
    network: int
    inputs: int = 5
    dimension: int = 6
    sigma_w: float = 2**0.5
    sigma_b: float = 0.1

    @property
    def where(self) -> str:
        return f"depth {self.depth}, width {self.width}"

    @property
    def label(self) -> str:
        return f"{self.activation}, {self.where}, network {self.network + 1}"

    @property
    def effort(self) -> float:
        return 0.5 + 1e-6 * self.depth * self.width**2  # compiling, and arithmetic

    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        rng = np.random.default_rng(self.seed)
        size = self.inputs, self.dimension
        x = (rng.normal(size=size) + 1j * rng.normal(size=size)) / 2**0.5
        found = converge(self._network, x, (self.width,), 1, self.seed + self.network, notify)
        return {"distance": float(found.ntk[0, 0]), "pseudo": float(found.pseudo[0, 0])}

    def _network(self, width: int):
        from ... import networks as nn

        chosen = activations()[self.activation]
        function = chosen.make(**({} if self.bias is None else {"b": self.bias}))
        layers = [x for _ in range(self.depth) for x in (nn.Dense(width, self.sigma_w, self.sigma_b), function)]
        return nn.serial(*layers, nn.Dense(1, self.sigma_w, self.sigma_b))
