"""Hessians, metric tensors and natural gradients under budgets, to a precision, and after a backend failed."""

import math
import pickle

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop.sampler import SampledBackend
from qcgrad.matrices import Problem, directions, second_derivatives
from qcgrad.objective import point_at
from tests.interop.test_sampled_backend import Device
from theory.statistics import FALSE_ALARM, key, shifted

# A shared parameter with a scale, and a controlled rotation with its four-term rule.
CIRCUIT = (
    qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1, scale=-1.5, offset=0.2).rx(1, param=0, scale=0.7).ry(0, param=2)
)
OBJECTIVE = qg.Expectation(CIRCUIT, "ZI + 0.5*XX + 2.0*II")
PARAMS = np.array([0.3, -0.8, 0.5])
PLAIN = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
HESSIANS = [qg.SecondOrderShift(), qg.ShiftedAdjoint()]
METRICS = [qg.OverlapShift(), qg.BlockDiagonalMetric(), qg.TangentMetric()]


def test_entries_whose_evaluations_fit_are_known_and_no_others():
    """Value, 2 + 4 + 2 + 2 single shifts; the parameters of angles 1 and 3 drive one gate each."""
    method = qg.SecondOrderShift(shots=10)
    whole = qg.hessian(OBJECTIVE, PARAMS, method, key=0)
    with (
        pytest.raises(qg.BudgetExhausted, match=r"copies 940 > 239; 11 of its 47 parts") as caught,
        qg.Tracker() as spent,
    ):
        qg.hessian(OBJECTIVE, PARAMS, method, key=0, budget=qg.Budget(copies=239))
    found = caught.value.estimate
    known = [[False, False, False], [False, True, False], [False, False, True]]
    assert np.isfinite(found.matrix).tolist() == np.isfinite(found.variance).tolist() == known
    np.testing.assert_array_equal(found.matrix.diagonal()[1:], whole.matrix.diagonal()[1:])
    np.testing.assert_array_equal(found.first_order.gradient, whole.first_order.gradient)
    assert spent.by_estimator == {"Hessian": found.cost}
    assert found.cost.copies == 220
    fitting = qg.hessian(OBJECTIVE, PARAMS, method, key=0, budget=qg.Budget(copies=940))
    np.testing.assert_array_equal(fitting.matrix, whole.matrix)


def test_overlaps_that_fit_are_known_and_what_cannot_be_cut_is_not_begun():
    found = qg.metric_tensor(
        OBJECTIVE, PARAMS, qg.OverlapShift(shots=10), key=0, budget=qg.Budget(copies=60), throw=False
    )
    assert np.isfinite(found.matrix).tolist() == [[False, False, False], [False, True, False], [False, False, True]]
    assert (str(found.result), found.cost.copies) == ("budget_exhausted", 60)
    for method in (qg.BlockDiagonalMetric(shots=10), qg.TangentMetric()):
        with pytest.raises(qg.BudgetExhausted, match=r"gates \d+ > 1$") as caught:
            qg.metric_tensor(OBJECTIVE, PARAMS, method, key=0, budget=qg.Budget(gates=1))
        assert np.isnan(caught.value.estimate.matrix).all()
        assert caught.value.estimate.cost == qg.Cost()


def test_samples_that_fit_are_averaged():
    method, few = qg.QNSPSA(samples=10, shots=20), qg.Budget(copies=500)
    found = qg.metric_tensor(OBJECTIVE, PARAMS, method, key=0, budget=few, throw=False)
    assert np.isfinite(found.matrix).all()
    assert (found.stats["degrees_of_freedom"], found.cost.copies) == (5, 500)
    none = qg.metric_tensor(OBJECTIVE, PARAMS, method, key=0, budget=qg.Budget(copies=60), throw=False)
    assert np.isnan(none.matrix).all()


def test_a_budget_is_for_gradient_and_metric_together():
    ask = (PLAIN, PARAMS[:2], qg.ParameterShift(shots=10), qg.OverlapShift(shots=10))
    gradient, metric = 50, 60
    whole = qg.natural_gradient(*ask, tikhonov=1.0, key=0, budget=qg.Budget(copies=gradient + metric))
    assert whole.cost.copies == gradient + metric
    with pytest.raises(
        qg.BudgetExhausted, match=r"the metric, with what the gradient left: .*copies 60 > 59"
    ) as caught:
        qg.natural_gradient(*ask, tikhonov=1.0, key=0, budget=qg.Budget(copies=gradient + metric - 1))
    found = caught.value.estimate
    assert np.isnan(found.direction).all()
    np.testing.assert_array_equal(found.estimate.gradient, whole.estimate.gradient)
    assert found.cost.copies == gradient + metric - 10
    none = qg.natural_gradient(*ask, tikhonov=1.0, key=0, budget=qg.Budget(copies=20), throw=False)
    assert (none.metric, none.cost.copies) == (None, 20)


