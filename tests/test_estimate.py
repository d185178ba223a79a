"""The driver: keys, budgets, results, and what an estimate is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import qcgrad as qg
from qcgrad.keys import as_key, draw_key
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


def test_seeds_of_any_size_and_sign_are_seeds_of_their_own():
    """JAX alone keeps 32 bits of a seed, or 64 in its 64-bit mode."""
    seeds = [
        0,
        1,
        -1,
        -(2**32),
        2**31,
        2**32 - 1,
        2**32,
        2**40,
        -(2**40),
        2**63,
        2**64 - 1,
        2**64,
        -(2**63) - 1,
        10**5000,
    ]
    with jax.enable_x64(False):
        found = {tuple(jax.random.key_data(as_key(seed)).tolist()) for seed in seeds}
    assert len(found) == len(seeds)
    assert found == {tuple(jax.random.key_data(as_key(seed)).tolist()) for seed in seeds}
    assert as_key(2**32 - 1) == jax.random.key(2**32 - 1)


def test_keys_are_those_of_jax_with_any_generator():
    for generator in ("threefry2x32", "rbg"):
        with jax.default_prng_impl(generator):
            assert as_key(3) == jax.random.key(3)
            remaining, used = draw_key(as_key(3), is_random=True)
            assert (remaining, used) == tuple(jax.random.split(jax.random.key(3)))


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


MAPPED = qg.Expectation(
    qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1),
    "ZZ + 0.5*ZI",
    lambda t: jnp.stack([jnp.sqrt(t["a"]), jnp.log(t["b"])]),
    example={"a": 1.0, "b": 1.0},
)


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ParameterShift(), SHOTS, qg.GentleSweep(1000, 1.0)])
def test_a_singular_point_of_the_classical_map_is_named(estimator):
    """The slope of the square root at 0 is infinite, whatever the circuit does there."""
    found = qg.estimate(MAPPED, {"a": 0.0, "b": 2.0}, estimator, key=0)
    assert found.result == "not_finite"
    assert "derivative by params['a'] is" in found.result.message
    assert "chain rule through the map from params to gate angles" in found.result.message
    assert "shots" not in found.result.message
    assert np.isfinite(found.gradient["b"])
    assert np.isfinite(found.value)


def test_a_map_that_is_not_finite_itself_is_named_and_nothing_is_asked():
    recorder = Recorder(qg.Statevector())
    found = qg.estimate(MAPPED, {"a": 1.0, "b": -1.0}, qg.Adjoint(), recorder)
    assert found.result == "not_finite"
    assert found.result.message.startswith("gate angle [1] is nan: the map from params")
    assert (recorder.queries, found.cost) == ([], qg.Cost())


class Broken(Recorder):
    """A backend whose second mean is infinite."""

    def answer(self, query, key):
        answer = super().answer(query, key)
        means = np.array(answer.mean)
        means[1] = np.inf
        return answer._replace(mean=means)


def test_an_infinite_answer_is_named():
    found = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), Broken(qg.Statevector()))
    assert found.result == "not_finite"
    assert "the derivative by gate angle [0] is inf, as it follows from the backend's answers" in found.result.message


def test_the_nan_of_a_network_is_named():
    loss = qg.Loss(lambda w, x: x @ w["inner"], lambda out, y: jnp.sum(jnp.sqrt(out - y)), (jnp.eye(2), jnp.zeros(2)))
    found = qg.estimate(loss, {"inner": jnp.array([1.0, 0.0])}, qg.Backprop())
    assert found.result == "not_finite"
    assert "derivative by weight ['inner'][0] is nan" in found.result.message


def test_a_variance_that_overflows_is_named():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=1e200), "Z")
    found = qg.estimate(objective, [0.3e-200], SHOTS, key=0)
    assert found.result == "not_finite"
    assert "variance of the derivative by params[0] is inf" in found.result.message


def test_a_single_shot_is_ok_and_its_variance_unknown():
    found = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=1), key=0)
    assert found.result == "ok"
    assert "a variance is NaN, not known: that takes two shots or more" in found.result.message


@pytest.mark.parametrize("method", [qg.ParameterShift(), SHOTS, qg.ParameterShift(shots=[20] * 9)])
def test_a_method_of_one_round_spends_what_the_budget_allows(method):
    """Value and two shifts for each of four angles; the first angles are known, as without a budget."""
    circuit = qg.Circuit(2)
    for param in range(4):
        circuit = circuit.ry(param % 2, param=param)
    objective, params = qg.Expectation(circuit, "ZI + IZ"), np.array([0.4, 0.9, 0.2, -0.3])
    whole = qg.estimate(objective, params, method, key=0)
    recorder = Recorder(qg.Statevector())
    with pytest.raises(qg.BudgetExhausted, match=r"circuit_runs 9 > 6; 6 of its 9 parts were asked") as caught:
        qg.estimate(objective, params, method, recorder, key=0, budget=qg.Budget(circuit_runs=6))
    found = caught.value.estimate
    assert found.cost.circuit_runs == 6
    assert found.cost == recorder.queries[0].cost()
    np.testing.assert_array_equal(np.isnan(found.gradient), [False, False, True, True])
    np.testing.assert_array_equal(np.isnan(found.variance), [False, False, True, True])
    # Six standard errors: a false alarm is less likely than 1e-8.
    allowed = 1e-12 + 6 * np.sqrt(whole.variance + found.variance)
    assert np.all(np.abs(found.gradient - whole.gradient)[:2] <= allowed[:2])
    assert np.isfinite(found.value)


def test_a_budget_below_one_evaluation_asks_nothing():
    found = qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=0, budget=qg.Budget(shots=19), throw=False)
    assert found.cost == qg.Cost()
    assert np.all(np.isnan(found.gradient))


def test_a_budget_works_under_jit_too():
    def gradient(params):
        return qg.estimate(OBJECTIVE, params, qg.ParameterShift(), budget=qg.Budget(circuit_runs=3), throw=False)

    found = jax.jit(gradient)(PARAMS)
    assert found.result == "budget_exhausted"
    whole = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    np.testing.assert_allclose(found.gradient[0], whole.gradient[0], atol=1e-12)
    assert np.isnan(found.gradient[1])


def test_an_estimate_prints_numbers_with_their_errors():
    found = qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=0)
    text = str(found)
    assert text == repr(found)
    error = np.sqrt(found.variance[0])
    (row,) = [line.split() for line in text.splitlines() if "d value/d params[0]" in line]
    # Two digits of the error, and as many decimals of the number.
    assert row[3:] == [f"{found.gradient[0]:.{1 - int(np.floor(np.log10(error)))}f}", f"{error:.2g}"]
    for part in (f"{error:.2g}", "standard error", "shots 280", "ok: all queries were answered", "fidelity  exact"):
        assert part in text
    assert "bias bound" not in text
    biased = qg.estimate(OBJECTIVE, PARAMS, qg.GentleSweep(1000, 1.0), key=0)
    assert "bias bound" in str(biased)
    many = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=99), "Z"), np.zeros(100), qg.Adjoint())
    assert "... 89 more" in str(many)
    vector = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), ["Z", "X"]), [0.1], qg.Adjoint())
    assert "d value[1]/d params[0]" in str(vector)
    assert "gradient=ShapeDtypeStruct" in str(jax.eval_shape(lambda: found))


def test_notebooks_show_a_table():
    found = qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=0)
    html = found._repr_html_()
    for cell in ("<th>standard error</th>", "d value/d params[0]", "<b>cost</b>", "shots 280"):
        assert cell in html
    odd = qg.estimate(MAPPED, {"a": 0.5, "b": 2.0}, SHOTS, key=0)
    assert "params[&#x27;a&#x27;]" in odd._repr_html_()
    assert jax.eval_shape(lambda: found)._repr_html_() is None


def test_standard_errors_are_square_roots_of_variances():
    found = qg.estimate(OBJECTIVE, PARAMS, SHOTS, key=0)
    np.testing.assert_allclose(found.standard_error, np.sqrt(found.variance))
    np.testing.assert_allclose(found.value_standard_error, np.sqrt(found.value_variance))
    mapped = qg.estimate(MAPPED, {"a": 0.5, "b": 2.0}, SHOTS, key=0)
    np.testing.assert_allclose(mapped.standard_error["b"], np.sqrt(mapped.variance["b"]))


@pytest.mark.parametrize("estimator", [qg.Adjoint(), SHOTS, qg.GentleSweep(1000, 1.0), qg.OnlineTomography(0.5, 0.1)])
def test_no_bound_or_variance_is_a_negative_zero(estimator):
    found = qg.estimate(OBJECTIVE, -PARAMS, estimator, key=0)
    for part in (found.variance, found.value_variance, found.bias_bound, found.value_bias_bound):
        assert not np.any(np.signbit(part))


def test_batches_of_vectors_behind_a_parameter_map():
    circuit = qg.Circuit(1).rx(0, param=0).ry(0, param=1)
    objective = qg.Expectation(circuit, ["Z", "X"], jnp.sin, example=np.zeros(2))
    points = jnp.array([[0.3, 0.4], [0.1, -0.2]])
    found = jax.jit(jax.vmap(lambda p: qg.estimate(objective, p, qg.ParameterShift()).gradient))(points)
    expected = [qg.estimate(objective, p, qg.Adjoint()).gradient for p in points]
    np.testing.assert_allclose(found, expected, atol=1e-10)
