"""The circuits that the claims are checked on."""

import numpy as np

import qcgrad as qg


def hardware_efficient(num_qubits: int, layers: int) -> qg.Circuit:
    """HEA(n, L): RZ RY RZ on every qubit, then a ring of CNOTs, L times; M = 3 n L."""
    circuit, param = qg.Circuit(num_qubits), 0
    for _ in range(layers):
        for qubit in range(num_qubits):
            circuit = circuit.rz(qubit, param=param).ry(qubit, param=param + 1).rz(qubit, param=param + 2)
            param += 3
        for qubit in range(num_qubits):
            circuit = circuit.cx(qubit, (qubit + 1) % num_qubits)
    return circuit


def ising_like(num_qubits: int) -> dict[str, float]:
    """The sum of Z_i Z_{i+1} around the ring and of X_i / 2."""
    terms = {}
    for qubit in range(num_qubits):
        neighbour = (qubit + 1) % num_qubits
        terms["".join("Z" if q in (qubit, neighbour) else "I" for q in range(num_qubits))] = 1.0
        terms["".join("X" if q == qubit else "I" for q in range(num_qubits))] = 0.5
    return terms


def one_string(num_qubits: int) -> dict[str, float]:
    """Z Z on the first two qubits: a unitary observable."""
    return {"ZZ" + "I" * (num_qubits - 2): 1.0}


def generic_angles(objective: qg.Expectation, seed: int) -> np.ndarray:
    """Uniform angles, radians."""
    return np.random.default_rng(seed).uniform(-np.pi, np.pi, objective.num_parameters)
