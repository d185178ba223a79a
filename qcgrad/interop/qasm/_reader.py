"""Carrying out statements: what a program does, as gates with symbolic angles."""

from typing import Any

from ...errors import ImportRefused
from ..instructions._angle import Angle
from ..instructions._instruction import Instruction
from . import _nodes as nodes
from ._definitions import define
from ._gates import Callee, modified
from ._language import Language
from ._measurements import Measurements
from ._registers import Registers, declared_size, selected_bits, values_of
from ._scope import Bits, Scope
from ._sizes import least_size
from ._source import Place, QasmError, Source
from ._subroutines import arguments_of
from ._targets import Parts
from ._values import converted, evaluate, type_size
from .limits import MAX_GATES, MAX_NESTING
from .notes import Notes

_MAX_KNOWN = 4096
_BITS = "classical bits are left out: nothing reads them"


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
        self._parts = Parts(self._gates, self.registers, self._scope)

    def read(self, place: Place, node: Any, scope: Scope | None = None) -> None:
        """Carry out one statement.

        Raises:
            QasmError: it is not supported or not right, with its place.
        """
        self.notes.place = place
        try:
            if type(node) is not nodes.Call:
                self._known.clear()  # it may change what names mean, or which qubits are measured
                self._parts.forget()
            elif id(node) in self._known:
                self._repeat(*self._known[id(node)])
                return
            self._ACTIONS[type(node)](self, node, self._scope if scope is None else scope)
        except QasmError:
            raise
        except ImportRefused as error:
            raise self.source.error(str(error), place) from error

    def _repeat(self, node, found):
        self._spend(len(found), node.name)
        self.instructions += found

    def _run(self, body: nodes.Body, scope: Scope):
        for place, statement in body:
            self._spend(1, "program", "the")
            self.read(place, statement, scope)

    def _spend(self, count, name, kind="gate"):
        if count > self._left:
            self._require(count, f"{kind} {name}")
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
        callee, modifiers, calls, size = self._parts.target(node, scope)
        arguments = [a if type(a) is float else self._parts.value(a, scope) for a in node.arguments]
        self._spend(size, node.name)
        start = len(self.instructions)
        for wires in calls:
            self._emit(callee, modifiers, arguments, wires)
        if scope is self._scope and not callee.has_reset and len(self._known) < _MAX_KNOWN:
            self._known[id(node)] = node, self.instructions[start:]

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
        self._spend(len(values), "loop", "a")
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
