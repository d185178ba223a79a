"""OpenQASM 2 and 3 programs as circuits."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImportRefused
from ..ir.circuit import Circuit
from ..ir.expectation import Expectation
from .angle import Angle, ParameterMap
from .assemble import assemble
from .instruction import Instruction
from .qasm_expressions import QasmError as QasmError
from .qasm_expressions import evaluate, integer
from .qasm_gates import Scope, call, define, locating
from .qasm_syntax import parse_program

_INCLUDES = {False: "stdgates.inc", True: "qelib1.inc"}
_ADVICE = {
    "QuantumMeasurementStatement": "mid-circuit measurement: delete all 'measure' statements, the observable "
    "replaces them",
    "QuantumReset": "reset: it is not unitary; write the circuit without it",
    "ClassicalDeclaration": "classical variable: only 'input float[64]' and 'const float' are supported; delete "
    "bits that nothing reads",
    "ClassicalAssignment": "assignment to a classical variable: write its value into the angles",
    "BranchingStatement": "if: control flow is not supported; write the gates out",
    "ForInLoop": "for: loops are not supported; write the gates out",
    "WhileLoop": "while: control flow is not supported",
    "SwitchStatement": "switch: control flow is not supported",
    "SubroutineDefinition": "def: subroutines are not supported; use a 'gate' definition",
    "CalibrationDefinition": "defcal: calibrations are not supported; delete them",
    "CalibrationGrammarDeclaration": "defcalgrammar: calibrations are not supported; delete them",
    "CalibrationStatement": "cal: calibrations are not supported; delete them",
    "DelayInstruction": "delay: timing is not supported; delete it",
    "Box": "box: timing is not supported; write its gates alone",
    "AliasStatement": "let: aliases are not supported; name the qubits themselves",
    "ExternDeclaration": "extern: external functions are not supported",
    "Pragma": "pragma: not supported; delete it",
}


@dataclass(frozen=True)
class Imported:
    """An imported program.

    Attributes:
        circuit: the circuit; qubit i is the i-th declared one, so register q of one program is q[0], q[1], ...
        parameter_names: the inputs in their order of declaration; parameters come in this order.
        parameter_map: circuit parameters from the inputs, JAX-traceable; None where they are the same.
    """

    circuit: Circuit
    parameter_names: tuple[str, ...]
    parameter_map: ParameterMap | None

    def expectation(self, observable) -> Expectation:
        """The objective of measuring `observable`; letter i of a Pauli word acts on qubit i."""
        if self.parameter_map is None:
            return Expectation(self.circuit, observable)
        return Expectation(self.circuit, observable, self.parameter_map, example=np.zeros(len(self.parameter_names)))


def load_qasm(path: "str | Path") -> Imported:
    """Read an OpenQASM 2 or 3 file.

    Args:
        path: the file, UTF-8.

    Returns:
        The circuit with its inputs as parameters, see `parse_qasm`.

    Raises:
        QasmError: the file cannot be read, or `parse_qasm` refuses it.

    Example:
        >>> import tempfile, pathlib
        >>> from qcgrad.interop import load_qasm
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "one.qasm")
        ...     _ = path.write_text('OPENQASM 3.0; include "stdgates.inc"; input float a; qubit q; rx(2*a) q;')
        ...     load_qasm(path).circuit
        Circuit(num_qubits=1, 1 gates, 1 parameters)
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise QasmError(f"the file cannot be read: {error.strerror or error}", str(path)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise QasmError("the file is not UTF-8 text", str(path), line, column) from error
    return parse_qasm(text, str(path))


@lru_cache(maxsize=128)
def parse_qasm(text: str, source: str = "<string>") -> Imported:
    """Read an OpenQASM 2 or 3 program.

    Angles are any expressions of constants and inputs. Where each is affine in one input the inputs are
    the circuit's parameters; else `parameter_map` keeps the expressions, and derivatives are exact.
    Global phases are left out.

    Args:
        text: the program. Supported: `input float`/`angle`, `const`, qubit registers, gate definitions, gate
            calls with `ctrl`, `negctrl`, `inv` and `pow`, `barrier` (ignored).
        source: what errors call it.

    Returns:
        The circuit with its inputs as parameters.

    Raises:
        QasmError: a syntax error, or a construct that is not supported, with line and column.

    Example:
        >>> from qcgrad.interop import parse_qasm
        >>> program = parse_qasm('OPENQASM 3.0; include "stdgates.inc"; input float a; qubit[2] q; ry(a/2) q[1];')
        >>> program.parameter_names, program.circuit.gates[0].scale
        (('a',), 0.5)
    """
    program = parse_program(text, source)
    reader = _Reader(source, program.version)
    for statement in program.statements:
        with locating(statement, source):
            reader.read(statement)
    if not reader.num_qubits:
        raise QasmError("the program declares no qubits", source, 1, 1)
    return reader.finish()


class _Reader:
    """Goes through the statements of one program."""

    def __init__(self, source, version):
        if version is not None and version.split(".")[0] not in ("2", "3"):
            raise QasmError(f"OpenQASM version {version} is not supported: use 2.0 or 3.0", source, 1, 1)
        self.scope = Scope(source, version is not None and version.startswith("2"))
        self.registers: dict[str, tuple[int, ...]] = {}
        self.inputs: dict[str, Any] = {}
        self.num_qubits = 0
        self.instructions: list[Instruction] = []

    def read(self, node):
        kind = type(node).__name__
        method = getattr(self, f"_read_{kind}", None)
        if method is None:
            raise ImportRefused(_ADVICE.get(kind, f"{kind} is not supported"))
        method(node)

    def finish(self) -> Imported:
        circuit, parameter_map = assemble(self.num_qubits, self.instructions, len(self.inputs), self.scope.source)
        return Imported(circuit, tuple(self.inputs), parameter_map)

    def _declare(self, name):
        if name in self.registers or name in self.scope.values:
            raise ImportRefused(f"{name!r} is declared twice")

    def _read_Include(self, node):
        wanted = _INCLUDES[self.scope.is_version_2]
        if node.filename != wanted:
            raise ImportRefused(f'include "{node.filename}" is not supported: only "{wanted}" is, paste the gates')

    def _read_IODeclaration(self, node):
        name, kind = node.identifier.name, type(node.type).__name__
        if node.io_identifier.name != "input" or kind not in ("FloatType", "AngleType"):
            raise ImportRefused(f"{node.io_identifier.name} of this type: only 'input float[64] {name};' is supported")
        self._declare(name)
        self.scope.values[name] = Angle(len(self.inputs), 1.0, 0.0)
        self.inputs[name] = node

    def _read_ConstantDeclaration(self, node):
        self._declare(node.identifier.name)
        value = evaluate(node.init_expression, self.scope.values, self.scope.is_version_2)
        if not value.is_constant:
            raise ImportRefused(
                f"const {node.identifier.name} depends on an input: write the expression into the gates"
            )
        self.scope.values[node.identifier.name] = value

    def _read_QubitDeclaration(self, node):
        name = node.qubit.name
        self._declare(name)
        size = 1 if node.size is None else integer(node.size, self.scope.values, f"the size of {name}")
        if size < 1:
            raise ImportRefused(f"register {name} has size {size}: give at least 1")
        self.registers[name] = tuple(range(self.num_qubits, self.num_qubits + size))
        self.num_qubits += size

    def _read_QuantumGateDefinition(self, node):
        self.scope.gates[node.name.name] = define(node, self.scope)

    def _read_QuantumBarrier(self, node):
        pass

    def _read_QuantumGate(self, node):
        operands = [self._wires(q) for q in node.qubits]
        sizes = {len(wires) for wires, is_register in operands if is_register}
        if len(sizes) > 1:
            raise ImportRefused(f"a gate on registers of different sizes {sorted(sizes)}")
        # A call on whole registers means one call for each of their qubits.
        for k in range(sizes.pop() if sizes else 1):
            wires = [wires[k] if is_register else wires[0] for wires, is_register in operands]
            self.instructions += call(node, self.scope, wires)

    _read_QuantumPhase = _read_QuantumGate

    def _wires(self, operand) -> tuple[tuple[int, ...], bool]:
        """(wires, whether it is a register) of a gate operand."""
        indexed = type(operand).__name__ == "IndexedIdentifier"
        name = operand.name.name if indexed else operand.name
        if name.startswith("$"):
            raise ImportRefused(f"physical qubit {name}: declare qubits with 'qubit[n] q;'")
        if name not in self.registers:
            raise ImportRefused(f"qubit register {name!r} is not declared")
        wires = self.registers[name]
        if not indexed:
            return wires, len(wires) > 1
        index = operand.indices[0]
        if len(operand.indices) > 1 or not isinstance(index, list) or len(index) > 1:
            raise ImportRefused(f"this index of {name} is not supported: write one integer, as in {name}[0]")
        if type(index[0]).__name__ == "RangeDefinition":
            raise ImportRefused(f"a range of {name} is not supported: write one gate call for each qubit")
        place = integer(index[0], self.scope.values, f"the index of {name}")
        if not -len(wires) <= place < len(wires):
            raise ImportRefused(f"{name}[{place}] is out of range: {name} has {len(wires)} qubit(s)")
        return (wires[place],), False
