r"""What a dithered register makes of a phase, and the median of several of them.

The density of one error is that of `simulators.coherent`; it is integrated here in units of 1/(N+1) turns. Its tails
fall as the fourth power: beyond x there is about \(1/(6\pi^2 x^3)\) of it. The median of R errors is off by more than
x only if \(h = (R+1)/2\) of them are: with probability \(I_p(h, h)\) at most, p that of one.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

# Grid of the integrals; beyond its end there is less than 1e-11.
_POINTS_A_UNIT = 128
_END = 1024
# Kept below the digits of a turn in double precision.
MOST_QUBITS = 48
# Runs of a median that are tried: more of them are dearer than one qubit more.
MOST_REPETITIONS = 201


class Errors(NamedTuple):
    r"""Errors of the median of R runs with registers of b qubits.

    Attributes:
        cosine, double: \(1 - E\cos m\) and \(1 - E\cos 2m\) of the median error m in radians.
        square: \(E m^2\), in turns squared.
        largest: bound on E max^2 over the runs, in turns squared.
        absolute: E of the squared median of the |errors|, in turns squared.
        beyond_quarter: probability that one run is off by more than a quarter turn.
    """

    cosine: float
    double: float
    square: float
    largest: float
    absolute: float
    beyond_quarter: float


def missed(qubits: int, turns: float, repetitions: int, deviation: float = 0.0) -> float:
    """Probability that at least half of the runs, rounded up, are off by more than `turns`.

    Each run is independent, and its distribution is off by `deviation` in total variation at most.
    """
    from scipy.special import betainc

    half = (repetitions + 1) // 2
    return float(betainc(half, half, min(1.0, single(qubits, turns) + deviation)))


def single(qubits: int, turns: float) -> float:
    """Probability that one run is off by more than `turns`."""
    x, beyond = _survival(qubits)
    return float(min(1.0, 2 * np.interp(turns * (2**qubits + 1), x, beyond)))


@lru_cache(maxsize=4096)
def errors(qubits: int, repetitions: int) -> Errors:
    """See `Errors`."""
    from scipy.integrate import simpson
    from scipy.special import betainc

    x, beyond = _survival(qubits)
    half, size = (repetitions + 1) // 2, 2**qubits + 1
    # Probabilities that the median is above x, and that the median of |errors| is.
    above, outside = betainc(half, half, beyond), betainc(half, half, np.minimum(2 * beyond, 1))
    turns = x / size
    omega = 2 * np.pi * turns
    # E g(m) - g(0) of an even g is twice the integral of g' P(m > x).
    cosine, double = (2 * simpson(k * np.sin(k * omega) * above, x=omega) for k in (1, 2))
    square, one = (4 * simpson(turns * part, x=turns) for part in (above, beyond))
    absolute = 2 * simpson(turns * outside, x=turns)
    quarter = single(qubits, 0.25)
    return Errors(float(cosine), float(double), float(square), float(repetitions * one), float(absolute), quarter)


@lru_cache(maxsize=64)
def _survival(qubits: int):
    """Grid of x, and the probability of errors above x/(N+1) turns."""
    from scipy.integrate import cumulative_simpson

    size = 2.0**qubits + 1
    end = min(size / 2, _END)
    x = np.linspace(0, end, int(end * _POINTS_A_UNIT) // 2 * 2 + 1)
    half, turn = np.pi / 2 / size, np.pi * x / size
    gap = np.sin(turn + half) * np.sin(turn - half) / np.sin(half) ** 2 / 4
    apart = np.abs(x - 0.5) > 1e-6
    density = np.where(
        apart, np.cos(np.pi * x) ** 2 / np.where(apart, 16 * gap**2, 1.0), (size * np.tan(half) / 2) ** 2
    )
    # From the end inwards, so that small tails keep their digits; what lies beyond is at most 1/(2 pi^2 x^3) of it.
    rest = 0.0 if end < _END else 1 / (12 * np.pi**2 * end**3)
    inwards = cumulative_simpson(density[::-1], x=end - x[::-1], initial=0)[::-1]
    return x, np.maximum(0.5 * inwards / inwards[0] + 6 * rest, 0.0)
