"""Synthetic tasks have the moments, symmetries and metrics that their docstrings state."""

import math

import numpy as np
import pytest

from qcgrad.studies import complex_tasks as tasks
from qcgrad.studies.complex_tasks._channels import TRAVELLING_WAVE_TUBE
from theory.statistics import normal, shifted

GENERATORS = {
    "fir_channel": tasks.fir_channel,
    "saleh_channel": tasks.saleh_channel,
    "phase_recovery": tasks.phase_recovery,
    "modulation": tasks.modulation,
    "polsar": tasks.polsar,
    "improper_noise": tasks.improper_noise,
}
CHANNELS = {name: GENERATORS[name] for name in ("fir_channel", "saleh_channel")}
CLASSES = {name: GENERATORS[name] for name in ("modulation", "polsar")}
# Squares of real and of complex normal noise have skewness 2.8 and 2: their means are normal far out. Where the
# spread of a square is its size, the tolerance is 4 % of it.
COUNT = 40_000
# The square of such a square less its mean has skewness 11.
COUNT_OF_SQUARES = 400_000


def assert_mean(values, expected):
    """The mean over axis 0 is `expected` within standard errors, of real and imaginary parts apart."""
    values = np.asarray(values)
    off = values.mean(axis=0) - expected
    for part in (np.real, np.imag):
        allowed = normal(2 * off.size) * part(values).std(axis=0) / math.sqrt(len(values)) + 1e-12
        assert np.all(np.abs(part(off)) <= allowed), (off, allowed)


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_the_seed_decides(make):
    first, again, other = make(3, 20), make(3, 20), make(4, 20)
    for one, same in zip(first[:3], again[:3], strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.allclose(first.x, other.x)
    assert len(first.x) == len(first.y) == 20
    assert first.truth.shape == first.y.shape


@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
@pytest.mark.parametrize("count", [0, -1, 2.5, True])
def test_a_bad_count_is_refused(make, count):
    with pytest.raises(ValueError, match="count="):
        make(0, count)


@pytest.mark.statistical
@pytest.mark.parametrize("make", [*CHANNELS.values(), tasks.improper_noise], ids=[*CHANNELS, "improper_noise"])
@pytest.mark.parametrize("snr_db", [-3.0, 10.0])
def test_noise_has_the_power_of_its_ratio(make, snr_db):
    task = make(shifted(0), COUNT, snr_db=snr_db)
    power = np.mean(np.abs(task.truth) ** 2) * 10 ** (-snr_db / 10)
    assert_mean(np.abs(task.y - task.truth) ** 2, power)
    np.testing.assert_array_equal(make(0, 50, snr_db=math.inf).y, make(0, 50, snr_db=math.inf).truth)


@pytest.mark.statistical
@pytest.mark.parametrize("make", CHANNELS.values(), ids=CHANNELS)
def test_channel_noise_is_circular(make):
    task = make(shifted(0), COUNT, snr_db=0.0)
    assert_mean((task.y - task.truth) ** 2, 0)


@pytest.mark.parametrize("symbols", ["gaussian", "psk8", "qam16"])
def test_fir_channel_is_its_impulse_response(symbols):
    task = tasks.fir_channel(1, 200, window=6, taps=3, symbols=symbols)
    response = np.linalg.lstsq(task.x, task.truth)[0]
    np.testing.assert_allclose(task.x @ response, task.truth, atol=1e-12)
    np.testing.assert_allclose(response[3:], 0, atol=1e-12)
    assert np.linalg.norm(response) == pytest.approx(1)
    # Windows of one sequence: what was current is one step older in the next.
    np.testing.assert_array_equal(task.x[1:, 1:], task.x[:-1, :-1])


def test_saleh_channel_is_an_amplifier_and_a_filter():
    task = tasks.saleh_channel(1, 200, window=5, taps=2, backoff_db=6.0)
    behind = tasks.saleh(10 ** (-6 / 20) * task.x)
    response = np.linalg.lstsq(behind, task.truth)[0]
    np.testing.assert_allclose(behind @ response, task.truth, atol=1e-12)
    assert np.linalg.norm(response) == pytest.approx(1)


def test_saleh_has_its_amplitudes_and_phases_and_commutes_with_a_phase():
    a_a, b_a, a_p, b_p = TRAVELLING_WAVE_TUBE
    r = np.linspace(0.01, 3, 50)
    out = tasks.saleh(r + 0j)
    np.testing.assert_allclose(np.abs(out), a_a * r / (1 + b_a * r**2))
    np.testing.assert_allclose(np.unwrap(np.angle(out)), a_p * r**2 / (1 + b_p * r**2))
    assert np.max(np.abs(out)) == pytest.approx(a_a / 2 / math.sqrt(b_a), rel=1e-3)
    turn = np.exp(0.7j)
    np.testing.assert_allclose(tasks.saleh(turn * out), turn * tasks.saleh(out), atol=1e-14)


@pytest.mark.parametrize("name", ["psk2", "psk4", "psk8", "qam4", "qam16", "qam64"])
def test_constellations_have_mean_power_one(name):
    points = tasks.constellation(name)
    assert len(np.unique(np.round(points, 9))) == len(points) == int(name[3:])
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1)
    assert abs(np.mean(points)) < 1e-12


