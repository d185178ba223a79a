"""Gates that are given by arrays are refused before a decomposition that would not end."""

import numpy as np
import pennylane as qml
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import DiagonalGate, UnitaryGate

import qcgrad as qg
from qcgrad.interop.pennylane import from_qnode
from qcgrad.interop.qiskit import from_circuit

MATRIX, DIAGONAL = np.eye(2**9), np.ones(2**17)


def qiskit_circuit(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    circuit.rx(Parameter("a"), 0)
    return from_circuit(circuit, "Z" + "I" * (gate.num_qubits - 1))


def qnode(operation, wires, *numbers):
    @qml.qnode(qml.device("default.qubit", wires=wires))
    def circuit(x):
        operation(*numbers, wires=range(wires))
        qml.RX(x, 0)
        return qml.expval(qml.Z(0))

    return from_qnode(circuit, 0.3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: qiskit_circuit(UnitaryGate(MATRIX, check_input=False)), "unitary on 9 qubits is given by 262,144"),
        (lambda: qiskit_circuit(DiagonalGate(DIAGONAL)), "diagonal on 17 qubits is given by 131,072 numbers"),
        (lambda: qnode(qml.QubitUnitary, 9, MATRIX), "QubitUnitary on 9 qubits is given by 262,144 numbers"),
        (
            lambda: qnode(qml.DiagonalQubitUnitary, 17, DIAGONAL),
            "DiagonalQubitUnitary on 17 qubits is given by 131,072",
        ),
        (lambda: qnode(qml.StatePrep, 17, DIAGONAL / 2**8.5), "StatePrep on 17 qubits is given by 131,072 numbers"),
    ],
)
def test_large_arrays_are_refused(build, message):
    with pytest.raises(qg.ImportRefused, match=message):
        build()


def test_small_ones_are_taken():
    assert qiskit_circuit(UnitaryGate(np.eye(2**4))).circuit.num_qubits == 4
    assert qnode(qml.DiagonalQubitUnitary, 4, np.ones(2**4)).circuit.num_qubits == 4
