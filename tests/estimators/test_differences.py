"""Finite differences, random directions, random coordinates, stochastic shifts: closed forms, costs and refusals."""

import numpy as np
import pytest

import qcgrad as qg
from theory.statistics import key, normal

ROTATION = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).crx(0, 1, param=1).rx(1, param=0, scale=-0.5, offset=0.2).rz(0, param=2)
SHARED = qg.Expectation(CIRCUIT, {"ZX": 1.0, "YI": 0.5, "II": 3.0})
ANGLES = np.array([0.4, -0.9, 1.3])
# Four gates in three parameters: errors of the first add up with their covariance.
WIDE = qg.PauliSum("XXXXXXX + 0.5*ZIZIIII + 0.3*IYYIIZI + 0.2*IIIXXII")


def truth(objective, params):
    return np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)


@pytest.mark.parametrize(
    ("scheme", "order", "expected"),
    [
        ("forward", 1, lambda f, x, h: (f(x + h) - f(x)) / h),
        ("forward", 2, lambda f, x, h: (-3 * f(x) + 4 * f(x + h) - f(x + 2 * h)) / (2 * h)),
        ("central", 2, lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h)),
        ("central", 4, lambda f, x, h: (8 * f(x + h) - 8 * f(x - h) - f(x + 2 * h) + f(x - 2 * h)) / (12 * h)),
    ],
)
def test_formulas_of_finite_differences(scheme, order, expected):
    e = qg.estimate(ROTATION, [0.5], qg.FiniteDifference(0.3, order, scheme))
    assert e.gradient[0] == pytest.approx(expected(np.cos, 0.5, 0.3), abs=1e-12)
    assert abs(e.gradient[0] + np.sin(0.5)) <= e.bias_bound[0]
    assert e.cost.circuit_runs == 1 + order


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("order", "scheme"), [(1, "forward"), (4, "forward"), (2, "central"), (4, "central")])
def test_the_best_step_of_exact_evaluations_is_within_its_bound(dtype, order, scheme):
    e = qg.estimate(SHARED, ANGLES.astype(dtype), qg.FiniteDifference(order=order, scheme=scheme))
    assert e.gradient.dtype == dtype
    assert np.all(np.abs(e.gradient - truth(SHARED, ANGLES)) <= e.bias_bound)
    assert np.max(e.bias_bound) < (1e-3 if dtype == np.float64 else 0.3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_that_noise_or_rounding_swamps_are_refused(dtype):
    """With one basis and N shots noise is 1/(h sqrt(2 N)) at worst, and the derivative 1 at most."""
    params = np.array([0.5], dtype)
    with pytest.raises(ValueError, match=r"step=0.02 is so small that the noise of 1,000 shots .* at least 0.022"):
        qg.estimate(ROTATION, params, qg.FiniteDifference(0.02, shots=1000), key=0)
    qg.estimate(ROTATION, params, qg.FiniteDifference(0.023, shots=1000), key=0)
    for method in (qg.FiniteDifference(float(np.finfo(dtype).eps)), qg.SPSA(2, float(np.finfo(dtype).eps))):
        with pytest.raises(ValueError, match=f"rounding in {np.dtype(dtype)} can swamp it"):
            qg.estimate(ROTATION, params, method, key=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.FiniteDifference(0.0), "step=0.0: give a positive number"),
        (lambda: qg.FiniteDifference(float("nan")), "step=nan: give a positive number"),
        (lambda: qg.FiniteDifference(order=3), "order=3: central differences have order 2 or 4"),
        (lambda: qg.FiniteDifference(scheme="backward"), "scheme='backward': give 'forward' or 'central'"),
        (lambda: qg.SPSA(0), "directions=0: give a positive integer"),
        (lambda: qg.SPSA(1, -0.1), "step=-0.1: give a positive number"),
        (lambda: qg.ForwardGradient(2, "uniform"), "distribution='uniform': give 'rademacher' or"),
        (lambda: qg.ForwardGradient(2, step=0.1), "step=0.1 without shots"),
        (lambda: qg.RandomCoordinateShift(0), "coordinates=0: give a positive integer"),
        (lambda: qg.StochasticParameterShift(0), "samples=0: give a positive integer"),
        (lambda: qg.StochasticParameterShift(evolutions="some"), "evolutions='some': give 'unknown' or 'all'"),
    ],
)
def test_wrong_options_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_one_sample_of_what_is_drawn_has_no_variance():
    for method in (qg.SPSA(1), qg.ForwardGradient(1), qg.RandomCoordinateShift(1)):
        e = qg.estimate(SHARED, ANGLES, method, key=0)
        assert np.all(np.isnan(e.variance)), method
        assert np.all(np.isfinite(e.gradient)), method
    e = qg.estimate(evolved(), [0.3, 0.7], qg.StochasticParameterShift(1), key=0)
    assert np.isnan(e.variance).tolist() == [False, True]


def evolved():
    circuit = qg.Circuit(7).ry(0, param=0).ry(3, 0.7).evolution(WIDE, range(7), param=1).rx(0, 0.4)
    return qg.Expectation(circuit, {"ZIIIIII": 1.0, "IIIYIII": 0.5})


@pytest.mark.statistical
def test_stochastic_shifts_differentiate_what_has_no_rule():
    """Tolerance: six standard errors of about 0.03, by hundreds of bounded samples."""
    objective, params = evolved(), np.array([0.3, 0.7])
    with pytest.raises(qg.NotApplicable, match=r"spectrum of gate evolution .* use qcgrad.StochasticParameterShift"):
        qg.estimate(objective, params, qg.ParameterShift())
    method = qg.StochasticParameterShift(400)
    e = qg.estimate(objective, params, method, key=key(3))
    assert e.cost.circuit_runs == qg.predict_cost(objective, method).circuit_runs == 1 + 2 + 800
    right = truth(objective, params)
    assert e.gradient[0] == pytest.approx(right[0], abs=1e-9)
    assert abs(e.gradient[1] - right[1]) < normal() * np.sqrt(e.variance[1])
    assert 0 < e.variance[1] < 0.1


@pytest.mark.statistical
@pytest.mark.parametrize(("distribution", "kurtosis"), [("rademacher", 1), ("gaussian", 3), ("sphere", 1)])
def test_directions_scatter_as_their_fourth_moment_says(distribution, kurtosis):
    """E|g_hat - g|^2 = (A + kurtosis - 2)|g|^2 / K; the mean of 400 estimates, within its own standard error."""
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1).ry(1, param=2).rx(0, param=3)
    objective, params = qg.Expectation(circuit, {"ZX": 1.0, "YI": 0.5}), np.array([0.4, -0.9, 1.3, 0.6])
    right = truth(objective, params)
    method = qg.ForwardGradient(4000, distribution)
    e = qg.estimate(objective, params, method, key=key(9))
    expected = (4 + kurtosis - 2) * np.sum(right**2)
    # One squared product scatters by less than three times its mean (Gaussian: eighth moments).
    allowed = normal() * 3 / np.sqrt(4000)
    assert np.asarray(e.variance).sum() * 4000 == pytest.approx(expected, rel=allowed)