def problem(objective, params, method):
    point, params = point_at(objective, params)
    bends = second_derivatives(point.objective, params) if method in HESSIANS else None
    return Problem(point, directions(point.objective, params, point.coordinates), bends)


def test_shots_of_a_precision_in_closed_form():
    """Two two-term gates: the diagonal has weights -1/2 or -1, 1/4 or 1/2; three entries, and none has both kinds."""
    epsilon, delta = 0.2, 0.1
    log = math.log(2 * 3 / delta)
    found = qg.SecondOrderShift.for_accuracy(problem(PLAIN, PARAMS[:2], HESSIANS[0]), epsilon, delta)
    assert found.shots == math.ceil(1.5 * 2 * log / epsilon**2)
    assert found.pair_shots == math.ceil(4 / 16 * 2 * log / epsilon**2)
    overlap = qg.OverlapShift.for_accuracy(problem(PLAIN, PARAMS[:2], METRICS[0]), epsilon, delta)
    assert overlap.shots == math.ceil(0.25 * 0.25 * 2 * log / epsilon**2)
    assert overlap.pair_shots == math.ceil(0.25 * 4 / 16 / 4 * 2 * log / epsilon**2)
    # Of each layer, one generator of size 1/2.
    block = qg.BlockDiagonalMetric.for_accuracy(problem(PLAIN, PARAMS[:2], METRICS[1]), epsilon, delta)
    assert block.shots == max(4, 2 * math.ceil(2 * log / 16 / epsilon**2))
    errors = qg.SecondOrderShift.for_accuracy(problem(PLAIN, PARAMS[:2], HESSIANS[0]), epsilon, None)
    assert errors.shots == math.ceil(1.5 / epsilon**2)


@pytest.mark.statistical
@pytest.mark.parametrize("method", HESSIANS + METRICS, ids=lambda m: type(m).__name__)
def test_a_precision_is_met_by_every_entry_at_the_cost_that_was_predicted(method):
    """With the failure probability of a false alarm; shared parameters, a four-term rule, several outputs."""
    objective = qg.Expectation(CIRCUIT, ["ZI + 0.5*XX", "IY"])
    ask = qg.hessian if method in HESSIANS else qg.metric_tensor
    precision = qg.Precision(epsilon=0.4, delta=FALSE_ALARM)
    found = ask(objective, PARAMS, method, key=key(5), precision=precision)
    exact = ask(objective, PARAMS, method).matrix
    assert np.abs(found.matrix - exact).max() < precision.epsilon
    chosen = method.for_accuracy(problem(objective, PARAMS, method), precision.epsilon, precision.delta)
    assert chosen.predict(objective, np.float64) == found.cost
    spread = ask(objective, PARAMS, method, key=key(6), precision=qg.Precision(epsilon=0.2))
    # The sample variance of few outcomes is above the bound on the true one by chance.
    assert np.all(spread.standard_error < 0.2 * 1.5)


def test_precisions_that_cannot_be_promised_are_refused_with_the_reason():
    with pytest.raises(qg.NotApplicable, match="QNSPSA has a bias"):
        qg.metric_tensor(OBJECTIVE, PARAMS, qg.QNSPSA(), key=0, precision=qg.Precision(0.1, 0.1))
    evolved = qg.Expectation(qg.Circuit(2).evolution(qg.PauliSum("ZX + 0.3*XI"), (0, 1), param=0), "ZI")
    with pytest.raises(qg.NotApplicable, match="do not commute"):
        qg.metric_tensor(evolved, [0.4], qg.BlockDiagonalMetric(), key=0, precision=qg.Precision(0.1, 0.1))
    with pytest.raises(qg.NotApplicable, match=r"epsilon=1e-10.*larger epsilon"):
        qg.hessian(OBJECTIVE, PARAMS, qg.SecondOrderShift(), key=0, precision=qg.Precision(1e-10, 0.1))
    for ask, method in ((qg.hessian, HESSIANS[0]), (qg.metric_tensor, METRICS[0])):
        with pytest.raises(TypeError, match=r"precision is 0\.1: give qcgrad\.Precision"):
            ask(OBJECTIVE, PARAMS, method, precision=0.1)
        with pytest.raises(TypeError, match=r"budget is 100: give qcgrad\.Budget"):
            ask(OBJECTIVE, PARAMS, method, budget=100)
    with pytest.raises(ValueError, match="pair_shots=5 without shots"):
        qg.OverlapShift(pair_shots=5)


