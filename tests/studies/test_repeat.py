"""Shortcuts of repeated trials change neither results nor costs."""

from itertools import islice

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.estimate import run
from qcgrad.objective import point_at
from qcgrad.studies.hard_instance import hard_instance
from qcgrad.studies.repeat import Recalling, trial_gradients
from qcgrad.studies.scaling._hard_cells import HardInstanceCell
from theory.statistics import bernstein, shifted, variance_ratio


@pytest.fixture(scope="module")
def objective():
    return hard_instance(2)


def test_trials_are_estimates_bit_for_bit(objective):
    """From one first state as from one of their own, with the keys of `estimate`, and charged in full."""
    plain, params = qg.BellShadow(copies=500), np.zeros(15)
    key = jax.random.key(5)
    with qg.Tracker() as spent:
        found = list(islice(trial_gradients(objective, params, plain, None, 5), 3))
    for gradient in found:
        key, used = jax.random.split(key)
        expected = qg.estimate(objective, params, plain, key=used)
        np.testing.assert_array_equal(gradient, expected.gradient)
    assert [charge.cost.copies for charge in spent.history] == [500] * 3


def test_what_is_drawn_anew_is_not_remembered():
    """A method that draws its questions begins each trial from a state of its own."""
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0), "ZI + 0.5*XX", ["YI", "XZ", "IX"])
    method = qg.OnlineTomography(0.8, 0.1, order="random")
    drawn = list(islice(trial_gradients(pool, [0.5], method, None, 1), 3))
    used = jax.random.split(jax.random.key(1))[1]
    np.testing.assert_array_equal(drawn[0], qg.estimate(pool, [0.5], method, key=used).gradient)
    assert not np.array_equal(drawn[0], drawn[1])


def test_the_driver_starts_from_a_state_that_is_given(objective):
    point, _ = point_at(objective, np.zeros(15))
    method, backend = qg.ParameterShift(), qg.Statevector()
    state = method.init(point, None)
    expected, found = (run(point, method, backend, None, start=start) for start in (None, state))
    np.testing.assert_array_equal(found.reading.gradient, expected.reading.gradient)
    assert found.cost == expected.cost


def test_any_backend_can_be_asked_through_it():
    class Own(qg.Statevector):
        access = qg.queries.Access.single_copy

    backend = Recalling(Own())
    assert backend.access == qg.queries.Access.single_copy
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    with pytest.raises(qg.AccessError, match="backend Recalling allows single_copy only"):
        qg.estimate(objective, [0.5], qg.Adjoint(), backend)
    found = qg.estimate(objective, [0.5], qg.ParameterShift(), backend).gradient
    np.testing.assert_allclose(found, -np.sin(0.5), atol=1e-12)


@pytest.mark.statistical
def test_recalled_draws_follow_the_binomial():
    """1000 trials: means to within 0.06, standard deviations to within a seventh."""
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cnot(0, 1).ry(1, param=1), {"IZ": 2.0, "II": 0.5})
    a, b, shots, trials = 0.4, 0.9, 50, 1000
    trial = trial_gradients(objective, np.array([a, b]), qg.ParameterShift(shots=shots), Recalling(), shifted(3))
    drawn = np.array(list(islice(trial, trials)))
    # F = 2 cos a cos b + 1/2, and (F(+) - F(-))/2 of means of `shots` outcomes +-2.
    exact = -2 * np.array([np.sin(a) * np.cos(b), np.cos(a) * np.sin(b)])
    deviation = np.sqrt(2 * (1 - (exact / 2) ** 2) / shots)
    assert np.all(np.abs(drawn.mean(axis=0) - exact) < bernstein(deviation**2, 4, trials, 2))
    low, high = variance_ratio(trials - 1, 2)
    ratio = drawn.var(axis=0, ddof=1) / deviation**2
    assert np.all((low < ratio) & (ratio < high))


@pytest.mark.statistical
def test_recalled_variances_follow_the_simulator():
    """200 runs find a variance that is off by a factor 2."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    backend = Recalling()
    runs = [qg.estimate(objective, [0.5], qg.ParameterShift(shots=200), backend, key=shifted(k)) for k in range(200)]
    spread = np.var([float(run.gradient[0]) for run in runs], ddof=1)
    reported = np.mean([float(run.variance[0]) for run in runs])
    low, high = variance_ratio(199)
    assert low < spread / reported < high
    assert np.isnan(qg.estimate(objective, [0.5], qg.ParameterShift(shots=1), backend, key=0).variance[0])


@pytest.mark.statistical
def test_pointer_sweeps_are_handed_out_one_by_one(objective):
    """More trials than are simulated at once: all differ, and their spread is the sweep's."""
    copies, trials, params = 1000, 150, np.zeros(15)
    truth = np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)
    estimator = qg.ReadOnceTomography(copies, batches=1)
    trial = trial_gradients(objective, params, estimator, Recalling(), shifted(5))
    drawn = np.array(list(islice(trial, trials)))
    assert len(np.unique(drawn[:, 0])) == trials
    # Variance of one copy between 1 + s^2 - <A>^2 and 1 + s^2 + D/s^2 with D = 16, s^2 = 4; <A>^2 is 3/15 on average.
    mean_square = np.mean((drawn - truth) ** 2) * copies
    low, high = variance_ratio(drawn.size)  # 0.83 and 1.19
    assert 4.8 * low < mean_square < 9 * high


def test_other_queries_go_to_the_simulator():
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cnot(0, 1), {"ZZ": 1.0, "XX": 0.5})
    shift = qg.ParameterShift(shots=20)
    found = qg.estimate(objective, [0.5], shift, Recalling(), key=1)
    expected = qg.estimate(objective, [0.5], shift, key=1)
    np.testing.assert_array_equal(found.gradient, expected.gradient)
    assert found.cost == expected.cost


def test_trials_differ_and_repeat_by_seed(objective):
    def first(seed, estimator, count=3):
        trials = trial_gradients(objective, np.zeros(15), estimator, Recalling(), seed)
        return np.array(list(islice(trials, count)))

    for estimator in (qg.ParameterShift(shots=10), qg.BellShadow(copies=300)):
        np.testing.assert_array_equal(first(1, estimator), first(1, estimator))
        assert not np.array_equal(first(1, estimator), first(2, estimator))
    shift = first(1, qg.ParameterShift(shots=10), 150)  # more than one batch
    assert len(np.unique(shift, axis=0)) > 140


def test_draws_work_under_vmap():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    backend = Recalling()
    keys = jax.random.split(jax.random.key(0), 4)
    batched = jax.vmap(lambda k: qg.estimate(objective, [0.5], qg.ParameterShift(shots=9), backend, key=k).gradient)
    single = [qg.estimate(objective, [0.5], qg.ParameterShift(shots=9), backend, key=k).gradient for k in keys]
    np.testing.assert_allclose(batched(keys), np.array(single), atol=1e-12)


def test_settings_below_what_a_method_takes_are_not_enough():
    """At a coarse accuracy the search goes down to where a pair and a vote take three copies, and stops there."""
    cell = HardInstanceCell(method="bell-shadow", epsilon=0.9, delta=0.3, n=2, trials=20)
    assert cell.compute()["setting"] >= 3