@pytest.mark.statistical
def test_modulation_turns_symbols_by_one_phase_for_each_window():
    task = tasks.modulation(shifted(0), 2000, ("psk2", "psk4"), window=4, snr_db=math.inf)
    is_two = task.y[:, 0] > 0
    fourth = task.x**4 / task.x[:, :1] ** 4
    np.testing.assert_allclose(fourth, 1, atol=1e-9)
    np.testing.assert_allclose((task.x**2 / task.x[:, :1] ** 2)[is_two], 1, atol=1e-9)
    assert_mean(task.x[:, 0], 0)
    assert_mean(is_two, 0.5)


@pytest.mark.statistical
def test_modulation_noise_has_the_power_of_its_ratio():
    task = tasks.modulation(shifted(0), COUNT // 4, ("psk2", "psk4"), window=4, snr_db=5.0)
    # PSK symbols have power one; noise is independent of them.
    assert_mean(np.mean(np.abs(task.x) ** 2, axis=1), 1 + 10**-0.5)


@pytest.mark.statistical
@pytest.mark.parametrize("looks", [1, 4])
def test_polsar_has_the_moments_of_a_complex_wishart(looks):
    sigma = np.array([[2.0, 1j, 0.3], [-1j, 1.0, 0.2 - 0.1j], [0.3, 0.2 + 0.1j, 0.5]])
    task = tasks.polsar(shifted(0), COUNT_OF_SQUARES, looks=looks, covariances=sigma[None])
    rows, columns = np.triu_indices(3)
    assert_mean(task.x, sigma[rows, columns])
    power = np.real(np.diagonal(sigma))
    assert_mean(np.abs(task.x - sigma[rows, columns]) ** 2, power[rows] * power[columns] / looks)


@pytest.mark.statistical
def test_polsar_classes_have_one_power_and_are_equally_likely():
    task = tasks.polsar(shifted(2), COUNT, looks=2, classes=3)
    labels = np.argmax(task.y, axis=1)
    for label in range(3):
        assert_mean(labels == label, 1 / 3)
        assert_mean(task.x[labels == label][:, [0, 3, 5]].sum(axis=1), 3)


def test_singular_covariances_are_allowed():
    task = tasks.polsar(0, 10, covariances=np.array([[[1.0, 1.0], [1.0, 1.0]]]))
    np.testing.assert_allclose(task.x, task.x[:, :1] * np.ones((1, 3)), atol=1e-7)


@pytest.mark.statistical
@pytest.mark.parametrize("circularity", [0.0, 0.6, 1.0])
def test_improper_noise_has_its_pseudo_variance(circularity):
    task = tasks.improper_noise(shifted(0), COUNT, snr_db=0.0, circularity=circularity, angle=2.0)
    power = np.mean(np.abs(task.truth) ** 2)
    assert_mean((task.y - task.truth) ** 2, circularity * np.exp(2j) * power)


def test_phase_recovery_measures_moduli_of_a_linear_map():
    task = tasks.phase_recovery(0, 300, dimension=2, measurements=5)
    # |a s|^2 is linear in the entries of s s^H.
    lifted = np.einsum("ni,nj->nij", task.y, task.y.conj()).reshape(300, 4)
    squares = task.x**2 + 0j
    fitted = lifted @ np.linalg.lstsq(lifted, squares)[0]
    np.testing.assert_allclose(fitted, squares, atol=1e-10)
    np.testing.assert_allclose(np.imag(task.y[:, 0]), 0, atol=1e-12)
    assert np.all(np.real(task.y[:, 0]) > 0)
    assert np.isrealobj(task.x)


def test_phase_invariant_error_is_the_minimum_over_phases():
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3)) for _ in range(2))
    turns = np.exp(1j * np.linspace(0, 2 * np.pi, 20_001))[:, None, None]
    best = np.min(np.sum(np.abs(turns * one - other) ** 2, axis=2), axis=0).sum() / np.sum(np.abs(other) ** 2)
    found = tasks.phase_invariant_error(one, other)
    # The grid misses the minimum by half a step at most, and the error there is quadratic in it.
    assert found == pytest.approx(best, rel=1e-6)
    each = np.exp(2j * np.pi * rng.random((4, 1)))
    assert tasks.phase_invariant_error(each * one, other) == pytest.approx(found)
    assert tasks.squared_error(each * one, other) != pytest.approx(tasks.squared_error(one, other))


