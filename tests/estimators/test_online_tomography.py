"""OnlineTomography: the guarantee, the bound on triggers, costs, and where it does not apply."""

from dataclasses import fields

import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimators.multi_copy._online_tomography import OnlineTomography
from qcgrad.estimators.multi_copy.online_plan import sweep_plan
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.queries import MeasureComponent, ThresholdSweep
from tests.recorder import Recorder
from theory.statistics import FALSE_ALARM, normal, shifted


def deep(num_qubits=2, gates=240, seed=5):
    """A circuit with many more parameters than the bound allows triggers, and its parameters."""
    rng = np.random.default_rng(seed)
    circuit = qg.Circuit(num_qubits)
    for param in range(gates):
        circuit = circuit.pauli_rot("".join(rng.choice(list("XYZ"), num_qubits)), param=param)
    return qg.Expectation(circuit, "Z" * num_qubits), rng.uniform(-3, 3, gates)


POINT = np.array([0.5, 1.1, -0.4])
CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1).rzz(0, 1, 0.7).ry(0, param=2)
ONE = qg.Expectation(CIRCUIT, "ZZ")
SUM = qg.Expectation(CIRCUIT, {"ZZ": 0.6, "XI": -0.3, "II": 2.0, "IY": 0.1})
TWO = qg.Expectation(CIRCUIT, [{"ZZ": 0.6, "XI": -0.3}, {"XI": 0.5, "II": 1.0}])
SHARED = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).ry(1, param=0, scale=2.0).rx(0, param=1), "ZZ + 0.5*XI")


def estimate(objective, params, method, seed=0, **settings):
    recorder = Recorder(qg.Statevector())
    found = qg.estimate(objective, np.asarray(params), method, recorder, key=shifted(seed), **settings)
    return found, recorder.queries


def exact(objective, params):
    return qg.estimate(objective, np.asarray(params), qg.Adjoint())


def triggers(queries):
    return sum(isinstance(query, MeasureComponent) for query in queries)


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(3))
def test_all_components_are_within_epsilon_on_a_library_circuit(seed):
    entry = qg.load_circuit("efficient_su2_n4_r1")
    e, queries = estimate(entry.objective, entry.params, OnlineTomography(0.9, FALSE_ALARM), seed)
    assert np.max(np.abs(e.gradient - entry.gradient)) <= 0.9
    assert abs(e.value - entry.value) <= 0.9
    assert e.result == "ok"
    assert f"{triggers(queries)} triggers of at most" in e.result.message


@pytest.mark.statistical
@pytest.mark.parametrize("hypothesis", ["dense", "mpo"])
@pytest.mark.parametrize("seed", range(2))
def test_triggers_stay_below_the_bound_where_there_are_more_components(hypothesis, seed):
    objective, params = deep()
    method = OnlineTomography(0.5, FALSE_ALARM, hypothesis)
    e, queries = estimate(objective, params, method, seed)
    (form,) = one_state_forms(objective.program, params, "none")
    bound = sweep_plan(form, 0.5, FALSE_ALARM).max_triggers
    assert bound == int(2 * 3 * np.log(2) / (0.4 * 0.5) ** 2) < 240
    assert 0 < triggers(queries) <= bound
    assert np.max(np.abs(e.gradient - exact(objective, params).gradient)) <= 0.5


@pytest.mark.statistical
def test_a_hypothesis_learns_so_that_later_sweeps_trigger_less():
    """Mean-field states learn nothing of derivatives, so each one above epsilon triggers; a density matrix learns."""
    objective, params = deep()
    counts = {}
    for hypothesis in ("dense", "product"):
        e, queries = estimate(objective, params, OnlineTomography(0.4, FALSE_ALARM, hypothesis))
        assert np.max(np.abs(e.gradient - exact(objective, params).gradient)) <= 0.4
        counts[hypothesis] = triggers(queries)
    large = np.sum(np.abs(exact(objective, params).gradient) > 0.4)
    assert counts["product"] >= large > 2 * counts["dense"]


