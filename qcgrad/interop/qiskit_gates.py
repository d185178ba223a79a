"""Qiskit's instructions as instructions here."""

import contextlib
from typing import Any

import numpy as np

from ..errors import ImportRefused
from ..ir.gates import Unitary
from ..ir.observable import PauliSum
from .angle import as_angle
from .array_gates import check_entries
from .composite import emit, signature
from .instruction import ZERO, Instruction, controlled, inverse, power
from .qiskit_angles import Angles

_IGNORED = ("barrier", "delay", "id")
_ADVICE = {
    "measure": "a measurement: call circuit.remove_final_measurements() first, the observable replaces them; "
    "measurements inside of the circuit are not supported",
    "reset": "a reset: it is not unitary; start from |0> instead",
    "initialize": "an initialize, which resets: use StatePreparation instead",
    "store": "a classical variable: write its value into the angles",
}
# Controls beyond this use Qiskit's own decomposition: the exact generator has 2^controls terms.
_MAX_CONTROLS = 8


def walk(circuit: Any, wires: tuple[int, ...], angles: Angles) -> list[Instruction]:
    """All instructions of a circuit (or a gate's definition) on given wires, global phase included."""
    found = [Instruction("gphase", (), angles(circuit.global_phase))]
    place = dict(zip(circuit.qubits, wires, strict=True))
    for item in circuit.data:
        found += _instruction(item.operation, tuple(place[q] for q in item.qubits), angles)
    return [i for i in found if i.name != "gphase" or i.angle != ZERO]


def _instruction(operation, wires, angles) -> list[Instruction]:
    from qiskit.circuit import AnnotatedOperation, ControlFlowOp, ControlledGate
    from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate

    name = operation.name
    if name in _IGNORED:
        return []
    if isinstance(operation, ControlFlowOp):
        raise ImportRefused(f"control flow ({name}) on qubits {list(wires)}: write the gates out")
    if name in _ADVICE:
        raise ImportRefused(f"qubit {wires[0] if wires else ''}: {_ADVICE[name]}")
    if isinstance(operation, AnnotatedOperation):
        return _annotated(operation, wires, angles)
    if name == "global_phase":
        return [Instruction("gphase", (), angles(operation.params[0]))]
    is_library = operation.base_class.__module__.startswith("qiskit.circuit.library")
    flips = _flips(operation, wires) if isinstance(operation, ControlledGate) else []
    if is_library and signature(name) == (len(wires), len(operation.params)) and name != "gphase":
        return [*flips, *emit(name, [angles(p) for p in operation.params], wires), *flips]
    if isinstance(operation, ControlledGate) and operation.num_ctrl_qubits <= _MAX_CONTROLS and _is_current(operation):
        count = operation.num_ctrl_qubits
        base = _instruction(operation.base_gate, wires[count:], angles)
        return [*flips, *controlled(base, wires[:count]), *flips]
    if isinstance(operation, UnitaryGate) and len(wires) <= 3:
        # Qiskit's first qubit is the least significant bit of the matrix index.
        return [Instruction("unitary", wires[::-1], ZERO, Unitary(operation.params[0]))]
    if isinstance(operation, PauliEvolutionGate) and (found := _evolution(operation, wires, angles)) is not None:
        return found
    return _defined(operation, wires, angles)


def _flips(operation, wires):
    state = operation.ctrl_state
    return [Instruction("x", (wires[k],)) for k in range(operation.num_ctrl_qubits) if not state >> k & 1]


def _is_current(operation) -> bool:
    """Whether the base gate holds today's parameters: Qiskit binds a user's gate in the definition only."""
    base = operation.base_gate
    if base.base_class.__module__.startswith("qiskit.circuit.library"):
        return True
    return base.definition is not None and not base.definition.parameters and not operation.params


def _annotated(operation, wires, angles):
    from qiskit.circuit import ControlModifier, InverseModifier, PowerModifier

    count = sum(m.num_ctrl_qubits for m in operation.modifiers if isinstance(m, ControlModifier))
    found = _instruction(operation.base_op, wires[count:], angles)
    for modifier in operation.modifiers:
        if isinstance(modifier, InverseModifier):
            found = inverse(found)
        elif isinstance(modifier, PowerModifier):
            found = power(found, modifier.power)
        elif isinstance(modifier, ControlModifier):
            controls = wires[count - modifier.num_ctrl_qubits : count]
            count -= modifier.num_ctrl_qubits
            state: Any = modifier.ctrl_state
            flips = [Instruction("x", (c,)) for k, c in enumerate(controls) if not state >> k & 1]
            found = [*flips, *controlled(found, controls), *flips]
        else:
            raise ImportRefused(f"modifier {type(modifier).__name__} of {operation.base_op.name} is not supported")
    return found


def _evolution(operation, wires, angles) -> list[Instruction] | None:
    """exp(-i t H), exact as Qiskit simulates it; None leaves parameterised operators to Qiskit's synthesis."""
    from qiskit.quantum_info import SparseObservable, SparsePauliOp

    parts = operation.operator if isinstance(operation.operator, list) else [operation.operator]
    parts = [SparsePauliOp.from_sparse_observable(p) if isinstance(p, SparseObservable) else p for p in parts]
    if any(p.coeffs.dtype == object for p in parts):
        return None
    operator = SparsePauliOp.sum(parts)
    coefficients: Any = np.asarray(operator.coeffs)
    if np.any(np.imag(coefficients)):
        raise ImportRefused("PauliEvolutionGate of an operator that is not Hermitian")
    time = angles(operation.time)
    words = [label[::-1] for label in operator.paulis.to_labels()]
    terms = list(zip(words, np.real(coefficients).tolist(), strict=True))
    if PauliSum(terms).is_commuting:
        return [Instruction("pauli_rot", wires, time * (2.0 * c), word) for word, c in terms]
    return [Instruction("evolution", wires, time, PauliSum(terms))]


def _defined(operation, wires, angles) -> list[Instruction]:
    from qiskit.circuit import CircuitError, Gate

    check_entries(operation.name, wires, operation.params)
    definition = getattr(operation, "definition", None)
    if definition is not None:
        if definition.num_clbits:
            raise ImportRefused(f"{operation.name} uses classical bits: only unitary circuits are supported")
        return walk(definition, wires, angles)
    matrix = None
    if isinstance(operation, Gate) and len(wires) <= 3:
        with contextlib.suppress(CircuitError):
            matrix = operation.to_matrix()
    if matrix is None:
        raise ImportRefused(
            f"{operation.name} on qubits {list(wires)} has no definition in gates: decompose the circuit first"
        )
    return [Instruction("unitary", wires[::-1], as_angle(0.0), Unitary(matrix))]
