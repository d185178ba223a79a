"""Values of expressions: integers, numbers, booleans, and exact functions of the inputs.

Integers divide as integers, as OpenQASM 3 defines it; in OpenQASM 2 every number is a real one.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from ...errors import ImportRefused
from ..instructions._angle import Angle, apply, as_angle
from . import _integers as integers
from ._nodes import Expression
from ._scope import Scope
from .limits import INTEGER_BITS, MAX_OPERATIONS

Value = int | float | bool | Angle

_COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_TWO_OPERANDS = ("mod",)


def evaluate(node: Expression, scope: Scope) -> Value:
    """The value of an expression.

    Raises:
        ImportRefused: an unknown name, an operation that is not supported, or no finite real value.
    """
    kind = type(node)
    if kind is float or kind is bool:
        return node
    if kind is int:
        return integers.bounded(node)
    if kind is str:
        return scope.value(node)
    return _EVALUATIONS[node[0]](node, scope)


def angle(node: Expression, scope: Scope) -> float | Angle:
    """The value of an expression that stands for an angle: no integer any more, so that half of it is half of it."""
    value = _number(evaluate(node, scope), "an angle")
    return float(value) if type(value) is int else value


def integer(node: Expression, scope: Scope, what: str) -> int:
    """A constant integer; `what` it is for is said where it is none."""
    value = evaluate(node, scope)
    if type(value) is not int:
        raise ImportRefused(f"{what} must be a constant integer")
    return value


def converted(value: Value, kind: str, size: int | None, name: str) -> Value:
    """A value as the declared type of `name`, for constants and loop variables.

    Raises:
        ImportRefused: it has none in that type.
    """
    if isinstance(value, Angle):
        raise ImportRefused(f"const {name} depends on an input: write the expression into the gates")
    if kind in ("float", "angle"):
        return float(_number(value, name))  # pyright: ignore[reportArgumentType]
    if kind == "bool":
        return bool(value)
    if kind not in ("int", "uint"):
        raise ImportRefused(f"{name!r} of type {kind}: only int, uint, float, angle and bool are supported")
    if type(value) is float:
        raise ImportRefused(f"{name!r} of type {kind} is {value!r}: give an integer, or write {kind}({value!r})")
    bits = INTEGER_BITS if size is None else size
    low, high = (0, 2**bits) if kind == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= value < high:
        raise ImportRefused(f"{name!r} is {int(value)}, outside of {kind}[{bits}]")
    return int(value)


def type_size(kind: str, size: Expression | None, scope: Scope) -> int | None:
    """The width of a type in bits, None where it is left open.

    Raises:
        ImportRefused: it is no positive constant, or more than a machine has.
    """
    if size is None:
        return None
    bits = integer(size, scope, f"the size of {kind}")
    if not 1 <= bits <= INTEGER_BITS:
        raise ImportRefused(f"{kind}[{bits}]: give a size from 1 to {INTEGER_BITS}")
    return bits


def _number(value, what):
    if isinstance(value, bool):
        raise ImportRefused(f"{what} is a truth value: a number is needed")
    return value


def _chain(node, scope):
    _, first, steps = node
    value = evaluate(first, scope)
    for sign, operand in steps:
        if sign in ("&&", "||"):
            left, right = _truth(value, sign), _truth(evaluate(operand, scope), sign)
            value = left and right if sign == "&&" else left or right
        else:
            value = _binary(sign, value, evaluate(operand, scope), scope)
    return value


def _binary(sign, left, right, scope):
    if sign in _COMPARISONS:
        if isinstance(left, Angle) or isinstance(right, Angle):
            raise ImportRefused(f"{sign} of an input: its value is not known when the program is read")
        return _COMPARISONS[sign](left, right)
    if type(left) is not float or type(right) is not float:
        left, right = _number(left, f"an operand of {sign}"), _number(right, f"an operand of {sign}")
        if type(left) is int and type(right) is int:
            return integers.binary(sign, left, right, scope.notes)
        if isinstance(left, Angle) or isinstance(right, Angle):
            left, right = as_angle(left), as_angle(right)
    if sign in _ARITHMETIC:
        return _real(_ARITHMETIC[sign], left, right)
    if sign == "%":
        return _function("mod", left, right)
    raise ImportRefused(f"{sign} of numbers that are no integers")


def _power(node, scope):
    base, exponent = (_number(evaluate(n, scope), "an operand of a power") for n in node[1:])
    if type(base) is int and type(exponent) is int:
        return integers.power(base, exponent)
    return _function("pow", base, exponent)


def _negative(node, scope):
    return _real(operator.mul, _number(evaluate(node[1], scope), "the operand of -"), -1)


def _positive(node, scope):
    return _number(evaluate(node[1], scope), "the operand of +")


def _not(node, scope):
    return not _truth(evaluate(node[1], scope), "!")


def _truth(value, sign):
    if isinstance(value, Angle):
        raise ImportRefused(f"{sign} of an input: its value is not known when the program is read")
    return bool(value)


def _call(node, scope):
    _, name, operands = node
    functions = scope.language.functions
    if name not in functions:
        raise ImportRefused(f"function {name!r} is not known; the functions are {', '.join(sorted(functions))}")
    wanted = 2 if functions[name] in _TWO_OPERANDS else 1
    if len(operands) != wanted:
        raise ImportRefused(f"function {name} takes {wanted} argument(s), got {len(operands)}")
    values = [_number(evaluate(o, scope), f"the argument of {name}") for o in operands]
    if name == "mod":
        left, right = values
        if type(left) is int and type(right) is int:
            return integers.divided("%", left, right, scope.notes)
    return _function(functions[name], *values)


def _cast(node, scope):
    _, kind, size, operand = node
    value = evaluate(operand, scope)
    if kind in ("float", "angle"):
        return value if isinstance(value, Angle) else float(value)
    if isinstance(value, Angle):
        raise ImportRefused(f"{kind}(...) of an input: its value is not known when the program is read")
    bits = type_size(kind, size, scope)
    return converted(int(value) if kind in ("int", "uint") else value, kind, bits, f"{kind}(...)")


def _index(node, scope):
    scope.value(node[1])  # says what a bit or a qubit is
    raise ImportRefused(f"{node[1]}[...] is not a number: only qubits have indices")


def _refused_complement(node, scope):
    raise ImportRefused("~ in an expression is not supported: write the number itself")


_EVALUATIONS: dict[str, Callable[[Any, Scope], Value]] = {
    "chain": _chain,
    "**": _power,
    "-": _negative,
    "+": _positive,
    "!": _not,
    "~": _refused_complement,
    "call": _call,
    "cast": _cast,
    "index": _index,
}


def _function(name, *operands):
    return _real(lambda *o: apply(name, *o), *map(as_angle, operands))


def _real(compute, *operands):
    """The result of an operation on reals, as a plain number wherever it is one."""
    try:
        value = compute(*operands)
        if isinstance(value, Angle):
            _check_size(value.atom)
            if not value.is_constant:
                return _finite(value, value.scale + value.offset)
            value = value.offset
        return _finite(value, value)
    except (ArithmeticError, ValueError, TypeError) as error:
        if isinstance(error, ImportRefused):
            raise
        raise ImportRefused(f"the angle has no finite real value ({error})") from error


def _finite(value, number):
    if not math.isfinite(number):
        raise OverflowError("out of range")
    return value


def _check_size(atom):
    """Functions of functions share their operands; written out as a tree they may grow without an end."""
    waiting, count = [atom], 0
    while waiting:
        found = waiting.pop()
        if isinstance(found, tuple):
            count += 1
            if count > MAX_OPERATIONS:
                raise ImportRefused(f"an angle of more than {MAX_OPERATIONS} operations that are not affine")
            waiting += [o.atom for o in found[1:]]