@pytest.mark.statistical
@pytest.mark.parametrize("objective", [ONE, SUM, TWO, SHARED], ids=["one string", "sum", "two", "shared"])
@pytest.mark.parametrize("encoding", ["terms", "block"])
def test_value_and_gradient_within_epsilon_and_within_what_is_reported(objective, encoding):
    params = POINT[: objective.num_parameters]
    method, truth = OnlineTomography(0.2, FALSE_ALARM, encoding=encoding), exact(objective, params)
    e, _ = estimate(objective, params, method)
    # Epsilon is meant by gate angle: the shared parameter drives two, with scales 1 and 2.
    factor = 3 if objective is SHARED else 1
    assert np.max(np.abs(e.gradient - truth.gradient)) <= 0.2 * factor
    assert np.max(np.abs(e.value - truth.value)) <= 0.2
    assert np.all(np.abs(e.gradient - truth.gradient) <= e.bias_bound + normal(6) * np.sqrt(e.variance))
    assert np.all(np.abs(e.value - truth.value) <= e.value_bias_bound + normal(2) * np.sqrt(e.value_variance))
    assert np.all(np.isfinite(e.bias_bound))


@pytest.mark.statistical
def test_a_measured_string_has_a_variance_and_a_predicted_one_a_bound():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "Z")
    e, _ = estimate(objective, [np.pi / 2, 0.3], OnlineTomography(0.5, 0.05))
    assert e.variance[0] >= 0 == e.bias_bound[0]  # derivative -1, far from the first prediction 0
    assert (e.gradient[1], e.variance[1]) == (0, 0)
    assert 0.5 <= e.bias_bound[1] < 0.51
    np.testing.assert_allclose(e.gradient[0], -1, atol=1e-12)


@pytest.mark.statistical
def test_in_any_order_where_it_is_free():
    entry = qg.load_circuit("efficient_su2_n4_r1")
    pool = qg.OperatorPool(entry.circuit, "ZIII + XXII + 0.5*IYYI", ["YIII", "XIII", "IZZI", "IXZY", "IIIX", "YXIZ"])
    truth = exact(pool, entry.params)
    for hypothesis in ("dense", "mpo", "product"):
        method = OnlineTomography(0.3, FALSE_ALARM, hypothesis, order="random")
        e, queries = estimate(pool, entry.params, method)
        assert np.max(np.abs(e.gradient - truth.gradient)) <= 0.3
        assert abs(e.value - truth.value) <= 0.3
        first = queries[0]
        assert sorted(first.order) == list(range(first.form.num_components)) != list(first.order)
        within(e.cost, qg.predict_cost(pool, method))


def within(cost, bound):
    for field in fields(cost):
        assert getattr(cost, field.name) <= getattr(bound, field.name), field.name


@pytest.mark.parametrize("objective", [ONE, SUM, TWO, SHARED], ids=["one string", "sum", "two", "shared"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"encoding": "block"}, {"hypothesis": "mpo", "max_bond": 4}, {"hypothesis": "product"}, {"copies": 300}],
    ids=["terms", "block", "mpo", "product", "few copies"],
)
def test_the_counted_cost_never_exceeds_the_predicted_one(objective, settings):
    method = OnlineTomography(0.3, 0.05, **settings)
    e, queries = estimate(objective, POINT[: objective.num_parameters], method)
    assert e.cost.copies == sum(query.cost().copies for query in queries)
    assert e.cost.flops > 0 < e.cost.peak_bytes
    within(e.cost, qg.predict_cost(objective, method))


def test_copies_grow_with_the_square_of_one_over_epsilon_and_the_logarithm_of_delta():
    def copies(epsilon, delta):
        return estimate(ONE, POINT, OnlineTomography(epsilon, delta))[1][0].copies

    assert copies(0.1, 0.05) / copies(0.2, 0.05) == pytest.approx(4, rel=1e-3)
    assert copies(0.2, 0.05**2) < 4 * copies(0.2, 0.05)


def test_seeds_reproduce_and_differ():
    method = OnlineTomography(0.2, 0.05)
    first, again, other = (estimate(SUM, POINT, method, key)[0] for key in (0, 0, 1))
    assert np.array_equal(first.gradient, again.gradient)
    assert first.cost == again.cost
    assert not np.array_equal(first.gradient, other.gradient)


def test_a_spent_budget_keeps_what_is_known():
    objective, params = deep(gates=40)
    method = OnlineTomography(0.4, 0.05)
    whole, queries = estimate(objective, params, method)
    assert triggers(queries) >= 2
    assert isinstance(queries[-1], ThresholdSweep)
    part, _ = estimate(objective, params, method, budget=qg.Budget(copies=whole.cost.copies - 1), throw=False)
    known = np.isfinite(part.gradient)
    assert part.result == "budget_exhausted"
    assert 0 < known.sum() < 40
    for name in ("gradient", "variance", "bias_bound"):
        kept = np.asarray(getattr(part, name))
        assert np.array_equal(kept[known], np.asarray(getattr(whole, name))[known])
        assert np.all(np.isnan(kept[~known]))
    with pytest.raises(qg.BudgetExhausted, match="copies") as caught:
        estimate(objective, params, method, budget=qg.Budget(copies=100))
    assert np.all(np.isnan(caught.value.estimate.gradient))


