r"""Which evolutions make a phase that is linear in the grid points, and what they take.

**Central differences.** \(\tilde F(x) = \sum_{\ell=1}^m a_\ell\,[F(\theta + \ell r x/w) - F(\theta - \ell r x/w)]\)
with \(a_\ell = \frac{(-1)^{\ell+1}}{\ell} \binom{m}{\ell}/\binom{m+\ell}{\ell}\) is r times the slope along x, up to
Taylor terms of odd orders k > 2m. Derivatives of order k by angles in units of 1/w are bounded by \(\Lambda\). Over
the grid, whose points are independent, symmetric, and have moments below those of a Gaussian of their variance
\(\sigma^2\), term k has

.. math:: \sqrt{E\,T_k^2} \le \Lambda\,\frac{(r\sigma\sqrt M)^k \sqrt{(2k-1)!!}}{k!},

since all index pairs whose multiplicities are even add up to the moment 2k of a sum of M Gaussians. So \(r \propto
1/\sqrt M\) will do. The state is off by at most the RMS of the phase's error, and so is the distribution of outcomes.

**Evolutions.** With the walk W of F's block encoding, \(e^{i\tau F/\Lambda} = \sum_k i^k J_k(\tau) W^k\); the series
up to \(\pm q\) takes 2q walks by generalized quantum signal processing. Its tail is bounded by Kapteyn's inequality,
\(|J_k(kz)| \le [z e^{\sqrt{1-z^2}}/(1+\sqrt{1-z^2})]^k\). Up to a tail t, scaled down so that no amplitude exceeds 1,
it moves a state by 2t and fails, heralded, with probability 4t at most.
"""

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np

# Orders that are tried; the best grows with the logarithm of the accuracy, to 33 at epsilon = 1e-6.
_MOST_DIFFERENCES = 64
# Orders behind the first one that is left out: by then factorials have won.
_ORDERS = 60


class Evolutions(NamedTuple):
    """The central difference and its evolutions that take least, see `GradientRegisters`.

    Attributes:
        radius: r.
        coefficients: (m,).
        degrees: (m,) q of each.
    """

    radius: float
    coefficients: np.ndarray
    degrees: tuple[int, ...]


@lru_cache(maxsize=256)
def cheapest(registers: int, qubits: int, nonlinear: float, polynomial: float) -> Evolutions:
    r"""The order and radius with the fewest walks.

    Args:
        registers: M.
        qubits: b of each; the full range of a slope is \(4\Lambda\).
        nonlinear: bound on the RMS error of the phase, radians.
        polynomial: bound on what truncated series cause.
    """
    best, fewest = None, math.inf
    for order in range(1, _MOST_DIFFERENCES + 1):
        radius = _radius(order, registers, qubits, nonlinear)
        coefficients = differences(order)
        times = 2 * math.pi * 2**qubits / (4 * radius) * np.abs(coefficients)
        # What the truncated series of 2m evolutions may add up to, 8 times their tails.
        degrees = tuple(degree(time, polynomial / (16 * order)) for time in times.tolist())
        if sum(degrees) < fewest:
            best, fewest = Evolutions(radius, coefficients, degrees), sum(degrees)
        elif sum(degrees) > fewest:
            break  # it falls to the best order and rises behind it
    assert best is not None
    return best


def differences(order: int) -> np.ndarray:
    """(m,) coefficients of the central difference of order 2m at 1 ... m."""
    return np.array([float(c) for c in _exact(order)])


@lru_cache(maxsize=64)
def _exact(order):
    return [
        Fraction((-1) ** (point + 1) * math.comb(order, point), point * math.comb(order + point, point))
        for point in range(1, order + 1)
    ]


@lru_cache(maxsize=64)
def _left_out(order):
    """Orders k, and logarithms of |2 sum_l a_l l^k| sqrt((2k-1)!!) / k!."""
    orders = range(2 * order + 1, 2 * order + 1 + 2 * _ORDERS, 2)
    logs = []
    for k in orders:
        moment = abs(2 * sum(c * point**k for point, c in enumerate(_exact(order), start=1)))
        odd = math.lgamma(2 * k + 1) - k * math.log(2) - math.lgamma(k + 1)
        logs.append(math.log(moment.numerator) - math.log(moment.denominator) + odd / 2 - math.lgamma(k + 1))
    return np.array(orders), np.array(logs)


def phase_error(order: int, radius: float, registers: int, qubits: int) -> float:
    """Bound on the RMS of the phase's nonlinear part, radians."""
    orders, logs = _left_out(order)
    reach = math.log(radius * math.sqrt(registers * place_variance(qubits)))
    front = math.log(2 * math.pi * 2**qubits / (4 * radius))
    terms = np.exp(np.minimum(front + logs + orders * reach, 700))
    # Where the last ones have not begun to fall, more would have to be summed: too large a radius.
    return float(terms.sum()) if terms[-1] <= 0.5 * terms[-2] else math.inf


def _radius(order, registers, qubits, allowed):
    """The largest r whose phase error is allowed, by bisection of its logarithm."""
    low, high = -300.0, math.log(100.0)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if phase_error(order, math.exp(middle), registers, qubits) <= allowed else (low, middle)
        )
    return math.exp(low)


@lru_cache(maxsize=64)
def place_variance(qubits: int) -> float:
    """sigma^2 of a register's grid points; it falls with their number, so that those of 2^12 bound all finer ones."""
    size = 2 ** min(qubits, 12)
    places = (np.arange(size) + 0.5) / size - 0.5
    return float(2 / (size + 1) * np.sin(np.pi * (np.arange(size) + 1) / (size + 1)) ** 2 @ places**2)


def degree(time: float, tail: float) -> int:
    r"""The smallest q, by Kapteyn's inequality, with \(2\sum_{k>q} |J_k(\tau)|\) at most `tail`."""
    low, high = math.ceil(time), math.ceil(2 * time) + 2 * math.ceil(-math.log(tail)) + 8
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _tail(middle, time) <= tail else (middle + 1, high)
    return low


def _tail(degree, time):
    k = degree + 1
    z = time / k
    if z >= 1:  # as far as doubles can tell
        return math.inf
    root = math.sqrt((1 - z) * (1 + z))
    log = k * (math.log(z) + root - math.log1p(root))
    # Each further term is smaller by at least z / (1 + root).
    return 2 * math.exp(log) / (1 - z / (1 + root))
