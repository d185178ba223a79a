"""Work on many items, as many at a time as memory allows."""

from collections.abc import Callable

import jax
from jaxtyping import PyTree, Shaped

from ..networks.compiled import primitives
from .problem import Problem


def mapped(function: Callable[[jax.Array], PyTree], items: Shaped[jax.Array, "items *shape"], size: int) -> PyTree:
    """function of every item along the first axis, `size` at a time; 0 stands for all at once."""
    if size == 0 or size >= len(items):
        return jax.vmap(function)(items)
    return jax.lax.map(function, items, batch_size=None if size == 1 else size)


def smaller(size: int, total: int, share: float) -> int:
    """How many of `total` items at a time take `share` of the memory of `size` (0: all); 0 if it is one already."""
    now = total if size == 0 else min(size, total)
    return 0 if now == 1 else max(1, min(now - 1, int(share * now)))


def convolves(problem: Problem) -> bool:
    """Whether the network has convolutions: XLA makes one of b with kernels of their own b^2 as large, mostly zeros."""
    program = jax.make_jaxpr(problem.model.batch)(problem.params, problem.x1[:1])
    return "conv_general_dilated" in primitives(program.jaxpr)
