"""Bad input gets one clear error that names the argument and what was given; odd but good input is accepted."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg

CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
# cos(b) + cos(a)
OBJECTIVE = qg.Expectation(CIRCUIT, "ZZ + ZI")
PARAMS = [0.3, 0.7]
METHODS = [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift(), qg.ParameterShift(shots=10)]
by_name = {"ids": lambda e: f"{type(e).__name__}{getattr(e, 'shots', None) or ''}"}


@pytest.mark.parametrize(
    ("observable", "message"),
    [
        ({"ZZ": 1j}, "1j is complex: an observable must be Hermitian"),
        ({}, "PauliSum got no terms"),
        ([], "PauliSum got no terms"),
        ("ZZZ", "observable acts on 3 qubits, but the circuit has 2"),
        (["ZZ", "Z"], "observable acts on 1 qubits, but the circuit has 2"),
        ({"ZZ": np.nan}, "coefficients hold nan"),
        ("Z?", "observable 'Z?' cannot be read at column 2"),
    ],
)
def test_observables(observable, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        qg.Expectation(CIRCUIT, observable)


@pytest.mark.parametrize("observable", [None, 3, np.eye(4)], ids=["None", "number", "matrix"])
def test_what_is_no_observable_at_all_is_named(observable):
    with pytest.raises((TypeError, ValueError), match=r"observable|PauliSum"):
        qg.Expectation(CIRCUIT, observable)


@pytest.mark.parametrize("circuit", ["ZZ", None, qg.Circuit])
def test_what_is_no_circuit_is_named(circuit):
    with pytest.raises(TypeError, match=r"circuit is .*give a qcgrad\.Circuit"):
        qg.Expectation(circuit, "ZZ")


@pytest.mark.parametrize("estimator", METHODS, **by_name)
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([0.3], ValueError, r"params has shape (1,): the objective takes 2 parameters"),
        ([0.3, 0.7, 0.1], ValueError, r"params has shape (3,)"),
        ([[0.3, 0.7]], ValueError, r"params has shape (1, 2)"),
        (0.3, ValueError, r"params has shape ()"),
        ([], ValueError, r"params has shape (0,)"),
        ([0.3, np.nan], ValueError, "params holds nan at index [1]"),
        ([np.inf, 0.7], ValueError, "params holds inf at index [0]"),
        ([0.3, 0.7 + 0j], TypeError, "params has complex dtype complex128"),
        (np.array([True, False]), TypeError, "params has dtype bool"),
        (["a", "b"], TypeError, "params has dtype <U1"),
        (None, TypeError, "params is NoneType None"),
        ({"a": 0.3, "b": 0.7}, TypeError, "params is dict"),
        ([[0.3], [0.7, 0.1]], (TypeError, ValueError), "params"),
        (np.array([0.3, None]), TypeError, "params has dtype object"),
    ],
    ids=lambda value: None if isinstance(value, type) else str(value)[:24],
)
def test_parameters(estimator, params, error, message):
    with pytest.raises(error, match=re.escape(message)):
        qg.estimate(OBJECTIVE, params, estimator, key=0)


@pytest.mark.parametrize("estimator", METHODS, **by_name)
@pytest.mark.parametrize("params", [[1, 2], np.array([1, 2], np.int8), np.array([1, 2], np.uint32), jnp.array([1, 2])])
def test_integer_parameters_are_converted_and_differentiated(estimator, params):
    whole = qg.estimate(OBJECTIVE, params, estimator, key=0)
    real = qg.estimate(OBJECTIVE, [1.0, 2.0], estimator, key=0)
    assert whole.gradient.dtype == np.float64
    assert np.all(whole.gradient != 0)
    np.testing.assert_array_equal(whole.gradient, real.gradient)


def test_integers_inside_of_a_mapped_pytree_are_converted():
    objective = qg.Expectation(CIRCUIT, "ZZ", lambda t: jnp.stack([t["a"], t["a"] * t["b"]]), example={"a": 1, "b": 2})
    whole = qg.estimate(objective, {"a": 1, "b": 2}, qg.Adjoint())
    real = qg.estimate(objective, {"a": 1.0, "b": 2.0}, qg.Adjoint())
    assert whole.gradient["a"] == real.gradient["a"] != 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_real_precisions_are_accepted(dtype):
    e = qg.estimate(OBJECTIVE, np.array([0.5, 0.25], dtype), qg.Adjoint())
    np.testing.assert_allclose(e.gradient, -np.sin([0.5, 0.25]), atol=1e-6)


@pytest.mark.parametrize("estimator", METHODS, **by_name)
def test_zero_parameters_are_refused(estimator):
    objective = qg.Expectation(qg.Circuit(1).h(0), "Z")
    for params in ([], [0.1]):
        with pytest.raises(ValueError, match="the objective has zero parameters"):
            qg.estimate(objective, params, estimator, key=0)


@pytest.mark.parametrize(
    "shots",
    [0, -1, 2.5, True, False, "many", float("nan"), float("inf"), 1j, [10, 0], [10, 2.5], np.array([True])],
    ids=str,
)
def test_shots_that_are_no_positive_integer(shots):
    with pytest.raises(ValueError, match=r"shots=.*(positive integer|boolean)"):
        qg.ParameterShift(shots=shots)


@pytest.mark.parametrize("shots", [10, np.int64(10), 10.0])
def test_whole_numbers_of_shots_are_accepted(shots):
    assert qg.ParameterShift(shots=shots).shots == 10


def test_an_empty_sequence_of_shots_is_of_the_wrong_length():
    with pytest.raises(ValueError, match="shots has 0 numbers"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=[]), key=0)


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="split='fair': give 'equal' or 'coefficient'"):
        qg.ParameterShift(shots=10, split="fair")


@pytest.mark.parametrize(
    "key", [True, 1.5, "0", jax.random.split(jax.random.key(0), 2), np.zeros(2), np.zeros((2, 2), np.uint32)], ids=type
)
def test_what_is_no_key_is_named(key):
    with pytest.raises(TypeError, match=r"(?s)key is .*give one JAX random key"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=10), key=key)


def test_a_key_that_no_query_needs_is_checked_all_the_same():
    with pytest.raises(TypeError, match="key is 'seed'"):
        qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint(), key="seed")


@pytest.mark.parametrize("estimator", [qg.Adjoint, "adjoint", None, OBJECTIVE])
@pytest.mark.parametrize("call", [lambda e: qg.estimate(OBJECTIVE, PARAMS, e), lambda e: qg.predict_cost(OBJECTIVE, e)])
def test_what_is_no_estimator_is_named(call, estimator):
    with pytest.raises(TypeError, match=r"(?s)estimator is .*for example qcgrad\.ParameterShift\(\)"):
        call(estimator)


@pytest.mark.parametrize("objective", [CIRCUIT, "ZZ", None, qg.Expectation])
def test_what_is_no_objective_is_named(objective):
    with pytest.raises(TypeError, match=r"objective is .*for example qcgrad\.Expectation"):
        qg.estimate(objective, PARAMS, qg.Adjoint())


@pytest.mark.parametrize("budget", [100, {"shots": 5}, qg.Cost(shots=5)])
def test_what_is_no_budget_is_named(budget):
    with pytest.raises(TypeError, match="budget is "):
        qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint(), budget=budget)


@pytest.mark.parametrize("estimator", [*METHODS, qg.BellShadow(100)], **by_name)
def test_circuit_methods_refuse_networks_by_name(estimator):
    loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.sum(out), (np.eye(2), 0.0), np.zeros(2))
    with pytest.raises(qg.NotApplicable, match=rf"{type(estimator).__name__} differentiates .* but .* is a Loss"):
        qg.estimate(loss, jnp.ones(2), estimator, key=0)


def test_backprop_refuses_circuits_by_name():
    with pytest.raises(qg.NotApplicable, match=r"the objective is a Expectation: use qcgrad\.Adjoint"):
        qg.estimate(OBJECTIVE, PARAMS, qg.Backprop())


def test_a_parameter_map_needs_an_example_and_the_right_shape():
    with pytest.raises(ValueError, match="parameter_map needs example="):
        qg.Expectation(CIRCUIT, "ZZ", lambda t: t)
    short = qg.Expectation(CIRCUIT, "ZZ", lambda t: t[:1], example=np.zeros(2))
    with pytest.raises(ValueError, match=r"parameter_map returned shape \(1,\): the circuit takes \(2,\)"):
        qg.estimate(short, PARAMS, qg.Adjoint())


@pytest.mark.parametrize(
    ("words", "message"), [([], "paulis is empty"), (["ZZ", "Z"], "paulis holds 'Z'"), (["ZQ"], "letter 'Q'|word 'ZQ'")]
)
def test_pools(words, message):
    with pytest.raises(ValueError, match=message):
        qg.estimate(qg.OperatorPool(CIRCUIT, "ZZ", words), PARAMS, qg.Adjoint())


def test_a_pool_for_an_observable_of_another_size_is_refused():
    with pytest.raises(ValueError, match="observable acts on 3 qubits, but the circuit has 2"):
        qg.estimate(qg.OperatorPool(CIRCUIT, "ZZZ", ["XX"]), PARAMS, qg.Adjoint())


def test_parameters_of_a_pool_are_checked_like_others():
    pool = qg.OperatorPool(CIRCUIT, "ZZ", ["XX"])
    with pytest.raises(ValueError, match=r"params has shape \(1,\): the circuit takes 2 parameters"):
        qg.estimate(pool, [0.3], qg.Adjoint())
    with pytest.raises(TypeError, match=r"params of an OperatorPool cannot be traced"):
        jax.jit(lambda p: qg.estimate(pool, p, qg.Adjoint()).gradient)(jnp.array(PARAMS))


def test_every_refusal_by_name_is_a_qcgrad_error():
    for error in (qg.AccessError, qg.BudgetExhausted, qg.ImportRefused, qg.NotApplicable, qg.StateTooLarge):
        assert issubclass(error, qg.QcgradError)
