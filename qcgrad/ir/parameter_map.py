"""Classical maps from a user's parameters to a circuit's, as data."""

import abc
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from ..array_types import Array, CircuitParams, Gradient, Params
from ..arrays import add_at, namespace

Rows = Float[Array, "C P"]
"""Derivatives by a circuit's parameters, one row for each cotangent."""


class PureMap(abc.ABC):
    """A parameter map that depends on its fields alone, so that what JAX compiles for it can be kept."""

    @abc.abstractmethod
    def __call__(self, params: Params) -> CircuitParams:
        """The circuit's P parameters."""

    @cached_property
    def jacobian(self) -> Callable[[Params], PyTree]:
        """Compiled: parameters to a tree of leaves (P, *shape)."""
        return jax.jit(jax.jacobian(self.__call__))

    @cached_property
    def pull_back(self) -> Callable[[Params, Rows], Gradient]:
        """Compiled: parameters and rows (C, P) to the rows times the Jacobian, a tree of leaves (C, *shape)."""
        return jax.jit(lambda params, rows: pull_back(self, params, rows))

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self  # nothing in it changes, and its compilation stays shared

    def __getstate__(self) -> dict[str, Any]:
        # Not what is compiled: it is found again where the map arrives.
        cached = [name for name in self.__dict__ if isinstance(getattr(type(self), name, None), cached_property)]
        return {name: value for name, value in self.__dict__.items() if name not in cached}


class AffineMap(PureMap):
    """y[row] = offset[row] + sum of weight * x[column] over the entries of that row.

    Args:
        num_inputs: N, numbers in the user's parameters; any nesting is raveled in order.
        row, column, weight: entries, each pair (row, column) at most once.
        offset: (P,).
    """

    def __init__(self, num_inputs: int, row: ArrayLike, column: ArrayLike, weight: ArrayLike, offset: ArrayLike):
        self.num_inputs = int(num_inputs)
        self.row = np.asarray(row, np.int32)
        self.column = np.asarray(column, np.int32)
        self.weight = np.asarray(weight, np.float64)
        self.offset = np.asarray(offset, np.float64)

    @property
    def mixes(self) -> bool:
        """Whether one input enters several outputs."""
        return len(np.unique(self.column)) < len(self.column)

    def __call__(self, params: Params) -> CircuitParams:
        x = ravel(params)
        return add_at(self.offset.astype(x.dtype), self.row, self.weight.astype(x.dtype) * x[self.column])

    def _key(self):
        arrays = (self.row, self.column, self.weight, self.offset)
        return self.num_inputs, *(a.tobytes() for a in arrays)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AffineMap) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def pull_back(parameter_map: Callable[[Params], CircuitParams], params: Params, rows: Rows) -> Gradient:
    """Rows (C, P) times the Jacobian of a map at `params`."""
    values, transposed = jax.vjp(parameter_map, jax.tree.map(jnp.asarray, params))
    return jax.vmap(lambda row: transposed(row)[0])(jnp.asarray(rows, values.dtype))


def ravel(params: Params) -> Float[Array, "N"]:
    """All numbers in order as one vector; NumPy's where they are at hand, which compiles nothing."""
    leaves = jax.tree.leaves(params)
    xp = namespace(leaves)
    if len(leaves) == 1 and np.ndim(leaves[0]) == 1:
        return xp.asarray(leaves[0])
    return xp.concatenate([xp.ravel(xp.asarray(leaf)) for leaf in leaves])


def unravel(rows: Float[Array, "C N"], like: Params) -> Gradient:
    """Rows (C, N) as a tree of leaves (C, *shape) with the structure of `like`; arrays there give their precision."""
    leaves, structure = jax.tree.flatten(like)
    ends = np.cumsum([np.size(leaf) for leaf in leaves])
    parts = []
    for leaf, end in zip(leaves, ends, strict=True):
        part = rows[:, end - np.size(leaf) : end].reshape(len(rows), *np.shape(leaf))
        parts.append(part.astype(getattr(leaf, "dtype", rows.dtype)))
    return structure.unflatten(parts)


def same_structure(params: Params, example: Params) -> bool:
    """Whether two trees have the same nesting and shapes."""
    if jax.tree.structure(params) != jax.tree.structure(example):
        return False
    shapes = zip(jax.tree.leaves(params), jax.tree.leaves(example), strict=True)
    return all(np.shape(a) == np.shape(b) for a, b in shapes)
