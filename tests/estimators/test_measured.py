"""Measured and AdaptiveShots: how shots are divided, what that makes of variances, and what is refused."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimators.single_copy.measurement._allocation import divided
from qcgrad.estimators.single_copy.measurement._requirement import Requirement
from qcgrad.queries import Evaluate
from tests.recorder import Recorder
from theory.statistics import counts, key, variance_ratio

CIRCUIT = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, {"ZI": 3.0, "XX": 1.0, "YY": 0.5, "II": 7.0})
ANGLES = np.array([0.4, 0.9])
SHIFT = qg.ParameterShift(shots=400)


def asked(method, objective=OBJECTIVE, seed=0, **options):
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(objective, ANGLES, method, recorder, key=key(seed), **options)
    return e, [np.array(query.shots_per_setting) for query in recorder.queries]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (100, [3.0, 1.0], [75, 25]),
        (100, [3.0, 1.0, 0.001], [74, 24, 2]),
        (7, [1.0, 1.0, 1.0], [3, 2, 2]),
        (3, [9.0, 1.0, 1.0], [1, 1, 1]),
        (10, [1.0, 0.0], [10, 0]),
        (10**15, [1.0, 1e-30], [10**15 - 2, 2]),
    ],
)
def test_shots_are_whole_and_add_up(total, weights, expected):
    assert divided(np.array([total]), np.array([weights]))[0].tolist() == expected


@pytest.mark.parametrize(
    ("grouping", "allocation", "shares"),
    [
        ("qubit-wise", "uniform", [134, 133, 133]),
        ("qubit-wise", "weighted", [267, 89, 44]),
        ("commuting", "weighted", [267, 133]),
        ("qubit-wise", (1, 0.5, 0.5), [200, 100, 100]),
    ],
)
def test_an_evaluation_takes_its_shots_whatever_the_groups(grouping, allocation, shares):
    """ZI has range 3; XX and YY have 1 and 0.5, and commute."""
    method = qg.Measured(SHIFT, grouping, allocation)
    e, shots = asked(method)
    assert sorted(int(part[0]) for part in shots) == sorted(shares)
    assert all(np.all(part == part[0]) for part in shots)
    assert e.cost.shots == 7 * 400
    assert qg.predict_cost(OBJECTIVE, method) == e.cost


def test_a_pilot_is_paid_for_and_decides():
    """At angle 0 ZI never varies, so that the rest goes where the outcomes do."""
    still = qg.Expectation(qg.Circuit(2).rx(1, param=0), {"ZI": 3.0, "XX": 1.0})
    method = qg.Measured(qg.ParameterShift(shots=1000), allocation="optimal")
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(still, [0.3], method, recorder, key=key(0))
    x, z = (np.array(q.shots_per_setting) for q in recorder.queries[2:])
    assert np.all(z + x == 900)
    assert np.all(x > z)
    assert e.cost.shots == 3000
    assert qg.predict_cost(still, method).copies == 3000


@pytest.mark.statistical
@pytest.mark.parametrize("grouping", ["qubit-wise", "commuting"])
@pytest.mark.parametrize("allocation", ["weighted", "optimal"])
def test_variances_are_those_of_repetition(grouping, allocation):
    """Covariances inside a group count: of 300 gradients, to a factor of about 1.7; XX and YY are anti-correlated."""
    method = qg.Measured(qg.ParameterShift(shots=300), grouping, allocation)
    found = [asked(method, seed=seed)[0] for seed in range(300)]
    spread = np.var([e.gradient for e in found], axis=0, ddof=1)
    low, high = variance_ratio(299, 2)
    ratio = spread / np.mean([e.variance for e in found], axis=0)
    assert np.all((0.97 * low < ratio) & (ratio < 1.03 * high))


def test_what_no_shot_goes_to_is_not_known():
    both = qg.Expectation(CIRCUIT, ["ZI", "ZI + 0.5*XX"])
    with pytest.warns(UserWarning, match="what depends on them will be NaN"):
        method = qg.Measured(SHIFT, allocation=(0.0, 1.0))
    e, shots = asked(method, both)
    assert len(shots) == 1
    assert np.isfinite(e.value).tolist() == [True, False]
    assert np.isnan(e.gradient).all()
    assert np.isnan(e.variance).all()
    assert str(e.result) == "not_finite"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: asked(qg.Measured(qg.ParameterShift(2))), "shots=2 .* 3 groups of strings: give at least 3"),
        (lambda: asked(qg.Measured(qg.ParameterShift(11), allocation="optimal")), "takes at least 12"),
        (lambda: qg.Measured(SHIFT, "anything"), "grouping='anything': give 'qubit-wise' or 'commuting'"),
        (lambda: qg.Measured(SHIFT, allocation="best"), "allocation='best': give 'uniform' or"),
        (lambda: qg.Measured(SHIFT, allocation=(1.0, -1.0)), "give 'uniform', 'weighted', 'optimal', or a weight"),
        (lambda: qg.Measured(SHIFT, allocation=(np.nan,)), "give 'uniform', 'weighted', 'optimal', or a weight"),
        (lambda: asked(qg.Measured(SHIFT, allocation=(1.0,))), "has 1 weights, but there are 3 groups"),
        (lambda: qg.Precision(0.0), "epsilon=0.0: give a positive number"),
        (lambda: qg.Precision(-0.1), "epsilon=-0.1: give a positive number"),
        (lambda: qg.Precision(0.1, 1.0), "delta=1.0: give a number between 0 and 1"),
        (lambda: qg.Precision(0.1, True), "delta=True"),
        (lambda: qg.AdaptiveShots(SHIFT, 0.1, 2.0), "delta=2.0: give a number between 0 and 1"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_methods_that_cannot_be_told_are_refused():
    with pytest.raises(TypeError, match="give an estimator"):
        qg.Measured(qg.ParameterShift)
    with pytest.raises(qg.NotApplicable, match="Adjoint is none"):
        qg.Measured(qg.Adjoint())
    with pytest.raises(qg.NotApplicable, match="Adjoint is none"):
        qg.estimate(OBJECTIVE, ANGLES, qg.Adjoint(), precision=qg.Precision(0.1))
    with pytest.raises(TypeError, match=r"precision is 0\.1: give qcgrad\.Precision"):
        qg.estimate(OBJECTIVE, ANGLES, qg.ParameterShift(), precision=0.1)
    with pytest.raises(qg.NotApplicable, match="copies to reach epsilon=1e-12"):
        qg.estimate(OBJECTIVE, ANGLES, qg.ParameterShift(), precision=qg.Precision(1e-12), key=0)


def test_other_estimators_of_sums_are_wrapped_too():
    e, shots = asked(qg.Measured(qg.ParameterShift(), "commuting"))
    assert (len(shots), e.cost.shots, e.cost.circuit_runs) == (1, 0, 7)  # exact values have no groups


def test_the_fewest_shots_of_one_derivative_are_in_proportion_to_deviations():
    """Neyman's allocation: (3 + 1)^2 / 0.1 altogether, divided 3 to 1; of two derivatives both are met."""
    found = Requirement(np.array([[9.0, 1.0]]), np.zeros((1, 2)), 0.1).shots()
    np.testing.assert_allclose(found, [120, 40], rtol=1e-2)
    spread = np.array([[1.0, 0.0, 4.0], [0.0, 9.0, 1.0]])
    shots = Requirement(spread, np.zeros((2, 3)), 0.1).shots()
    assert np.all((spread / shots).sum(axis=1) <= 0.1 * (1 + 1e-9))


