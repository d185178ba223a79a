"""Circuits of qcgrad as Qiskit circuits."""

from typing import TYPE_CHECKING

import numpy as np

from ...ir.circuit import Circuit
from ...ir.gates import GATES, Gate, MatrixPrimitive

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def to_qiskit(circuit: Circuit, name: str = "theta") -> "QuantumCircuit":
    """The same circuit in Qiskit; qubit q stays qubit q.

    Args:
        circuit: the circuit.
        name: name of the `ParameterVector`; parameter k becomes its element k.

    Returns:
        A `qiskit.QuantumCircuit`, equal in every amplitude.

    An evolution under terms that do not commute is written through the eigenvectors of its Hamiltonian, exactly.
    Parameters that no gate names are not among `parameters` of the result.

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.interop import to_qiskit
        >>> dict(to_qiskit(qg.Circuit(2).ry(0, param=0).cx(0, 1)).count_ops())
        {'ry': 1, 'cx': 1}
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {type(circuit).__name__}: give a qcgrad.Circuit, of an Expectation its .circuit")
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    vector = ParameterVector(name, circuit.num_parameters)
    out = QuantumCircuit(circuit.num_qubits)
    for gate in circuit.gates:
        _append(out, gate, vector)
    return out


def _append(out, gate: Gate, vector):
    from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
    from qiskit.quantum_info import SparsePauliOp

    angle = gate.offset
    if gate.param is not None:
        angle = vector[gate.param] * gate.scale + gate.offset
    if gate.name == "gphase":
        out.global_phase += angle
    elif gate.name in GATES:
        getattr(out, gate.name)(*([angle] if GATES[gate.name].has_angle else []), *gate.wires)
    else:
        for primitive in gate.primitives():
            if isinstance(primitive, MatrixPrimitive):
                # Qiskit's first qubit is the least significant bit of the matrix index.
                out.append(UnitaryGate(np.array(primitive.matrix)), primitive.wires[::-1])
            else:
                # One gate for each term, so that no product formula reorders or approximates anything.
                word = SparsePauliOp([primitive.letters[::-1]])
                out.append(PauliEvolutionGate(word, time=angle * (primitive.scale / 2)), primitive.wires)
