"""Ledgers: what is spent in a block, whatever runs it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg

CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
SCALAR = qg.Expectation(CIRCUIT, {"ZZ": 1.0, "IX": 0.5})
VECTOR = qg.Expectation(CIRCUIT, ["ZZ", "IX", "YI"])
SHIFT = qg.ParameterShift(shots=10)
THETA = jnp.array([0.4, 1.1])
KEY = jax.random.key(0)
# One estimate with value and gradient, and the value alone.
WHOLE = qg.predict_cost(SCALAR, SHIFT)
VALUE = SHIFT.value_query(qg.estimator.Point(SCALAR, SCALAR.coordinates(THETA), np.ones((1, 1)))).cost()
f = qg.as_jax(SCALAR, SHIFT)


def descend(theta, key):
    return theta - jax.grad(f)(theta, key), None


def estimated(key):
    return qg.estimate(SCALAR, THETA, SHIFT, key=key)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: qg.estimate(SCALAR, THETA, SHIFT, key=KEY), WHOLE),
        (lambda: f(THETA, KEY), VALUE),
        (lambda: jax.jit(f)(THETA, KEY), VALUE),
        (lambda: jax.grad(f)(THETA, KEY), WHOLE),
        (lambda: jax.vmap(f, (None, 0))(THETA, jax.random.split(KEY, 4)), VALUE * 4),
        (lambda: jax.vmap(jax.grad(f), (None, 0))(THETA, jax.random.split(KEY, 4)), WHOLE * 4),
        (lambda: jax.jit(jax.vmap(jax.grad(f), (0, None)))(jnp.stack([THETA] * 3), KEY), WHOLE * 3),
        (lambda: jax.lax.scan(descend, THETA, jax.random.split(KEY, 5)), WHOLE * 5),
        (lambda: jax.jit(jax.vmap(estimated))(jax.random.split(KEY, 2)), WHOLE * 2),
    ],
    ids=["estimate", "value", "jit", "grad", "vmap", "vmap of grad", "jit of vmap", "scan", "vmap of estimate"],
)  # fmt: skip
def test_everything_is_charged_when_it_runs(call, expected):
    for _ in range(2):  # compiled, and from the cache
        with qg.Tracker() as spent:
            call()
        assert spent.total == expected
        assert spent.by_estimator == {"ParameterShift": expected}
        assert spent.history[-1].total == expected


def test_programs_know_of_ledgers_only_where_one_is_open():
    g = jax.jit(jax.grad(f))
    g(THETA, KEY)
    with qg.Tracker() as first:
        inside = g(THETA, KEY)
    outside = g(THETA, KEY)
    with qg.Tracker() as second:
        g(THETA, KEY)
    assert first.total == second.total == WHOLE
    np.testing.assert_array_equal(inside, outside)
    assert "callback" not in str(jax.make_jaxpr(f)(THETA, KEY))


def test_ledgers_nest_and_compare_methods():
    with qg.Tracker() as outer:
        qg.estimate(SCALAR, THETA, SHIFT, key=KEY)
        with qg.Tracker() as inner:
            qg.estimate(SCALAR, THETA, qg.Adjoint())
    assert list(inner.by_estimator) == ["Adjoint"]
    assert outer.total == WHOLE + inner.total
    assert outer.by_estimator == {"ParameterShift": WHOLE, "Adjoint": inner.total}
    assert "2 runs" in repr(outer)
    assert f"ParameterShift: {WHOLE.copies} copies" in repr(outer)


def test_the_history_is_loss_against_copies():
    with qg.Tracker() as spent:
        theta = THETA
        for step in range(3):
            value, gradient = jax.value_and_grad(f)(theta, jax.random.key(step))
            assert spent.history[-1].value == pytest.approx(float(value))
            theta = theta - 0.1 * gradient
    assert [charge.total.copies for charge in spent.history] == [n * WHOLE.copies for n in (1, 2, 3)]


def test_vectors_are_charged_for_their_value_and_for_each_sweep():
    g = qg.as_jax(VECTOR, qg.Adjoint())
    with qg.Tracker() as spent:
        jax.jacrev(g)(THETA)
    assert spent.total.circuit_runs == 4  # the value, and one sweep for each of three outputs


def test_failures_leave_the_ledger_closed():
    with pytest.raises(ValueError, match="key is missing"), qg.Tracker() as spent:
        qg.estimate(SCALAR, THETA, SHIFT)
    qg.estimate(SCALAR, THETA, SHIFT, key=KEY)
    assert spent.total == qg.Cost()


def test_networks_are_charged():
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum((out - y) ** 2), (jnp.eye(2), jnp.ones(2)), jnp.zeros(2))
    with qg.Tracker() as spent:
        jax.jit(jax.grad(qg.as_jax(loss, qg.Backprop())))(jnp.zeros(2))
    assert spent.total == qg.predict_cost(loss, qg.Backprop())
