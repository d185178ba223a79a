r"""The verdict: does the cost ratio grow at most like log M, and could the sizes have shown anything else?

Any law has an exponent over given sizes, the slope of the nearest power law,

.. math:: k = \frac{\sum_i (u_i - \bar u) \ln y_i}{\sum_i (u_i - \bar u)^2}, \qquad u_i = \ln M_i .

Laws a + b ln M with positive a and b have one between 0 and l, that of ln M itself, which is about 1/ln M: 0.22 from
M = 15 to 1023, but 0.5 from 4 to 16, where log M grows as fast as the square root does. Costs that single copies cannot
beat grow like the square root or faster, k >= 1/2. So an exponent above l refutes log M, and one below 1/2 refutes the
root; with half-width h of its interval and standard error s, both the root and the logarithm are told from the other
one with the same probability

.. math:: \Phi\left(\frac{1/2 - l - h}{s}\right),

which is what "enough range" means. Departures of relative size d at each size give s = d/(sum (u_i - mean)^2)^(1/2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..comparison import LEVEL
from ..fit import PowerFit, fit_power

ROOT = 0.5
"""Exponent of the slowest power that is told from log M: what single copies cost at least on the hard instance."""

DEPARTURE = 0.05
"""Relative departure from a law, of one size, that must not decide: laws are of leading terms, costs whole numbers."""

NO_RANGE = "not enough range"
ENOUGH = 0.9
"""Probability of telling a root from a logarithm that a range is called enough for."""

RULE = (
    "Backpropagation scaling: cost(gradient)/cost(value) grows at most like log M. Over the sizes of a row log M "
    "itself looks like a power of M, whose exponent the table of laws has as log M. No: the exponent of the cost ratio "
    "is larger than that. Yes: it is not, and smaller than 1/2, that of √M. Not enough range: neither is certain. "
    f"Certain means outside the {LEVEL:.0%} interval of the exponent, from seeds where costs are drawn, else from how "
    f"sizes scatter about the power law, widened for a departure of {DEPARTURE:.0%} at each size. Powers between the "
    "two that no interval separates from log M count as log M. Methods pay in copies where they measure, in gates "
    "where they simulate, in FLOPs in a network."
)

# Sizes beyond this are not suggested.
_LARGEST = 2**60


@dataclass(frozen=True)
class Verdict:
    """What the exponent of a cost ratio says.

    Attributes:
        answer: "yes", "no" or "not enough range".
        interval: of the exponent at `LEVEL`, as it is judged; None for fewer than three sizes.
        log_exponent: of log M over the same sizes.
        told: probability that √M is told from log M at these sizes with this noise: that √M is not taken for log M
            ("no"), and the same that log M is not taken for √M ("yes").
        needed: largest size at which as many sizes would tell with probability `ENOUGH`; None where not known.
    """

    answer: str
    interval: tuple[float, float] | None
    log_exponent: float
    told: float
    needed: int | None


def verdict(
    sizes: Sequence[int],
    power: PowerFit | None,
    interval: tuple[float, float] | None = None,
    *,
    departure: float = DEPARTURE,
) -> Verdict:
    """Judge the power law of a cost ratio; see `RULE`.

    Args:
        sizes: M of the points.
        power: power law of the ratio.
        interval: of its exponent from seeds at `LEVEL`; by default Student's from the residuals.
        departure: see `DEPARTURE`.

    Example:
        >>> from qcgrad.studies.fit import fit_power
        >>> from qcgrad.studies.scaling._verdict import verdict
        >>> sizes = (8, 16, 32, 64)
        >>> [verdict(sizes, fit_power(sizes, [m**k for m in sizes])).answer for k in (0, 1)]
        ['yes', 'no']
        >>> verdict((10, 11, 12), fit_power((10, 11, 12), (3, 3, 3))).answer
        'not enough range'
    """
    logarithm = log_exponent(sizes)
    if power is None or math.isnan(power.standard_error) or len(set(sizes)) < 3:
        return Verdict(NO_RANGE, None, logarithm, 0.0, None)
    low, high = interval or student(power, len(sizes))
    slack = _normal((1 + LEVEL) / 2) * departure / _leverage(sizes)
    low = power.exponent - math.hypot(power.exponent - low, slack)
    high = power.exponent + math.hypot(high - power.exponent, slack)
    half = (high - low) / 2
    told = _told(logarithm, half, power.standard_error)
    needed = None if told >= ENOUGH else _needed(sizes, half, power.standard_error)
    answer = "no" if low > logarithm else "yes" if high < ROOT else NO_RANGE
    return Verdict(answer, (low, high), logarithm, told, needed)


def student(power: PowerFit, points: int) -> tuple[float, float]:
    """The interval of an exponent from its residuals."""
    from scipy.stats import t

    half = float(t.ppf((1 + LEVEL) / 2, points - 2)) * power.standard_error
    return power.exponent - half, power.exponent + half


def log_exponent(sizes: Sequence[int]) -> float:
    """Exponent of the power law nearest to log M at these sizes: 1/ln M near M.

    A single component has no logarithm and is left out; infinite where fewer than two sizes remain.

    Example:
        >>> from qcgrad.studies.scaling._verdict import log_exponent
        >>> round(log_exponent((4, 8, 16)), 3), round(log_exponent((15, 63, 255, 1023)), 3)
        (0.5, 0.221)
    """
    larger = [m for m in sizes if m > 1]
    return fit_power(larger, np.log(larger)).exponent if len(set(larger)) > 1 else math.inf


def _told(logarithm: float, half: float, error: float) -> float:
    from scipy.stats import norm

    gap = ROOT - logarithm - half
    return float(norm.cdf(gap / error)) if error > 0 else float(gap > 0)


def _needed(sizes: Sequence[int], half: float, error: float) -> int | None:
    """Intervals shrink as sizes spread: the smallest doubling of the largest size that is enough."""
    smallest, largest = max(2, min(sizes)), max(sizes)
    while largest < _LARGEST:
        largest *= 2
        spread = np.geomspace(smallest, largest, len(set(sizes)))
        shrunk = _leverage(sizes) / _leverage(spread)
        if _told(log_exponent(spread.tolist()), half * shrunk, error * shrunk) >= ENOUGH:
            return largest
    return None


def _leverage(sizes) -> float:
    """How many times smaller the standard error of an exponent is than that of one ln y."""
    u = np.log(np.asarray(sizes, float))
    return float(np.linalg.norm(u - u.mean()))


def _normal(probability: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(probability))
