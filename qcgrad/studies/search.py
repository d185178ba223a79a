"""How many copies an accuracy takes: measured, by seeded trials on a geometric ladder."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Accuracy:
    """What "accurate" means: at least a fraction 1 - delta of the trials is within epsilon in the max norm.

    Attributes:
        epsilon: largest error of any gradient component, in units of the observable.
        delta: fraction of trials that may miss it.
        trials: trials at each step of the ladder.
    """

    epsilon: float
    delta: float
    trials: int

    @property
    def allowed_failures(self) -> int:
        """Trials that may miss epsilon at one step."""
        return math.floor(self.delta * self.trials + 1e-9)


@dataclass(frozen=True)
class Step:
    """One step of the ladder: what was tried and what came out (trials stop once too many have failed)."""

    setting: int
    trials: int
    failures: int


@dataclass(frozen=True)
class Found:
    """The smallest setting on the ladder that passes, and every step that was tried on the way."""

    setting: int
    steps: tuple[Step, ...]


def smallest_setting(
    errors_at: Callable[[int], Iterator[float]],
    accuracy: Accuracy,
    start: int,
    ratio: float = 1.1,
    notify: Callable[[str], None] = lambda message: None,
) -> Found:
    """The smallest step of the ladder start * ratio^i (rounded, i of any sign) that is accurate enough.

    Failures fall steeply with the setting, so the ladder is climbed in doubling strides, then bisected.

    Args:
        errors_at: for a setting (shots or copies), an endless iterator of max-norm errors of trials.
        accuracy: the definition.
        start: where to begin looking, about half of what is expected.
        ratio: of the ladder; the result is rounded up by at most this factor.
        notify: told what is being tried.

    Returns:
        The setting and the steps tried. "Smallest" assumes that larger settings are not worse.

    Raises:
        RuntimeError: a setting 2^20 times larger than `start` still fails.

    Example:
        >>> from itertools import repeat
        >>> from qcgrad.studies.search import Accuracy, smallest_setting
        >>> smallest_setting(lambda n: repeat(n**-0.5), Accuracy(0.1, 0.05, 20), start=10).setting
        108
    """
    steps: dict[int, Step] = {}

    def setting_of(rung: int) -> int:
        return max(1, round(start * ratio**rung))

    def passes(rung: int) -> bool:
        setting = setting_of(rung)
        if setting not in steps:
            notify(f"trying {setting}")
            steps[setting] = _try(errors_at(setting), accuracy, setting)
        return steps[setting].failures <= accuracy.allowed_failures

    low, high = _bracket(passes, setting_of, ratio)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return Found(setting_of(high), tuple(steps[s] for s in sorted(steps)))


def _bracket(passes, setting_of, ratio) -> tuple[int, int]:
    """A failing and a passing rung (rung below a setting of 1: failing)."""
    stride = max(1, round(math.log(2) / math.log(ratio)))
    rung = 0
    if passes(rung):
        while setting_of(rung) > 1 and passes(rung - stride):
            rung -= stride
        return rung - stride, rung
    for _ in range(20):
        if passes(rung + stride):
            return rung, rung + stride
        rung += stride
    raise RuntimeError(f"no setting up to {setting_of(rung)} was accurate enough: the method does not converge here")


def _try(errors: Iterator[float], accuracy: Accuracy, setting: int) -> Step:
    failures = 0
    for trial in range(1, accuracy.trials + 1):
        error = next(errors)
        # NaN (nothing known) is a failure too, so the comparison is written this way round. The slack is
        # for errors that equal epsilon but for rounding, as with shot counts that divide it.
        failures += not error <= accuracy.epsilon * (1 + 1e-9)
        if failures > accuracy.allowed_failures:
            return Step(setting, trial, failures)
    return Step(setting, accuracy.trials, failures)
