"""Scaling laws from measured points: a power law and a logarithm, both by least squares."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike


class PowerFit(NamedTuple):
    """y = prefactor * x^exponent.

    Attributes:
        prefactor, exponent: least squares in log-log.
        standard_error: of the exponent, from the residuals; NaN for fewer than three points.
        r_squared: of y itself (not of log y), so that it compares with `LogFit`.
    """

    prefactor: float
    exponent: float
    standard_error: float
    r_squared: float

    def at(self, x: ArrayLike) -> Float[np.ndarray, "..."] | np.floating:
        """The fitted y."""
        return self.prefactor * np.asarray(x, float) ** self.exponent


class LogFit(NamedTuple):
    """y = offset + slope * ln x.

    Attributes:
        offset, slope: least squares.
        standard_error: of the slope; NaN for fewer than three points.
        r_squared: of y.
    """

    offset: float
    slope: float
    standard_error: float
    r_squared: float

    def at(self, x: ArrayLike) -> Float[np.ndarray, "..."] | np.floating:
        """The fitted y."""
        return self.offset + self.slope * np.log(np.asarray(x, float))


def fit_power(x: ArrayLike, y: ArrayLike) -> PowerFit:
    r"""Fit \(y = c\,x^k\) by least squares of log y on log x.

    Args:
        x, y: positive numbers, at least two different x.

    Returns:
        The fit; its standard error assumes independent residuals of equal size in log y.

    Raises:
        ValueError: numbers that are not positive, or fewer than two different x.

    Example:
        >>> from qcgrad.studies.fit import fit_power
        >>> fit = fit_power([1, 2, 4, 8], [3, 6, 12, 24])
        >>> round(fit.exponent, 6), round(fit.prefactor, 6), fit.standard_error < 1e-9
        (1.0, 3.0, True)
    """
    x, y = _positive(x, y)
    offset, slope, error = _line(np.log(x), np.log(y))
    return PowerFit(math.exp(offset), slope, error, _r_squared(y, np.exp(offset) * x**slope))


def fit_logarithm(x: ArrayLike, y: ArrayLike) -> LogFit:
    r"""Fit \(y = a + b \ln x\) by least squares.

    Args:
        x, y: positive numbers, at least two different x.

    Raises:
        ValueError: as for `fit_power`.

    Example:
        >>> import math
        >>> from qcgrad.studies.fit import fit_logarithm
        >>> fit = fit_logarithm([1, math.e, math.e**2], [5, 7, 9])
        >>> round(fit.offset, 6), round(fit.slope, 6), round(fit.r_squared, 6)
        (5.0, 2.0, 1.0)
    """
    x, y = _positive(x, y)
    offset, slope, error = _line(np.log(x), y)
    return LogFit(offset, slope, error, _r_squared(y, offset + slope * np.log(x)))


def _positive(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.shape != y.shape or x.ndim != 1 or not (np.all(x > 0) and np.all(y > 0)):
        raise ValueError("a fit in log-log needs two equally long lists of positive numbers")
    if len(np.unique(x)) < 2:
        raise ValueError("a fit needs at least two different x")
    return x, y


def _line(u, v):
    """Offset, slope and the slope's standard error of v = offset + slope * u."""
    centred = u - u.mean()
    spread = centred @ centred
    slope = float(centred @ v / spread)
    offset = float(v.mean() - slope * u.mean())
    if len(u) < 3:
        return offset, slope, math.nan
    residual = v - offset - slope * u
    return offset, slope, float(np.sqrt(residual @ residual / (len(u) - 2) / spread))


def _r_squared(y, fitted) -> float:
    total = np.sum(np.square(y - y.mean()))
    # A constant is fitted perfectly by a constant.
    return float(1 - np.sum(np.square(y - fitted)) / total) if total > 1e-24 * np.sum(y**2) else 1.0
