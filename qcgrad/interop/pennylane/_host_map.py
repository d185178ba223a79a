"""Parameter maps that a user's framework computes and differentiates, on the host."""

import pickle
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...array_types import Array, CircuitParams, Gradient, Params
from ...arrays import is_concrete
from ...errors import NotApplicable
from ...ir.parameter_map import PureMap, Rows, pull_back, ravel, unravel
from ...linear_map import linear_map


class HostProgram(Protocol):
    """Numbers y (D,) of numbers x (N,), by a framework that is not JAX."""

    def values(self, x: Float[np.ndarray, "N"]) -> Float[np.ndarray, "D"]:
        """y."""
        ...

    def pulled_back(self, x: Float[np.ndarray, "N"], rows: Float[np.ndarray, "C D"]) -> Float[np.ndarray, "C N"]:
        """The rows times the derivatives of y by x."""
        ...


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
            return self.inner(self.program.values(np.asarray(x, float)).astype(x.dtype))
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
            exact = np.asarray(x, float)
            inner = self.inner.pull_back(self.program.values(exact).astype(x.dtype), rows)
            return unravel(self.program.pulled_back(exact, np.asarray(inner, float)), params)

        return pulled

    @cached_property
    def jacobian(self) -> Callable[[Params], Gradient]:
        return lambda params: self.pull_back(params, np.eye(jax.eval_shape(self.__call__, params).shape[0]))


def _called(program: HostProgram, size: int, x: Float[Array, "N"]) -> Float[Array, "D"]:
    """y in a program of JAX, with its first derivative."""
    result = jax.ShapeDtypeStruct((size,), x.dtype)

    def values(x):
        return _call(lambda x: program.values(x), result, x)

    def along(x, direction):
        return _call(lambda x, t: program.pulled_back(x, np.eye(size)) @ t, result, x, direction)

    def back(x, cotangent):
        return _call(lambda x, row: program.pulled_back(x, row[None])[0], x, x, cotangent)

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
