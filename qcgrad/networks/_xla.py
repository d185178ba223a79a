"""The compiled programs of a network's loss, and what they cost, by XLA's own cost and memory analysis."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.stages import Wrapped
from jaxtyping import Float, PyTree

from ..cost import Cost
from ._array_types import RawKey
from .rules.rule import AbstractRule, Apply, LossFunction, Step, Task


@partial(jax.jit, static_argnums=(0, 1))
def forward(apply: Apply, loss_fn: LossFunction, weights: PyTree, batch: tuple[PyTree, PyTree]) -> Float[jax.Array, ""]:
    """One forward pass: the loss."""
    return Task(apply, loss_fn, batch).value(weights)


@partial(jax.jit, static_argnums=(0, 1))
def backward(
    apply: Apply,
    loss_fn: LossFunction,
    weights: PyTree,
    batch: tuple[PyTree, PyTree],
    rule: AbstractRule | None = None,
    key: RawKey | None = None,
) -> Step:
    """One forward and backward pass, and what a stateful rule learns from it."""
    task = Task(apply, loss_fn, batch)
    if rule is None:
        return Step(*jax.value_and_grad(task.value)(weights), None)
    value, gradient = rule.value_and_gradient(task, weights, key)
    return Step(value, gradient, rule.after(task, weights, gradient, key) if rule.stateful else None)


def analysed_cost(program: Wrapped, apply: Apply, loss_fn: LossFunction, *arguments: PyTree) -> Cost:
    """FLOPs and peak bytes (arguments, outputs, temporaries) of a program; nothing is run.

    It is compiled for that, and what was compiled is what runs when the program is called.

    Args:
        program: `forward` or `backward`.
        apply, loss_fn: the network.
        arguments: the program's others, pytrees of arrays and numbers; only shapes and dtypes matter.
    """
    leaves, structure = jax.tree.flatten(arguments)
    shapes = tuple((np.shape(leaf), np.dtype(jnp.result_type(leaf))) for leaf in leaves)
    return _analysed(program, apply, loss_fn, structure, shapes)


@lru_cache(maxsize=256)
def _analysed(program, apply, loss_fn, structure, shapes) -> Cost:
    arguments = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(*s) for s in shapes])
    compiled = program.lower(apply, loss_fn, *arguments).compile()
    flops = (compiled.cost_analysis() or {}).get("flops", 0)
    memory = compiled.memory_analysis()
    held = 0
    if memory is not None:  # not every platform reports it
        held = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    return Cost(flops=int(flops), peak_bytes=int(held))
