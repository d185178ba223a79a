"""Circuits of qcgrad as Qiskit circuits."""

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ImportRefused
from ...ir.circuit import Circuit
from ...ir.gates import Gate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def to_circuit(circuit: Circuit, name: str = "theta") -> "QuantumCircuit":
    """The same circuit in Qiskit; qubit q stays qubit q.

    Args:
        circuit: the circuit.
        name: name of the `ParameterVector`; parameter k becomes its element k.

    Returns:
        A `qiskit.QuantumCircuit`, equal in every amplitude.

    Raises:
        ImportRefused: evolution under non-commuting terms by a free parameter, which Qiskit would
            approximate by a product formula.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop import to_circuit
        >>> dict(to_circuit(qg.Circuit(2).ry(0, param=0).cx(0, 1)).count_ops())
        {'ry': 1, 'cx': 1}
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    vector = ParameterVector(name, circuit.num_parameters)
    out = QuantumCircuit(circuit.num_qubits)
    for gate in circuit.gates:
        _append(out, gate, vector)
    return out


def _append(out, gate: Gate, vector):
    from qiskit.circuit.library import UnitaryGate

    angle = gate.offset
    if gate.param is not None:
        angle = vector[gate.param] * gate.scale + gate.offset
    wires = list(gate.wires)
    if gate.name == "unitary":
        # Qiskit's first qubit is the least significant bit of the matrix index.
        out.append(UnitaryGate(np.array(gate.detail.matrix)), wires[::-1])
    elif gate.name == "pauli_rot":
        _append_evolution(out, [(gate.detail, 0.5)], angle, wires)
    elif gate.name == "evolution" and gate.detail.is_commuting:
        terms = zip(gate.detail.words, gate.detail.coefficients.tolist(), strict=True)
        _append_evolution(out, list(terms), angle, wires)
    elif gate.name == "evolution":
        if gate.param is not None:
            raise ImportRefused(
                "evolution under non-commuting terms by a free parameter: Qiskit would approximate it; write it as a "
                "product of commuting evolutions"
            )
        levels, vectors = np.linalg.eigh(gate.detail.matrix())
        out.append(UnitaryGate((vectors * np.exp(-1j * angle * levels)) @ vectors.conj().T), wires[::-1])
    elif gate.name == "gphase":
        out.global_phase += angle
    else:
        method = getattr(out, gate.name)
        method(*([angle] if _has_angle(gate) else []), *wires)


def _append_evolution(out, terms, angle, wires):
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.quantum_info import SparsePauliOp

    for word, coefficient in terms:
        # One gate for each term, so that no product formula reorders or approximates anything.
        operator = SparsePauliOp([word[::-1]])
        out.append(PauliEvolutionGate(operator, time=angle * coefficient), wires)


def _has_angle(gate: Gate) -> bool:
    from ...ir.gates import GATES

    return GATES[gate.name].has_angle
