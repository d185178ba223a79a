"""Fits recover known laws, and their standard errors cover the truth as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats

from qcgrad.studies.fit import fit_logarithm, fit_power
from theory.statistics import counts, rng


def test_power_law_is_recovered_exactly():
    x = np.array([8, 16, 24, 40, 72])
    fit = fit_power(x, 0.7 * x**1.25)
    assert fit.exponent == pytest.approx(1.25, abs=1e-12)
    assert fit.prefactor == pytest.approx(0.7, rel=1e-12)
    assert fit.standard_error < 1e-12
    assert fit.r_squared == pytest.approx(1)
    np.testing.assert_allclose(fit.at([8, 100]), [0.7 * 8**1.25, 0.7 * 100**1.25])


def test_logarithm_is_recovered_exactly():
    x = np.array([15, 63, 255, 1023])
    fit = fit_logarithm(x, 2300 + 190 * np.log(x))
    assert (fit.offset, fit.slope) == pytest.approx((2300, 190))
    assert fit.standard_error < 1e-9
    np.testing.assert_allclose(fit.at(np.e), 2490)


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


def test_two_points_have_no_standard_error():
    assert math.isnan(fit_power([1, 2], [1, 2]).standard_error)
    assert math.isnan(fit_logarithm([1, 2], [1, 2]).standard_error)


def test_constant_has_exponent_zero_and_perfect_fits():
    assert fit_power([1, 2, 4], [3, 3, 3])[1:3] == pytest.approx((0, 0))
    assert fit_power([1, 2, 4], [3, 3, 3]).r_squared == 1
    assert fit_logarithm([1, 2, 4], [3, 3, 3]).slope == pytest.approx(0)


@pytest.mark.parametrize(("x", "y"), [([1, 2], [0, 1]), ([1, 1], [1, 2]), ([1, 2], [1]), ([-1, 2], [1, 2])])
def test_bad_points_are_refused(x, y):
    with pytest.raises(ValueError, match="fit"):
        fit_power(x, y)
