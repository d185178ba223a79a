"""Fits recover known laws, and their standard errors cover the truth as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares

from qcgrad.studies.fit import fit_constant, fit_logarithm, fit_power, fit_power_logarithm
from theory.statistics import counts, normal, rng

X = np.array([15, 63, 255, 1023])


def test_power_law_is_recovered_exactly():
    x = np.array([8, 16, 24, 40, 72])
    fit = fit_power(x, 0.7 * x**1.25)
    assert fit.exponent == pytest.approx(1.25, abs=1e-12)
    assert fit.prefactor == pytest.approx(0.7, rel=1e-12)
    assert fit.standard_error < 1e-12
    assert fit.r_squared == pytest.approx(1)
    np.testing.assert_allclose(fit.at([8, 100]), [0.7 * 8**1.25, 0.7 * 100**1.25])


@pytest.mark.parametrize(("offset", "slope"), [(2300, 190), (0.5, 20), (5000, -600), (-1, 1)])
def test_logarithm_is_recovered_exactly(offset, slope):
    fit = fit_logarithm(X, offset + slope * np.log(X))
    assert (fit.offset, fit.slope) == pytest.approx((offset, slope))
    assert fit.standard_error < 1e-6 * abs(slope)
    assert fit.at(np.e) == pytest.approx(offset + slope)


def test_power_law_times_logarithm_is_recovered_exactly():
    fit = fit_power_logarithm(X, 3 * X**0.5 * np.log(X))
    assert (fit.prefactor, fit.exponent, fit.r_squared) == pytest.approx((3, 0.5, 1))
    np.testing.assert_allclose(fit.at(X), 3 * X**0.5 * np.log(X))


def test_constant_is_the_geometric_mean():
    fit = fit_constant(X, [1, 2, 4, 8])
    assert fit.value == pytest.approx(8**0.5)
    # ln y has variance 5/3 ln(2)^2 over four points.
    assert fit.standard_error == pytest.approx(8**0.5 * math.log(2) * math.sqrt(5 / 12))
    np.testing.assert_allclose(fit.at([[1], [2]]), [[8**0.5], [8**0.5]])


def test_a_logarithm_with_noise_is_the_nearest_one():
    """As another implementation finds it, which may not pass zero on the way."""
    y = np.array([2100, 3300, 3100, 3900])
    found = least_squares(lambda p: np.log(p[0] + p[1] * np.log(X)) - np.log(y), [2000, 100], xtol=1e-12, ftol=1e-12)
    fit = fit_logarithm(X, y)
    assert (fit.offset, fit.slope) == pytest.approx(tuple(found.x), rel=1e-4)
    covariance = np.linalg.inv(found.jac.T @ found.jac) * 2 * found.cost / 2
    assert (fit.offset_error, fit.standard_error) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


def test_known_errors_weigh_points_and_give_standard_errors():
    """Of two points for each x the one that is known 100 times better counts; two points are enough for errors."""
    fit = fit_power([1, 1, math.e, math.e], [2, 5, 2, 5], errors=[0.02, 5, 0.02, 5])
    assert fit.prefactor == pytest.approx(2, rel=1e-3)
    fit = fit_power([1, math.e], [2, 4], errors=[0.2, 0.4])
    assert fit.standard_error == pytest.approx(0.1 * math.sqrt(2))
    assert fit.prefactor_error == pytest.approx(0.2)
    logarithm = fit_logarithm([1, math.e], [2, 4], errors=[0.2, 0.4])
    assert logarithm.offset_error == pytest.approx(0.2, rel=1e-6)
    assert logarithm.standard_error == pytest.approx(math.hypot(0.2, 0.4), rel=1e-6)


@pytest.mark.statistical
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.5])
def test_standard_error_covers_the_truth(exponent):
    """2000 fits, coverage to within 0.05."""
    noise = rng(1)
    x = np.geomspace(10, 1000, 6)
    hits, trials = 0, 2000
    for _ in range(trials):
        fit = fit_power(x, 3 * x**exponent * np.exp(0.1 * noise.normal(size=len(x))))
        hits += abs(fit.exponent - exponent) < 2 * fit.standard_error
    # The slope over its standard error follows Student's t with 4 degrees of freedom.
    low, high = counts(trials, 1 - 2 * stats.t.sf(2, df=4))
    assert low <= hits <= high


@pytest.mark.statistical
def test_standard_errors_of_a_logarithm_are_the_spread_of_its_parameters():
    """400 fits with known errors of 2 %, where ln y is as good as linear: mean squares in units of the standard
    errors are 1 to within 0.43."""
    noise = rng(2)
    truth = 2300 + 190 * np.log(X)
    squares = []
    for _ in range(400):
        y = truth * np.exp(0.02 * noise.normal(size=len(X)))
        fit = fit_logarithm(X, y, errors=0.02 * y)
        squares.append([((fit.offset - 2300) / fit.offset_error) ** 2, ((fit.slope - 190) / fit.standard_error) ** 2])
    # The square of a normal number has variance 2; with 400 its mean has a skewness of 0.14.
    assert np.mean(squares, axis=0) == pytest.approx(1, abs=normal(2) * math.sqrt(2 / 400) + 0.02)


def test_two_points_have_no_standard_error():
    assert math.isnan(fit_power([1, 2], [1, 2]).standard_error)
    assert math.isnan(fit_logarithm([1, 2], [1, 2]).standard_error)
    assert math.isnan(fit_constant([1], [2]).standard_error)


def test_constant_has_exponent_zero_and_perfect_fits():
    assert fit_power([1, 2, 4], [3, 3, 3])[1:3] == pytest.approx((0, 0))
    assert fit_power([1, 2, 4], [3, 3, 3]).r_squared == 1
    assert fit_logarithm([1, 2, 4], [3, 3, 3]).slope == pytest.approx(0)
    assert fit_constant([1, 2, 4], [3, 3, 3])[:3] == pytest.approx((3, 0, 1))


def test_formulas_have_the_numbers_with_their_errors():
    assert str(fit_logarithm(X, 2300 - 190 * np.log(X))) == "2300 − 190 ln M"
    assert fit_power([1, math.e], [2, 4], errors=[0.2, 0.4]).with_errors == "2.000±0.200 · M^0.69±0.14"
    assert fit_logarithm([1, 2], [1000, 3000]).with_errors == "1000±? + 2885±? ln M"
    assert str(fit_power_logarithm(X, 3 * np.log(X))) == "3 · M^0.00 ln M"
    assert fit_constant([1, 2], [3, 3]).with_errors == "3.000±0.000"


@pytest.mark.parametrize(
    ("x", "y", "errors", "message"),
    [
        ([1, 2], [0, 1], None, "y = "),
        ([1, 1], [1, 2], None, "at least 2 different x"),
        ([1, 2], [1], None, "equally long"),
        ([-1, 2], [1, 2], None, "x = "),
        ([1, 2], [1, math.nan], None, "y = "),
        ([1, math.inf], [1, 2], None, "x = "),
        ([1, 2], [1, 2], [0, 1], "errors = "),
        ([1, 2], [1, 2], [1], "equally long"),
    ],
)
def test_bad_points_are_refused(x, y, errors, message):
    for fit in (fit_power, fit_logarithm):
        with pytest.raises(ValueError, match=message):
            fit(x, y, errors)


def test_one_component_has_no_logarithm_to_multiply_with():
    with pytest.raises(ValueError, match="x greater than 1: 1 given"):
        fit_power_logarithm([1, 2], [1, 2])
