"""Qiskit's parameter expressions as symbolic angles."""

import cmath
from collections.abc import Hashable, Iterable
from typing import Any

from ...errors import ImportRefused
from ..instructions._angle import Angle, ParameterMap, apply, as_angle

_UNARY = {
    "SIN": "sin",
    "COS": "cos",
    "TAN": "tan",
    "ASIN": "arcsin",
    "ACOS": "arccos",
    "ATAN": "arctan",
    "EXP": "exp",
    "LOG": "log",
    "ABS": "abs",
    "SIGN": "sign",
}
_BINARY = {
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "MUL": lambda a, b: a * b,
    "DIV": lambda a, b: a / b,
    "POW": lambda a, b: apply("pow", a, b),
    "RSUB": lambda a, b: b - a,
    "RDIV": lambda a, b: b / a,
    "RPOW": lambda a, b: apply("pow", b, a),
}
_KNOWN = "use + - * / **, sin, cos, tan, arcsin, arccos, arctan, exp, log, abs, sign, conjugate"


class Angles:
    """Converts angles of one circuit.

    Args:
        parameters: the circuit's parameters; their place is their index.
    """

    def __init__(self, parameters: Iterable[Hashable]):
        self.index = {p: k for k, p in enumerate(parameters)}
        self.known: dict[Any, Angle] = {}

    def __call__(self, value: Any) -> Angle:
        """A number or expression as an angle."""
        from qiskit.circuit import ParameterExpression

        if not isinstance(value, ParameterExpression):
            return as_angle(_real(value, value))
        if not value.parameters:
            return as_angle(_real(value.numeric(), value))
        if value not in self.known:
            self.known[value] = self._convert(value)
        return self.known[value]

    def _convert(self, expression) -> Angle:
        from qiskit.circuit import Parameter

        for parameter in expression.parameters:
            if parameter not in self.index:
                raise ImportRefused(f"parameter {parameter.name!r} is not one of the circuit's: bind it")
        if isinstance(expression, Parameter):
            return Angle(self.index[expression], 1.0, 0.0)
        try:
            found = self._replayed(expression)
        except (KeyError, AttributeError, IndexError, TypeError, ArithmeticError) as error:
            raise ImportRefused(
                f"the parameter expression {expression} cannot be converted ({type(error).__name__} {error}): {_KNOWN}"
            ) from error
        self._compare(expression, found)
        return found

    def _replayed(self, expression) -> Angle:
        """Runs the operations from which Qiskit itself rebuilds an expression (as it does to save one)."""
        stack: list[Angle] = []
        for step in expression._qpy_replay:
            operation = str(step.op).rpartition(".")[2]
            if operation in _UNARY:
                stack.append(apply(_UNARY[operation], self._operand(step.lhs, stack)))
            elif operation == "CONJ":  # parameters are real
                stack.append(self._operand(step.lhs, stack))
            elif operation in _BINARY:
                right = self._operand(step.rhs, stack)
                left = self._operand(step.lhs, stack)
                stack.append(_BINARY[operation](left, right))
            else:
                raise ImportRefused(f"the parameter expression {expression} has the operation {operation}: {_KNOWN}")
        if len(stack) != 1 and expression.is_symbol():
            return Angle(self.index[next(iter(expression.parameters))], 1.0, 0.0)
        (found,) = stack
        return found

    def _operand(self, operand, stack) -> Angle:
        if operand is None:
            return stack.pop()
        return self(operand)

    def _compare(self, expression, found):
        """The list of operations is not a documented interface, so compare one value with Qiskit's own."""
        values = [0.31 + 0.11 * k for k in range(len(self.index))]
        by_name = {p: values[self.index[p]] for p in expression.parameters}
        expected = complex(expression.bind(by_name, allow_unknown_parameters=True).numeric())
        if found.is_constant:
            got = found.offset
        else:
            import jax

            with jax.enable_x64(True):
                atom = float(ParameterMap((found.atom,))(values)[0])
            got = found.scale * atom + found.offset
        agree = abs(got - expected) <= 1e-9 * (1 + abs(expected))
        if cmath.isfinite(expected) and not agree:
            raise ImportRefused(f"the parameter expression {expression} could not be converted faithfully")


def _real(value, shown) -> float:
    number = complex(value)
    if number.imag or not cmath.isfinite(number):
        raise ImportRefused(f"angle {shown} is not a finite real number")
    return number.real
