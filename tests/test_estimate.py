"""The driver: keys, budgets, results, and what an estimate is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import qcgrad as qg
from tests.recorder import Recorder

OBJECTIVE = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rz(1, param=1).ry(0, param=1), {"ZZ": 1.0, "XI": 0.5})
PARAMS = np.array([0.4, 0.9])
SHOTS = qg.ParameterShift(shots=20)


def test_a_result_equals_its_code_and_explains_itself():
    e = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    assert e.result == "ok"
    assert e.result.message == "all queries were answered"


def test_an_estimate_is_a_pytree_whose_cost_stays():
    e = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    doubled = jax.tree.map(lambda leaf: 2 * leaf, e)
    np.testing.assert_allclose(doubled.gradient, 2 * e.gradient)
    assert doubled.cost == e.cost


@pytest.mark.parametrize(
    "key", [7, np.int64(7), jax.random.key(7), jax.random.PRNGKey(7)], ids=["int", "np", "key", "raw"]
)
def test_all_forms_of_one_seed_draw_the_same(key):
    e = qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=key)
    np.testing.assert_array_equal(e.gradient, qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=jax.random.key(7)).gradient)


def test_an_exact_method_ignores_the_key():
    with_key = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), key=3)
    assert np.array_equal(with_key.gradient, qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift()).gradient)


def test_nothing_is_asked_when_the_first_round_is_too_dear():
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(OBJECTIVE, PARAMS, SHOTS, recorder, key=0, budget=qg.Budget(shots=5), throw=False)
    assert recorder.queries == []
    assert e.cost == qg.Cost()
    assert np.all(np.isnan(e.gradient))
    assert np.isnan(e.value)
    assert "shots" in e.result.message
    assert "> 5" in e.result.message


def test_an_adaptive_method_keeps_what_it_knew_when_the_budget_ends():
    """Magnitudes are measured, the votes are too dear: gradients that need a sign are NaN, the cost is counted."""
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI", ["YI", "IZ"])
    e = qg.estimate(pool, [0.9], qg.BellShadow(5000), key=0, budget=qg.Budget(qubits=4), throw=False)
    assert e.result == "budget_exhausted"
    assert (e.cost.qubits, e.cost.circuit_runs) == (4, 1)
    assert np.isnan(e.gradient[0])
    assert e.gradient[1] == 0.0  # IZ commutes with ZI, no measurement is needed to know that


def test_predicting_asks_nothing():
    recorder = Recorder(qg.Statevector())
    assert qg.predict_cost(OBJECTIVE, SHOTS, recorder) == qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=0).cost
    assert recorder.queries == []


def test_predictions_hold_for_float32_parameters_too():
    """States of complex64 take half of the bytes, which the prediction has to know or be told."""
    e = qg.estimate(OBJECTIVE, PARAMS.astype(np.float32), qg.Adjoint())
    assert e.cost == qg.predict_cost(OBJECTIVE, qg.Adjoint(), dtype=np.float32)


def test_vector_objectives_have_one_row_for_each_observable():
    vector = qg.Expectation(OBJECTIVE.circuit, ["ZZ", "XI", "IY"])
    rows = [qg.estimate(qg.Expectation(OBJECTIVE.circuit, o), PARAMS, qg.Adjoint()) for o in ("ZZ", "XI", "IY")]
    for estimator in (qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()):
        e = qg.estimate(vector, PARAMS, estimator)
        assert e.variance.shape == e.bias_bound.shape == (3, 2)
        np.testing.assert_allclose(e.value, [row.value for row in rows], atol=1e-12)
        np.testing.assert_allclose(e.gradient, [row.gradient for row in rows], atol=1e-12)


def test_a_sequence_of_one_observable_keeps_its_axis():
    e = qg.estimate(qg.Expectation(OBJECTIVE.circuit, ["ZZ"]), PARAMS, SHOTS, key=0)
    assert (e.value.shape, e.gradient.shape, e.value_variance.shape) == ((1,), (1, 2), (1,))


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift(), SHOTS])
def test_parameter_maps_keep_pytrees_and_accept_flat_vectors(estimator):
    example = {"w": np.array([[0.1, 0.2]]), "b": 0.3}

    def angles(t):
        return jnp.stack([jnp.sin(t["w"][0, 0]) * t["b"], t["w"][0, 1] ** 2])

    objective = qg.Expectation(OBJECTIVE.circuit, OBJECTIVE.program.observables[0], angles, example=example)
    params = {"w": np.array([[0.7, 0.5]]), "b": 1.1}
    tree = qg.estimate(objective, params, estimator, key=0)
    flat = qg.estimate(objective, [1.1, 0.7, 0.5], estimator, key=0)  # raveled in order: b, then w
    assert jax.tree.structure(tree.gradient) == jax.tree.structure(params)
    assert tree.variance["w"].shape == (1, 2)
    assert flat.gradient.shape == (3,)
    np.testing.assert_allclose(flat.gradient, ravel_pytree(tree.gradient)[0], atol=1e-12)
    np.testing.assert_allclose(flat.variance, ravel_pytree(tree.variance)[0], atol=1e-12)


def test_variances_of_a_mapped_parameter_follow_the_chain_rule():
    """An angle 3t has nine times the variance of the angle itself; a map and an affine scale agree."""
    plain = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [1.2], SHOTS, key=0)
    scaled = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=3.0), "Z"), [0.4], SHOTS, key=0)
    mapped = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z", lambda t: 3 * t, example=np.zeros(1))
    mapped = qg.estimate(mapped, [0.4], SHOTS, key=0)
    for e in (scaled, mapped):
        np.testing.assert_allclose(e.gradient, 3 * plain.gradient, atol=1e-12)
        np.testing.assert_allclose(e.variance, 9 * plain.variance, atol=1e-12)


def test_pools_append_gates_whose_cost_is_counted():
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["X", "Y"])
    e = qg.estimate(pool, [0.3], qg.ParameterShift(shots=10), key=0)
    assert e.cost == qg.predict_cost(pool, qg.ParameterShift(shots=10))
    assert (e.cost.shots, e.cost.gates) == (50, 150)
