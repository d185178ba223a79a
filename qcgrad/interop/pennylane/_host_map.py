"""Parameter maps that a user's framework computes and differentiates, on the host."""

import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Array, CircuitParams, Gradient, Params
from ...arrays import is_concrete
from ...errors import NotApplicable
from ...ir.parameter_map import PureMap, Rows, pull_back, ravel, unravel
from ...linear_map import linear_map
from ._autodiff import Found

HostProgram = Callable[[Float[np.ndarray, "N"]], Found]
"""Numbers y (D,) of numbers x (N,), with their derivatives, by a framework that is not JAX."""


class HostMap(PureMap):
    """inner(y(x)), with y from a `HostProgram` that programs of JAX call back.

    Args:
        program: y.
        size: D.
        inner: from y to the circuit's parameters.
    """

    def __init__(self, program: HostProgram, size: int, inner: PureMap):
        self.program = program
        self.size = size
        self.inner = inner

    def __call__(self, params: Params) -> CircuitParams:
        x = ravel(params)
        if is_concrete(x):
            return self.inner(self.program(np.asarray(x, float)).values.astype(x.dtype))
        return self.inner(_called(self.program, self.size, x))

    def __getstate__(self) -> dict[str, Any]:
        raise pickle.PicklingError(
            "the classical map of the QNode runs in a framework that is not JAX, and has no form outside of this "
            "process: write it with jax.numpy or qml.math, or import the QNode where it is needed"
        )

    @cached_property
    def pull_back(self) -> Callable[[Params, Rows], Gradient]:
        def pulled(params, rows):
            if not is_concrete((params, rows)):
                return pull_back(self, params, rows)
            x = ravel(params)
            found = self.program(np.asarray(x, float))
            inner = self.inner.pull_back(found.values.astype(x.dtype), rows)
            return unravel(found.pulled_back(np.asarray(inner, float)), params)

        return pulled

    @cached_property
    def jacobian(self) -> Callable[[Params], Gradient]:
        return lambda params: self.pull_back(params, np.eye(jax.eval_shape(self.__call__, params).shape[0]))


def _called(program: HostProgram, size: int, x: Float[Array, "N"]) -> Float[Array, "D"]:
    """y in a program of JAX, with its first derivative."""
    result = jax.ShapeDtypeStruct((size,), x.dtype)

    def values(x):
        return _call(lambda x: program(x).values, result, x)

    def along(x, direction):
        return _call(lambda x, t: program(x).pulled_back(np.eye(size)) @ t, result, x, direction)

    def back(x, cotangent):
        return _call(lambda x, row: program(x).pulled_back(row[None])[0], x, x, cotangent)

    found = jax.custom_jvp(values)

    @found.defjvp
    def moved(primals, tangents):
        (x,), (direction,) = primals, tangents
        return found(x), linear_map(along, back, x, direction, result)

    return found(x)


def _call(function, like, *arrays):
    shape = jax.ShapeDtypeStruct(like.shape, like.dtype)

    @jax.custom_jvp
    def run(*arrays):
        def on_numbers(*numbers):
            return np.asarray(function(*(np.asarray(n, float) for n in numbers)), shape.dtype)

        return jax.pure_callback(on_numbers, shape, *map(jnp.asarray, arrays), vmap_method="sequential")

    @run.defjvp
    def refuse(*_):
        raise NotApplicable(
            "what the QNode does to its arguments is differentiated by a framework that is not JAX, once: for second "
            "derivatives write it with jax.numpy or qml.math"
        )

    return run(*arrays)