@pytest.mark.parametrize(
    "method", [qg.SecondOrderShift(shots=5), qg.OverlapShift(shots=5)], ids=lambda m: type(m).__name__
)
def test_what_was_measured_before_a_failure_is_kept_and_no_copy_is_taken_twice(method):
    ask = qg.hessian if isinstance(method, qg.SecondOrderShift) else qg.metric_tensor
    whole = ask(PLAIN, PARAMS[:2], method, SampledBackend(Device(shifted(8)), max_circuits=2), key=0)
    device = Device(shifted(8), fails_at={3})
    backend = SampledBackend(device, max_circuits=2)
    with qg.Tracker() as spent:
        with pytest.raises(qg.BackendFailed, match="the line is dead") as caught:
            ask(PLAIN, PARAMS[:2], method, backend, key=0)
        error = pickle.loads(pickle.dumps(caught.value))
        assert str(error.estimate.result) == "backend_failed"
        assert np.isfinite(error.estimate.matrix).any()
        assert error.estimate.cost.copies == 20
        with pytest.raises(ValueError, match="the error of another estimate"):
            ask(PLAIN, PARAMS[:2] + 1, method, backend, key=0, resume=error)
        found = ask(PLAIN, PARAMS[:2], method, backend, key=0, resume=error)
    np.testing.assert_array_equal(found.matrix, whole.matrix)
    assert found.cost == whole.cost
    assert device.shots == spent.total.copies == whole.cost.copies
    # Nobody bounds the noise of a device.
    assert found.fidelity == "noisy"
    assert np.isnan(found.bias_bound).all()


@pytest.mark.parametrize("fails_at", [2, 5])
def test_natural_gradients_go_on_in_the_part_that_failed(fails_at):
    """Three calls for the gradient, three for the metric."""
    ask = (PLAIN, PARAMS[:2], qg.ParameterShift(shots=5), qg.OverlapShift(shots=5))
    whole = qg.natural_gradient(*ask, SampledBackend(Device(shifted(8)), max_circuits=2), tikhonov=1.0, key=0)
    device = Device(shifted(8), fails_at={fails_at})
    backend = SampledBackend(device, max_circuits=2, retries=0)
    with pytest.raises(qg.BackendFailed) as caught:
        qg.natural_gradient(*ask, backend, tikhonov=1.0, key=0)
    error = pickle.loads(pickle.dumps(caught.value))
    if fails_at == 5:
        np.testing.assert_array_equal(error.estimate.estimate.gradient, whole.estimate.gradient)
        with pytest.raises(ValueError, match="whose gradient ParameterShift found: give the same estimator"):
            qg.natural_gradient(PLAIN, PARAMS[:2], qg.Adjoint(), ask[3], backend, tikhonov=1.0, key=0, resume=error)
    found = qg.natural_gradient(*ask, backend, tikhonov=1.0, key=0, resume=error)
    np.testing.assert_array_equal(found.direction, whole.direction)
    assert found.cost == whole.cost
    assert device.shots == whole.cost.copies


def test_tracing_a_matrix_is_refused_with_what_can_be_traced():
    with pytest.raises(TypeError, match=r"Hessian needs numbers.*jax\.hessian"):
        jax.vmap(lambda p: qg.hessian(PLAIN, p, qg.SecondOrderShift()).matrix)(np.zeros((2, 2)))
    with pytest.raises(TypeError, match=r"MetricTensor needs numbers: call it outside .*jax\.grad"):
        jax.jit(lambda p: qg.metric_tensor(PLAIN, p, qg.TangentMetric()).matrix)(np.zeros(2))


def test_directions_that_move_nothing_and_constants_take_hardly_a_shot():
    idle, precision = qg.Expectation(qg.Circuit(1).rz(0, param=0), {"I": 2.0}), qg.Precision(0.1, 0.1)
    assert qg.hessian(idle, [0.3], qg.SecondOrderShift(), key=0, precision=precision).cost.shots == 0
    for method in METRICS:
        found = qg.metric_tensor(idle, np.float32([0.3]), method, key=0, precision=precision)
        assert (found.matrix.tolist(), found.matrix.dtype) == ([[0.0]], np.float32)