def test_squared_error_ignores_a_common_phase_and_scale():
    one, other = np.array([1.0, 2j]), np.array([1.5, 1j])
    assert tasks.squared_error(one, other) == pytest.approx(1.25 / 3.25)
    assert tasks.squared_error(3j * one, 3j * other) == pytest.approx(1.25 / 3.25)
    assert tasks.squared_error(0 * other, other) == 1
    assert tasks.decibels(0.01) == pytest.approx(-20)


@pytest.mark.parametrize("make", CLASSES.values(), ids=CLASSES)
def test_class_targets_have_mean_zero_and_meet_their_metric(make):
    task = make(0, 30)
    np.testing.assert_allclose(task.y.sum(axis=1), 0, atol=1e-12)
    assert task.metric(task.y, task.truth) == 1
    assert task.metric(2 * task.y + 5j, task.truth) == 1
    assert task.metric(-task.y, task.truth) == 0


@pytest.mark.parametrize(
    ("make", "arguments", "name"),
    [
        (tasks.fir_channel, {"window": 2, "taps": 3}, "window=2"),
        (tasks.fir_channel, {"taps": 0}, "taps=0"),
        (tasks.fir_channel, {"symbols": "psk"}, "constellation 'psk'"),
        (tasks.fir_channel, {"snr_db": math.nan}, "snr_db=nan"),
        (tasks.saleh_channel, {"backoff_db": math.inf}, "backoff_db=inf"),
        (tasks.phase_recovery, {"dimension": 0}, "dimension=0"),
        (tasks.phase_recovery, {"measurements": 0}, "measurements=0"),
        (tasks.modulation, {"constellations": ("psk4",)}, "constellations="),
        (tasks.modulation, {"constellations": ("psk4", "qam8")}, "constellation 'qam8'"),
        (tasks.modulation, {"snr_db": -math.inf}, "snr_db=-inf"),
        (tasks.polsar, {"looks": 0}, "looks=0"),
        (tasks.polsar, {"covariances": np.eye(2)}, "covariances have shape"),
        (tasks.polsar, {"covariances": np.array([[[1.0, 1.0], [0.0, 1.0]]])}, "Hermitian"),
        (tasks.polsar, {"covariances": np.diag([1.0, -1.0])[None]}, "semidefinite"),
        (tasks.improper_noise, {"circularity": 1.1}, "circularity=1.1"),
        (tasks.improper_noise, {"angle": math.nan}, "angle=nan"),
    ],
)
def test_bad_arguments_are_refused_by_name(make, arguments, name):
    with pytest.raises(ValueError, match=name):
        make(0, 10, **arguments)


@pytest.mark.parametrize("metric", [tasks.squared_error, tasks.phase_invariant_error, tasks.accuracy])
def test_metrics_refuse_other_shapes(metric):
    with pytest.raises(ValueError, match="predicted has shape"):
        metric(np.ones((3, 2)), np.ones((3, 1)))
