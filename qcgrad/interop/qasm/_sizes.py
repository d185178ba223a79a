"""How much a block does at least, so that what is too much is refused before the first step of it."""

from ...errors import ImportRefused
from . import _nodes as nodes
from ._gates import Callee
from ._registers import values_of
from ._scope import Qubits, Scope


def least_size(body: nodes.Body, scope: Scope, gates: dict[str, Callee], subroutines: dict[str, int]) -> int:
    """Statements and gates of a block; what is not known yet, as the variable of a loop around, counts once.

    Args:
        body: the statements.
        scope: where they stand.
        gates: those defined so far.
        subroutines: the sizes of those defined so far.
    """
    return sum(_size(node, scope, gates, subroutines) for _, node in body)


def _size(node, scope, gates, subroutines):
    if isinstance(node, nodes.Call):
        if node.name in subroutines:
            return subroutines[node.name]
        each = gates[node.name].size if node.name in gates else 1
        return 1 + each * max((_width(o, scope) for o in node.operands), default=1)
    if isinstance(node, nodes.For):
        return 1 + _count(node.values, scope) * (1 + least_size(node.body, scope, gates, subroutines))
    return 1


def _width(operand, scope):
    name, indices = operand
    found = scope.find(name) if indices is None else None
    return len(found.wires) if isinstance(found, Qubits) else 1


def _count(values, scope):
    if values[0] == "set":
        return len(values[1])
    try:
        return len(values_of(values, scope, "the range of a loop"))
    except ImportRefused:
        return 1  # it depends on what is not known yet, or is refused when its turn comes
