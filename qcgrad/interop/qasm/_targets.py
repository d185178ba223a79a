"""What the parts of a call stand for: the gate with its qubits, and the values of its angles."""

from collections.abc import Sequence
from typing import NamedTuple

from ...errors import ImportRefused
from ..instructions._angle import Angle
from . import _nodes as nodes
from ._definitions import find_gate
from ._gates import Callee, check_counts, resolved, size_of
from ._registers import Registers
from ._scope import Scope
from ._values import angle

_MAX_KNOWN = 4096


class Target(NamedTuple):
    """A gate under its modifiers and the qubits of each of its calls, with the number of gates that all come to."""

    callee: Callee
    modifiers: Sequence[tuple[str, float]]
    calls: list[tuple[int, ...]]
    size: int


class Parts:
    """Remembers what parts of calls at the top of a program stand for, until a declaration may change it.

    By their identity, with the part itself so that it stays: `calls` makes one object of equal texts.

    Args:
        gates, registers, scope: of the whole program.
    """

    def __init__(self, gates: dict[str, Callee], registers: Registers, scope: Scope):
        self._gates, self._registers, self._scope = gates, registers, scope
        self._targets: dict[tuple[str, int, int], tuple[nodes.Call, Target]] = {}
        self._values: dict[int, tuple[nodes.Expression, float | Angle]] = {}

    def forget(self) -> None:
        """Names may mean something else now."""
        self._targets.clear()
        self._values.clear()

    def target(self, node: nodes.Call, scope: Scope) -> Target:
        """The gate and the qubits of a call."""
        key = node.name, len(node.arguments), id(node.operands)
        # Without angles the call repeats as a whole.
        is_kept = scope is self._scope and node.arguments and not node.modifiers
        if is_kept and key in self._targets:
            return self._targets[key][1]
        found = _target(node, self._gates, self._registers, scope)
        if is_kept:
            _keep(self._targets, key, (node, found))
        return found

    def value(self, node: nodes.Expression, scope: Scope) -> float | Angle:
        """The value of an angle."""
        if scope is not self._scope:
            return angle(node, scope)
        known = self._values.get(id(node))
        if known is not None:
            return known[1]
        before = scope.notes.count
        value = angle(node, scope)
        if scope.notes.count == before:  # a note counts how often it applies
            _keep(self._values, id(node), (node, value))
        return value


def _keep(known, key, value):
    if len(known) >= _MAX_KNOWN:
        known.clear()
    known[key] = value


def _target(node, gates, registers, scope) -> Target:
    callee = find_gate(node.name, gates, scope)
    modifiers = resolved(node.modifiers, scope) if node.modifiers else ()
    check_counts(callee, modifiers, len(node.operands), len(node.arguments))
    wires = registers.single(node.operands, scope)
    calls = [wires] if wires is not None else _broadcast(node, registers, scope)
    if any(len(set(wires)) < len(wires) for wires in calls):
        raise ImportRefused("a gate call names a qubit twice")
    return Target(callee, modifiers, calls, len(calls) * size_of(callee, modifiers))


def _broadcast(node, registers, scope):
    """The wires of each call: one on whole registers means one for each of their qubits."""
    operands = [registers.select(o, scope) for o in node.operands]
    sizes = {len(wires) for wires, is_register in operands if is_register}
    if len(sizes) > 1:
        raise ImportRefused(f"a gate on registers of different sizes {sorted(sizes)}")
    return [
        tuple([wires[k] if is_register else wires[0] for wires, is_register in operands])
        for k in range(sizes.pop() if sizes else 1)
    ]
