"""QNodes whose arguments no gate depends on: gradient zero by every estimator, and values as PennyLane has them."""

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest

import qcgrad as qg
from qcgrad.interop import from_qnode

DEVICE = qml.device("default.qubit", wires=2)

WITHOUT_EFFECT = {
    "no gate": lambda x: qml.expval(qml.Z(0)),
    "fixed gates": lambda x: (qml.RY(0.3, 0), qml.CNOT([0, 1]), qml.expval(qml.Z(0) @ qml.X(1)))[-1],
    "a global phase": lambda x: (qml.RY(0.3, 0), qml.GlobalPhase(x[0] * x[1]), qml.expval(qml.Z(0)))[-1],
    "global phases alone": lambda x: (qml.GlobalPhase(x[0]), qml.GlobalPhase(-x[1], wires=1), qml.expval(qml.Z(0)))[-1],
    "a factor of zero": lambda x: (qml.RY(0.3 + 0 * x[0], 0), qml.expval(qml.Z(0)))[-1],
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_qnode_of_which_no_gate_depends_on_its_arguments_has_gradient_zero(name):
    circuit = qml.QNode(WITHOUT_EFFECT[name], DEVICE)
    x = jnp.array([0.4, -0.2])
    objective = from_qnode(circuit, x)
    for estimator in (qg.Adjoint(), qg.ParameterShift(), qg.ParameterShift(shots=10)):
        found = qg.estimate(objective, x, estimator, key=0)
        np.testing.assert_array_equal(found.gradient, np.zeros(2))
        np.testing.assert_array_equal(found.variance, np.zeros(2))
    np.testing.assert_allclose(qg.estimate(objective, x, qg.Adjoint()).value, circuit(x), atol=1e-12)
    value, gradient = jax.jit(jax.value_and_grad(qg.as_jax(objective, qg.Adjoint())))(x)
    np.testing.assert_allclose(value, circuit(x), atol=1e-12)
    np.testing.assert_array_equal(gradient, np.zeros(2))


def test_a_global_phase_under_a_control_is_a_gate():
    """The phase that shows: a QNode that is not without effect, though all it has is a global phase."""
    circuit = qml.QNode(
        lambda x: (qml.Hadamard(0), qml.ctrl(qml.GlobalPhase(x[0]), 0), qml.expval(qml.Y(0)))[-1], DEVICE
    )
    x = jnp.array([0.4])
    found = qg.estimate(from_qnode(circuit, x), x, qg.Adjoint())
    np.testing.assert_allclose(found.value, np.sin(-0.4), atol=1e-12)
    np.testing.assert_allclose(found.gradient, [-np.cos(0.4)], atol=1e-12)
