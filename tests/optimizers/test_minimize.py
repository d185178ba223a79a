"""The loop: shots are given as asked for, costs are exact, and nothing that was computed is lost."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qcgrad as qg
from qcgrad.interop import SampledBackend
from qcgrad.optimizers import GradientBelow, MinimizationFailed, NoImprovement, gcans, icans, minimize
from tests.recorder import Recorder
from theory.statistics import shifted

# Parameter 0 drives two angles, parameter 1 a controlled rotation with four evaluations.
CIRCUIT = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1).ry(1, param=0, scale=-1.0)
OBJECTIVE = qg.Expectation(CIRCUIT, {"ZI": 1.0, "IX": 0.5})
START = np.array([1.0, 0.7])
PAIR = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).ry(1, param=1), {"ZI": 1.0, "IZ": 0.5})


class Asking:
    """An optimiser's state that asks for given shots."""

    @staticmethod
    def of(shots):
        inner = icans(0.1, 4.0)

        def init(params):
            return inner.init(params)._replace(shots=jnp.array(shots, jnp.int32))

        return optax.GradientTransformationExtraArgs(init, inner.update)


@pytest.mark.parametrize("make", [qg.ParameterShift, qg.WeightedRandomSampling])
def test_each_evaluation_takes_the_shots_of_the_parameter_that_it_is_for(make):
    recorder = Recorder(qg.Statevector())
    minimize(OBJECTIVE, START, Asking.of([3, 5]), make(7), recorder, key=0, steps=1)
    expected = [5, 3, 3, 5, 5, 5, 5, 3, 3]
    if make is qg.ParameterShift:
        assert list(recorder.queries[0].shots_per_setting) == expected
    else:
        taken = sum(np.bincount(query.rows, query.shots_per_setting, 9) for query in recorder.queries)
        np.testing.assert_array_equal(taken, expected)


def test_methods_that_share_copies_take_the_most_that_is_asked_for():
    found = minimize(OBJECTIVE, START, Asking.of([304, 896]), qg.GentleSweep(10, batches=4), key=0, steps=1)
    # Batches of all terms take the same number each, which rounds it down.
    assert found.total == qg.predict_cost(OBJECTIVE, qg.GentleSweep(896, batches=4))
    assert found.total.copies > 800


def test_costs_of_derivatives_reach_the_optimizer():
    """Two evaluations of each of two angles, and four of a controlled rotation; one basis measures all."""
    seen = []

    def update(updates, state, params=None, **told):
        seen.append(told)
        return icans(0.1, 4.0).update(updates, state, **told)

    spy = optax.GradientTransformationExtraArgs(icans(0.1, 4.0).init, update)
    minimize(OBJECTIVE, START, spy, qg.ParameterShift(), key=0, steps=1)
    np.testing.assert_array_equal(seen[0]["evaluations"], [4, 4])
    assert {"value", "variance", "shots"} <= set(seen[0])
    seen.clear()
    minimize(PAIR, START, spy, qg.ParameterShift(), key=0, steps=1)
    np.testing.assert_array_equal(seen[0]["evaluations"], [2, 2])


@pytest.mark.parametrize("optimizer", [icans(0.5, 1.5), icans(0.5, 1.5, guarded=True), gcans(0.5, 1.5)])
def test_small_problems_are_solved_and_shots_grow_as_the_gradient_shrinks(optimizer):
    found = minimize(PAIR, START, optimizer, qg.ParameterShift(), key=1, steps=300, budget=qg.Budget(copies=100_000))
    exact = qg.estimate(PAIR, found.params, qg.Adjoint()).value
    assert exact < -1.5 + 0.02
    spent = np.diff(found.copies)
    assert spent[-5:].mean() > 10 * spent[:5].mean()


def test_costs_add_up_and_a_budget_is_never_exceeded():
    with qg.Tracker() as spent:
        found = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=0, budget=qg.Budget(copies=2000))
    assert found.result == "budget_exhausted"
    assert "copies" in found.result.message
    assert found.total == spent.total == sum((step.estimate.cost for step in found.history), qg.Cost())
    assert found.total.copies <= 2000
    np.testing.assert_array_equal(found.copies, [step.total.copies for step in found.history])
    np.testing.assert_array_equal(found.values, [step.estimate.value for step in found.history])


def test_a_run_that_goes_on_is_the_run_that_did_not_stop():
    whole = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=3, steps=8)
    half = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=3, steps=4)
    assert half.result == "steps_exhausted"
    rest = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=3, steps=8, start=half)
    np.testing.assert_array_equal(rest.params, whole.params)
    assert rest.total == whole.total
    assert len(rest.history) == 8


class Failing(qg.AbstractBackend):
    """Answers a few queries, then fails."""

    access = qg.queries.Access.white_box

    def __init__(self, answers, error):
        self.left, self.error = answers, error

    def answer(self, query, key):
        if not self.left:
            raise self.error
        self.left -= 1
        return qg.Statevector().answer(query, key)


def test_what_was_computed_before_a_failure_is_kept_and_can_be_gone_on_from():
    backend = Failing(3, ConnectionError("the queue is gone"))
    with pytest.raises(MinimizationFailed, match="step 3 failed with ConnectionError: the queue is gone") as caught:
        minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), backend, key=3, steps=8)
    kept = caught.value.minimized
    assert (kept.result, len(kept.history)) == ("failed", 3)
    rest = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=3, steps=8, start=kept)
    whole = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=3, steps=8)
    np.testing.assert_array_equal(rest.params, whole.params)


