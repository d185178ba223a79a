"""An objective as an ordinary JAX function whose gradient is the estimator of one's choice."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .backend import AbstractBackend, resolve
from .errors import NotApplicable
from .estimate import as_key, check_arguments, run, run_value
from .estimator import AbstractEstimator
from .objective import AbstractObjective, Point


def as_jax(objective: AbstractObjective, estimator: AbstractEstimator, backend: AbstractBackend | None = None):
    r"""A function `f(params)` or `f(params, key)` whose `jax.grad` is the estimator.

    Works under `jax.jit`, `jax.vmap`, `jax.value_and_grad` and inside larger JAX programs; a vector of
    observables gives the value (K,), and its vector-Jacobian product takes one backward sweep for
    each cotangent, not K. The classical map from parameters to gate angles is differentiated by JAX.

    Args:
        objective: what to evaluate.
        estimator: how to differentiate. Those without `is_traceable` are called on the host, one run after another.
        backend: who answers, as for `qcgrad.estimate`.

    Returns:
        A function of the parameters and, for methods that sample, a JAX random key. Value and gradient
        are estimated from independent samples where the gradient needs further circuits. The function of a
        QNode is called as the QNode is, `f(x, weights, key=key)`.

    Raises:
        NotApplicable: the objective becomes another one at given parameters.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> f = qg.as_jax(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), qg.Adjoint())
        >>> value, gradient = jax.jit(jax.value_and_grad(f))(jax.numpy.array([0.5]))
        >>> print(round(float(value), 6), round(float(gradient[0]), 6))
        0.877583 -0.479426
    """
    check_arguments(objective, estimator)
    if type(objective).at is not AbstractObjective.at:
        raise NotApplicable(
            f"{type(objective).__name__} becomes another objective at given parameters, so that JAX cannot trace it: "
            "call qcgrad.estimate"
        )
    backend = resolve(backend, objective)
    outputs = objective.num_outputs
    asked = _Asked(objective, estimator, backend)

    @jax.custom_vjp
    def evaluate(coordinates, key):
        return asked.value(coordinates, key)

    def forward(coordinates, key):
        if outputs > 1:
            return evaluate(coordinates, key), (coordinates, key)
        # With one output the gradient's direction is known already: one run gives value and gradient.
        return asked.value_and_gradient(coordinates, key, jnp.ones((1, 1)))

    def backward(residual, cotangent):
        if outputs == 1:
            return jax.tree.map(lambda leaf: leaf[0] * cotangent[0].astype(leaf.dtype), residual), None
        coordinates, key = residual
        # A second, independent part of the key: the forward pass has used the first.
        fresh = None if key is None else jax.random.fold_in(key, 1)
        _, gradient = asked.value_and_gradient(coordinates, fresh, cotangent[None])
        return jax.tree.map(lambda leaf: leaf[0], gradient), None

    evaluate.defvjp(forward, backward)

    def f(params, key=None):
        coordinates = objective.coordinates(objective.check(params))
        try:
            value = evaluate(jax.tree.map(jnp.asarray, coordinates), as_key(key))
        except TypeError as error:
            if "custom_vjp" not in str(error):
                raise
            raise NotApplicable(
                "jax.jvp, jax.jacfwd, jax.linearize and jax.hessian need forward-mode derivatives, and an estimator "
                "gives reverse-mode ones: use jax.grad, jax.vjp or jax.jacrev, and for second derivatives jax.jacrev "
                "of jax.grad with an exact method and qcgrad.Statevector(engine='jax')"
            ) from error
        return objective.outputs(value)

    return objective.as_function(f)


class _Asked(NamedTuple):
    """An estimator's value and gradient by coordinates, in a program of JAX or called from one.

    Methods that choose their questions by looking at numbers run on the host, one call after another.
    """

    objective: AbstractObjective
    estimator: AbstractEstimator
    backend: AbstractBackend

    def value(self, coordinates, key):
        cotangents = jnp.ones((1, self.objective.num_outputs))
        if self.estimator.is_traceable:
            return jnp.asarray(run_value(self._point(coordinates, cotangents), self.estimator, self.backend, key))

        def on_host(coordinates, key):
            return run_value(self._point(coordinates, cotangents), self.estimator, self.backend, key)

        return self._call(on_host, self._value_shape(coordinates), coordinates, key)

    def value_and_gradient(self, coordinates, key, cotangents):
        """((K,), coordinates with a leading axis of cotangents)."""
        if self.estimator.is_traceable:
            reading, _, _ = run(self._point(coordinates, cotangents), self.estimator, self.backend, key)
            return jnp.asarray(reading.value), reading.gradient

        def on_host(coordinates, key, cotangents):
            reading, _, _ = run(self._point(coordinates, cotangents), self.estimator, self.backend, key)
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
            found = function(coordinates, None if raw is None else jax.random.wrap_key_data(jnp.asarray(raw)), *others)
            return jax.tree.map(lambda array, shape: np.asarray(array, shape.dtype), found, shapes)

        return jax.pure_callback(on_numbers, shapes, coordinates, raw, *others, vmap_method="sequential")
