"""Metric tensors measured in three ways, against the exact one; natural gradients."""

import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimate import run
from qcgrad.geometry import MetricTensor
from qcgrad.matrices import directions
from qcgrad.objective import point_at
from theory.statistics import key, normal

CIRCUIT = (
    qg.Circuit(2)
    .ry(0, param=0)
    .rx(1, param=1, scale=0.7)
    .cx(0, 1)
    .crz(0, 1, param=2, scale=-1.5, offset=0.2)
    .p(1, param=0)
    .ry(1, param=3)
)
PARAMS = np.array([0.3, -0.8, 0.5, 1.1])
SHARED = qg.Expectation(CIRCUIT, "ZI + 0.5*XX")
MAPPED = qg.Expectation(
    CIRCUIT, "ZI", lambda t: jnp.stack([t[0] * t[1], t[1], jnp.sin(t[0]), t[0]]), example=np.zeros(2)
)
LAYERED = qg.Circuit(2).rz(0, 0.4).ry(1, 0.7).rx(0, param=0).rz(1, param=1).cx(0, 1)
SEPARATE = qg.Expectation(LAYERED.crz(0, 1, param=2).rzz(0, 1, param=3).p(1, param=4), "XX")


def exact(objective, params):
    return qg.geometric_tensor(objective, params).real


@pytest.mark.parametrize("method", [qg.TangentMetric(), qg.OverlapShift()], ids=lambda m: type(m).__name__)
def test_full_metrics_are_the_geometric_tensors(method):
    for objective, params in ((SHARED, PARAMS), (MAPPED, np.array([0.4, 0.7]))):
        found = qg.metric_tensor(objective, params, method)
        np.testing.assert_allclose(found.matrix, exact(objective, params), atol=1e-10)
        assert not found.variance.any()


def test_blocks_are_those_of_the_full_metric_and_zero_elsewhere():
    params = np.array([0.3, -0.8, 0.5, 1.1, 0.4])
    found, full = qg.metric_tensor(SEPARATE, params, qg.BlockDiagonalMetric()), exact(SEPARATE, params)
    same = np.zeros((5, 5), bool)
    same[:2, :2] = same[2:, 2:] = True  # RX and RZ, then three diagonal gates
    np.testing.assert_allclose(found.matrix, np.where(same, full, 0), atol=1e-12)
    assert np.abs(full[~same]).max() > 1e-3
    assert found.cost.circuit_runs == 2


def test_a_gate_joins_the_first_layer_that_it_commutes_to():
    """RZ on qubit 1 is written behind RX on qubit 0: two layers, not three."""
    circuit = qg.Circuit(2).rx(0, param=0).rz(0, param=1).h(1).rx(1, param=2).rz(1, param=3)
    found = qg.metric_tensor(qg.Expectation(circuit, "ZZ"), PARAMS, qg.BlockDiagonalMetric(shots=10), key=0)
    assert (found.cost.circuit_runs, found.cost.shots) == (2, 20)


def test_overlaps_are_counted():
    """A + 4 A (A - 1) / 2 for two-term gates, none for the overlap of 1 at the point itself."""
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1).rz(0, param=2)
    with qg.Tracker() as spent:
        found = qg.metric_tensor(qg.Expectation(circuit, "ZI"), PARAMS[:3], qg.OverlapShift(shots=10), key=0)
    assert found.cost == qg.Cost(150, 150, 15, 150 * 2 * 4, 2)
    assert spent.by_estimator == {"MetricTensor": found.cost}


@pytest.mark.statistical
@pytest.mark.parametrize(
    "method",
    [qg.OverlapShift(shots=60), qg.BlockDiagonalMetric(shots=200), qg.QNSPSA(samples=30, shots=None, step=0.01)],
    ids=lambda m: type(m).__name__,
)
def test_measured_metrics_are_unbiased_and_their_variances_those_of_the_sample(method):
    """Of 200 runs: means within normal errors and 0.002 for the step of QN-SPSA; spreads within a third."""
    runs, params = 200, np.array([0.4, 0.7])
    noiseless = qg.BlockDiagonalMetric() if isinstance(method, qg.BlockDiagonalMetric) else qg.TangentMetric()
    truth = qg.metric_tensor(MAPPED, params, noiseless).matrix
    point, params = point_at(MAPPED, params)
    asker = MetricTensor(method, directions(MAPPED, params, point.coordinates), None)
    found = [run(point, asker, qg.Statevector(), key(seed)).reading for seed in range(runs)]
    matrices, reported = np.array([f.gradient[0] for f in found]), np.mean([f.variance[0] for f in found], axis=0)
    slack = 2e-3 if isinstance(method, qg.QNSPSA) else 1e-12
    assert np.all(np.abs(matrices.mean(axis=0) - truth) < normal(4) * np.sqrt(reported / runs) + slack)
    spread = matrices.var(axis=0, ddof=1)
    # Relative standard error of a variance, and for the plug-in fourth moments a share of 1/shots.
    assert np.all(np.abs(spread - reported) <= (normal(4) * np.sqrt(2 / runs) + 0.02) * reported + 1e-12)


