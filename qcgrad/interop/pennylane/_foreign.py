"""What QNodes do to their arguments in autograd's NumPy or in torch, by the autodiff of that framework."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Params
from ...errors import ImportRefused
from ...ir.parameter_map import ravel
from ._tapes import outline
from ._trace import Batch, trace
from .arguments import Arguments


class Foreign:
    """The numbers of a QNode's gates as its framework computes them (a `HostProgram`).

    Args:
        batch_of: the QNode's circuits at parameters of the framework.
        example: parameters in the user's structure.
        framework: `Autograd` or `Torch`.
    """

    def __init__(self, batch_of: Callable[[Params], Batch], example: Params, framework: Any):
        self._batch_of = batch_of
        self._leaves, self._structure = jax.tree.flatten(example)
        self._framework = framework
        self._outlines = None
        self._batch = None
        # At the example, from which later circuits must not differ.
        self.values(np.asarray(ravel(example), float))
        self.batch, self._batch = self._batch, None
        self.places = [_watched(tape, framework) for tape in self.batch.tapes]
        self._outlines = self._describe(self.batch)

    def values(self, x: Float[np.ndarray, "N"]) -> Float[np.ndarray, "D"]:
        return self._framework.values(self._numbers, x)

    def pulled_back(self, x: Float[np.ndarray, "N"], rows: Float[np.ndarray, "C D"]) -> Float[np.ndarray, "C N"]:
        return self._framework.pulled_back(self._numbers, x, rows)

    def _numbers(self, x) -> list[Any]:
        """All numbers of gates that depend on x, which the framework watches."""
        parts, end = [], 0
        for leaf in self._leaves:
            start, end = end, end + np.size(leaf)
            parts.append(self._framework.shaped(x[start:end], leaf))
        batch = self._batch_of(self._structure.unflatten(parts))
        if self._outlines is None:
            self._batch = batch
        elif self._describe(batch) != self._outlines:
            raise ImportRefused(
                "the QNode's circuit at these arguments differs from the one at the arguments that it was imported "
                "with: the circuit must be the same for all of them"
            )
        return distinct(batch.tapes, self._framework)

    def _describe(self, batch):
        return [outline(tape, _watched(tape, self._framework)) for tape in batch.tapes]


def distinct(tapes: Sequence[Any], framework: Any) -> list[Any]:
    """The watched numbers of tapes in order, each object once: circuits that share operations share these."""
    found = {}
    for tape in tapes:
        params = tape.get_parameters(trainable_only=False)
        found.update({id(params[k]): params[k] for k in _watched(tape, framework)})
    return list(found.values())


def _watched(tape, framework):
    return [k for k, value in enumerate(tape.get_parameters(trainable_only=False)) if framework.watches(value)]
