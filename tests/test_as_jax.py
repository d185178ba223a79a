"""Objectives as JAX functions whose gradient is an estimator."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import AdjointSweep, Evaluate
from tests.contracts.problems import problem
from tests.recorder import Recorder
from tests.systems import SYSTEMS
from theory.statistics import key, normal

CIRCUIT = qg.Circuit(3).ry(0, param=0).crx(0, 1, param=1).rzz(1, 2, param=2, scale=2.0).ry(2, param=0).cx(2, 0)
SCALAR = qg.Expectation(CIRCUIT, {"ZIX": 1.0, "IZZ": 0.5})
VECTOR = qg.Expectation(CIRCUIT, ["ZII", "IZI", "XIX", "IYZ"])
THETA = jnp.array([0.4, 1.1, -0.7])
EXACT = [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()]
by_name = {"ids": lambda estimator: type(estimator).__name__}


@pytest.mark.statistical
def test_the_contracts_line():
    """jit(grad(as_jax(objective, ParameterShift(shots=20000)))) within 0.1 of Adjoint."""
    shift = qg.ParameterShift(shots=20_000)
    gradient = jax.jit(jax.grad(qg.as_jax(SCALAR, shift)))(THETA, key(0))
    truth = qg.estimate(SCALAR, THETA, qg.Adjoint()).gradient
    spread = np.sqrt(qg.estimate(SCALAR, THETA, shift, key=key(0)).variance)
    assert np.all(spread > 0)
    assert np.all(np.abs(gradient - truth) < normal(3) * spread)
    assert np.all(gradient != truth)


@pytest.mark.parametrize("estimator", EXACT, **by_name)
def test_value_and_grad_are_the_estimates(estimator):
    value, gradient = jax.jit(jax.value_and_grad(qg.as_jax(SCALAR, estimator)))(THETA)
    e = qg.estimate(SCALAR, THETA, estimator)
    np.testing.assert_allclose(value, e.value, atol=1e-12)
    np.testing.assert_allclose(gradient, e.gradient, atol=1e-12)


@pytest.mark.parametrize("estimator", EXACT, **by_name)
def test_jacrev_of_a_vector_is_the_estimates_gradient(estimator):
    jacobian = jax.jacrev(qg.as_jax(VECTOR, estimator))(THETA)
    np.testing.assert_allclose(jacobian, qg.estimate(VECTOR, THETA, estimator).gradient, atol=1e-12)


@pytest.mark.parametrize("make", SYSTEMS, ids=lambda make: make.__name__)
def test_closed_forms_compose_with_outer_functions(make):
    """The gradient of sum(tanh(f)) is the chain rule with the formula."""
    system = make()
    params = jax.tree.map(jnp.asarray, system.params)
    f = qg.as_jax(system.objective, qg.Adjoint())
    ours = jax.grad(lambda t: jnp.sum(jnp.tanh(f(t))))(params)
    theirs = jax.grad(lambda t: jnp.sum(jnp.tanh(system.formula(t))))(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), ours, theirs)


def test_inner_functions_are_differentiated_too():
    f = qg.as_jax(SCALAR, qg.Adjoint())
    gradient = jax.grad(lambda s: f(jnp.sin(s) * THETA))(0.3)
    direction = qg.estimate(SCALAR, jnp.sin(0.3) * THETA, qg.Adjoint()).gradient
    np.testing.assert_allclose(gradient, jnp.cos(0.3) * direction @ THETA, atol=1e-12)


def test_a_vjp_takes_one_sweep_with_one_cotangent_not_one_for_each_output():
    recorder = Recorder(qg.Statevector())
    value, pull_back = jax.vjp(qg.as_jax(VECTOR, qg.Adjoint(), recorder), THETA)
    assert [type(query) for query in recorder.queries] == [Evaluate]
    weights = jnp.array([1.0, -2.0, 0.5, 3.0])
    (gradient,) = pull_back(weights)
    assert [type(query) for query in recorder.queries] == [Evaluate, AdjointSweep]
    assert recorder.queries[1].cotangents.shape == (1, 4)
    rows = qg.estimate(VECTOR, THETA, qg.Adjoint()).gradient
    np.testing.assert_allclose(gradient, weights @ rows, atol=1e-12)
    assert value.shape == (4,)


def test_a_scalar_gradient_takes_one_sweep_and_no_extra_evaluation():
    recorder = Recorder(qg.Statevector())
    jax.value_and_grad(qg.as_jax(SCALAR, qg.Adjoint(), recorder))(THETA)
    assert [type(query) for query in recorder.queries] == [AdjointSweep]


def test_the_value_alone_takes_one_evaluation():
    recorder = Recorder(qg.Statevector())
    value = qg.as_jax(SCALAR, qg.ParameterShift(shots=30), recorder)(THETA, jax.random.key(0))
    (query,) = recorder.queries
    assert (query.angles.shape, query.shots) == ((1, CIRCUIT.num_angles), 30)
    assert value.shape == ()


def test_vmap_over_parameters_and_keys():
    estimator = qg.ParameterShift(shots=40)
    f = qg.as_jax(SCALAR, estimator)
    thetas = THETA[None] + jnp.arange(3.0)[:, None] / 10
    keys = jax.random.split(jax.random.key(1), 3)
    batched = jax.vmap(jax.grad(f))(thetas, keys)
    single = jnp.stack([jax.grad(f)(t, k) for t, k in zip(thetas, keys, strict=True)])
    np.testing.assert_allclose(batched, single, atol=1e-12)
    same_theta = jax.vmap(jax.grad(f), (None, 0))(THETA, keys)
    assert len({row.tobytes() for row in np.asarray(same_theta)}) == 3


@pytest.mark.statistical
def test_value_and_gradient_of_a_sampled_vector_come_from_different_samples():
    shift = qg.ParameterShift(shots=2000)
    f = qg.as_jax(VECTOR, shift)
    value, pull_back = jax.vjp(lambda t: f(t, key(0)), THETA)
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(VECTOR, THETA, shift, recorder, key=key(0))
    gradient = jnp.stack([pull_back(row)[0] for row in jnp.eye(4)])
    assert value.shape == (4,)
    # Same method and key but an independent stream: neither equal, nor further apart than two samples, about 0.2.
    assert np.any(gradient != e.gradient)
    assert np.all(np.abs(gradient - e.gradient) <= normal(12) * np.sqrt(2 * e.variance) + 1e-9)


def test_a_sampled_value_is_the_same_whether_or_not_it_is_differentiated():
    for objective in (SCALAR, VECTOR):
        f = qg.as_jax(objective, qg.ParameterShift(shots=40))
        value, _ = jax.vjp(partial(f, key=jax.random.key(2)), THETA)
        np.testing.assert_array_equal(value, f(THETA, jax.random.key(2)))


def test_a_missing_key_is_named():
    with pytest.raises(ValueError, match="key is missing"):
        jax.grad(qg.as_jax(SCALAR, qg.ParameterShift(shots=10)))(THETA)


def test_an_optimizer_descends_under_jit():
    """200 steps of gradient descent on an Ising pair reach its ground energy -sqrt(5) within 1e-3."""
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).ry(0, param=2).ry(1, param=3)
    energy = qg.as_jax(qg.Expectation(circuit, {"ZZ": -1.0, "XI": -1.0, "IX": -1.0}), qg.Adjoint())

    @jax.jit
    def descend(theta):
        return jax.lax.fori_loop(0, 200, lambda _, t: t - 0.2 * jax.grad(energy)(t), theta)

    np.testing.assert_allclose(energy(descend(jnp.array([0.4, 0.3, 0.2, 0.1]))), -np.sqrt(5), atol=1e-3)


def test_losses_are_jax_functions_too():
    p = problem("perceptron")
    f = qg.as_jax(p.objective, qg.Backprop())
    value, gradient = jax.jit(jax.value_and_grad(f))(p.params)
    np.testing.assert_allclose(value, p.value, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), gradient, p.gradient)
    scaled = jax.grad(lambda w: f(w) ** 2)(p.params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, 2 * p.value * b, atol=1e-12), scaled, p.gradient)


def test_integer_parameters_give_the_gradient_at_the_converted_point():
    value = qg.as_jax(SCALAR, qg.Adjoint())(jnp.array([1, 0, 2]))
    np.testing.assert_allclose(value, qg.estimate(SCALAR, [1.0, 0.0, 2.0], qg.Adjoint()).value, atol=1e-12)


@pytest.mark.parametrize("estimator", [qg.Adjoint, "adjoint", None])
def test_what_is_no_estimator_is_refused_when_the_function_is_made(estimator):
    with pytest.raises(TypeError, match=r"estimator is .*give an estimator object"):
        qg.as_jax(SCALAR, estimator)


def test_what_is_no_objective_is_refused_when_the_function_is_made():
    with pytest.raises(TypeError, match=r"objective is .*give an objective"):
        qg.as_jax(CIRCUIT, qg.Adjoint())


ADAPTIVE = {
    "GentleSweep": qg.GentleSweep(4000),
    "ReadOnceTomography": qg.ReadOnceTomography(4000),
    "OnlineTomography": qg.OnlineTomography(0.5, 0.1),
    "DirectPauli": qg.DirectPauli(3000),
    "BellShadow": qg.BellShadow(3000),
}
CLIFFORD = qg.Expectation(qg.Circuit(2).h(0).cx(0, 1).rz(0, param=0).rx(1, param=1), "XY")


@pytest.mark.parametrize("name", ADAPTIVE)
def test_adaptive_methods_run_on_the_host_from_any_program(name):
    """The same numbers as `estimate` with the same keys, under jit, vmap and scan; each run is charged."""
    estimator, theta = ADAPTIVE[name], jnp.zeros(2)
    f, keys = qg.as_jax(CLIFFORD, estimator), jax.random.split(jax.random.key(3), 3)
    single = [qg.estimate(CLIFFORD, theta, estimator, key=k) for k in keys]
    rows = np.stack([e.gradient for e in single])
    value, gradient = jax.jit(jax.value_and_grad(f))(theta, keys[0])
    np.testing.assert_allclose(value, single[0].value, atol=1e-12)
    np.testing.assert_allclose(gradient, rows[0], atol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.grad(f), (None, 0))(theta, keys), rows, atol=1e-12)
    with qg.Tracker() as spent:
        _, steps = jax.jit(lambda keys: jax.lax.scan(lambda c, k: (c, jax.grad(f)(theta, k)), 0, keys))(keys)
    np.testing.assert_allclose(steps, rows, atol=1e-12)
    assert spent.total == sum(e.cost for e in single)


def test_adaptive_methods_train():
    """Ten steps of a method that chooses its questions reach a ground energy, -sqrt(2), inside one compiled loop."""
    circuit = qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).ry(0, param=2)
    objective = qg.Expectation(circuit, {"ZZ": -1.0, "XI": -1.0})
    f, start = qg.as_jax(objective, qg.GentleSweep(400_000, pointer_variance=4.0)), jnp.array([0.4, 0.3, 0.2])

    def step(theta, key):
        return theta - 0.2 * jax.grad(f)(theta, key), None

    theta, _ = jax.jit(lambda keys: jax.lax.scan(step, start, keys))(jax.random.split(jax.random.key(0), 10))
    before, after = (float(qg.estimate(objective, t, qg.Adjoint()).value) for t in (start, theta))
    assert before > -1.3
    assert after < -1.38


def test_the_function_checks_access_as_estimate_does():
    class Device(qg.AbstractBackend):
        access = qg.queries.Access.single_copy

        def answer(self, query, key):
            return qg.Statevector().answer(query, key)

    f = qg.as_jax(SCALAR, qg.Adjoint(), Device())
    with pytest.raises(qg.AccessError, match="Device allows single_copy only"):
        jax.grad(f)(THETA)
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum((out - y) ** 2), (jnp.eye(2), jnp.ones(2)))
    with pytest.raises(qg.AccessError, match="Backward needs white_box access"):
        qg.as_jax(loss, qg.Backprop(), Device())(jnp.zeros(2))
