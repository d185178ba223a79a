"""Fitted laws: their numbers, their values, their formulas."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

Values = Float[np.ndarray, "..."] | np.floating


class ConstantFit(NamedTuple):
    """y = value.

    Attributes:
        value: geometric mean.
        standard_error: of the value; NaN where neither errors nor a second point tell it.
        r_squared: of y.
    """

    value: float
    standard_error: float
    r_squared: float

    def at(self, x: ArrayLike) -> Values:
        """The fitted y."""
        return np.full(np.shape(x), self.value)

    def __str__(self) -> str:
        return f"{self.value:.4g}"

    @property
    def with_errors(self) -> str:
        """The law in M, with standard errors."""
        return _with_error(self.value, self.standard_error)


class LogFit(NamedTuple):
    """y = offset + slope * ln x.

    Attributes:
        offset, slope: least squares of ln y; y is positive at all points.
        standard_error: of the slope; NaN for fewer than three points without errors.
        r_squared: of y.
        offset_error: standard error of the offset.
    """

    offset: float
    slope: float
    standard_error: float
    r_squared: float
    offset_error: float = float("nan")

    def at(self, x: ArrayLike) -> Values:
        """The fitted y."""
        return self.offset + self.slope * np.log(np.asarray(x, float))

    def __str__(self) -> str:
        return f"{self.offset:.4g} {_sign(self.slope)} {abs(self.slope):.4g} ln M"

    @property
    def with_errors(self) -> str:
        """The law in M, with standard errors."""
        slope = _with_error(abs(self.slope), self.standard_error)
        return f"{_with_error(self.offset, self.offset_error)} {_sign(self.slope)} {slope} ln M"


class PowerFit(NamedTuple):
    """y = prefactor * x^exponent.

    Attributes:
        prefactor, exponent: least squares of ln y.
        standard_error: of the exponent; NaN for fewer than three points without errors.
        r_squared: of y itself (not of ln y), as for the other fits.
        prefactor_error: standard error of the prefactor.
    """

    prefactor: float
    exponent: float
    standard_error: float
    r_squared: float
    prefactor_error: float = float("nan")

    def at(self, x: ArrayLike) -> Values:
        """The fitted y."""
        return self.prefactor * np.asarray(x, float) ** self.exponent

    def __str__(self) -> str:
        return f"{self.prefactor:.4g} · M^{_exponent(self.exponent)}"

    @property
    def with_errors(self) -> str:
        """The law in M, with standard errors."""
        exponent = f"{_exponent(self.exponent)}±{_error(self.standard_error, 2)}"
        return f"{_with_error(self.prefactor, self.prefactor_error)} · M^{exponent}"


class PowerLogFit(NamedTuple):
    """y = prefactor * x^exponent * ln x.

    Attributes:
        prefactor, exponent: least squares of ln y.
        standard_error: of the exponent; NaN for fewer than three points without errors.
        r_squared: of y.
        prefactor_error: standard error of the prefactor.
    """

    prefactor: float
    exponent: float
    standard_error: float
    r_squared: float
    prefactor_error: float = float("nan")

    def at(self, x: ArrayLike) -> Values:
        """The fitted y."""
        x = np.asarray(x, float)
        return self.prefactor * x**self.exponent * np.log(x)

    def __str__(self) -> str:
        return f"{self.prefactor:.4g} · M^{_exponent(self.exponent)} ln M"

    @property
    def with_errors(self) -> str:
        """The law in M, with standard errors."""
        exponent = f"{_exponent(self.exponent)}±{_error(self.standard_error, 2)}"
        return f"{_with_error(self.prefactor, self.prefactor_error)} · M^{exponent} ln M"


Fit = ConstantFit | LogFit | PowerFit | PowerLogFit


def _exponent(exponent: float) -> str:
    # An exact law has an exponent of rounding error, whose sign would say nothing.
    return f"{0.0 if abs(exponent) < 5e-3 else exponent:.2f}"


def _sign(slope: float) -> str:
    return "−" if slope < 0 else "+"


def _with_error(value: float, error: float) -> str:
    """Four digits, with as many places for the error."""
    places = max(0, 3 - math.floor(math.log10(abs(value) or 1)))
    return f"{value:.{places}f}±{_error(error, places)}"


def _error(error: float, places: int) -> str:
    return "?" if math.isnan(error) else f"{error:.{places}f}"
