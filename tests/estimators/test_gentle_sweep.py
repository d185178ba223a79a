"""GentleSweep and ReadOnceTomography: calibrated errors, chosen pointers, extrapolation, refusals."""

import re
import warnings

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.sweep_form import one_state_forms
from qcgrad.library import load_circuit
from qcgrad.objective import Point
from qcgrad.simulators.multicopy.moments import products
from theory.statistics import key, normal, shifted, student, variance_ratio


@pytest.fixture(scope="module")
def problem():
    entry = load_circuit("efficient_su2_n4_r2")
    objective = qg.Expectation(entry.circuit, "ZZII")
    return objective, entry.params, qg.estimate(objective, entry.params, qg.Adjoint())


def errors(problem, estimator, seeds):
    """(S, M) errors and mean reported variance (M,)."""
    objective, params, exact = problem
    found = [qg.estimate(objective, params, estimator, key=shifted(seed)) for seed in range(seeds)]
    return np.array([e.gradient - exact.gradient for e in found]), np.mean([e.variance for e in found], axis=0), found


@pytest.mark.statistical
@pytest.mark.parametrize(
    "estimator",
    [
        qg.GentleSweep(copies=40_000),
        qg.GentleSweep(copies=40_000, pointer_variance=1.5),
        qg.GentleSweep(copies=40_000, interactions=4.0, encoding="none"),
        qg.ReadOnceTomography(copies=40_000),
    ],
    ids=["pilot", "given", "interactions", "read once"],
)
def test_the_spread_over_seeds_is_the_reported_variance(problem, estimator):
    """Variances to within a third, means to within 0.02."""
    seeds = 40
    found, variance, estimates = errors(problem, estimator, seeds)
    # Pooled over seeds and components, whose outcomes in one sweep are drawn independently. A reported variance comes
    # from eight batches, seven degrees of freedom, and so adds a seventh of what the errors scatter.
    ratio = np.mean(found**2) / np.mean(variance)
    low, high = variance_ratio(found.size * 7 / 8)
    assert low < ratio < high
    bound = estimates[0].bias_bound
    assert np.all(np.abs(found.mean(axis=0)) < student(7 * seeds, 24) * np.sqrt(variance / seeds) + bound)


@pytest.mark.statistical
def test_the_pilot_finds_the_interactions(problem):
    """s^2 = sqrt(mean of the rows' sums), known here from sweeps with a dense simulation of Omega."""
    objective, params, _ = problem
    e = qg.estimate(objective, params, qg.GentleSweep(copies=160_000_000, batches=8192), key=key(0))
    width = float(e.result.message.rsplit(" ", 1)[1])
    # The spread of 8192 batches and 25 strings of variance about 2.2 leaves 0.007 on R = 0.2, 0.008 on its root.
    assert abs(width - np.sqrt(mean_row_sum(objective, params))) < normal() * 0.008


def mean_row_sum(objective, params):
    (form,) = one_state_forms(objective.program, np.asarray(objective.coordinates(params)), "terms")
    return np.mean(np.sum(np.triu(np.imag(products(form)) ** 2, 1), axis=0))


@pytest.mark.statistical
def test_extrapolation_removes_a_bias_that_plain_sweeps_have(problem):
    """Few copies in each sweep: M/(4 s^2 k) is large, so the shrinkage of all components together shows."""
    seeds, sign = 60, np.sign(problem[2].gradient)
    options = {"copies": 60_000, "pointer_variance": 0.5, "batches": 500}
    plain, plain_variance, first = errors(problem, qg.GentleSweep(**options), seeds)
    better, _, second = errors(problem, qg.GentleSweep(**options, extrapolate=True), seeds)
    shrinkage = np.mean(plain * sign, axis=1)
    left = np.mean(better * sign, axis=1)
    assert shrinkage.mean() < 0
    assert abs(left.mean()) < 0.5 * abs(shrinkage.mean())
    assert np.max(second[0].bias_bound) < np.max(first[0].bias_bound)
    assert np.all(np.abs(plain.mean(axis=0)) < first[0].bias_bound + normal(24) * np.sqrt(plain_variance / seeds))


@pytest.mark.statistical
def test_strings_swept_one_by_one_share_copies_by_their_coefficients():
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
    objective = qg.Expectation(circuit, {"ZZ": 3.0, "XI": 1.0, "II": 0.7})
    recorded = []

    class Recording(qg.Statevector):
        def answer(self, query, key):
            recorded.append(query)
            return super().answer(query, key)

    e = qg.estimate(
        objective, [0.4, 0.9], qg.GentleSweep(64_128, 1.0, batches=64, encoding="terms"), Recording(), key=key(0)
    )
    assert sorted(query.copies for query in recorded) == [251, 751]
    exact = qg.estimate(objective, [0.4, 0.9], qg.Adjoint())
    # About 0.15; the gradient is (-2.6, -3.4).
    allowed = student(63, 3)
    assert abs(e.value - exact.value) < allowed * np.sqrt(e.value_variance) + e.value_bias_bound
    assert np.all(np.abs(e.gradient - exact.gradient) < allowed * np.sqrt(e.variance) + e.bias_bound)


