"""Losses: what is accepted, what they cost, and how their gradients relate to JAX's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad import networks as nn
from tests.contracts.problems import linear, mean_square, perceptron, problem

BATCH = (np.eye(3), np.ones(3))


@pytest.mark.parametrize("name", ["linear", "perceptron"])
def test_gradients_are_jaxs(name):
    p = problem(name)
    e = qg.estimate(p.objective, p.params, qg.Backprop())
    theirs = jax.grad(
        lambda w: mean_square(
            (linear if name == "linear" else perceptron)(w, p.objective.batch[0]), p.objective.batch[1]
        )
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-13), e.gradient, theirs(p.params))


def test_gradients_have_the_dtype_of_each_leaf():
    weights = {"inner": jnp.ones((3, 2), jnp.float32), "outer": jnp.ones(2, jnp.float64)}

    def apply(w, x):
        return jnp.tanh(x @ w["inner"].astype(jnp.float64)) @ w["outer"]

    e = qg.estimate(qg.Loss(apply, mean_square, BATCH), weights, qg.Backprop())
    assert (e.gradient["inner"].dtype, e.gradient["outer"].dtype) == (np.float32, np.float64)


def test_a_backward_pass_costs_a_small_multiple_of_a_forward_pass():
    """The cheap-gradient principle that backpropagation scaling is named after: at most 5 times the FLOPs."""
    rng = np.random.default_rng(0)
    weights = {"inner": rng.normal(size=(64, 128)), "outer": rng.normal(size=128)}
    loss = qg.Loss(perceptron, mean_square, (rng.normal(size=(32, 64)), np.zeros(32)), weights)
    forward, backward = loss.forward_cost(weights).flops, loss.backward_cost(weights).flops
    assert forward >= 2 * 32 * 64 * 128
    assert 1 < backward / forward < 5


def test_memory_holds_at_least_weights_and_gradient():
    p = problem("perceptron")
    held = sum(leaf.nbytes for leaf in jax.tree.leaves(p.params))
    assert qg.estimate(p.objective, p.params, qg.Backprop()).cost.peak_bytes >= 2 * held


def test_predicting_needs_weights_or_says_so():
    loss = qg.Loss(linear, mean_square, BATCH)
    with pytest.raises(ValueError, match="weights_like=weights"):
        qg.predict_cost(loss, qg.Backprop())


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.array([0.1, np.nan, 0.2]), ValueError, "weights holds nan"),
        (np.array([1j, np.inf, 0]), ValueError, "weights holds inf"),
        ({}, ValueError, "weights hold zero parameters"),
        (np.zeros(0), ValueError, "weights hold zero parameters"),
        (np.array([True, False, True]), TypeError, "weights hold dtype bool"),
        (np.array([1, 2, 3]), TypeError, "weights hold dtype int64"),
    ],
)
def test_weights_that_are_no_weights_are_named(weights, error, message):
    with pytest.raises(error, match=message):
        qg.estimate(qg.Loss(linear, mean_square, BATCH), weights, qg.Backprop())


@pytest.mark.parametrize(
    "loss_fn", [lambda out, y: out - y, lambda out, y: jnp.sum(out) * (1 + 0j)], ids=["vector", "complex"]
)
def test_a_loss_that_is_no_real_number_is_refused(loss_fn):
    with pytest.raises(TypeError, match="it must return one real number"):
        qg.estimate(qg.Loss(linear, loss_fn, BATCH), jnp.ones(3), qg.Backprop())


def test_real_and_complex_weights_go_together():
    """L = |(a + w) x - y|^2 / N with a real, w complex: real and complex gradients, both ready to be subtracted."""
    x, y = np.array([1.0 + 1j, -0.5j]), np.array([0.3 - 1j, 2.0])
    weights = {"real": np.array(0.4), "complex": np.array(0.1 - 0.7j)}

    def apply(w, x):
        return (w["real"] + w["complex"]) * x

    loss = qg.Loss(apply, lambda out, y: jnp.mean(jnp.abs(out - y) ** 2), (x, y), weights)
    e = qg.estimate(loss, weights, qg.Backprop())
    expected = 2 * np.vdot(x, (0.5 - 0.7j) * x - y) / 2
    np.testing.assert_allclose(e.gradient["complex"], expected, atol=1e-13)
    np.testing.assert_allclose(e.gradient["real"], expected.real, atol=1e-13)
    for tree in (e.gradient, e.variance, e.bias_bound):
        assert tree["real"].dtype == np.float64
    assert (e.gradient["complex"].dtype, e.variance["complex"].dtype) == (np.complex128, np.float64)
    assert e.cost == qg.predict_cost(loss, qg.Backprop())


def test_python_numbers_are_weights_too():
    loss = qg.Loss(lambda w, x: w * x, lambda out, y: jnp.sum(jnp.abs(out - y) ** 2), (np.ones(1), np.zeros(1)))
    assert complex(qg.estimate(loss, 1 + 2j, qg.Backprop()).gradient) == 2 + 4j


@pytest.mark.parametrize("batch", [None, np.ones(3), (1, 2, 3)])
def test_a_batch_is_a_pair(batch):
    with pytest.raises(TypeError, match="batch: give a pair"):
        qg.Loss(linear, mean_square, batch)


def test_an_estimate_compiles_a_network_once(caplog):
    """What was compiled to know the cost is what runs."""
    net = nn.serial(nn.Dense(7), nn.Cardioid(), nn.Dense(2))
    weights = net.init(jax.random.key(0), (3,))
    loss = qg.Loss(net.apply, lambda f, y: jnp.mean(jnp.abs(f - y) ** 2), (jnp.ones((5, 3)), jnp.ones((5, 2))), weights)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        for _ in range(2):
            qg.estimate(loss, weights, qg.Backprop())
    compiled = [record.message for record in caplog.records if "Compiling jit(backward)" in record.message]
    assert len(compiled) == 1
