"""Carrying out statements: what a program does, as gates with symbolic angles."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import ImportRefused
from ..angle import Angle
from ..instruction import Instruction
from . import nodes
from .definitions import define, find_gate
from .gates import Callee, check_counts, modified, resolved, size_of
from .language import Language
from .limits import MAX_GATES, MAX_NESTING
from .measurements import Measurements
from .notes import Notes
from .registers import Registers, declared_size, selected_bits, values_of
from .scope import Bits, Scope
from .sizes import least_size
from .source import Place, QasmError, Source
from .subroutines import arguments_of
from .values import angle, converted, evaluate, type_size

_MAX_KNOWN = 4096
_BITS = "classical bits are left out: nothing reads them"


class Target(NamedTuple):
    """A gate and the qubits of each of its calls, with the number of gates that all come to."""

    callee: Callee
    modifiers: Sequence[tuple[str, float]]
    calls: list[tuple[int, ...]]
    size: int


class Reader:
    """Goes through the statements of one program.

    Attributes:
        instructions: the gates so far.
        inputs: names of the inputs, with the places where they are declared.
        registers: the qubits.
        notes: what was read differently than written.
    """

    def __init__(self, source: Source, language: Language):
        self.source, self.language = source, language
        self.instructions: list[Instruction] = []
        self.inputs: dict[str, Place] = {}
        self.registers = Registers()
        self.notes = Notes(source)
        self._scope = Scope(language, self.notes)
        self._measurements = Measurements(source, self.notes)
        self._gates: dict[str, Callee] = {}
        self._subroutines: dict[str, nodes.Subroutine] = {}
        self._sizes: dict[str, int] = {}
        self._depth = 0
        self._left = MAX_GATES
        # What a call at the top gave, by the identity of its statement: equal ones are one object, see `Parser`.
        self._known: dict[int, tuple[nodes.Call, list[Instruction]]] = {}
        # The same for parts of calls, see `calls`: what name and operands stand for, and values of expressions.
        self._targets: dict[tuple[str, int, int], tuple[nodes.Call, Target]] = {}
        self._values: dict[int, tuple[nodes.Expression, float | Angle]] = {}

    def read(self, place: Place, node: Any, scope: Scope | None = None):
        """Carry out one statement.

        Raises:
            QasmError: it is not supported or not right, with its place.
        """
        self.notes.place = place
        try:
            if type(node) is not nodes.Call:
                # It may change what names mean, or which qubits are measured.
                for known in (self._known, self._targets, self._values):
                    known.clear()
            elif id(node) in self._known:
                self._repeat(*self._known[id(node)])
                return
            self._ACTIONS[type(node)](self, node, self._scope if scope is None else scope)
        except QasmError:
            raise
        except ImportRefused as error:
            raise self.source.error(str(error), place) from error

    def _repeat(self, node, found):
        self._spend(len(found), f"gate {node.name}")
        self.instructions += found

    def _run(self, body: nodes.Body, scope: Scope):
        for place, statement in body:
            self._spend(1, "the program")
            self.read(place, statement, scope)

    def _spend(self, count, what):
        self._require(count, what)
        self._left -= count

    def _require(self, count, what):
        if count > self._left:
            raise ImportRefused(f"{what} expands to more than {MAX_GATES} gates, which is the limit for one program")

    def _include(self, node, scope):
        wanted = self.language.library
        if node.name != wanted:
            raise ImportRefused(f'include "{node.name}" is not supported: only "{wanted}" is, paste the gates')

    def _qubits(self, node, scope):
        self._global(scope, "qubits")
        self.registers.declare(node.name, node.size, scope)

    def _bits(self, node, scope):
        size = declared_size(node.name, node.size, scope)
        bits = Bits(size, node.size is not None)
        scope.declare(node.name, bits)
        self.notes.add("bits", _BITS, size)
        if node.measured is not None:
            self._measured(self.registers.select(node.measured, scope), bits)

    def _input(self, node, scope):
        self._global(scope, "inputs")
        scope.declare(node.name, Angle(len(self.inputs), 1.0, 0.0))
        self.inputs[node.name] = self.notes.place

    def _const(self, node, scope):
        size = type_size(node.type, node.size, scope)
        scope.declare(node.name, converted(evaluate(node.value, scope), node.type, size, node.name))

    def _alias(self, node, scope):
        scope.declare(node.name, self.registers.concatenated(node.parts, scope))

    def _define(self, node, scope):
        self._global(scope, "gates")
        self._check_new(node.name)
        self._gates[node.name] = define(node, self._gates, scope, self.source)

    def _subroutine(self, node, scope):
        self._global(scope, "subroutines")
        self._check_new(node.name)
        names = [p.name for p in node.parameters]
        if len(set(names)) < len(names):
            raise ImportRefused(f"subroutine {node.name} declares a name twice")
        self._subroutines[node.name] = node
        self._sizes[node.name] = 1 + self._least(node.body, scope)

    def _least(self, body, scope):
        return least_size(body, scope, self._gates, self._sizes)

    def _check_new(self, name):
        if name in self._gates or name in self._subroutines:
            raise ImportRefused(f"{name!r} is defined twice")

    def _global(self, scope, what):
        if scope is not self._scope:
            raise ImportRefused(f"{what} can be declared outside of blocks only")

    def _barrier(self, node, scope):
        for operand in node.operands:
            self.registers.select(operand, scope)

    def _measure(self, node, scope):
        bits = None if node.target is None else selected_bits(node.target, scope)
        self._measured(self.registers.select(node.operand, scope), bits)

    def _measured(self, qubits, bits):
        if bits is not None and len(qubits.wires) != bits.size:
            raise ImportRefused(f"measure of {len(qubits.wires)} qubit(s) into {bits.size} bit(s)")
        self._measurements.measure(qubits.wires)

    def _reset(self, node, scope):
        self._measurements.reset(self.registers.select(node.operand, scope).wires)

    def _call(self, node, scope):
        if node.name in self._subroutines:
            self._call_subroutine(node, scope)
            return
        callee, modifiers, calls, size = self._target(node, scope)
        arguments = [a if type(a) is float else self._value(a, scope) for a in node.arguments]
        self._spend(size, f"gate {node.name}")
        start = len(self.instructions)
        for wires in calls:
            self._emit(callee, modifiers, arguments, wires)
        if scope is self._scope and not callee.has_reset and len(self._known) < _MAX_KNOWN:
            self._known[id(node)] = node, self.instructions[start:]

    def _target(self, node, scope) -> Target:
        """What a call acts with and on, all but its angles."""
        key = node.name, len(node.arguments), id(node.operands)
        # Without angles the call repeats as a whole.
        is_known = scope is self._scope and node.arguments and not node.modifiers
        if is_known and key in self._targets:
            return self._targets[key][1]
        callee = find_gate(node.name, self._gates, scope)
        modifiers = resolved(node.modifiers, scope) if node.modifiers else ()
        check_counts(callee, modifiers, len(node.operands), len(node.arguments))
        wires = self.registers.single(node.operands, scope)
        calls = [wires] if wires is not None else self._broadcast(node, scope)
        if any(len(set(wires)) < len(wires) for wires in calls):
            raise ImportRefused("a gate call names a qubit twice")
        found = Target(callee, modifiers, calls, len(calls) * size_of(callee, modifiers))
        if is_known:
            _remember(self._targets, key, (node, found))
        return found

    def _value(self, node, scope) -> float | Angle:
        """The value of an angle."""
        if scope is not self._scope:
            return angle(node, scope)
        known = self._values.get(id(node))
        if known is not None:
            return known[1]
        notes = self.notes.count
        value = angle(node, scope)
        if self.notes.count == notes:  # a note counts how often it applies
            _remember(self._values, id(node), (node, value))
        return value

    def _broadcast(self, node, scope):
        """The wires of each call: one on whole registers means one for each of their qubits."""
        operands = [self.registers.select(o, scope) for o in node.operands]
        sizes = {len(wires) for wires, is_register in operands if is_register}
        if len(sizes) > 1:
            raise ImportRefused(f"a gate on registers of different sizes {sorted(sizes)}")
        return [
            tuple([wires[k] if is_register else wires[0] for wires, is_register in operands])
            for k in range(sizes.pop() if sizes else 1)
        ]

    def _emit(self, callee, modifiers, arguments, wires):
        found = modified(callee, modifiers, arguments, wires) if modifiers else callee.emit(arguments, wires)
        if not callee.has_reset:
            self._measurements.use(wires, callee.name)
            self.instructions += found
            return
        for instruction in found:
            if instruction.name == "reset":
                self._measurements.reset(instruction.wires)
            else:
                self._measurements.use(instruction.wires, callee.name)
                self.instructions.append(instruction)

    def _call_subroutine(self, node, scope):
        subroutine = self._subroutines[node.name]
        names = arguments_of(node, subroutine, scope, self.registers)
        self._require(self._sizes[node.name], f"subroutine {node.name}")
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ImportRefused(f"subroutine {node.name}: calls nested more than {MAX_NESTING} levels deep")
        self._run(subroutine.body, self._scope.child(names))
        self._depth -= 1

    def _for(self, node, scope):
        size = type_size(node.type, node.size, scope)
        if node.values[0] == "set":
            values = [evaluate(v, scope) for v in node.values[1]]
        else:
            values = values_of(node.values, scope, "the range of a loop")
        self._require(len(values) * (1 + self._least(node.body, scope)), "a loop")
        self._spend(len(values), "a loop")
        for value in values:
            inner = scope.child({node.name: converted(value, node.type, size, node.name)})
            self._run(node.body, inner.child({}))

    def _if(self, node, scope):
        value = evaluate(node.condition, scope)
        if isinstance(value, Angle):
            raise ImportRefused("if: a condition on an input is not supported, as the circuit would depend on it")
        self._run(node.then if value else node.otherwise, scope.child({}))

    def _empty(self, node, scope):
        pass

    _ACTIONS = {
        nodes.Include: _include,
        nodes.QubitDeclaration: _qubits,
        nodes.BitDeclaration: _bits,
        nodes.Input: _input,
        nodes.Const: _const,
        nodes.Alias: _alias,
        nodes.GateDefinition: _define,
        nodes.Subroutine: _subroutine,
        nodes.Call: _call,
        nodes.Measure: _measure,
        nodes.Reset: _reset,
        nodes.Barrier: _barrier,
        nodes.For: _for,
        nodes.If: _if,
        nodes.Empty: _empty,
    }


def _remember(known: dict, key, value):
    if len(known) >= _MAX_KNOWN:
        known.clear()
    known[key] = value
