"""A function of JAX in the compiled forms that PyTorch's autograd asks for."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...array_types import Key
from ...errors import NotApplicable

Leaves = tuple[jax.Array, ...]


class Program:
    """A function of arrays and a key, with its derivatives and batches as programs of the same kind.

    Args:
        function: from a tuple of arrays and a key (or None) to a tuple of arrays; traceable by JAX.
        names: what messages call the arrays.
        draws: whether each entry of a batch is to draw for itself; derivatives draw what their function drew.
    """

    def __init__(self, function: Callable[[Leaves, Key | None], Leaves], names: tuple[str, ...], draws: bool):
        self.function = function
        self.names = names
        self.draws = draws
        self._is_differentiable = True
        self._batches: dict[Any, Program] = {}
        self._compiled = jax.jit(function)
        self._linear = jax.jit(lambda leaves, key: jax.vjp(lambda *leaves: function(leaves, key), *leaves))

    def values(self, leaves: Leaves, key: Key | None) -> Leaves:
        """What the function gives; done when this returns."""
        return jax.block_until_ready(self._compiled(leaves, key))

    def linearized(self, leaves: Leaves, key: Key | None) -> tuple[Leaves, PyTree]:
        """The same and its pull-back, for `pulled_back`; None where there is no derivative.

        One run of an estimator with one output gives both.
        """
        if self._is_differentiable:
            try:
                return jax.block_until_ready(self._linear(leaves, key))
            except NotApplicable:
                # PyTorch asks in advance for derivatives that may never be wanted. Whoever wants one is told why not.
                self._is_differentiable = False
        return self.values(leaves, key), None

    @cached_property
    def pull_back(self) -> "Program":
        """A program of cotangents, then leaves: derivatives by the leaves."""
        count = len(self.names)

        def function(inputs, key):
            cotangents, leaves = inputs[:-count], inputs[-count:]
            return jax.vjp(lambda *leaves: self.function(leaves, key), *leaves)[1](cotangents)

        return Program(function, self.names, draws=False)

    @cached_property
    def push_forward(self) -> "Program":
        """A program of tangents, then leaves: derivatives of the outputs along the tangents."""

        def function(inputs, key):
            count = len(inputs) // 2
            return jax.jvp(lambda *leaves: self.function(leaves, key), inputs[count:], inputs[:count])[1]

        return Program(function, self.names, draws=False)

    def batched(self, flags: tuple[bool, ...], apart: bool) -> "Program":
        """The same for a batch, as one program.

        Args:
            flags: which leaves have a leading axis for the batch; the others are shared.
            apart: whether entries draw apart from each other, else all draw the same.
        """
        if (flags, apart) not in self._batches:
            self._batches[flags, apart] = Program(partial(self._of_batch, flags, apart), self.names, self.draws)
        return self._batches[flags, apart]

    def _of_batch(self, flags, apart, leaves, key):
        axes = tuple(0 if flag else None for flag in flags)
        size = next(leaf.shape[0] for leaf, flag in zip(leaves, flags, strict=True) if flag)
        if not size:  # nothing is run; the shapes are those of one entry
            one = [leaf.mean(0) if flag else leaf for leaf, flag in zip(leaves, flags, strict=True)]
            found = jax.eval_shape(self.function, tuple(one), key)
            return tuple(jnp.zeros((0, *array.shape), array.dtype) for array in found)
        if key is None or not apart:
            return jax.vmap(self.function, in_axes=(axes, None))(leaves, key)
        return jax.vmap(self.function, in_axes=(axes, 0))(leaves, jax.random.split(key, size))


@jax.jit
def _pulled(pull_back, cotangents):
    return pull_back(cotangents)


def pulled_back(pull_back: PyTree, cotangents: Leaves) -> Leaves:
    """Derivatives by the leaves, from the pull-back of `Program.linearized`; done when this returns."""
    return jax.block_until_ready(_pulled(pull_back, cotangents))