@pytest.mark.statistical
def test_exact_and_gaussian_back_action_are_passed_on_and_named():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
    truth = exact(objective, [0.3, 0.1]).gradient
    few = OnlineTomography(0.9, 0.1, backaction="exact", copies=60)
    e, queries = estimate(objective, [0.3, 0.1], few)
    assert (e.fidelity, queries[0].backaction, queries[0].copies) == ("exact", "exact", 60)
    # So few copies prove nothing: a prediction may be off by as much as [-1, 1] allows.
    assert np.all(np.abs(e.gradient - truth) <= e.bias_bound + normal(2) * np.sqrt(e.variance))
    assert np.max(e.bias_bound) >= 1
    e, _ = estimate(objective, [0.3, 0.1], OnlineTomography(0.3, FALSE_ALARM, backaction="gaussian"))
    assert e.fidelity == "gaussian"
    assert np.max(np.abs(e.gradient - truth)) <= 0.3
    with pytest.raises(qg.StateTooLarge, match=r"\d"):
        estimate(objective, [0.3, 0.1], OnlineTomography(0.3, 0.1, backaction="exact"))


def test_a_constant_observable_needs_no_copies():
    e, queries = estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "3*I"), [0.3], OnlineTomography(0.3, 0.1))
    assert (float(e.value), float(e.gradient[0]), queries, e.cost.copies) == (3.0, 0.0, [], 0)


def test_shared_parameters_add_up_variances_of_independent_strings():
    """One parameter for two angles has the variance of the sum, whether by sharing or by a map."""
    two = qg.Circuit(2).ry(0, param=0).ry(1, param=1)
    shared = qg.Expectation(qg.Circuit(2).ry(0, param=0).ry(1, param=0, scale=2.0), "ZI + IZ")
    mapped = qg.Expectation(two, "ZI + IZ", lambda t: jnp.stack([t[0], 2 * t[0]]), example=np.zeros(1))
    method = OnlineTomography(0.3, 0.05)
    apart, _ = estimate(qg.Expectation(two, "ZI + IZ"), [0.9, 1.8], method)
    for objective in (shared, mapped):
        e, _ = estimate(objective, [0.9], method)
        np.testing.assert_allclose(e.gradient[0], apart.gradient[0] + 2 * apart.gradient[1], atol=1e-12)
        np.testing.assert_allclose(e.variance[0], apart.variance[0] + 4 * apart.variance[1], atol=1e-12)
        np.testing.assert_allclose(e.bias_bound[0], apart.bias_bound[0] + 2 * apart.bias_bound[1], atol=1e-12)
    assert apart.variance[0] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 1.0}, r"epsilon=1\.0: give a number between 0 and 1"),
        ({"epsilon": 0}, "epsilon=0"),
        ({"delta": 0.0}, r"delta=0\.0"),
        ({"delta": 1}, "delta=1"),
        ({"hypothesis": "tree"}, "hypothesis='tree': give 'dense' or 'product' or 'mpo'"),
        ({"backaction": "none"}, "backaction='none': give 'exact' or 'gaussian' or 'idealized'"),
        ({"encoding": "lcu"}, "encoding='lcu'"),
        ({"order": "reverse"}, "order='reverse'"),
        ({"max_bond": 0}, "max_bond=0"),
        ({"copies": 1.5}, r"copies=1\.5"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        OnlineTomography(**{"epsilon": 0.3, "delta": 0.05, **settings})


def test_where_it_does_not_apply_it_says_so():
    with pytest.raises(qg.NotApplicable, match=r"3 Pauli strings.*encoding='none'.*encoding='block'"):
        estimate(SUM, POINT, OnlineTomography(0.3, 0.05, encoding="none"))
    with pytest.raises(qg.NotApplicable, match=r"order='random'.*ry on qubits \(0,\) is not Clifford.*order='circuit'"):
        estimate(ONE, POINT, OnlineTomography(0.3, 0.05, order="random"))
    large = qg.Expectation(qg.Circuit(15).ry(0, param=0), "Z" * 15)
    with pytest.raises(qg.StateTooLarge, match=r"bytes.*hypothesis='mpo'"):
        estimate(large, [0.1], OnlineTomography(0.3, 0.05))
