"""Stopping rules: how often they stop falsely, and that they stop."""

import numpy as np
import pytest
from scipy.stats import norm

import qcgrad as qg
from qcgrad.optimizers import GradientBelow, NoImprovement, Step
from qcgrad.result import Estimate, Result
from theory.statistics import counts, rng


def step(gradient=(0.0,), variance=(0.0,), value=0.0, value_variance=0.0, bias=0.0, **stats):
    gradient, variance = np.asarray(gradient, float), np.asarray(variance, float)
    off = np.full_like(gradient, bias)
    e = Estimate(value, gradient, variance, value_variance, off, bias, qg.Cost(), Result("ok", ""), "exact", stats)
    return Step(None, e, qg.Cost())


def test_an_exact_gradient_stops_at_the_tolerance():
    rule = GradientBelow(0.5)
    assert rule([step([0.3, 0.4])])
    assert not rule([step([0.3, 0.41])])
    assert not rule([step([0.3, 0.0], bias=0.2)])


def test_the_bound_on_a_noisy_gradient_by_hand():
    """Norm 0.3, total variance 0.04; the first check gets 6/pi^2 of delta, the second a quarter of that."""
    first = 0.3 + 0.2 * norm.isf(6 * 0.05 / np.pi**2)
    second = 0.3 + 0.2 * norm.isf(6 * 0.05 / (2 * np.pi) ** 2)
    noisy = step([0.3, 0.0], [0.01, 0.03])
    assert GradientBelow(first + 1e-9)([noisy])
    assert not GradientBelow(first - 1e-9)([noisy])
    assert GradientBelow(second + 1e-9)([noisy, noisy])
    assert not GradientBelow(second - 1e-9)([noisy, noisy])


def test_few_degrees_of_freedom_and_unknown_variances_do_not_stop():
    assert GradientBelow(1.0)([step([0.1], [0.01])])
    assert not GradientBelow(1.0)([step([0.1], [0.01], degrees_of_freedom=1)])
    assert not GradientBelow(2.0)([step([0.1], [np.nan], degrees_of_freedom=0)])
    assert not GradientBelow(2.0)([step([np.nan], [0.01])])


@pytest.mark.statistical
def test_gradients_above_the_tolerance_stop_falsely_as_rarely_as_stated():
    """600 runs of 30 checks at delta 0.2: false stops in 120 of them at most, and 62 more by chance.

    One component that is as long as the tolerance is the worst case, where the rule is nearly tight; a rule without
    shares of delta would stop falsely in nearly every run.
    """
    draws, runs, rule = rng(0), 600, GradientBelow(1.0, delta=0.2)
    noise = draws.normal(size=(runs, 30)) * 0.1
    false = 0
    for row in noise:
        history = []
        for n in row:
            history.append(step([1.0 + n], [0.01]))
            if rule(history):
                false += 1
                break
    assert false <= counts(runs, 0.2)[1]
    assert false > counts(runs, 0.1)[0]  # some happen: about 0.16 of the runs


def test_improvements_are_compared_between_windows_by_hand():
    """Means 1 and 0.9 of three steps each, standard error sqrt(6 x 0.01)/3."""
    values = [1.1, 1.0, 0.9, 0.95, 0.9, 0.85]
    history = [step(value=v, value_variance=0.01) for v in values]
    bound = 0.1 + np.sqrt(0.06) / 3 * norm.isf(6 * 0.05 / np.pi**2)
    assert NoImprovement(bound + 1e-9, 3)(history)
    assert not NoImprovement(bound - 1e-9, 3)(history)
    assert not NoImprovement(10.0, 4)(history)
    assert NoImprovement(1e-6, 3)([step(value=1.0)] * 6)


@pytest.mark.statistical
def test_values_that_fall_by_more_stop_falsely_as_rarely_as_stated():
    """Falling by 0.05 a step, 0.25 between windows of five: in at most 0.2 of 400 runs of 20 checks."""
    draws, runs, rule = rng(1), 400, NoImprovement(0.25 - 1e-9, 5, delta=0.2)
    false = 0
    for row in draws.normal(size=(runs, 29)) * 0.3 - 0.05 * np.arange(29):
        history = [step(value=v, value_variance=0.09) for v in row]
        false += any(rule(history[:k]) for k in range(10, 30))
    assert false <= counts(runs, 0.2)[1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientBelow(0), "tolerance=0: give a positive number"),
        (lambda: GradientBelow(0.1, delta=1), "delta=1: give a number between 0 and 1"),
        (lambda: NoImprovement(0.1, window=0), "window=0: give an integer of at least 1"),
        (lambda: NoImprovement(True), "tolerance=True"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
