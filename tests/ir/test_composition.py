"""Circuits one after the other, backwards and repeated, against dense matrices."""

import numpy as np
import pytest
from hypothesis import given, settings

import qcgrad as qg
from qcgrad.ir.gates import GATES
from tests import dense
from tests.strategies import circuits


def starting(circuit):
    """A state without symmetries in front, so that every gate shows."""
    start = qg.Circuit(circuit.num_qubits)
    for q in range(circuit.num_qubits):
        start = start.ry(q, 0.3 + q).rz(q, 0.9 - q)
    return start.compose(circuit)


@settings(max_examples=20)
@given(circuits(max_qubits=4, max_gates=8))
def test_a_circuit_and_its_inverse_undo_each_other(case):
    circuit, params = case
    there_and_back = starting(circuit.compose(circuit.inverse()))
    start = dense.state(starting(qg.Circuit(circuit.num_qubits)))
    np.testing.assert_allclose(dense.state(there_and_back, params), start, atol=1e-10)


@pytest.mark.parametrize("name", GATES)
def test_every_gate_has_its_inverse(name):
    spec = GATES[name]
    n = max(spec.num_wires, 1)
    gate = qg.Gate(name, tuple(range(spec.num_wires)), offset=0.7 if spec.has_angle else 0.0)
    circuit = qg.Circuit(n, [gate])
    found = dense.state(starting(circuit.compose(circuit.inverse())))
    np.testing.assert_allclose(found, dense.state(starting(qg.Circuit(n))), atol=1e-12)


def test_a_circuit_on_other_wires_with_parameters_of_its_own():
    layer = qg.Circuit(2).ry(0, param=0).cx(0, 1).rz(1, param=1, scale=2.0, offset=0.1)
    found = qg.Circuit(3).h(1).compose(layer, (2, 0), first_param=3)
    right = qg.Circuit(3).h(1).ry(2, param=3).cx(2, 0).rz(0, param=4, scale=2.0, offset=0.1)
    assert found == right


def test_repetitions_share_parameters_or_have_their_own():
    layer = qg.Circuit(1).ry(0, param=0).rx(0, param=1)
    assert layer.repeat(2) == qg.Circuit(1).ry(0, param=0).rx(0, param=1).ry(0, param=0).rx(0, param=1)
    own = qg.Circuit(1).ry(0, param=0).rx(0, param=1).ry(0, param=2).rx(0, param=3)
    assert layer.repeat(2, new_parameters=True) == own
    assert layer.repeat(0) == qg.Circuit(1)


def test_the_derivative_of_a_repeated_circuit():
    """RY(t) three times is RY(3t)."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).repeat(3), "Z")
    np.testing.assert_allclose(qg.estimate(objective, [0.2], qg.Adjoint()).gradient, [-3 * np.sin(0.6)])


def test_u_is_any_one_qubit_gate():
    theta, phi, lam = 0.7, -0.4, 1.9
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    matrix = np.array([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])
    start = qg.Circuit(2).ry(0, 0.3).rz(0, 0.8).cx(0, 1)
    right = dense.state(start.unitary(matrix, [1]))
    np.testing.assert_allclose(dense.state(start.u(1, theta, phi, lam)), right, atol=1e-12)
    np.testing.assert_allclose(dense.state(start.u(1, 0, 1, 2, params=True), (theta, phi, lam)), right, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.compose("ry"), TypeError, "other is 'ry': give a qcgrad.Circuit"),
        (lambda c: c.compose(qg.Circuit(3)), ValueError, "names|qubit 2|qubits 0 to 1"),
        (lambda c: c.compose(qg.Circuit(1), (0, 1)), ValueError, "give one qubit for each of the other circuit's 1"),
        (lambda c: c.compose(qg.Circuit(1).x(0), (5,)), ValueError, "the circuit has qubits 0 to 1"),
        (lambda c: c.compose(qg.Circuit(1), (0,), -1), ValueError, "first_param=-1"),
        (lambda c: c.repeat(-1), ValueError, "times=-1: give how often"),
        (lambda c: c.repeat(1.5), ValueError, "times=1.5: give how often"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call(qg.Circuit(2))
