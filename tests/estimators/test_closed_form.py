"""Closed-form systems x methods, values and gradients."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from tests.systems import SYSTEMS
from theory.statistics import FALSE_ALARM, empirical_bernstein, key, normal

EXACT = [qg.Adjoint(), qg.ReverseMode(), qg.Checkpointed(), qg.ForwardMode(), qg.ParameterShift()]
SHOTS = 20_000
SAMPLED = [qg.ParameterShift(shots=SHOTS), qg.ParameterShift(SHOTS, "coefficient")]


def name(value):
    return getattr(value, "__name__", None) or "-".join(map(str, [type(value).__name__, *vars(value).values()]))


@pytest.mark.parametrize("estimator", EXACT, ids=name)
@pytest.mark.parametrize("make", SYSTEMS, ids=name)
def test_exact_methods_give_the_formula(make, estimator):
    system = make()
    e = qg.estimate(system.objective, system.params, estimator)
    np.testing.assert_allclose(e.value, system.value, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), e.gradient, system.gradient)


@pytest.mark.statistical
@pytest.mark.parametrize("estimator", SAMPLED, ids=name)
@pytest.mark.parametrize("make", SYSTEMS, ids=name)
def test_sampled_methods_give_the_formula(make, estimator):
    """Tolerances are about a twentieth of the coefficients; no outcome counts more than four times as much as these."""
    system = make()
    e = qg.estimate(system.objective, system.params, estimator, key=key(5))
    observables = system.objective.program.observables
    largest = 4 * max(np.abs(observable.coefficients).sum() for observable in observables)

    def within(found, truth, variance):
        assert np.all(np.abs(found - truth) <= empirical_bernstein(variance, largest, SHOTS, 10) + 1e-9)

    within(e.value, system.value, e.value_variance)
    jax.tree.map(within, e.gradient, system.gradient, e.variance)


@pytest.mark.parametrize("estimator", [*EXACT, SAMPLED[0]], ids=name)
def test_a_component_that_no_gate_drives_is_exactly_zero(estimator):
    system = next(make for make in SYSTEMS if make.__name__ == "unused_parameter")()
    e = qg.estimate(system.objective, system.params, estimator, key=0)
    assert (e.gradient[1], e.variance[1]) == (0.0, 0.0)


@pytest.mark.statistical
def test_bell_shadow_on_a_bell_pair_with_clifford_angles():
    """<XX> = cos(a + b), <XY> = sin(a + b) at a = pi/2, b = 0: the gradient of XX + 0.3 XY is (-1, -1)."""
    system = next(make for make in SYSTEMS if make.__name__ == "bell_phase")()
    e = qg.estimate(system.objective, [np.pi / 2, 0.0], qg.BellShadow(20_000, delta=FALSE_ALARM), key=key(0))
    assert np.all(np.abs(e.gradient + 1.0) <= 2 * normal(2) * np.sqrt(e.variance) + e.bias_bound)
    assert np.all(np.abs(e.gradient + 1.0) < 0.2)


def test_operator_pool_on_a_rotated_qubit():
    """g = i<[Z, P]> on RY(t)|0>: -2<Y> = 0 for X, 2<X> = 2 sin t for Y, 0 for Z."""
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["X", "Y", "Z"])
    for estimator in EXACT:
        e = qg.estimate(pool, [0.7], estimator)
        np.testing.assert_allclose(e.gradient, [0, 2 * np.sin(0.7), 0], atol=1e-12)
        np.testing.assert_allclose(e.value, np.cos(0.7), atol=1e-12)