@pytest.mark.statistical
def test_a_pilot_finds_how_many_copies_are_left_out():
    """ZZ + XX at sin(0.6): r = sqrt<O^2>/Lambda = 0.885 of the copies count, and the variance is the best."""
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZZ + XX")
    asked = []

    class Recording(qg.Statevector):
        def answer(self, query, key):
            asked.append(query)
            return super().answer(query, key)

    copies, batches = 8_000_000, 4_000
    e = qg.estimate(objective, [0.6], qg.GentleSweep(copies, batches=batches), Recording(), key=key(4))
    root = np.sqrt(2 + 2 * np.sin(0.6)) / 2
    main = asked[1]
    # A million copies tell it to 5e-4.
    assert abs(main.form.acceptance - root) < normal() * 1e-3
    value = e.value / main.form.value[0, 0]
    added = main.form.value[0, 0] ** 2 * (root - value**2 + main.pointer_variance)
    low, high = variance_ratio(batches - 1)
    assert low < e.value_variance * main.copies * batches / added < high
    exact = qg.estimate(objective, [0.6], qg.Adjoint())
    assert abs(e.gradient - exact.gradient)[0] < normal() * np.sqrt(e.variance[0]) + e.bias_bound[0]


def at(circuit, observables):
    objective = qg.Expectation(circuit, observables)
    return Point(objective, np.zeros(1), np.eye(objective.num_outputs))


@pytest.mark.parametrize("method", [qg.GentleSweep, qg.ReadOnceTomography])
def test_proved_copies_of_a_group_go_with_its_range(method):
    """XX + YY + ZZ lies between -3 and 1: as many copies as for one string of coefficient 2, all in one sweep."""
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1)
    together, single = (method.for_accuracy(at(circuit, o), 0.1, 0.05) for o in ("XX + YY + ZZ", "2*ZZ"))
    assert together.copies == single.copies
    assert together.encoding == "block"


def test_outputs_that_share_strings_are_swept_by_strings():
    """Eight signed sums of X and Z: eight sweeps of weight 2 each, or two strings that all of them use."""
    sums = [{"X": a, "Z": b} for a in (1.0, -1.0) for b in (1.0, -1.0)] * 2
    assert qg.GentleSweep.for_accuracy(at(qg.Circuit(1).ry(0, param=0), sums), 0.1, 0.05).encoding == "terms"


def test_a_constant_observable_costs_nothing():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"I": 2.0})
    e = qg.estimate(objective, [0.3], qg.GentleSweep(100, 1.0), key=0)
    assert (float(e.value), e.gradient.tolist(), e.cost) == (2.0, [0.0], qg.Cost())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.GentleSweep(0), "copies=0"),
        (lambda: qg.GentleSweep(100, -1.0), "pointer_variance=-1.0: give a positive number"),
        (lambda: qg.GentleSweep(100, 1.0, interactions=2.0), "not both"),
        (lambda: qg.GentleSweep(100, batches=1), "give pointer_variance too"),
        (lambda: qg.GentleSweep(100, encoding="lcu"), "encoding='lcu'"),  # pyright: ignore[reportArgumentType]
        (lambda: qg.ReadOnceTomography(1.5), "copies=1.5"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_too_few_copies_for_one_in_each_sweep():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0, "X": 0.1})
    with pytest.raises(ValueError, match=r"copies=15 leaves a sweep without a copy.*at least 16 copies"):
        qg.estimate(objective, [0.3], qg.ReadOnceTomography(15, encoding="terms"), key=0)
    assert qg.predict_cost(objective, qg.ReadOnceTomography(15)).copies == 8  # one of each batch


def test_coherent_qubits_can_be_limited(problem):
    objective, params, _ = problem
    with pytest.raises(qg.BudgetExhausted, match="qubits"):
        qg.estimate(objective, params, qg.GentleSweep(8000, 1.0), key=0, budget=qg.Budget(qubits=1000))
    e = qg.estimate(objective, params, qg.ReadOnceTomography(8000), key=0, budget=qg.Budget(qubits=1000))
    assert e.result == "ok"


def test_a_bias_bound_above_the_norm_of_the_gradient_warns_and_says_what_would_do():
    """Twenty derivatives of -sin(0.02) each, read with narrow pointers; what the message names is about enough."""
    circuit = qg.Circuit(1)
    for param in range(20):
        circuit = circuit.ry(0, param=param)
    objective, params = qg.Expectation(circuit, "Z"), np.full(20, 0.001)
    with pytest.warns(qg.BiasWarning, match="the bias bound reaches .* more than the norm"):
        found = qg.estimate(objective, params, qg.GentleSweep(20_000, 0.005), key=0)
    assert found.result == "ok"
    said = re.search(r"about (\S+) copies .* pointer variance of ([\d.e+]+),", found.result.message)
    copies, width = (float(number) for number in said.groups())
    norm = np.linalg.norm(found.gradient)
    for method in (qg.GentleSweep(int(copies), 0.005), qg.GentleSweep(20_000, width)):
        # One digit is shown.
        assert norm / 2 < qg.estimate(objective, params, method, key=0).bias_bound.max() < 2 * norm


def test_no_warning_where_the_bound_is_small():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = qg.estimate(objective, [0.7], qg.GentleSweep(100_000, 1.0), key=0)
    assert "bias bound" not in found.result.message
