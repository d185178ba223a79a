"""Closed-form systems x methods, values and gradients."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from tests.systems import SYSTEMS

EXACT = [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()]
SAMPLED = [qg.ParameterShift(shots=2000), qg.ParameterShift(2000, "coefficient")]


def name(value):
    return getattr(value, "__name__", None) or "-".join(map(str, [type(value).__name__, *vars(value).values()]))


@pytest.mark.parametrize("estimator", EXACT, ids=name)
@pytest.mark.parametrize("make", SYSTEMS, ids=name)
def test_exact_methods_give_the_formula(make, estimator):
    system = make()
    e = qg.estimate(system.objective, system.params, estimator)
    np.testing.assert_allclose(e.value, system.value, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), e.gradient, system.gradient)


@pytest.mark.parametrize("estimator", SAMPLED, ids=name)
@pytest.mark.parametrize("make", SYSTEMS, ids=name)
def test_sampled_methods_give_the_formula_within_five_standard_errors(make, estimator):
    system = make()
    e = qg.estimate(system.objective, system.params, estimator, key=5)
    assert np.all(np.abs(e.value - system.value) <= 5 * np.sqrt(e.value_variance) + 1e-9)

    def within(gradient, truth, variance):
        assert np.all(np.abs(gradient - truth) <= 5 * np.sqrt(variance) + 1e-9)

    jax.tree.map(within, e.gradient, system.gradient, e.variance)


@pytest.mark.parametrize("estimator", [*EXACT, SAMPLED[0]], ids=name)
def test_a_component_that_no_gate_drives_is_exactly_zero(estimator):
    system = next(make for make in SYSTEMS if make.__name__ == "unused_parameter")()
    e = qg.estimate(system.objective, system.params, estimator, key=0)
    assert (e.gradient[1], e.variance[1]) == (0.0, 0.0)


def test_bell_shadow_on_a_bell_pair_with_clifford_angles():
    """<XX> = cos(a + b), <XY> = sin(a + b) at a = pi/2, b = 0: the gradient of XX + 0.3 XY is (-1, -1)."""
    system = next(make for make in SYSTEMS if make.__name__ == "bell_phase")()
    e = qg.estimate(system.objective, [np.pi / 2, 0.0], qg.BellShadow(copies=20_000), key=0)
    assert np.all(np.abs(e.gradient + 1.0) <= 5 * np.sqrt(np.maximum(e.variance, 0)) + e.bias_bound)
    assert np.all(np.abs(e.gradient + 1.0) < 0.2)


def test_operator_pool_on_a_rotated_qubit():
    """g = i<[Z, P]> on RY(t)|0>: -2<Y> = 0 for X, 2<X> = 2 sin t for Y, 0 for Z."""
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["X", "Y", "Z"])
    for estimator in EXACT:
        e = qg.estimate(pool, [0.7], estimator)
        np.testing.assert_allclose(e.gradient, [0, 2 * np.sin(0.7), 0], atol=1e-12)
        np.testing.assert_allclose(e.value, np.cos(0.7), atol=1e-12)
