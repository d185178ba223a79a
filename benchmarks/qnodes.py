"""What importing a QNode costs beside Qiskit: `python benchmarks/qnodes.py [PARAMETERS ...]`.

StronglyEntanglingLayers on 10 qubits, and the same gates in Qiskit. CPU seconds of one process, after a small
circuit that compiles what all circuits share; no QNode is traced twice. "construction" is PennyLane's own: its
operations with plain numbers, nothing traced, which no import can go below. "re-uploading" has angles w * x, which
are not affine.
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
from pennylane.workflow import construct_tape
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

import qcgrad as qg
from qcgrad.interop import from_circuit, from_qnode

QUBITS = 10
DEVICE = qml.device("default.qubit", wires=QUBITS)


def seconds(function):
    start = time.process_time()
    found = function()
    return found, time.process_time() - start


@qml.qnode(DEVICE)
def entangling(weights):
    qml.StronglyEntanglingLayers(weights, wires=range(QUBITS))
    return qml.expval(qml.Z(0))


@qml.qnode(DEVICE)
def reuploading(weights):
    data = jnp.sin(weights[0])
    for layer in weights:
        for qubit in range(QUBITS):
            qml.Rot(*(layer[qubit] * data[qubit]), qubit)
        for qubit in range(QUBITS):
            qml.CNOT([qubit, (qubit + 1) % QUBITS])
    return qml.expval(qml.Z(0))


def in_qiskit(layers):
    parameters = ParameterVector("t", 3 * QUBITS * layers)
    circuit, rest = QuantumCircuit(QUBITS), iter(parameters)
    for layer in range(layers):
        for qubit in range(QUBITS):
            circuit.rz(next(rest), qubit)
            circuit.ry(next(rest), qubit)
            circuit.rz(next(rest), qubit)
        for qubit in range(QUBITS):
            circuit.cx(qubit, (qubit + layer % (QUBITS - 1) + 1) % QUBITS)
    return circuit


def row(name, load, params):
    objective, imported = seconds(load)
    _, first = seconds(lambda: qg.estimate(objective, params, qg.Adjoint()))
    _, again = seconds(lambda: qg.estimate(objective, params, qg.Adjoint()))
    print(f"{name:14} {imported:8.3f} {first:8.3f} {again:8.3f}")


def main(sizes):
    jax.config.update("jax_enable_x64", True)
    small = np.full((1, QUBITS, 3), 0.1)
    for load in (lambda: from_qnode(entangling, small), lambda: from_circuit(in_qiskit(1), "Z" + "I" * (QUBITS - 1))):
        qg.estimate(load(), small.ravel(), qg.Adjoint())
    for size in sizes:
        layers = -(-size // (3 * QUBITS))
        weights = np.random.default_rng(0).normal(size=(layers, QUBITS, 3))
        print(f"\n{weights.size} parameters    import    first    again")
        tape, construction = seconds(lambda w=weights: construct_tape(entangling)(w))
        _, decomposition = seconds(lambda t=tape: t.operations[0].decomposition())
        print(f"construction   {construction + decomposition:8.3f}")
        circuit = in_qiskit(layers)
        row("Qiskit", lambda c=circuit: from_circuit(c, "Z" + "I" * (QUBITS - 1)), weights.ravel())
        row("QNode", lambda w=weights: from_qnode(entangling, w), weights)
        row("re-uploading", lambda w=weights: from_qnode(reuploading, w), weights)


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [150, 1500, 10_000])