def test_standard_errors_are_as_asked():
    e, _ = asked(qg.ParameterShift(), precision=qg.Precision(0.02))
    assert np.all(np.sqrt(e.variance) <= 0.02)
    assert e.cost.copies <= qg.predict_cost(OBJECTIVE, qg.Precision(0.02).reached_by(qg.ParameterShift())).copies
    assert qg.Precision(0.02).reached_by(qg.Measured(SHIFT, "commuting")).grouping == "commuting"


@pytest.mark.statistical
@pytest.mark.parametrize("epsilon", [0.5, 0.02])
def test_derivatives_are_as_precise_as_promised(epsilon):
    """With and without a pilot; failures are no more frequent than delta, which bounds on variances keep far below.

    The shots of the pilot decide, and those that count are fewer than Hoeffding's inequality would take.
    """
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0, "X": 0.1})
    truth = qg.estimate(objective, [0.1], qg.Adjoint()).gradient
    method = qg.Precision(epsilon, delta=0.2).reached_by(qg.ParameterShift())
    found = [qg.estimate(objective, [0.1], method, key=key(seed)) for seed in range(60)]
    failures = sum(abs(e.gradient[0] - truth[0]) > epsilon for e in found)
    assert failures <= counts(60, 0.2)[1]
    most = qg.predict_cost(objective, method).copies
    assert all(e.cost.copies <= most for e in found)


def test_a_pilot_saves_shots_where_outcomes_hardly_vary():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0})
    params, precision = [np.pi / 2], qg.Precision(0.002, delta=0.05)
    e = qg.estimate(objective, params, qg.ParameterShift(), key=key(0), precision=precision)
    point, _ = qg.objective.point_at(objective, params)
    proved = qg.ParameterShift.for_accuracy(point, 0.002, 0.05)
    assert abs(e.gradient[0] + 1) <= 0.002
    assert e.cost.copies < qg.predict_cost(objective, proved).copies / 2


def test_the_value_alone_is_as_precise():
    query = qg.AdaptiveShots(qg.ParameterShift(), 0.1).value_query(qg.objective.point_at(OBJECTIVE, ANGLES)[0])
    assert isinstance(query, Evaluate)
    assert query.shots == round((9 + 1 + 0.25) / 0.01)
