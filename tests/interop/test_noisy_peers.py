"""Density matrices with noise against Qiskit Aer's and PennyLane's simulators, to 1e-10."""

import numpy as np
import pennylane as qml
import pytest
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel as AerNoise
from qiskit_aer.noise import (
    amplitude_damping_error,
    depolarizing_error,
    pauli_error,
    phase_damping_error,
    thermal_relaxation_error,
)

import qcgrad as qg
from qcgrad.interop import to_qiskit

CIRCUIT = qg.Circuit(3).ry(0, 0.4).rx(1, 1.1).cx(0, 1).rz(2, 0.7).ry(2, -0.8).cx(1, 2).rx(0, 0.3).cx(2, 0)
WORDS = ["ZII", "IXI", "IIY", "ZZI", "XYZ"]


def value_of(word, rho):
    return np.trace(qg.PauliSum(word).matrix() @ rho).real


def test_aer_gives_the_same_density_matrix():
    ours = (
        qg.NoiseModel()
        .add(qg.ThermalRelaxation(50.0, 70.0, 3.0, 0.1), "rx")
        .add(qg.AmplitudeDamping(0.05, 0.2), "rz")
        .add(qg.PhaseDamping(0.04), "ry", wires=[2])
        .add(qg.PauliChannel({"X": 0.02, "Y": 0.01}), "ry", wires=[0])
        .add(qg.Depolarizing.mixing(0.03, 2), "cx")
        .add(qg.PauliChannel({"ZX": 0.05}), "cx", wires=[2, 0])
    )
    theirs = AerNoise()
    theirs.add_all_qubit_quantum_error(thermal_relaxation_error(50, 70, 3, 0.1), "rx")
    theirs.add_all_qubit_quantum_error(amplitude_damping_error(0.05, 0.2), "rz")
    theirs.add_quantum_error(phase_damping_error(0.04), "ry", [2])
    theirs.add_quantum_error(pauli_error([("X", 0.02), ("Y", 0.01), ("I", 0.97)]), "ry", [0])
    both = depolarizing_error(0.03, 2)
    # Qiskit's first qubit is the last letter of a word.
    theirs.add_quantum_error(both.compose(pauli_error([("XZ", 0.05), ("II", 0.95)])), "cx", [2, 0])
    theirs.add_quantum_error(both, "cx", [0, 1])
    theirs.add_quantum_error(both, "cx", [1, 2])
    circuit = to_qiskit(CIRCUIT)
    circuit.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=theirs)
    rho = np.asarray(simulator.run(circuit).result().data()["density_matrix"])
    order = [int(f"{i:03b}"[::-1], 2) for i in range(8)]
    np.testing.assert_allclose(qg.DensityMatrix(ours).matrix(CIRCUIT, []), rho[np.ix_(order, order)], atol=1e-10)


def test_default_mixed_gives_the_same_values():
    ours = (
        qg.NoiseModel()
        .add(qg.Depolarizing(0.03))
        .add(qg.AmplitudeDamping(0.05, 0.2), "cx")
        .add(qg.PhaseDamping(0.1), "rx", when="before")
        .add(qg.ThermalRelaxation(50.0, 40.0, 3.0, 0.1), "rz")
    )

    def after(name, wires):
        for wire in wires:
            qml.DepolarizingChannel(0.03, wire)
        if name == "cx":
            for wire in wires:
                qml.GeneralizedAmplitudeDamping(0.05, 0.2, wire)
        if name == "rz":
            qml.ThermalRelaxationError(0.1, 50.0, 40.0, 3.0, wires[0])

    @qml.qnode(qml.device("default.mixed", wires=3))
    def node():
        for gate in CIRCUIT.gates:
            if gate.name == "rx":
                qml.PhaseDamping(0.1, gate.wires[0])
            make = {"rx": qml.RX, "ry": qml.RY, "rz": qml.RZ}.get(gate.name)
            make(gate.offset, gate.wires[0]) if make else qml.CNOT(gate.wires)
            after(gate.name, gate.wires)
        return [qml.expval(qml.pauli.string_to_pauli_word(word, {0: 0, 1: 1, 2: 2})) for word in WORDS]

    rho = np.asarray(qg.DensityMatrix(ours).matrix(CIRCUIT, []))
    np.testing.assert_allclose([value_of(word, rho) for word in WORDS], np.array(node()), atol=1e-10)


@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_conventions_of_depolarizing_differ_by_name(probability):
    ours = qg.Depolarizing(probability).superoperator
    theirs = qml.DepolarizingChannel(probability, 0).kraus_matrices()
    np.testing.assert_allclose(ours, sum(np.kron(k, np.conj(k)) for k in theirs), atol=1e-12)
