"""The ladder search finds the smallest setting that passes, by its own definition."""

from itertools import repeat

import pytest

from qcgrad.studies.search import Accuracy, smallest_setting
from theory.statistics import rng


def falling(power, calls=None):
    def errors(setting):
        if calls is not None:
            calls.append(setting)
        return repeat(setting**-power)

    return errors


@pytest.mark.parametrize("start", [1, 7, 90, 100, 1000, 50_000])
@pytest.mark.parametrize("ratio", [1.1, 1.5, 2.0])
def test_result_is_within_one_step(start, ratio):
    found = smallest_setting(falling(0.5), Accuracy(0.1, 0.05, 5), start, ratio)
    assert 100 <= found.setting <= 100 * ratio + 1


def test_steps_are_tried_once_and_failures_stop_early():
    calls = []
    found = smallest_setting(falling(0.5, calls), Accuracy(0.1, 0.2, 10), 10)
    assert sorted(calls) == [step.setting for step in found.steps]
    for step in found.steps:
        passed = step.setting >= found.setting
        assert (step.trials, step.failures) == ((10, 0) if passed else (3, 3))


@pytest.mark.statistical
def test_fraction_of_failures_is_allowed():
    """10/setting of the trials fail: a step of 10 %, and 40 000 trials are off by 1.5 % of a rate of 0.1."""

    def errors(setting):
        yield from (rng(setting).random(40_000) < 10 / setting).astype(float)

    found = smallest_setting(errors, Accuracy(0.5, 0.1, 40_000), 20)
    assert found.setting == pytest.approx(100, rel=0.25)


def test_everything_passes_down_to_one():
    assert smallest_setting(lambda n: repeat(0.0), Accuracy(0.1, 0.01, 3), 50).setting == 1


def test_unknown_is_a_failure_and_hopeless_methods_are_refused():
    with pytest.raises(RuntimeError, match="does not converge"):
        smallest_setting(lambda n: repeat(float("nan")), Accuracy(0.1, 0.01, 3), 5)
