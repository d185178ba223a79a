"""What a compiled network costs, by XLA's own cost and memory analysis."""

from functools import lru_cache

import jax
import numpy as np

from ..cost import Cost
from .rules.base import Task


def forward(apply, loss_fn):
    """The program of one forward pass: (weights, batch) -> loss."""

    def program(weights, batch, rule=None, key=None):
        return Task(apply, loss_fn, batch).value(weights)

    return program


def backward(apply, loss_fn):
    """The program of one forward and backward pass: (weights, batch, rule=None, key=None) -> (loss, gradient)."""

    def program(weights, batch, rule=None, key=None):
        task = Task(apply, loss_fn, batch)
        if rule is None:
            return jax.value_and_grad(task.value)(weights)
        return rule.value_and_gradient(task, weights, key)

    return program


def analysed_cost(program, apply, loss_fn, weights, batch, rule=None) -> Cost:
    """FLOPs and peak bytes (arguments, outputs, temporaries) of a compiled program; nothing is run.

    Args:
        program: `forward` or `backward`.
        apply, loss_fn: the network.
        weights, batch, rule: pytrees of arrays; only shapes and dtypes matter.
    """
    key = np.zeros(2, np.uint32) if rule is not None and rule.is_random else None
    leaves, structure = jax.tree.flatten((weights, batch, rule, key))
    shapes = tuple((np.shape(leaf), np.dtype(leaf.dtype)) for leaf in leaves)
    return _analysed(program, apply, loss_fn, structure, shapes)


@lru_cache(maxsize=256)
def _analysed(program, apply, loss_fn, structure, shapes) -> Cost:
    arguments = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(*s) for s in shapes])
    compiled = jax.jit(program(apply, loss_fn)).lower(*arguments).compile()
    flops = (compiled.cost_analysis() or {}).get("flops", 0)
    memory = compiled.memory_analysis()
    held = 0
    if memory is not None:  # not every platform reports it
        held = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    return Cost(flops=int(flops), peak_bytes=int(held))