@pytest.mark.parametrize("lost", [1, 5])
def test_a_step_that_a_backend_failed_in_goes_on_inside(lost):
    """What had been answered of it is not asked again: circuits as many as without a failure, and the same end."""
    asked = []

    def sampler(batch):
        asked.append(len(batch))
        if len(asked) == lost + 1:
            raise ConnectionError("the queue is gone")
        rng = np.random.default_rng(len(batch[0][0].gates))
        return [rng.integers(2, size=(shots, circuit.num_qubits)) for circuit, shots in batch]

    backend = SampledBackend(sampler, max_circuits=1)
    arguments = (PAIR, START, optax.sgd(0.1), qg.ParameterShift(shots=10), backend)
    with pytest.raises(MinimizationFailed, match="the queue is gone") as caught:
        minimize(*arguments, key=3, steps=3)
    assert isinstance(caught.value.minimized.failure, qg.BackendFailed)
    rest = minimize(*arguments, key=3, steps=3, start=caught.value.minimized)
    without_failure = len(asked) - 1
    asked.clear()
    lost = 10**9
    whole = minimize(*arguments, key=3, steps=3)
    assert len(asked) == without_failure
    assert rest.total == whole.total
    assert rest.failure is None
    np.testing.assert_array_equal(rest.params, whole.params)


def test_an_error_of_the_first_step_comes_as_it_is():
    with pytest.raises(ConnectionError, match="gone"):
        minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), Failing(0, ConnectionError("gone")), key=0)
    with pytest.raises(ValueError, match="key is missing"):
        minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift())


def test_ctrl_c_returns_what_there_is():
    backend = Failing(2, KeyboardInterrupt())
    found = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), backend, key=3)
    assert (found.result, len(found.history)) == ("interrupted", 2)


def test_nan_stops_with_the_parameters_that_it_came_from():
    class Broken(qg.AbstractBackend):
        access = qg.queries.Access.white_box

        def answer(self, query, key):
            return qg.Statevector().answer(query, key).map(lambda part: part * np.nan)

    found = minimize(PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), Broken(), key=0)
    assert found.result == "not_finite"
    np.testing.assert_array_equal(found.params, START)


@pytest.mark.parametrize("rule", [GradientBelow(0.2), NoImprovement(0.02, 5)], ids=lambda rule: type(rule).__name__)
def test_rules_stop_a_run_whose_shots_grow(rule):
    found = minimize(
        PAIR, START, gcans(0.5, 1.5), qg.ParameterShift(), key=shifted(4), steps=200, rules=[rule],
        budget=qg.Budget(copies=10**6),
    )  # fmt: skip
    assert found.result == "ok", found.result.message
    assert "tolerance" in found.result.message
    np.testing.assert_array_equal(found.params, found.history[-1].params)


def test_exact_methods_and_ordinary_optimizers_work_as_they_are():
    calls = []
    found = minimize(
        PAIR, START, optax.adam(0.2), qg.Adjoint(), steps=300, rules=[GradientBelow(1e-2)], callback=calls.append
    )
    assert found.result == "ok"
    assert len(calls) == len(found.history) < 300
    assert found.values[-1] < -1.499


def test_parameters_of_any_structure():
    circuit = qg.Circuit(1).ry(0, param=0).rx(0, param=1)
    objective = qg.Expectation(
        circuit, "Z", lambda t: [t["a"] * t["b"][0], t["b"][1]], example={"a": 1.0, "b": np.ones(2)}
    )
    start = {"a": jnp.array(1.0), "b": jnp.array([0.5, 0.3])}
    found = minimize(objective, start, gcans(0.1, 4.0), qg.ParameterShift(), key=0, steps=5)
    assert jax.tree.structure(found.params) == jax.tree.structure(start)
    assert found.values.shape == (5,)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"objective": qg.Expectation(CIRCUIT, ["ZI", "IX"])}, ValueError, "2 values in a vector"),
        ({"optimizer": "adam"}, TypeError, "optimizer is 'adam': give an optax optimizer"),
        ({"estimator": qg.Adjoint()}, qg.NotApplicable, "Adjoint takes no shots"),
        ({"estimator": qg.ParameterShift}, TypeError, "estimator is"),
        ({"budget": 1000}, TypeError, "budget is 1000: give qcgrad.Budget"),
        ({"steps": -1}, ValueError, "steps=-1"),
        ({"rules": GradientBelow(0.1)}, TypeError, r"rules is GradientBelow.*give a list of rules"),
        ({"start": START}, TypeError, "start is .*give what an earlier call of minimize returned"),
        ({"params": [1.0]}, ValueError, "params has shape"),
        ({"optimizer": optax.chain(icans(0.1, 1.0), gcans(0.1, 1.0))}, ValueError, "several parts that ask for shots"),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    given = {"objective": OBJECTIVE, "params": START, "optimizer": icans(0.1, 4.0), "estimator": qg.ParameterShift()}
    with pytest.raises(error, match=message):
        minimize(**(given | {"key": 0} | change))
