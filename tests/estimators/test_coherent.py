"""Coherent methods: what their registers read, what they count, and what they refuse."""

import math

import numpy as np
import pytest
from scipy.special import jv

import qcgrad as qg
from qcgrad.estimators.coherent import _evolutions as evolutions
from qcgrad.estimators.coherent import _register as register
from qcgrad.objective import point_at
from qcgrad.simulators.coherent import _errors as drawn
from theory.statistics import key, rng, variance_ratio

ROTATION = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
MIXED = qg.Expectation(
    qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1).rx(1, param=1), {"ZZ": 1.0, "XI": 0.5, "II": 2.0}
)


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


@pytest.mark.statistical
@pytest.mark.parametrize("method", [qg.AmplitudeEstimation(5), qg.QuantumGradient(3)])
def test_single_runs_are_unbiased_with_the_reported_variance(method):
    """150 runs find variances that are off by a factor 2; tails of a register's errors are heavy, hence the margin."""
    truth = np.asarray(qg.estimate(MIXED, [0.5, 0.3], qg.Adjoint()).gradient)
    found = [qg.estimate(MIXED, [0.5, 0.3], method, key=key(seed)) for seed in range(150)]
    squares = np.mean([(np.asarray(e.gradient) - truth) ** 2 for e in found], axis=0)
    low, high = variance_ratio(150, 2)
    ratio = squares / np.mean([np.asarray(e.variance) for e in found], axis=0)
    assert np.all((low / 1.2 < ratio) & (ratio < 1.2 * high)), ratio


def test_errors_are_drawn_with_their_spread():
    errors = drawn.draw(6, (100_000,), rng(0))
    assert np.mean(np.cos(2 * np.pi * errors)) == pytest.approx(math.cos(math.pi / 65), abs=2e-4)


def test_uses_of_the_preparation_are_counted_by_walks():
    """N - 1 walks for each of M + 1 strings, a preparation and its inverse each."""
    cost = qg.predict_cost(ROTATION, qg.AmplitudeEstimation(4, 3))
    assert (cost.copies, cost.shots, cost.qubits) == (2 * 15 * 2 * 3, 6, 2 + 4)


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
