"""The verdict: right on made-up laws, as sure as it says, and silent where the range decides nothing."""

import math

import numpy as np
import pytest

from qcgrad.studies.comparison import Sample, exponent_interval
from qcgrad.studies.fit import fit_power
from qcgrad.studies.scaling._verdict import NO_RANGE, log_exponent, verdict
from theory.statistics import counts, rng

WIDE = (15, 63, 255, 1023)
DEPTHS = (8, 16, 32)  # three circuits of growing depth


def judged(sizes, law):
    return verdict(sizes, fit_power(sizes, [law(m) for m in sizes]))


@pytest.mark.parametrize("sizes", [WIDE, DEPTHS, (5, 14, 33, 60), (4, 40, 400)])
@pytest.mark.parametrize(
    ("law", "answer"),
    [
        (lambda m: 3, "yes"),
        (lambda m: 20 + math.log(m), "yes"),
        (lambda m: 2 + 1 / m, "yes"),
        (lambda m: 5 * m, "no"),
        (lambda m: m * (60 + 20 * math.log(m)), "no"),
        (lambda m: m**2, "no"),
    ],
)
def test_laws_that_are_far_apart_are_told_at_any_range(sizes, law, answer):
    assert judged(sizes, law).answer == answer


def test_roots_and_logarithms_are_told_where_the_range_is_wide():
    assert judged(WIDE, math.sqrt).answer == "no"
    assert judged(WIDE, math.log).answer == "yes"
    assert judged(WIDE, math.sqrt).told == 1


@pytest.mark.parametrize("sizes", [(4, 8, 16), (10, 11, 12), (3, 4, 5)])
def test_roots_and_logarithms_are_not_told_where_it_is_narrow(sizes):
    for law in (math.sqrt, math.log):
        found = judged(sizes, law)
        assert found.answer == NO_RANGE
        assert found.told < 1e-6
        assert found.needed is not None
        assert found.needed > sizes[-1]


def test_what_is_said_to_be_needed_is_enough():
    needed = judged((4, 8, 16), math.sqrt).needed
    assert needed is not None
    sizes = np.geomspace(4, needed, 3).round().astype(int).tolist()
    assert judged(sizes, math.sqrt).answer == "no"
    assert judged(sizes, math.log).answer != "no"


@pytest.mark.parametrize(("sizes", "values"), [((4, 8), (3, 3)), ((8, 8, 16), (1, 1, 2))])
def test_two_sizes_are_never_enough(sizes, values):
    found = verdict(sizes, fit_power(sizes, values))
    assert (found.answer, found.interval) == (NO_RANGE, None)


def test_no_cost_and_one_size_are_no_law():
    assert verdict((4,), None).answer == NO_RANGE
    assert verdict((1, 1), None).log_exponent == math.inf


def test_the_exponent_of_a_logarithm_is_what_is_fitted_to_one():
    assert log_exponent(WIDE) == pytest.approx(fit_power(WIDE, np.log(WIDE)).exponent)
    assert log_exponent((1000, 1001)) == pytest.approx(1 / math.log(1000), rel=1e-3)
    assert log_exponent((1, 4, 8, 16)) == log_exponent((4, 8, 16))  # one component has no logarithm


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "answer"), [(math.sqrt, "no"), (math.log, "yes")])
def test_laws_are_told_as_often_as_is_said(law, answer):
    """200 studies of three seeds that scatter by 50 %: about two in three decide, to within 25 points, and at most one
    in forty is wrong, 10 points more by chance."""
    noise, right, wrong, said, trials = rng(5), 0, 0, [], 200
    for seed in range(trials):
        sample = Sample(WIDE, tuple(tuple(law(m) * np.exp(0.5 * noise.normal(size=3))) for m in WIDE))
        interval = exponent_interval(sample, resamples=400, seed=seed)
        found = verdict(WIDE, fit_power(WIDE, sample.means, sample.errors), interval, departure=0.0)
        right += found.answer == answer
        wrong += found.answer not in (answer, NO_RANGE)
        said.append(found.told)
    assert 0.3 < np.mean(said) < 0.95
    low, high = counts(trials, np.mean(said))
    # Each one is said from the noise as it was seen there.
    assert low - 0.05 * trials <= right <= high + 0.05 * trials
    assert wrong <= counts(trials, 0.03)[1]
