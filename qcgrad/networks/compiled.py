"""Compiled programs of any function, and what XLA says of their memory before they run."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

import equinox as eqx
import jax
from jax.extend.core import Jaxpr
from jaxtyping import PyTree

from ..precision import in_full_precision


class Held(NamedTuple):
    """Bytes that a program holds at its peak; zeros on platforms that do not tell."""

    inputs: int
    outputs: int
    temporaries: int


def run(function: Callable, *args: PyTree) -> PyTree:
    """function(*args), compiled once for each function, structure and shapes; leaves that are no arrays are fixed."""
    return _run(*_parts(function, args))


def held(function: Callable, *args: PyTree) -> Held:
    """What `run` will hold, with shapes in place of arrays; it compiles, and `run` takes over what was compiled."""
    return _held(*_hashable(function, args))


def returned(function: Callable, *args: PyTree) -> PyTree:
    """What `run` will return, shapes in place of arrays."""
    return _returned(*_hashable(function, args))


def primitives(jaxpr: Jaxpr) -> Iterator[str]:
    """Names of all primitives of a program in order, those of inner programs after the one that runs them."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for value in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(value):
                yield from primitives(getattr(value, "jaxpr", value))


def shapes_of(tree: PyTree) -> PyTree:
    """A pytree with the shapes of its arrays in their place."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if eqx.is_array(leaf) else leaf, tree)


def bytes_of(tree: PyTree) -> int:
    """Bytes of all arrays, or shapes of arrays, of a pytree."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree) if _is_array(leaf))


@partial(jax.jit, static_argnums=0)
@in_full_precision
def _run(static, dynamic):
    leaves, structure = static
    function, args = eqx.combine(jax.tree.unflatten(structure, leaves), dynamic)
    return function(*args)


# Kernels of many networks ask the same again and again, and tracing takes longer than running what is small.
@lru_cache(maxsize=256)
def _held(static, leaves, structure, is_64_bit) -> Held:
    memory = _run.lower(static, jax.tree.unflatten(structure, leaves)).compile().memory_analysis()
    if memory is None:
        return Held(0, 0, 0)
    return Held(memory.argument_size_in_bytes, memory.output_size_in_bytes, memory.temp_size_in_bytes)


@lru_cache(maxsize=256)
def _returned(static, leaves, structure, is_64_bit):
    return jax.eval_shape(partial(_run, static), jax.tree.unflatten(structure, leaves))


def _hashable(function, args: PyTree):
    """All that shapes and memory depend on."""
    static, dynamic = _parts(function, args)
    leaves, structure = jax.tree.flatten(shapes_of(dynamic))
    return static, tuple(leaves), structure, jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]


def _parts(function, args: PyTree):
    dynamic, static = eqx.partition((function, args), _is_array)
    leaves, structure = jax.tree.flatten(static)
    return (tuple(leaves), structure), dynamic


def _is_array(leaf) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def _is_program(value) -> bool:
    return hasattr(value, "eqns") or hasattr(value, "jaxpr")
