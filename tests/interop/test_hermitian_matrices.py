"""Operators that are Hermitian by their entries, up to rounding of them: taken; others: refused by name."""

import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

import qcgrad as qg
from qcgrad.errors import ImportRefused
from qcgrad.interop import from_circuit, from_qnode

DEVICE = qml.device("default.qubit", wires=2)
RNG = np.random.default_rng(3)
FACTOR = RNG.standard_normal((4, 4)) + 1j * RNG.standard_normal((4, 4))
HERMITIAN = FACTOR + FACTOR.conj().T
SKEW = np.triu(np.ones((4, 4)), 1) * (1 + 0.5j)


def measured(matrix):
    """The objective of a matrix as a QNode's observable."""
    circuit = qml.QNode(
        lambda x: (qml.RY(x, 0), qml.CNOT([0, 1]), qml.expval(qml.Hermitian(matrix, [0, 1])))[-1], DEVICE
    )
    return from_qnode(circuit, jnp.asarray(0.4))


def expected(matrix):
    """cos(x/2)|00> + sin(x/2)|11> at x = 0.4."""
    psi = np.array([np.cos(0.2), 0, 0, np.sin(0.2)])
    return np.real(psi @ matrix @ psi)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e9])
def test_rounding_of_the_entries_is_no_reason_to_refuse(scale):
    matrix = scale * HERMITIAN + 1e-14 * max(1.0, scale) * SKEW
    assert np.any(matrix != matrix.conj().T)
    found = qg.estimate(measured(matrix), 0.4, qg.Adjoint())
    np.testing.assert_allclose(found.value, expected(scale * HERMITIAN), rtol=1e-10, atol=1e-12)
    words = RNG.standard_normal((4, 4))
    rounded = scale * (words @ np.diag([1.0, 2.0, 3.0, 4.0]) @ words.T)  # symmetric but for the order of sums
    found = qg.estimate(measured(rounded), 0.4, qg.Adjoint())
    np.testing.assert_allclose(found.value, expected(rounded), rtol=1e-10)


def test_rounding_leaves_no_imaginary_coefficient():
    """An antihermitian part of 1e-11 is rounding to the entries, and would be none to the Pauli coefficients."""
    found = qg.estimate(measured(HERMITIAN + 1e-11 * SKEW), 0.4, qg.Adjoint())
    np.testing.assert_allclose(found.value, expected(HERMITIAN), atol=1e-10)


@pytest.mark.parametrize(
    "matrix", [HERMITIAN + 1e-6 * SKEW, FACTOR, 1j * np.eye(4), SKEW, 1e9 * (HERMITIAN + 1e-6 * SKEW)]
)
def test_a_matrix_that_is_not_hermitian_is_refused_by_name(matrix):
    with pytest.raises(ImportRefused, match="the operator Hermitian is not Hermitian"):
        measured(matrix)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_entries_that_are_no_numbers_are_refused(number):
    matrix = HERMITIAN.copy()
    matrix[2, 2] = number
    with pytest.raises(ImportRefused, match="the operator Hermitian has entries that are no finite numbers"):
        measured(matrix)


def test_a_matrix_in_qiskit_by_its_pauli_coefficients():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    rounded = SparsePauliOp.from_operator(Operator(HERMITIAN + 1e-14 * SKEW))
    assert np.any(rounded.coeffs.imag)
    found = qg.estimate(from_circuit(circuit, rounded), [0.4], qg.Adjoint())
    np.testing.assert_allclose(found.value, expected(HERMITIAN), atol=1e-12)
    for matrix in (HERMITIAN + 1e-6 * SKEW, FACTOR):
        with pytest.raises(ImportRefused, match="the observable is not Hermitian: it has the coefficient"):
            from_circuit(circuit, SparsePauliOp.from_operator(Operator(matrix)))
