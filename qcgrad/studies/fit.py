"""Scaling laws from measured points: constant, logarithm, power law, and power law times logarithm.

All by least squares in ln y, with standard errors; `comparison` says which of them predicts best.
"""

import numpy as np
from numpy.typing import ArrayLike

from ._fits import ConstantFit as ConstantFit
from ._fits import Fit as Fit
from ._fits import LogFit as LogFit
from ._fits import PowerFit as PowerFit
from ._fits import PowerLogFit as PowerLogFit
from ._forms import CONSTANT, LOGARITHM, POWER, POWER_LOGARITHM, Form


def fit_constant(x: ArrayLike, y: ArrayLike, errors: ArrayLike | None = None) -> ConstantFit:
    r"""Fit \(y = c\): the honest null where nothing grows.

    Args:
        x, y, errors: as for `fit_power`; one x is enough.

    Raises:
        ValueError: numbers that are not positive, or lists of different lengths.

    Example:
        >>> from qcgrad.studies.fit import fit_constant
        >>> round(fit_constant([1, 2, 4], [2, 4, 8]).value, 6)
        4.0
    """
    (log_value,), (error,), r_squared = _fitted(CONSTANT, x, y, errors)
    value = float(np.exp(log_value))
    return ConstantFit(value, value * error, r_squared)


def fit_logarithm(x: ArrayLike, y: ArrayLike, errors: ArrayLike | None = None) -> LogFit:
    r"""Fit \(y = a + b \ln x\) by least squares of ln y.

    Args:
        x, y, errors: as for `fit_power`.

    Raises:
        ValueError: as for `fit_power`.

    Example:
        >>> import math
        >>> from qcgrad.studies.fit import fit_logarithm
        >>> fit = fit_logarithm([1, math.e, math.e**2], [5, 7, 9])
        >>> round(fit.offset, 6), round(fit.slope, 6), round(fit.r_squared, 6)
        (5.0, 2.0, 1.0)
    """
    (offset, slope), (offset_error, error), r_squared = _fitted(LOGARITHM, x, y, errors)
    return LogFit(offset, slope, error, r_squared, offset_error)


def fit_power(x: ArrayLike, y: ArrayLike, errors: ArrayLike | None = None) -> PowerFit:
    r"""Fit \(y = c\,x^k\) by least squares of ln y on ln x.

    Args:
        x, y: positive numbers, at least two different x.
        errors: standard errors of y, in units of y, where they are known: points are weighted by them, and the fit's
            standard errors follow from them alone. Without them points weigh the same, and standard errors come from
            the residuals, taken as independent and of equal size in ln y.

    Returns:
        The fit.

    Raises:
        ValueError: numbers that are not positive, or fewer than two different x.

    Example:
        >>> from qcgrad.studies.fit import fit_power
        >>> fit = fit_power([1, 2, 4, 8], [3, 6, 12, 24])
        >>> round(fit.exponent, 6), round(fit.prefactor, 6), fit.standard_error < 1e-9
        (1.0, 3.0, True)
    """
    (log_prefactor, exponent), (error, exponent_error), r_squared = _fitted(POWER, x, y, errors)
    prefactor = float(np.exp(log_prefactor))
    return PowerFit(prefactor, exponent, exponent_error, r_squared, prefactor * error)


def fit_power_logarithm(x: ArrayLike, y: ArrayLike, errors: ArrayLike | None = None) -> PowerLogFit:
    r"""Fit \(y = c\,x^k \ln x\) by least squares of ln y: a union bound over x components, times a power.

    Args:
        x: numbers greater than 1, where the logarithm is positive.
        y, errors: as for `fit_power`.

    Raises:
        ValueError: as for `fit_power`, or an x that is not greater than 1.

    Example:
        >>> import numpy as np
        >>> from qcgrad.studies.fit import fit_power_logarithm
        >>> x = np.array([2.0, 4.0, 8.0])
        >>> fit = fit_power_logarithm(x, 3 * x**0.5 * np.log(x))
        >>> round(fit.prefactor, 6), round(fit.exponent, 6)
        (3.0, 0.5)
    """
    (log_prefactor, exponent), (error, exponent_error), r_squared = _fitted(POWER_LOGARITHM, x, y, errors)
    prefactor = float(np.exp(log_prefactor))
    return PowerLogFit(prefactor, exponent, exponent_error, r_squared, prefactor * error)


FITS = {CONSTANT: fit_constant, LOGARITHM: fit_logarithm, POWER: fit_power, POWER_LOGARITHM: fit_power_logarithm}
"""The fit of each form."""


def _fitted(form: Form, x, y, errors) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Parameters, their standard errors (of ln c where c is a factor), and R squared of y."""
    x, y, weights = _checked(form, x, y, errors)
    logs = np.log(y)[None]
    parameters = form.solve(x, logs, weights)
    fitted = form.logs(x, parameters)
    variances = np.diagonal(form.covariances(x, parameters, weights)[0])
    if errors is None:
        spare = len(x) - form.free
        variances = variances * (np.sum(np.square(logs - fitted)) / spare if spare > 0 else np.nan)
    found = tuple(map(float, parameters[0])), tuple(map(float, np.sqrt(variances)))
    return *found, _r_squared(y, np.exp(fitted[0]))


def _checked(form: Form, x, y, errors):
    x, y = np.asarray(x, float), np.asarray(y, float)
    sigma = np.ones_like(y) if errors is None else np.asarray(errors, float)
    if not x.shape == y.shape == sigma.shape or x.ndim != 1:
        raise ValueError(f"a fit needs equally long lists: {x.shape}, {y.shape} and {sigma.shape} given")
    for name, numbers in (("x", x), ("y", y), ("errors", sigma)):
        if not (np.all(np.isfinite(numbers)) and np.all(numbers > 0)):
            raise ValueError(f"a fit in ln y needs positive finite numbers: {name} = {numbers.tolist()} given")
    if not np.all(x > form.least):
        raise ValueError(f"a fit of {form.name} needs x greater than {form.least:g}: {x.min():g} given")
    if len(np.unique(x)) < min(form.free, 2):
        raise ValueError(f"a fit of {form.name} needs at least {form.free} different x: {x.tolist()} given")
    # Errors of y are relative errors of ln y.
    return x, y, np.ones_like(y) if errors is None else np.square(y / sigma)


def _r_squared(y, fitted) -> float:
    y, fitted = y / y.max(), fitted / y.max()  # squares of any size
    total = np.sum(np.square(y - y.mean()))
    # A constant is fitted perfectly by a constant.
    return float(1 - np.sum(np.square(y - fitted)) / total) if total > 1e-24 * np.sum(y**2) else 1.0
