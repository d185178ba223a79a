"""An objective as an ordinary JAX function whose gradient is the estimator of one's choice."""

import jax
import jax.numpy as jnp

from .backend import AbstractBackend, resolve
from .errors import NotApplicable
from .estimate import as_key, check_arguments, check_traceable, draw_key, run
from .estimator import AbstractEstimator
from .objective import AbstractObjective, Point


def as_jax(objective: AbstractObjective, estimator: AbstractEstimator, backend: AbstractBackend | None = None):
    r"""A function `f(params)` or `f(params, key)` whose `jax.grad` is the estimator.

    Works under `jax.jit`, `jax.vmap`, `jax.value_and_grad` and inside larger JAX programs; a vector of
    observables gives the value (K,), and its vector-Jacobian product takes one backward sweep for
    each cotangent, not K. The classical map from parameters to gate angles is differentiated by JAX.

    Args:
        objective: what to evaluate.
        estimator: how to differentiate; one with `is_traceable`.
        backend: who answers, as for `qcgrad.estimate`.

    Returns:
        A function of the parameters and, for methods that sample, a JAX random key. Value and gradient
        are estimated from independent samples where the gradient needs further circuits. The function of a
        QNode is called as the QNode is, `f(x, weights, key=key)`.

    Raises:
        NotApplicable: the estimator cannot be traced by JAX.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> f = qg.as_jax(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), qg.Adjoint())
        >>> value, gradient = jax.jit(jax.value_and_grad(f))(jax.numpy.array([0.5]))
        >>> print(round(float(value), 6), round(float(gradient[0]), 6))
        0.877583 -0.479426
    """
    check_arguments(objective, estimator)
    check_traceable(estimator)
    if type(objective).at is not AbstractObjective.at:
        raise NotApplicable(
            f"{type(objective).__name__} becomes another objective at given parameters, so that JAX cannot trace it: "
            "call qcgrad.estimate"
        )
    backend = resolve(backend, objective)
    outputs = objective.num_outputs

    @jax.custom_vjp
    def evaluate(coordinates, key):
        query = estimator.value_query(Point(objective, coordinates, jnp.ones((1, outputs))))
        answer = backend.answer(query, draw_key(key, query)[1])
        return jnp.asarray(answer.mean[0] if hasattr(answer, "mean") else answer.value)

    def forward(coordinates, key):
        if outputs > 1:
            return evaluate(coordinates, key), (coordinates, key)
        # With one output the gradient's direction is known already: one run gives value and gradient.
        reading, _, _ = run(Point(objective, coordinates, jnp.ones((1, 1))), estimator, backend, key)
        return jnp.asarray(reading.value), reading.gradient

    def backward(residual, cotangent):
        if outputs == 1:
            return jax.tree.map(lambda leaf: leaf[0] * cotangent[0].astype(leaf.dtype), residual), None
        coordinates, key = residual
        # A second, independent part of the key: the forward pass has used the first.
        fresh = None if key is None else jax.random.fold_in(key, 1)
        reading, _, _ = run(Point(objective, coordinates, cotangent[None]), estimator, backend, fresh)
        return jax.tree.map(lambda leaf: leaf[0], reading.gradient), None

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
