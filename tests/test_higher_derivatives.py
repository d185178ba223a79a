"""Derivatives of the functions of `as_jax` beyond gradients: forward mode, second order, and what has neither."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn

CIRCUIT = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1).rz(1, param=0, scale=-0.5).rx(1, param=2)
SCALAR = qg.Expectation(CIRCUIT, "ZI + 0.5*XY")
VECTOR = qg.Expectation(CIRCUIT, ["ZI", "IZ + 0.3*YX"])
THETA, STEP = jnp.array([0.4, 1.1, -0.7]), jnp.array([1.0, -0.3, 0.2])
EXACT = [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()]
by_name = {"ids": lambda thing: type(thing).__name__}


def reference(objective):
    """The value as a program that JAX differentiates by itself."""
    backend = qg.Statevector(engine="jax")

    def f(theta):
        query = qg.Adjoint().value_query(qg.objective.Point(objective, objective.coordinates(theta), np.eye(1)))
        return objective.outputs(backend.answer(query, None).mean[0])

    return f


@pytest.mark.parametrize("objective", [SCALAR, VECTOR], ids=["scalar", "vector"])
@pytest.mark.parametrize("estimator", EXACT, **by_name)
def test_forward_mode(estimator, objective):
    f, g = qg.as_jax(objective, estimator), reference(objective)
    for ours, theirs in zip(jax.jvp(f, (THETA,), (STEP,)), jax.jvp(g, (THETA,), (STEP,)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(jax.jacfwd(f)(THETA), jax.jacfwd(g)(THETA), atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.linearize(f, THETA)[1])(STEP), jax.jvp(g, (THETA,), (STEP,))[1], atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "objective"),
    [(qg.Adjoint(), VECTOR), (qg.ParameterShift(), VECTOR), (qg.ReverseMode(), SCALAR)],
    ids=["Adjoint", "ParameterShift", "ReverseMode"],
)
def test_second_derivatives_of_exact_methods_on_any_engine(estimator, objective):
    expected = jax.hessian(reference(objective))(THETA)
    f = qg.as_jax(objective, estimator)
    np.testing.assert_allclose(jax.hessian(f)(THETA), expected, atol=1e-11)
    np.testing.assert_allclose(jax.jacrev(jax.jacrev(f))(THETA), expected, atol=1e-11)


@pytest.mark.slow
def test_hessians_compose():
    f, g = qg.as_jax(VECTOR, qg.Adjoint()), reference(VECTOR)

    def outer(f):
        return lambda s: jnp.sum(jnp.tanh(f(jnp.sin(s) * THETA)) * jnp.array([1.0, -2.0]))

    points = jnp.array([0.3, -1.0])
    hessians = (jax.jit(jax.vmap(jax.hessian(outer(h))))(points) for h in (f, g))
    np.testing.assert_allclose(*hessians, atol=1e-11)
    np.testing.assert_allclose(jax.grad(jax.checkpoint(outer(f)))(0.3), jax.grad(outer(g))(0.3), atol=1e-12)


@pytest.mark.parametrize("objective", [SCALAR, VECTOR], ids=["scalar", "vector"])
@pytest.mark.parametrize(
    "estimator", [qg.ParameterShift(shots=50), qg.GentleSweep(4000, pointer_variance=5.0)], **by_name
)
def test_forward_mode_of_sampled_methods_is_their_gradient_along_the_step(estimator, objective):
    f, key = qg.as_jax(objective, estimator), jax.random.key(3)
    rows = jnp.atleast_2d(jax.jacfwd(lambda t: f(t, key))(THETA))
    along = jnp.atleast_1d(jax.jvp(lambda t: f(t, key), (THETA,), (STEP,))[1])
    np.testing.assert_allclose(along, rows @ STEP, atol=1e-12)
    used = key if objective is SCALAR else jax.random.fold_in(key, 1)
    e = qg.estimate(objective, THETA, estimator, key=used)
    np.testing.assert_allclose(rows, jnp.atleast_2d(e.gradient), atol=1e-12)


@pytest.mark.parametrize(
    "estimator", [qg.ParameterShift(shots=50), qg.GentleSweep(4000, pointer_variance=5.0)], **by_name
)
def test_draws_have_no_second_derivative(estimator):
    f = qg.as_jax(SCALAR, estimator)
    with pytest.raises(qg.NotApplicable, match=r"samples, and draws have no derivative: .*ParameterShift"):
        jax.hessian(lambda t: f(t, jax.random.key(0)))(THETA)


def test_networks():
    net = nn.serial(nn.Dense(4), nn.SplitTanh(), nn.Dense(1), nn.Readout("real"))
    weights = net.init(jax.random.key(0), (2,))
    x, y = jnp.array([[1.0 + 1j, 0.5], [0.3, -1j]]), jnp.array([[1.0], [-1.0]])
    loss = qg.Loss(net.apply, lambda f, y: jnp.mean((f - y) ** 2), (x, y))
    f = qg.as_jax(loss, qg.Backprop())

    def g(w):
        return jnp.mean((net.apply(w, x) - y) ** 2)

    step = jax.tree.map(lambda w: w[::-1] + 0.5j, weights)
    np.testing.assert_allclose(jax.jvp(f, (weights,), (step,))[1], jax.jvp(g, (weights,), (step,))[1], atol=1e-12)
    ours = jax.jvp(jax.grad(f), (weights,), (step,))[1]
    theirs = jax.jvp(jax.grad(g), (weights,), (step,))[1]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), ours, theirs)
