"""Reading the QASM files back, as PennyLane circuits, to check them.

This does not share code with the export and knows nothing of Qiskit.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import openqasm3
import pennylane as qml
from openqasm3 import ast

from .case import Template

BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
STANDARD: dict[str, Callable[..., Any]] = {
    "x": qml.X, "y": qml.Y, "z": qml.Z, "h": qml.Hadamard, "s": qml.S, "t": qml.T,
    "sdg": qml.adjoint(qml.S), "tdg": qml.adjoint(qml.T), "sx": qml.SX,
    "cx": qml.CNOT, "cz": qml.CZ, "swap": qml.SWAP,
    "rx": qml.RX, "ry": qml.RY, "rz": qml.RZ, "p": qml.PhaseShift,
    "crx": qml.CRX, "cry": qml.CRY, "crz": qml.CRZ, "cp": qml.ControlledPhaseShift,
}  # fmt: skip
"""The gates of ``stdgates.inc`` that the collection uses."""


class Reader:
    """The declarations and gate calls of one program."""

    def __init__(self, text: str) -> None:
        self.inputs: list[str] = []
        self.qubits = 0
        self.definitions: dict[str, ast.QuantumGateDefinition] = {}
        self.calls: list[ast.QuantumGate] = []
        for statement in openqasm3.parse(text).statements:
            self._add(statement)

    def _add(self, statement: Any) -> None:
        match statement:
            case ast.Include():
                pass
            case ast.IODeclaration():
                self.inputs.append(statement.identifier.name)
            case ast.QuantumGateDefinition():
                self.definitions[statement.name.name] = statement
            case ast.QubitDeclaration(qubit=ast.Identifier(name="q")) if not self.qubits:
                self.qubits = statement.size.value
            case ast.QuantumGate(modifiers=[]):
                self.calls.append(statement)
            case _:
                raise ValueError(f"not expected in these files: {statement}")

    def run(self, params: Any) -> int:
        """Queue the operations; returns their number after expanding the definitions."""
        scope = dict(zip(self.inputs, params, strict=True))
        wires = [_wire(call.qubits) for call in self.calls]
        return sum(self._call(c, scope, w) for c, w in zip(self.calls, wires, strict=True))

    def _call(self, call: ast.QuantumGate, scope: dict[str, Any], wires: list[int]) -> int:
        angles = [evaluate(a, scope) for a in call.arguments]
        definition = self.definitions.get(call.name.name)
        if definition is None:
            STANDARD[call.name.name](*angles, wires=wires)
            return 1
        names = [a.name for a in definition.arguments]
        inner = dict(zip(names, angles, strict=True))
        place = dict(zip([q.name for q in definition.qubits], wires, strict=True))
        return sum(self._call(c, inner, [place[q.name] for q in c.qubits]) for c in definition.body)


def _wire(qubits: list[Any]) -> list[int]:
    return [qubit.indices[0][0].value for qubit in qubits]


def evaluate(expression: Any, scope: dict[str, Any]) -> Any:
    """The value of an angle."""
    match expression:
        case ast.IntegerLiteral() | ast.FloatLiteral():
            return expression.value
        case ast.Identifier():
            return np.pi if expression.name == "pi" else scope[expression.name]
        case ast.UnaryExpression():
            return -evaluate(expression.expression, scope)
        case ast.BinaryExpression():
            left, right = (evaluate(e, scope) for e in (expression.lhs, expression.rhs))
            return BINARY[expression.op.name](left, right)
    raise ValueError(f"not expected in an angle: {expression}")


def read(text: str) -> Template:
    """The program as a PennyLane circuit."""
    program = Reader(text)

    def apply(x: Any) -> None:
        program.run(x)

    return Template(program.qubits, program.inputs, apply)


def counts(text: str) -> tuple[int, int]:
    """Number of gate calls, and of gates after expanding the gate definitions."""
    program = Reader(text)
    with qml.QueuingManager.stop_recording():
        return len(program.calls), program.run(np.zeros(len(program.inputs)))
