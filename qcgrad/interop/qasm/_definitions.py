"""Reading of `gate` statements: every name in the body is resolved where the body stands, called or not."""

import numpy as np

from ...errors import ImportRefused
from ...ir.gates import GATES
from ..instructions._angle import Angle
from ..instructions._composite import emit, signature
from ..instructions._instruction import Instruction
from ..instructions._matrix import matrix, phase_between
from . import _nodes as nodes
from ._gates import RESET, BoundCall, Callee, Definition, LibraryGate, OpaqueGate, check_counts, library_gate, resolved
from ._scope import Qubits, Scope
from ._source import QasmError, Source
from ._values import angle
from .limits import MAX_NESTING

# The angles at which a user's gate is compared with the native gate of that name.
_SAMPLES = (0.7390851332151607, -1.8392867552141612, 2.7182818284590451)
# A longer body is not compared: it is no way to write one native gate.
_MAX_COMPARED = 200


def define(node: nodes.GateDefinition, gates: dict[str, Callee], scope: Scope, source: Source) -> Callee:
    """The gate of a `gate` or `opaque` statement; one that equals the native gate of its name becomes that gate.

    Args:
        node: the statement.
        gates: the gates defined before it.
        scope: of the whole program.
        source: for the places of errors in the body.

    Raises:
        ImportRefused: a name occurs twice, or definitions are nested too deeply.
        QasmError: an error in the body, with its place there.
    """
    names = [*node.parameters, *node.qubits]
    if len(set(names)) < len(names):
        raise ImportRefused(f"gate {node.name} declares a name twice")
    if not node.qubits:
        raise ImportRefused(f"gate {node.name} has no qubits: give at least one")
    if node.body is None:
        return OpaqueGate(node.name, len(node.qubits), len(node.parameters))
    # Symbols in place of the parameters: what can be wrong with an expression shows without numbers, for which roots
    # and logarithms may have no value.
    symbols = {name: Angle(-1 - k, 1.0, 0.0) for k, name in enumerate(node.parameters)}
    inner = scope.child({**symbols, **{q: Qubits((k,), False) for k, q in enumerate(node.qubits)}})
    body = []
    for place, statement in node.body:
        try:
            bound = _bind(place, statement, node, gates, inner)
        except QasmError:
            raise
        except ImportRefused as error:
            raise source.error(str(error), place) from error
        body += bound
    definition = Definition(node.name, node.parameters, len(node.qubits), tuple(body), scope, source)
    if definition.depth > MAX_NESTING:
        raise ImportRefused(f"gate {node.name} nests definitions more than {MAX_NESTING} levels deep")
    return _native(definition) or definition


def _bind(place, statement, node, gates, inner):
    if isinstance(statement, (nodes.Barrier, nodes.Empty)):
        return []
    if isinstance(statement, nodes.Reset):
        return [BoundCall(place, RESET, (), (_local(statement.operand, node, inner),), ())]
    if not isinstance(statement, nodes.Call):
        raise ImportRefused(f"the body of gate {node.name} may hold gate calls only")
    callee = find_gate(statement.name, gates, inner)
    values = [angle(a, inner) for a in statement.arguments]
    # What depends on no parameter is evaluated once.
    arguments = tuple(a if isinstance(v, Angle) else v for a, v in zip(statement.arguments, values, strict=True))
    qubits = tuple(_local(o, node, inner) for o in statement.operands)
    if len(set(qubits)) < len(qubits):
        raise ImportRefused("a gate call names a qubit twice")
    modifiers = [(m, None if m == "pow" else a) for m, a in statement.modifiers]  # an exponent may be a parameter
    check_counts(callee, resolved(modifiers, inner), len(qubits), len(arguments))
    return [BoundCall(place, callee, arguments, qubits, statement.modifiers)]


def _local(operand, node, inner) -> int:
    name, indices = operand
    found = inner.names.get(name)
    if not isinstance(found, Qubits):
        raise ImportRefused(f"qubit {name!r} is not one of the gate's qubits {', '.join(node.qubits)}")
    if indices is not None:
        raise ImportRefused(f"{name} is one qubit of gate {node.name}: write {name} without an index")
    return found.wires[0]


def find_gate(name: str, gates: dict[str, Callee], scope: Scope) -> Callee:
    """The gate that a name calls: users' definitions come before the library.

    Raises:
        ImportRefused: there is none.
    """
    found = gates.get(name) or library_gate(name, scope.language.version)
    if found is None:
        raise ImportRefused(f"gate {name!r} is not defined; define it with 'gate {name} ... {{ ... }}'")
    return found


def _native(definition) -> LibraryGate | None:
    """The native gate of the same name that a definition equals up to a constant phase."""
    name, counts = definition.name, (definition.num_qubits, definition.num_angles)
    if name not in GATES or signature(name) != counts or definition.size > _MAX_COMPARED or definition.has_reset:
        return None
    phases = []
    for sample in _SAMPLES:
        angles, wires = [sample] * counts[1], range(counts[0])
        try:
            body = definition.emit(angles, wires)
        except ImportRefused:
            return None  # no value at this angle, so not the same everywhere
        phases.append(phase_between(matrix(body, counts[0]), matrix(emit(name, angles, wires), counts[0])))
    if None in phases or np.ptp(np.exp(1j * np.array(phases)).view(np.float64).reshape(-1, 2), axis=0).max() > 1e-12:
        return None
    phase = [Instruction("gphase", (), phases[0])] if abs(phases[0]) > 1e-15 else []
    wires = tuple(range(counts[0]))
    return LibraryGate(name, *counts, lambda *angles: [*emit(name, angles, wires), *phase])
