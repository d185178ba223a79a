"""Arguments of subroutines: qubits by reference, numbers by value."""

from typing import Any

from ...errors import ImportRefused
from ..instructions._angle import Angle
from . import _nodes as nodes
from ._registers import Registers, declared_size
from ._scope import Scope
from ._values import converted, evaluate, type_size


def arguments_of(call: nodes.Call, subroutine: nodes.Subroutine, scope: Scope, registers: Registers) -> dict[str, Any]:
    """What the parameters of a subroutine mean in one call.

    Raises:
        ImportRefused: the arguments do not fit.
    """
    if call.operands or call.modifiers:
        raise ImportRefused(f"{call.name} is a subroutine: call it as {call.name}(...), without modifiers")
    parameters = subroutine.parameters
    if len(call.arguments) != len(parameters):
        raise ImportRefused(f"subroutine {call.name} takes {len(parameters)} argument(s), got {len(call.arguments)}")
    return {
        p.name: _qubits(p, a, scope, registers) if p.type == "qubit" else _value(p, a, scope)
        for p, a in zip(parameters, call.arguments, strict=True)
    }


def _value(parameter, node, scope):
    kind, size, name = parameter
    value = evaluate(node, scope)
    if isinstance(value, Angle) and kind in ("float", "angle"):
        return value
    return converted(value, kind, type_size(kind, size, scope.root), name)


def _qubits(parameter, node, scope, registers):
    _, size, name = parameter
    if isinstance(node, str):
        operand = node, None
    elif isinstance(node, tuple) and node[0] == "index":
        operand = node[1:]
    else:
        raise ImportRefused(f"argument {name} takes qubits, got a number")
    qubits = registers.select(operand, scope)
    wanted = declared_size(name, size, scope.root)
    if len(qubits.wires) != wanted or qubits.is_register != (size is not None):
        raise ImportRefused(f"argument {name} takes {wanted} qubit(s), got {len(qubits.wires)}")
    return qubits
