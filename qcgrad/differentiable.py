"""An objective as an ordinary JAX function whose gradient is the estimator of one's choice."""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree, UInt32

from .arguments import check_arguments
from .array_types import Array, Coordinates, Cotangents, Gradient, Key, Values
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .errors import NotApplicable
from .estimate import run, run_value
from .estimator import AbstractEstimator
from .keys import as_key
from .linear_map import linear_map
from .objective import AbstractObjective, Point
from .queries import AbstractQuery, Access

# Coordinates, and the random bits of a key.
_Residual = tuple[Coordinates, UInt32[Array, "..."] | None]


def as_jax(
    objective: AbstractObjective, estimator: AbstractEstimator, backend: AbstractBackend | None = None
) -> Callable[..., PyTree]:
    r"""A function `f(params)` or `f(params, key)` whose `jax.grad` is the estimator.

    Works under `jax.jit`, `jax.vmap`, `jax.value_and_grad`, `jax.jvp`, `jax.checkpoint` and inside larger JAX
    programs; a vector of observables gives the value (K,), and its vector-Jacobian product takes one backward sweep for
    each cotangent, not K. A derivative along a direction (`jax.jvp`, `jax.linearize`, `jax.jacfwd`) is the estimated
    gradient along it, so it takes all K. Exact methods have second derivatives (`jax.hessian`), through programs of JAX
    whatever the backend's engine. The classical map from parameters to gate angles is differentiated by JAX.

    Args:
        objective: what to evaluate.
        estimator: how to differentiate. Those without `is_traceable` are called on the host, one run after another.
        backend: who answers, as for `qcgrad.estimate`; those without `is_traceable` are called on the host too.

    Returns:
        A function of the parameters and, for methods that sample, a JAX random key. Value and gradient
        are estimated from independent samples where the gradient needs further circuits. The function of a
        QNode is called as the QNode is, `f(x, weights, key=key)`.

    Raises:
        NotApplicable: the objective becomes another one at given parameters; the method is stateful; a second
            derivative of a method that samples.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> f = qg.as_jax(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), qg.Adjoint())
        >>> value, gradient = jax.jit(jax.value_and_grad(f))(jax.numpy.array([0.5]))
        >>> print(round(float(value), 6), round(float(gradient[0]), 6))
        0.877583 -0.479426

        A layer of a network, here of Equinox and likewise of Flax, needs no more; a batch is one call of the simulator:

        >>> import equinox as eqx, jax.numpy as jnp
        >>> circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).ry(1, param=2)
        >>> f = qg.as_jax(qg.Expectation(circuit, ["ZI", "IZ"]), qg.Adjoint())
        >>> class Model(eqx.Module):
        ...     linear: eqx.nn.Linear
        ...     weights: jax.Array
        ...
        ...     def __call__(self, x):
        ...         return f(jnp.concatenate([self.linear(x), self.weights]))
        >>> model = Model(eqx.nn.Linear(5, 2, key=jax.random.key(0)), jnp.zeros(1))
        >>> jax.vmap(model)(jnp.ones((8, 5))).shape
        (8, 2)
    """
    check_arguments(objective, estimator)
    if estimator.stateful:
        raise NotApplicable(
            f"{type(estimator).__name__} learns from step to step here, and a function of JAX forgets: call "
            "qcgrad.estimate for each step, and go on with what its stats hold"
        )
    if type(objective).at is not AbstractObjective.at:
        raise NotApplicable(
            f"{type(objective).__name__} becomes another objective at given parameters, so that JAX cannot trace it: "
            "call qcgrad.estimate"
        )
    backend = resolve(backend, objective)
    outputs = objective.num_outputs
    asked = _Asked(objective, estimator, backend)

    @jax.custom_jvp
    def evaluate(coordinates, key):
        return asked.value(coordinates, key)

    @evaluate.defjvp
    def moved(primals, tangents):
        (coordinates, key), (direction, _) = primals, tangents
        if outputs == 1:
            # With one output the gradient's direction is known already: one run gives value and gradient.
            value, gradient = asked.first(coordinates, key, jnp.ones((1, 1)))
            return value, _along(gradient, direction)
        # A second, independent part of the key for the gradient: the value has used the first.
        fresh = None if key is None else jax.random.key_data(jax.random.fold_in(key, 1))
        value = evaluate(coordinates, key)
        return value, linear_map(
            asked.tangent,
            asked.pulled_back,
            (coordinates, fresh),
            direction,
            jax.ShapeDtypeStruct(value.shape, value.dtype),
        )

    def f(params, key=None):
        coordinates = objective.coordinates(objective.check(params))
        return objective.outputs(evaluate(jax.tree.map(jnp.asarray, coordinates), as_key(key)))

    return objective.as_function(f)


def _along(gradient, direction):
    """(C,) derivatives along a direction, from gradients with a leading axis C."""

    def one(rows, moved):
        return jnp.real(rows.reshape(len(rows), -1) @ jnp.ravel(moved).astype(rows.dtype))

    return reduce(jnp.add, jax.tree.leaves(jax.tree.map(one, gradient, direction)))


