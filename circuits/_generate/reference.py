"""Value and gradient of a case in the framework that its circuit came from."""

from importlib.metadata import version
from typing import Any
from zlib import crc32

import numpy as np
import pennylane as qml
from pennylane import numpy as pnp
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from qiskit_algorithms.gradients import ReverseEstimatorGradient

from . import reader
from .case import Case, Template, Terms, sparse_pauli

QISKIT = f"qiskit {version('qiskit')} Statevector"
QISKIT_GRADIENT_QUBITS = 12
"""Above this size Qiskit's gradient takes minutes, so PennyLane's is used."""


def point(name: str, size: int) -> np.ndarray:
    """Angles in (-pi, pi), seeded by the name of the circuit."""
    return np.random.default_rng(crc32(name.encode())).uniform(-np.pi, np.pi, size)


def evaluate(case: Case, text: str, params: np.ndarray) -> tuple[float, np.ndarray, str]:
    """Value, gradient, and what computed them."""
    if isinstance(case.circuit, Template):
        return _pennylane(case.circuit, case.observable, params)
    value = qiskit_value(case.circuit, case.observable, params)
    if case.circuit.num_qubits > QISKIT_GRADIENT_QUBITS:
        _, gradient = value_and_gradient(reader.read(text), case.observable, params)
        how = f"value: {QISKIT}; gradient: pennylane {version('pennylane')} lightning.qubit adjoint"
        return value, gradient, how
    operator = sparse_pauli(case.observable)
    job = ReverseEstimatorGradient().run([_flat(case.circuit)], [operator], [params])
    tool = f"qiskit-algorithms {version('qiskit-algorithms')} ReverseEstimatorGradient"
    how = f"value: {QISKIT}; gradient: {tool}"
    return value, np.real(job.result().gradients[0]), how


def _flat(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with composite blocks opened, which Qiskit's gradient requires.

    Controlled rotations too: the gradient fails on them (qiskit-algorithms 0.4.0).
    """
    basic = {"rx", "ry", "rz", "p", "h", "x", "cx", "cz", "s", "sdg", "sx", "sxdg"}
    basic |= {"rzz", "rxx", "ryy", "u", "id", "t", "tdg"}
    while composite := [op for op in circuit.count_ops() if op not in basic]:
        circuit = circuit.decompose(composite)
    return circuit


def qiskit_value(circuit: QuantumCircuit, terms: Terms, params: np.ndarray) -> float:
    """Exact expectation value by Qiskit's state vector."""
    state = Statevector(circuit.assign_parameters(params))
    return float(np.real(state.expectation_value(sparse_pauli(terms))))


def value_and_gradient(
    template: Template,
    terms: Terms,
    params: np.ndarray,
    device: str = "lightning.qubit",
    method: str = "adjoint",
) -> tuple[float, np.ndarray]:
    """Exact expectation value and gradient by PennyLane."""
    observable = _operator(terms)

    @qml.qnode(qml.device(device, wires=template.qubits), diff_method=method)
    def expectation(x: Any) -> Any:
        template.apply(x)
        return qml.expval(observable)

    x = pnp.array(params, requires_grad=True)
    return float(expectation(x)), np.array(qml.grad(expectation)(x))


def _pennylane(template: Template, terms: Terms, params: np.ndarray) -> tuple[float, np.ndarray, str]:
    value, gradient = value_and_gradient(template, terms, params, "default.qubit", "backprop")
    how = f"value and gradient: pennylane {version('pennylane')} default.qubit backprop"
    return value, gradient, how


def _operator(terms: Terms) -> Any:
    words = [qml.pauli.PauliWord({i: c for i, c in enumerate(p) if c != "I"}) for p, _ in terms]
    qubits = len(terms[0][0])
    operators = [w.operation(wire_order=range(qubits)) for w in words]
    return qml.Hamiltonian([v for _, v in terms], operators)
