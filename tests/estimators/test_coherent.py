"""Coherent methods: what their registers read, what they count, and what they refuse."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import jv

import qcgrad as qg
from qcgrad.catalogue import methods
from qcgrad.estimators.coherent import _evolutions as evolutions
from qcgrad.estimators.coherent import _register as register
from qcgrad.estimators.coherent._amplitude_estimation import read
from qcgrad.objective import point_at
from qcgrad.planner import Advice, DeviceModel, Plan, cells, headings
from qcgrad.simulators.coherent import _answers as phases
from qcgrad.simulators.coherent import _errors as drawn
from theory.statistics import bernstein, key, rng

ROTATION = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
MIXED = qg.Expectation(
    qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1).rx(1, param=2), {"ZZ": 1.0, "XI": 0.5, "II": 2.0}
)
ANGLES = np.array([0.5, 0.3, -0.8])


@pytest.mark.parametrize("qubits", [1, 2, 5, 20])
def test_moments_of_one_error_are_those_of_the_sine_state(qubits):
    """E cos is cos(pi/(N+1)), and E cos 2m = (N cos(2 pi/(N+1)) + 1)/(N + 1)."""
    size, found = 2**qubits, register.errors(qubits, 1)
    angle = math.pi / (size + 1)
    assert found.cosine == pytest.approx(2 * math.sin(angle / 2) ** 2, rel=1e-4)
    assert found.double == pytest.approx(1 - (size * math.cos(2 * angle) + 1) / (size + 1), rel=1e-4, abs=1e-14)


def test_proposals_cover_the_density():
    for qubits in range(1, 49):
        x = np.linspace(0, min((2**qubits + 1) / 2, 50), 20_001)
        assert np.max(drawn.quotient(qubits, x)) < drawn._LARGEST_QUOTIENT


def test_grid_points_have_moments_below_those_of_a_gaussian():
    """So from order 8 on by their range alone; see the derivation."""
    for qubits in range(1, 13):
        size = 2**qubits
        places = (np.arange(size) + 0.5) / size - 0.5
        weights = 2 / (size + 1) * np.sin(np.pi * (np.arange(size) + 1) / (size + 1)) ** 2
        variance = evolutions.place_variance(qubits)
        for p in range(2, 9):
            odd = math.prod(range(1, 2 * p, 2))
            assert weights @ places ** (2 * p) <= odd * variance**p


@pytest.mark.parametrize("time", [0.3, 30.0, 500.0])
@pytest.mark.parametrize("tail", [1e-3, 1e-10])
def test_series_are_cut_where_little_is_left(time, tail):
    degree = evolutions.degree(time, tail)
    assert 2 * np.abs(jv(np.arange(degree + 1, degree + 400), time)).sum() <= tail


@pytest.mark.parametrize("qubits", [1, 3, 8])
def test_the_mean_square_of_one_error_is_that_of_the_density(qubits):
    """The density, by the formula in `_errors` as it stands there, summed over a fine grid of the circle."""
    size, points = 2**qubits, 400_001
    omega = np.linspace(-math.pi, math.pi, points)[1:-1]
    angle = math.pi / (size + 1)
    density = np.cos((size + 1) * omega / 2) ** 2 / (np.cos(omega) - math.cos(angle)) ** 2
    expected = np.sum(density * (omega / 2 / math.pi) ** 2) / np.sum(density)
    assert register.errors(qubits, 1).square == pytest.approx(expected, rel=1e-4)


def cosines(qubits):
    """E cos m and E cos 2m of one error."""
    size = 2**qubits
    angle = math.pi / (size + 1)
    return math.cos(angle), (size * math.cos(2 * angle) + 1) / (size + 1)


@pytest.mark.statistical
@pytest.mark.parametrize(("qubits", "runs"), [(3, 6000), (6, 200_000)], ids=["grid", "linear"])
def test_registers_read_derivatives_with_the_errors_of_the_sine_state(qubits, runs):
    """Tolerances are 0.03 (0.001) radians of the mean, and a quarter (a third) of the spread 1 - E cos m."""
    point, _ = point_at(MIXED, ANGLES)
    *_, query = qg.QuantumGradient(qubits).plan(point, None)
    found: Any = qg.Statevector().answer(replace(query, repetitions=runs), key(3))
    assert str(found.fidelity) == ("exact" if qubits == 3 else "idealized")
    slopes = np.asarray(qg.estimate(MIXED, ANGLES, qg.Adjoint()).gradient)
    off = 2 * math.pi * (found.turns - slopes / (4 * query.scale * query.sensitivities))
    one, two = cosines(qubits)
    # What the plan leaves out changes an average of numbers up to 1 by twice the variation distance.
    rest = 2 * query.deviation
    angles = query.program.num_angles
    sine, cosine = ((1 + sign * two) / 2 - mean**2 for sign, mean in ((-1, 0.0), (1, one)))
    assert np.all(np.abs(np.mean(np.sin(off), axis=0)) < bernstein(sine, 1, runs, 2 * angles) + rest)
    assert np.all(np.abs(np.mean(np.cos(off), axis=0) - one) < bernstein(cosine, 2, runs, 2 * angles) + rest)


@pytest.mark.statistical
def test_walks_read_expectations_with_the_errors_of_the_sine_state():
    """E cos 2 pi y = a E cos m, and the same for twice the angle; tolerances are 0.01."""
    point, _ = point_at(MIXED, ANGLES)
    (query,) = qg.AmplitudeEstimation(4).plan(point, None)
    form: Any = query.form
    truth, runs = phases.expectations(form), 20_000
    strings = np.tile(query.strings, (runs, 1))
    answer: Any = qg.Statevector().answer(replace(query, strings=strings.ravel()), key(4))
    found = answer.turns.reshape(strings.shape)
    one, two = cosines(4)
    for harmonic, mean in ((1, one * truth), (2, two * (2 * truth**2 - 1))):
        turns = np.mean(np.cos(2 * math.pi * harmonic * found), axis=0)
        assert np.all(np.abs(turns - mean) < bernstein(1 - mean**2, 2, runs, 2 * len(truth)))


def test_reported_variances_are_those_of_the_errors():
    """By the formulas of the docstrings, at squares that are unbiased: E m^2 = a^2 + Var m."""
    one, two = cosines(4)

    def variance(squares):
        return (1 + two * (2 * squares - 1)) / (2 * one**2) - squares

    found = read(np.linspace(-0.5, 0.5, 11)[None], 4)
    least, most = variance(1.0), variance(0.0)
    expected = variance((found.means**2 - most) / (1 + least - most))
    # Beyond 1 a square is no square of an expectation: the variance there is the one at 1.
    inside = expected >= least
    np.testing.assert_allclose(found.variances, np.maximum(expected, least), rtol=1e-3)
    assert np.count_nonzero(inside) >= 8
    e = qg.estimate(ROTATION, [0.5], qg.QuantumGradient(4), key=0)
    np.testing.assert_allclose(e.variance, 4**2 * register.errors(4, 1).square, rtol=1e-12)


@pytest.mark.statistical
def test_errors_are_drawn_with_their_spread():
    """A tenth of the spread."""
    (one, two), draws = cosines(6), 300_000
    turns = drawn.draw(6, (draws,), rng(0))
    allowed = bernstein((1 + two) / 2 - one**2, 2, draws)
    assert allowed < 0.2 * (1 - one)
    assert abs(np.mean(np.cos(2 * np.pi * turns)) - one) < allowed


def test_uses_of_the_preparation_are_counted_by_walks():
    """N - 1 walks for each of M + 1 strings, a preparation and its inverse each."""
    cost = qg.predict_cost(ROTATION, qg.AmplitudeEstimation(4, 3))
    assert (cost.copies, cost.shots, cost.qubits) == (2 * 15 * 2 * 3, 6, 2 + 4)
    assert cost.depth == 2 * 15


def test_uses_grow_as_the_root_of_the_number_of_angles():
    walks = [sum(evolutions.cheapest(m, 10, 1e-8, 1e-8).degrees) for m in (16, 64, 256)]
    assert walks[1] / walks[0] == pytest.approx(2, rel=0.03)
    assert walks[2] / walks[1] == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("make", [qg.AmplitudeEstimation, qg.QuantumGradient])
def test_what_no_register_reads_is_refused(make):
    with pytest.raises(ValueError, match="qubits=60: a register of at most 48 qubits"):
        make(60)
    with pytest.raises(ValueError, match="repetitions=2: give an odd number"):
        make(4, 2)
    with pytest.raises(qg.NotApplicable, match=r"register of about \d+ qubits.*epsilon=1e-20"):
        make.for_accuracy(point_at(ROTATION, [0.5])[0], 1e-20, 0.1)
    many = qg.Expectation(qg.Circuit(1, [qg.Gate("ry", (0,), a) for a in range(200)]), "Z")
    with pytest.raises(qg.NotApplicable, match=r"epsilon=1e-14.*give a larger epsilon"):
        make.for_accuracy(point_at(many, np.zeros(200))[0], 1e-14, 0.1)


@pytest.mark.parametrize("make", [qg.AmplitudeEstimation, qg.QuantumGradient])
def test_more_runs_than_memory_holds_are_refused_before_they_are_drawn(make):
    with pytest.raises(qg.StateTooLarge, match=r"outcomes of EstimatePhases take .* give fewer repetitions"):
        qg.estimate(ROTATION, [0.5], make(4, 10**12 + 1), key=0)


@pytest.mark.parametrize("make", [qg.AmplitudeEstimation, qg.QuantumGradient])
def test_rare_failures_cost_logarithms(make):
    """A failure in 10^9 takes about ten times as much as one in twenty; 10^-300 is nothing special."""
    point, _ = point_at(ROTATION, [0.5])
    usual, rare, rarest = (make.for_accuracy(point, 0.1, delta).predict(point).copies for delta in (0.05, 1e-9, 1e-300))
    assert usual < rare < 20 * usual
    assert rare < rarest < 1000 * usual


@pytest.mark.parametrize("make", [qg.AmplitudeEstimation, qg.QuantumGradient])
def test_outputs_that_are_constant_are_known(make):
    """A constant, a qubit, and a sum whose coefficients are 0; the second parameter moves nothing."""
    circuit = qg.Circuit(1).ry(0, param=0).rx(0, param=1, scale=0.0)
    objective = qg.Expectation(circuit, [{"I": 2.5}, {"Z": 1.0}, {"Z": 0.0}])
    e = qg.estimate(objective, [0.5, 0.1], make(8), key=0)
    for known in (e.gradient[::2], e.gradient[:, 1], e.variance[::2], e.variance[:, 1]):
        np.testing.assert_array_equal(known, 0)
    assert (float(e.value[0]), float(e.value[2])) == (2.5, 0.0)
    assert e.variance[1, 0] > 0
    constant = qg.Expectation(circuit, {"I": 2.5})
    assert qg.predict_cost(constant, make.for_accuracy(point_at(constant, [0.5, 0.1])[0], 0.1, 0.1)) == qg.Cost()


@pytest.mark.parametrize("make", [qg.AmplitudeEstimation, qg.QuantumGradient])
def test_the_depth_is_predicted_and_a_budget_limits_it(make):
    e = qg.estimate(MIXED, ANGLES, make(4), key=0)
    assert e.cost == qg.predict_cost(MIXED, make(4))
    assert "depth" in repr(e)
    assert 2 * 15 <= e.cost.depth <= e.cost.copies
    with pytest.raises(qg.BudgetExhausted, match=rf"depth {e.cost.depth:,} > 29".replace(",", "")):
        qg.estimate(MIXED, ANGLES, make(4), key=0, budget=qg.Budget(depth=29))


def test_advice_shows_the_depth():
    method = qg.AmplitudeEstimation(4)
    plan = Plan(methods()["amplitude-estimation"], method, qg.predict_cost(ROTATION, method), 1.0)
    advice = Advice((plan,), 0.1, 0.05, "depth", DeviceModel())
    assert dict(zip(headings(advice), cells(plan), strict=True))["depth"] == "30"
