"""Qiskit's instructions as instructions here."""

import contextlib
from typing import Any

from ...errors import ImportRefused
from ...ir.gates import Unitary
from ..instructions._composite import emit, signature
from ..instructions._instruction import ZERO, Instruction, controlled, inverse, power
from ..instructions.array_gates import check_entries
from ._angles import Angles
from ._ending import refuse_inside
from ._operators import evolution, fractional_power, hamiltonian

# Controls beyond this use Qiskit's own decomposition: the exact generator has 2^controls terms.
_MAX_CONTROLS = 8
# A list of this many takes about a GiB; definitions that call each other may ask for any number.
_MAX_INSTRUCTIONS = 4_000_000


def walk(circuit: Any, wires: tuple[int, ...], angles: Angles) -> list[Instruction]:
    """All instructions of a circuit (or a gate's definition) on given wires, global phase included.

    Measurements and resets are instructions "measure" and "reset" on one wire each.
    """
    found = [Instruction("gphase", (), angles(circuit.global_phase))]
    place = dict(zip(circuit.qubits, wires, strict=True))
    for item in circuit.data:
        found += _instruction(item.operation, tuple(place[q] for q in item.qubits), angles)
        if len(found) > _MAX_INSTRUCTIONS:
            raise ImportRefused(f"the circuit expands to more than {_MAX_INSTRUCTIONS:,} gates: import parts of it")
    return [i for i in found if i.name != "gphase" or i.angle]


def _instruction(operation, wires, angles) -> list[Instruction]:
    import qiskit.circuit as q

    if isinstance(operation, q.AnnotatedOperation):
        return _annotated(operation, wires, angles)
    if not isinstance(operation, q.Instruction):
        return _operation(operation, wires, angles)
    if _is_nothing(operation):
        return []
    if isinstance(operation, (q.Measure, q.Reset)):
        return [Instruction(operation.name, wires)]
    _refuse_classical(operation, wires)
    if isinstance(operation, q.ControlledGate):
        return _controlled(operation, wires, angles)
    return _named(operation, wires, angles) or _base(operation, wires, angles)


def _is_nothing(operation) -> bool:
    from qiskit.circuit import Barrier, Delay
    from qiskit.circuit.library import IGate

    return isinstance(operation, (Barrier, Delay, IGate))


def _refuse_classical(operation, wires):
    from qiskit.circuit import ControlFlowOp, Store

    name, where = operation.name, f"on qubits {list(wires)}"
    if isinstance(operation, ControlFlowOp):
        raise ImportRefused(f"control flow ({name}) {where}: write the gates out")
    if isinstance(operation, Store):
        raise ImportRefused("a classical variable is stored: write its value into the angles")
    if name == "pauli_product_measurement":
        raise ImportRefused(f"{name} {where}: only final measurements of single qubits can be left out")


def _named(operation, wires, angles) -> list[Instruction] | None:
    """A library gate that has a name here, without looking at its control state."""
    name = operation.name
    if name == "global_phase":
        return [Instruction("gphase", (), angles(operation.params[0]))]
    is_library = operation.base_class.__module__.startswith("qiskit.circuit.library")
    if is_library and signature(name) == (len(wires), len(operation.params)) and name != "gphase":
        return emit(name, [angles(p) for p in operation.params], wires)
    return None


def _controlled(operation, wires, angles) -> list[Instruction]:
    count = operation.num_ctrl_qubits
    flips = _flips(wires[:count], operation.ctrl_state)
    found = _named(operation, wires, angles)
    if found is None:
        # Gates with several targets or with ancillas are more than controls on their base.
        is_plain = count + operation.base_gate.num_qubits == len(wires)
        if not (is_plain and count <= _MAX_CONTROLS and _is_current(operation)):
            return _defined(operation, wires, angles)
        base = _instruction(operation.base_gate, wires[count:], angles)
        refuse_inside(base, f"controlled {operation.base_gate.name}")
        found = controlled(base, wires[:count])
    return [*flips, *found, *flips]


