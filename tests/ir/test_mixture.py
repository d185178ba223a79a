"""Mixed inputs: what they are, and who takes them."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.mixture import Mixture
from theory.statistics import FALSE_ALARM, key, normal

MIXTURE = Mixture([(0.8, qg.Circuit(2).ry(0, param=0).cx(0, 1)), (0.2, qg.Circuit(2).ry(1, param=1))])
POOL = qg.OperatorPool(MIXTURE, "ZI + 0.5*XX", ["YI", "XI", "ZY"])
PARAMS = np.array([0.7, 0.4])
CIRCUIT = qg.Circuit(2)


def truth():
    """A mixture's gradient is the mixture of its members' gradients."""
    members = [qg.OperatorPool(c, POOL.observable, POOL.paulis) for c in MIXTURE.circuits]
    estimates = [qg.estimate(pool, PARAMS[: pool.circuit.num_parameters], qg.Adjoint()) for pool in members]
    weights = MIXTURE.probabilities
    return sum(w * e.value for w, e in zip(weights, estimates, strict=True)), sum(
        w * e.gradient for w, e in zip(weights, estimates, strict=True)
    )


@pytest.mark.statistical
@pytest.mark.parametrize("signs", ["votes", "mimicking"])
def test_bell_shadow_finds_values_and_signs_of_a_mixed_state(signs):
    """Tolerances are about 0.1; a mimicking state's signs are wrong with probability delta^0.36 at most."""
    value, gradient = truth()
    e = qg.estimate(POOL, PARAMS, qg.BellShadow(200_000, signs, FALSE_ALARM**3), key=key(0))
    # The root's slope between <P>^2 and its estimate is at most twice the one at the estimate.
    errors = 2 * normal(4)
    assert np.all(np.abs(e.gradient - gradient) <= errors * np.sqrt(e.variance) + e.bias_bound)
    assert abs(e.value - value) <= errors * np.sqrt(e.value_variance) + e.value_bias_bound
    assert np.all(np.sign(e.gradient[np.abs(gradient) > 0.4]) == np.sign(gradient[np.abs(gradient) > 0.4]))
    assert e.cost.copies == 200_000


def test_predicted_cost_covers_the_largest_member():
    for signs in ("votes", "mimicking"):
        cost = qg.estimate(POOL, PARAMS, qg.BellShadow(1000, signs), key=0).cost
        predicted = qg.predict_cost(POOL, qg.BellShadow(1000, signs))
        assert all(getattr(cost, name) <= getattr(predicted, name) for name in vars(cost))


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ParameterShift(shots=10), qg.GentleSweep(100)])
def test_methods_for_pure_states_refuse_mixtures_by_name(estimator):
    with pytest.raises(qg.NotApplicable, match=f"{type(estimator).__name__} differentiates .* is a MixedExpectation"):
        qg.estimate(POOL, PARAMS, estimator, key=0)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "members is empty"),
        ([(0.5, CIRCUIT), (0.4, CIRCUIT)], r"probabilities \[0\.5, 0\.4\]"),
        ([(1.5, CIRCUIT), (-0.5, CIRCUIT)], "at least 0"),
        ([(float("nan"), CIRCUIT)], "at least 0"),
        ([(0.5, CIRCUIT), (0.5, qg.Circuit(3))], r"circuits on \[2, 3\] qubits"),
    ],
)
def test_what_is_no_mixture_is_named(members, message):
    with pytest.raises(ValueError, match=message):
        Mixture(members)


def test_members_must_be_circuits():
    with pytest.raises(TypeError, match=r"members holds .*'H'"):
        Mixture([(1.0, "H")])
