"""Angle expressions of OpenQASM: numbers, inputs, and exact functions of them."""

import math
from typing import Any

from ..errors import ImportRefused
from .angle import Angle, apply, as_angle


class QasmError(ImportRefused):
    """An OpenQASM program that cannot be read, or that holds something without an equivalent here.

    Attributes:
        source: name of the file.
        line, column: where, counted from 1; None where there is no file to point into.

    Example:
        >>> from qcgrad.interop import QasmError, parse_qasm
        >>> try:
        ...     parse_qasm('OPENQASM 3.0; qubit q;\\nreset q;', "mine.qasm")
        ... except QasmError as error:
        ...     print(error.line, error.column)
        2 1
    """

    def __init__(self, message: str, source: str, line: int | None = None, column: int | None = None):
        place = source if line is None else f"{source}, line {line}, column {column}"
        super().__init__(f"{place}: {message}")
        self.message, self.source, self.line, self.column = message, source, line, column


CONSTANTS = {
    "pi": math.pi,
    "π": math.pi,
    "tau": math.tau,
    "τ": math.tau,
    "euler": math.e,
    "ℇ": math.e,
}
# Names in OpenQASM 3, in OpenQASM 2 (ln, acos...), and the function they mean.
_FUNCTIONS = {
    **{name: name for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "sqrt", "log", "abs")},
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "ln": "log",
    "pow": "pow",
    "mod": "mod",
    "floor": "floor",
    "ceiling": "ceiling",
}
_TWO_ARGUMENTS = {"pow", "mod"}


def evaluate(node: Any, names: dict[str, Angle], is_version_2: bool = False) -> Angle:
    """The value of an expression.

    `1/2` is one half, as in the definition of `sx` in the specification's own gate library.

    Args:
        node: expression node of openqasm3.
        names: values of the identifiers in scope.
        is_version_2: OpenQASM 2, where `^` means power.

    Raises:
        ImportRefused: names what is not supported.
    """
    kind = type(node).__name__
    if kind in ("FloatLiteral", "IntegerLiteral"):
        return as_angle(float(node.value))
    if kind == "Identifier":
        return _named(node.name, names)
    if kind == "UnaryExpression" and node.op.name == "-":
        return -evaluate(node.expression, names, is_version_2)
    if kind == "BinaryExpression":
        left, right = (evaluate(side, names, is_version_2) for side in (node.lhs, node.rhs))
        return _checked(lambda: _binary(node.op.name, left, right, is_version_2))
    if kind == "FunctionCall":
        operands = [evaluate(a, names, is_version_2) for a in node.arguments]
        return _checked(lambda: _call(node.name.name, operands))
    if kind == "Cast" and type(node.type).__name__ in ("FloatType", "AngleType"):
        return evaluate(node.argument, names, is_version_2)
    what = f"operator {node.op.name!r}" if kind == "UnaryExpression" else f"a {kind}"
    raise ImportRefused(f"{what} in an angle is not supported: use numbers, inputs, + - * / ** and functions")


def integer(node: Any, names: dict[str, Angle], what: str) -> int:
    """A constant integer, for sizes and indices."""
    value = evaluate(node, names)
    if not value.is_constant or not float(value.offset).is_integer():
        raise ImportRefused(f"{what} must be a constant integer")
    return int(value.offset)


def _named(name, names):
    if name in names:
        return names[name]
    if name in CONSTANTS:
        return as_angle(CONSTANTS[name])
    raise ImportRefused(f"{name!r} is not defined here; declare it with 'input float[64] {name};'")


def _binary(operator, left, right, is_version_2):
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        return left / right
    if operator == "**" or (operator == "^" and is_version_2):
        return apply("pow", left, right)
    if operator == "%":
        return apply("mod", left, right)
    raise ImportRefused(f"operator {operator!r} in an angle is not supported: use + - * / **")


def _call(name, operands):
    if name not in _FUNCTIONS:
        raise ImportRefused(f"function {name!r} is not known; the functions are {', '.join(sorted(_FUNCTIONS))}")
    wanted = 2 if _FUNCTIONS[name] in _TWO_ARGUMENTS else 1
    if len(operands) != wanted:
        raise ImportRefused(f"function {name} takes {wanted} argument(s), got {len(operands)}")
    return apply(_FUNCTIONS[name], *operands)


def _checked(compute):
    try:
        value = compute()
    except (ArithmeticError, ValueError, TypeError) as error:
        if isinstance(error, ImportRefused):
            raise
        raise ImportRefused(f"the angle has no finite real value ({error})") from error
    if not (math.isfinite(value.scale) and math.isfinite(value.offset)):
        raise ImportRefused("the angle has no finite real value")
    return value