def test_single_draws_have_no_variance():
    for method in (qg.OverlapShift(shots=1), qg.BlockDiagonalMetric(shots=1), qg.QNSPSA()):
        found = qg.metric_tensor(MAPPED, np.array([0.4, 0.7]), method, key=0)
        assert np.isnan(found.variance).all()


def test_noncommuting_generators_are_refused_with_shots_and_fine_without():
    circuit = qg.Circuit(2).h(0).ry(1, 0.3).evolution(qg.PauliSum("ZX + 0.3*XI"), (0, 1), param=0)
    objective = qg.Expectation(circuit, "ZI")
    found = qg.metric_tensor(objective, [0.4], qg.BlockDiagonalMetric())
    np.testing.assert_allclose(found.matrix, exact(objective, [0.4]), atol=1e-12)
    with pytest.raises(qg.NotApplicable, match="sum of strings that do not commute"):
        qg.metric_tensor(objective, [0.4], qg.BlockDiagonalMetric(shots=10), key=0)
    with pytest.raises(TypeError, match=r"give a method for this matrix, .*OverlapShift"):
        qg.metric_tensor(objective, [0.4], qg.SecondOrderShift())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_costs_are_as_predicted_and_precisions_those_of_the_parameters(dtype):
    hessians, metrics = [qg.SecondOrderShift(shots=20), qg.ShiftedAdjoint()], [qg.TangentMetric(), qg.OverlapShift(9)]
    metrics += [qg.OverlapShift(), qg.BlockDiagonalMetric(), qg.BlockDiagonalMetric(5), qg.QNSPSA(2, 5)]
    for ask, methods in ((qg.hessian, hessians), (qg.metric_tensor, metrics)):
        for method in methods:
            found = ask(SHARED, PARAMS.astype(dtype), method, key=0)
            assert method.predict(SHARED, dtype=dtype) == found.cost
            assert found.matrix.dtype == found.variance.dtype == dtype
            assert found.matrix.shape == (4, 4)


def test_natural_gradients_solve_the_regularised_system_and_say_its_condition():
    metric, gradient = exact(SHARED, PARAMS), qg.estimate(SHARED, PARAMS, qg.Adjoint()).gradient
    found = qg.natural_gradient(SHARED, PARAMS, qg.Adjoint(), qg.TangentMetric(), tikhonov=0.01)
    regular = metric + 0.01 * np.eye(4)
    np.testing.assert_allclose(found.direction, np.linalg.solve(regular, gradient), atol=1e-10)
    np.testing.assert_allclose(found.stats["condition_number"], np.linalg.cond(regular))
    assert found.cost == found.estimate.cost + found.metric.cost
    cut = qg.natural_gradient(SHARED, PARAMS, qg.Adjoint(), qg.TangentMetric(), tikhonov=0.0, cutoff=1e-9)
    np.testing.assert_allclose(cut.direction, np.linalg.pinv(metric, 1e-9) @ gradient, atol=1e-6)


def test_directions_that_move_nothing_are_left_out_and_bad_regularisation_is_refused():
    idle = qg.Expectation(qg.Circuit(1).rz(0, param=0).ry(0, param=1), "Z")
    ask = (idle, [0.3, 0.4], qg.Adjoint(), qg.TangentMetric())
    found = qg.natural_gradient(*ask, tikhonov=0.0, cutoff=1e-6)
    np.testing.assert_allclose(found.direction, [0.0, -4 * np.sin(0.4)], atol=1e-12)
    assert found.stats["rank"] == 1
    with pytest.raises(ValueError, match=r"eigenvalue .*tikhonov=-?0 .*not positive definite"):
        qg.natural_gradient(*ask, tikhonov=-0.0)
    for options in ({"tikhonov": -1e-3}, {"tikhonov": np.nan}, {"tikhonov": True}, {"cutoff": -0.1}, {"cutoff": 1.0}):
        with pytest.raises(ValueError, match=f"^{next(iter(options))}=.*give a"):
            qg.natural_gradient(*ask, **options)
    with pytest.raises(qg.NotApplicable, match="several outputs"):
        qg.natural_gradient(qg.Expectation(CIRCUIT, ["ZI", "IZ"]), PARAMS, qg.Adjoint(), qg.TangentMetric())


@pytest.mark.parametrize(
    "method", [qg.OverlapShift(), qg.BlockDiagonalMetric(), qg.BlockDiagonalMetric(400)], ids=lambda m: repr(m)
)
def test_wide_circuits_and_global_phases(method):
    """70 qubits of which two are busy; a global phase moves no state. With shots, the sample variance of two signs."""
    wide = qg.Circuit(70).add(qg.Gate("gphase", (), 0)).ry(3, param=1).cx(3, 69).ry(69, param=2)
    found = qg.metric_tensor(qg.Expectation(wide, "I" * 69 + "Z"), [0.1, 0.3, 0.2], method, key=0)
    np.testing.assert_allclose(found.matrix.diagonal(), [0, 0.25, 0.25], atol=1 / 16 if method.shots else 1e-12)