class _Asked(NamedTuple):
    """An estimator's value and gradient by coordinates, in a program of JAX or called from one.

    Methods that choose their questions by looking at numbers run on the host, one call after another.
    """

    objective: AbstractObjective
    estimator: AbstractEstimator
    backend: AbstractBackend

    @property
    def is_traceable(self) -> bool:
        return self.estimator.is_traceable and self.backend.is_traceable

    def value(self, coordinates: Coordinates, key: Key | None) -> Values:
        cotangents = jnp.ones((1, self.objective.num_outputs))
        if self.is_traceable:
            return jnp.asarray(run_value(self._point(coordinates, cotangents), self.estimator, self.backend, key))

        def on_host(coordinates, key):
            return run_value(self._point(coordinates, cotangents), self.estimator, self.backend, key)

        return self._call(on_host, self._value_shape(coordinates), coordinates, key)

    def first(self, coordinates: Coordinates, key: Key | None, cotangents: Cotangents) -> tuple[Values, Gradient]:
        """`value_and_gradient`, which may be differentiated once more where the method is exact."""

        @jax.custom_jvp
        def found(coordinates, cotangents):
            return self.value_and_gradient(coordinates, key, cotangents)

        @found.defjvp
        def moved(primals, tangents):
            again = self._replace(backend=_Differentiable(self.backend.differentiable(), self.estimator))
            if not self.estimator.is_traceable:
                raise NotApplicable(_no_second_derivative(self.estimator))
            if not again.is_traceable:
                raise NotApplicable(
                    f"{type(self.backend).__name__} runs elsewhere, so that JAX cannot differentiate its answers: a "
                    "second derivative needs qcgrad's own simulator"
                )
            return jax.jvp(lambda *point: again.value_and_gradient(point[0], key, point[1]), primals, tangents)

        return found(coordinates, cotangents)

    def tangent(self, residual: _Residual, direction: Coordinates) -> Values:
        """(K,) derivatives of all outputs along a direction of the coordinates."""
        coordinates, raw = residual
        _, gradient = self.first(coordinates, _as_key(raw), jnp.eye(self.objective.num_outputs))
        return _along(gradient, direction)

    def pulled_back(self, residual: _Residual, cotangent: Values) -> Coordinates:
        """The gradient of the outputs weighted by a cotangent (K,)."""
        coordinates, raw = residual
        _, gradient = self.first(coordinates, _as_key(raw), cotangent[None])
        return jax.tree.map(lambda leaf: leaf[0], gradient)

    def value_and_gradient(
        self, coordinates: Coordinates, key: Key | None, cotangents: Cotangents
    ) -> tuple[Values, Gradient]:
        """((K,), coordinates with a leading axis of cotangents)."""
        if self.is_traceable:
            reading = run(self._point(coordinates, cotangents), self.estimator, self.backend, key).reading
            return jnp.asarray(reading.value), reading.gradient

        def on_host(coordinates, key, cotangents):
            reading = run(self._point(coordinates, cotangents), self.estimator, self.backend, key).reading
            return reading.value, reading.gradient

        gradient = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((len(cotangents), *leaf.shape), leaf.dtype), coordinates
        )
        return self._call(on_host, (self._value_shape(coordinates), gradient), coordinates, key, cotangents)

    def _point(self, coordinates, cotangents) -> Point:
        return Point(self.objective, coordinates, cotangents)

    def _value_shape(self, coordinates):
        return jax.ShapeDtypeStruct((self.objective.num_outputs,), jnp.result_type(*jax.tree.leaves(coordinates)))

    def _call(self, function, shapes, coordinates, key, *others):
        raw = None if key is None else jax.random.key_data(key)

        def on_numbers(coordinates, raw, *others):
            coordinates, *others = jax.tree.map(np.asarray, (coordinates, *others))
            found = function(coordinates, _as_key(raw), *others)
            return jax.tree.map(lambda array, shape: np.asarray(array, shape.dtype), found, shapes)

        if is_concrete((coordinates, raw, others)):
            # Called by JAX, an error would lose its class, and with it what was answered before.
            return jax.tree.map(jnp.asarray, on_numbers(coordinates, raw, *others))
        return jax.pure_callback(on_numbers, shapes, coordinates, raw, *others, vmap_method="sequential")


class _Differentiable(AbstractBackend):
    """A backend in programs that are differentiated again: draws have no derivative."""

    def __init__(self, inner: AbstractBackend, estimator: AbstractEstimator):
        self.inner, self.estimator = inner, estimator

    @property
    def access(self) -> Access:
        return self.inner.access

    @property
    def is_traceable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.is_traceable

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        if query.is_random:
            raise NotApplicable(_no_second_derivative(self.estimator))
        return self.inner.answer(query, key)


def _as_key(raw):
    return None if raw is None else jax.random.wrap_key_data(jnp.asarray(raw))


def _no_second_derivative(estimator) -> str:
    return (
        f"{type(estimator).__name__} samples, and draws have no derivative: second derivatives need an exact method, "
        "qcgrad.Adjoint() or qcgrad.ParameterShift() without shots"
    )