def _flips(controls, state) -> list[Instruction]:
    return [Instruction("x", (wire,)) for k, wire in enumerate(controls) if not state >> k & 1]


def _is_current(operation) -> bool:
    """Whether the base gate holds today's parameters: Qiskit binds a user's gate in the definition only."""
    base = operation.base_gate
    if base.base_class.__module__.startswith("qiskit.circuit.library"):
        return True
    return base.definition is not None and not base.definition.parameters and not operation.params


def _base(operation, wires, angles) -> list[Instruction]:
    from qiskit.circuit.library import HamiltonianGate, PauliEvolutionGate, UnitaryGate

    if isinstance(operation, UnitaryGate) and len(wires) <= 3:
        # Qiskit's first qubit is the least significant bit of the matrix index.
        return [Instruction("unitary", wires[::-1], ZERO, Unitary(operation.params[0]))]
    if isinstance(operation, HamiltonianGate):
        return hamiltonian(operation, wires, angles)
    if isinstance(operation, PauliEvolutionGate) and (found := evolution(operation, wires, angles)) is not None:
        return found
    return _defined(operation, wires, angles)


def _annotated(operation, wires, angles) -> list[Instruction]:
    from qiskit.circuit import ControlModifier, InverseModifier, PowerModifier

    count = sum(m.num_ctrl_qubits for m in operation.modifiers if isinstance(m, ControlModifier))
    found = _instruction(operation.base_op, wires[count:], angles)
    refuse_inside(found, f"an annotated {operation.base_op.name}")
    for modifier in operation.modifiers:
        if isinstance(modifier, InverseModifier):
            found = inverse(found)
        elif isinstance(modifier, PowerModifier):
            is_whole = float(modifier.power).is_integer()
            found = (power if is_whole else fractional_power)(found, modifier.power)
        elif isinstance(modifier, ControlModifier):
            controls = wires[count - modifier.num_ctrl_qubits : count]
            count -= modifier.num_ctrl_qubits
            flips = _flips(controls, modifier.ctrl_state)
            found = [*flips, *controlled(found, controls), *flips]
        else:
            raise ImportRefused(f"modifier {type(modifier).__name__} of {operation.base_op.name} is not supported")
    return found


def _operation(operation, wires, angles) -> list[Instruction]:
    """What is appended to a circuit without being an instruction, as Clifford operators are."""
    if hasattr(operation, "to_circuit"):
        return walk(operation.to_circuit(), wires, angles)
    raise ImportRefused(f"{operation.name} on qubits {list(wires)} is no gate: append operation.to_instruction()")


def _defined(operation, wires, angles) -> list[Instruction]:
    from qiskit import QiskitError

    check_entries(operation.name, wires, operation.params)
    with contextlib.suppress(QiskitError):  # Qiskit's way to say that there is none
        if (definition := operation.definition) is not None:
            return walk(definition, wires, angles)
    if (matrix := _matrix(operation)) is not None:
        return [Instruction("unitary", wires[::-1], ZERO, Unitary(matrix))]
    if (found := _synthesized(operation)) is not None:
        return walk(found, wires, angles)
    raise ImportRefused(
        f"{operation.name} on qubits {list(wires)} has no definition in gates: decompose the circuit first"
    )


def _matrix(operation):
    from qiskit.circuit import CircuitError, Gate

    if isinstance(operation, Gate) and operation.num_qubits <= 3:
        with contextlib.suppress(CircuitError):
            return operation.to_matrix()
    return None


def _synthesized(operation):
    """Gates that only Qiskit's compiler knows how to write out."""
    from qiskit import QiskitError, QuantumCircuit
    from qiskit.transpiler.passes import HighLevelSynthesis

    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    circuit.append(operation, circuit.qubits, circuit.clbits)
    try:
        found = HighLevelSynthesis()(circuit)
    except QiskitError:
        return None
    is_same = len(found.data) == 1 and found.data[0].operation.name == operation.name
    return None if is_same or found.num_qubits != circuit.num_qubits else found
