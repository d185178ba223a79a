"""Sweeps over few copies that closed forms and exact simulation reach."""

import numpy as np

import qcgrad as qg
from qcgrad.ir.pull_back import pull_back
from qcgrad.ir.sweep_form import common_state_form, one_state_forms
from qcgrad.simulators.multicopy.gaussian import GaussianModel

COPIES = 60
PSI = np.array([np.cos(0.7), np.exp(1.0j) * np.sin(0.7)])
Z, X, Y = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0, -1j], [1j, 0]])
HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
FIRST = np.array([True, False])


def model(psi=PSI, copies=COPIES, observables=(Z, X)):
    vectors = np.array([observable @ psi for observable in observables])
    return GaussianModel.of_moments(copies, np.real(vectors @ psi.conj()), vectors.conj() @ vectors.T)


def rotation_sweep(num_qubits=2, layers=2, observable="ZX"):
    circuit, count = qg.Circuit(num_qubits), 0
    for _ in range(layers):
        for q in range(num_qubits):
            circuit = circuit.ry(q, param=count).rz(q, param=count + 1)
            count += 2
        for q in range(num_qubits - 1):
            circuit = circuit.cx(q, q + 1)
    angles = np.random.default_rng(3).uniform(-1, 1, count)
    (form,) = one_state_forms(qg.Expectation(circuit, observable).program, angles, "terms")
    return form


def free_order_form():
    """Z and what the derivatives of RX and RY at 0 pull back to, on RY(0.5)|0>."""
    program = qg.Expectation(qg.Circuit(1).ry(0, 0.5).rx(0, param=0).ry(0, param=1), "Z").program
    return common_state_form(pull_back(program, np.zeros(2)), 1)
