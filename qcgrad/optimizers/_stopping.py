"""Rules that stop a minimisation once standard errors show that no more is to be had."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jax
import numpy as np

from ..result import Estimate
from . import _checks as checks
from ._record import Step


@dataclass(frozen=True)
class GradientBelow:
    r"""Stop once it is established that the norm of the gradient is at most `tolerance`.

    With \(\hat g = g + n\) and total variance \(v = \sum_i \mathrm{Var}\,n_i\), the component of the noise along g has
    a variance of at most v, however components are correlated. So if \(\|g\| > \tau\), then

    .. math:: \|\hat g\| + \|b\| \le \tau - z_k \sqrt v

    happens with probability \(\delta_k\) at most, where \(z_k\) is the quantile of Student's distribution for it and b
    the bias bound. The check of step k gets \(\delta_k = 6\delta/(\pi k)^2\), and all checks together \(\delta\).

    Args:
        tolerance: tau, in units of the value over those of a parameter.
        delta: probability of a false stop, one while the true gradient is longer than that, in the whole run.

    The statement is for normal errors; variances of few shots are rough, as the quantile knows.

    Raises:
        ValueError: a tolerance that is not positive, a delta that is not between 0 and 1.

    Example:
        >>> from qcgrad.optimizers import GradientBelow
        >>> GradientBelow(tolerance=0.1, delta=0.01)
        GradientBelow(tolerance=0.1, delta=0.01)
    """

    tolerance: float
    delta: float = 0.05

    def __post_init__(self) -> None:
        checks.positive("tolerance", self.tolerance)
        checks.fraction("delta", self.delta)

    def __call__(self, history: Sequence[Step]) -> str:
        """Why to stop, or ""."""
        e = history[-1].estimate
        gradient, bias = (_norm(tree) for tree in (e.gradient, e.bias_bound))
        noise = math.sqrt(sum(float(np.sum(np.asarray(leaf))) for leaf in jax.tree.leaves(e.variance)))
        bound = gradient + bias + (noise and _quantile(_share(self.delta, len(history)), [e]) * noise)
        if not bound <= self.tolerance:
            return ""
        sure = 1 - self.delta
        return f"the gradient is no longer than {bound:.3g}, tolerance {self.tolerance:g}, with confidence {sure:g}"


@dataclass(frozen=True)
class NoImprovement:
    r"""Stop once it is established that the last steps improved the value by at most `tolerance`.

    Compared are the mean values of the last `window` steps and of the `window` steps before, \(\Delta\), with a
    standard error \(\sigma\) that follows from the reported variances. If the true mean values still fall by more than
    `tolerance`, then \(\Delta + z_k \sigma \le\) `tolerance` happens with probability \(\delta_k\) at most, for check
    number k as in `GradientBelow`, and in the whole run with probability \(\delta\).

    Args:
        tolerance: improvement from one window to the next that is worth going on for, in units of the value.
        window: steps in each mean.
        delta: probability of a false stop in the whole run.

    The statement is for normal errors of values that do not decide the steps: methods whose value comes from circuits
    of its own, such as the parameter-shift rule.

    Raises:
        ValueError: numbers out of their range.

    Example:
        >>> from qcgrad.optimizers import NoImprovement
        >>> NoImprovement(tolerance=1.6e-3, window=20)
        NoImprovement(tolerance=0.0016, window=20, delta=0.05)
    """

    tolerance: float
    window: int = 10
    delta: float = 0.05

    def __post_init__(self) -> None:
        checks.positive("tolerance", self.tolerance)
        checks.count("window", self.window)
        checks.fraction("delta", self.delta)

    def __call__(self, history: Sequence[Step]) -> str:
        """Why to stop, or ""."""
        check = len(history) - 2 * self.window + 1
        if check < 1:
            return ""
        seen = [step.estimate for step in history[-2 * self.window :]]
        value, variance, bias = (
            np.array([float(part) for part in parts])
            for parts in zip(*((e.value, e.value_variance, e.value_bias_bound) for e in seen), strict=True)
        )
        improved = value[: self.window].mean() - value[self.window :].mean()
        noise = math.sqrt(variance.sum()) / self.window
        bound = improved + bias.sum() / self.window + (noise and _quantile(_share(self.delta, check), seen) * noise)
        if not bound <= self.tolerance:
            return ""
        return (
            f"the last {self.window} steps improved the value by {bound:.3g} at most, tolerance {self.tolerance:g}, "
            f"with confidence {1 - self.delta:g}"
        )


def _share(delta: float, check: int) -> float:
    """Shares of a probability that add up to it over all checks."""
    return 6 * delta / (math.pi * check) ** 2


def _quantile(probability: float, estimates: Sequence[Estimate]) -> float:
    freedom = min(float(e.stats.get("degrees_of_freedom", np.inf)) for e in estimates)
    return _of_student(probability, freedom) if freedom > 0 else math.inf


@lru_cache(maxsize=4096)
def _of_student(probability: float, freedom: float) -> float:
    from scipy.stats import t

    return float(t.isf(probability, freedom))


def _norm(tree) -> float:
    return math.sqrt(sum(float(np.sum(np.abs(np.asarray(leaf)) ** 2)) for leaf in jax.tree.leaves(tree)))
