r"""What `for_accuracy` of the estimators shares: its arguments, and bounds on means of independent outcomes.

All M components keep \(\epsilon\) with probability \(1 - \delta\) where each misses it with probability at most
\(\delta/M\) (union bound), which is where \(\ell = \ln(2M/\delta)\) comes from: bounds on both sides, M times.
"""

import math

import numpy as np
from jaxtyping import Float

from ..array_types import Array
from ..errors import NotApplicable
from ..objective import Point
from ._checks import MOST, checked_fraction, checked_positive

# Fourth powers of it, times sizes of observables, are still numbers.
_LARGEST = 1e50


def checked_accuracy(epsilon: float, delta: float) -> tuple[float, float]:
    """Both as numbers, or one clear error.

    Raises:
        ValueError: an accuracy that is no positive number, a probability that is not between 0 and 1.
    """
    epsilon, delta = checked_positive("epsilon", epsilon), checked_fraction("delta", delta)
    if not 1 / _LARGEST <= epsilon <= _LARGEST:
        raise ValueError(f"epsilon={epsilon!r}: give a number between {1 / _LARGEST:g} and {_LARGEST:g}")
    return epsilon, delta


def log_of(components: int, delta: float) -> float:
    r"""\(\ell = \ln(2M/\delta)\)."""
    return math.log(2 * max(components, 1) / delta)


def num_components(point: Point) -> int:
    """M: derivatives of every cotangent by every coordinate of a circuit."""
    return len(point.cotangents) * len(point.coordinates)


def hoeffding(spread: Float[Array, " M"], log: float, epsilon: float) -> float:
    r"""Samples for all means: \(2 v\ell/\epsilon^2\).

    Args:
        spread: v for each mean: what one sample adds is sub-Gaussian, \(E e^{t(X - EX)} \le e^{v t^2/2}\). An outcome
            between -r and r has v = r^2.
        log: `log_of`.
        epsilon: largest error.

    References:
        W. Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963).
    """
    return 2 * log * float(np.max(spread, initial=0.0)) / epsilon**2


def bernstein(variance: Float[Array, " M"], largest: Float[Array, " M"], log: float, epsilon: float) -> float:
    r"""Samples for all means of rare large outcomes: \((2\sigma^2 + \tfrac23 b\,\epsilon)\,\ell/\epsilon^2\).

    Args:
        variance: bounds on the variance of one sample.
        largest: b, bounds on the distance of one sample from its mean.
        log, epsilon: as for `hoeffding`.

    References:
        S. Boucheron, G. Lugosi, P. Massart, "Concentration Inequalities", Oxford (2013), section 2.8.
    """
    return log * float(np.max(2 * variance + 2 / 3 * largest * epsilon, initial=0.0)) / epsilon**2


def counted(method: type, needed: float, epsilon: float) -> int:
    """The next integer, at least 1.

    Raises:
        NotApplicable: more than can be counted.
    """
    if not needed <= MOST:
        raise NotApplicable(
            f"{method.__name__} would take {needed:.2g} copies to reach epsilon={epsilon:g}, and at most {MOST:.0e} "
            "are counted: give a larger epsilon"
        )
    return max(1, math.ceil(needed))
