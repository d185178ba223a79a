"""The statements of a program, of either version, as data.

An *expression* is a number, a name (`str`), or a tuple that starts with what it is:
("chain", first, ((operator, operand), ...)) for operators of one precedence from left to right, ("**", base,
exponent), ("-", operand) and the other prefixes, ("call", function, operands), ("cast", type, size, operand),
("index", name, indices).

An *operand* is (name, indices): indices None, one integer (by far the most common), or a tuple of index lists. An index
list holds expressions, ("range", start, step, stop) and ("set", expressions).
"""

from typing import Any, NamedTuple

from ._source import Place

Expression = Any
Operand = tuple[str, Any]
Body = tuple[tuple[Place, Any], ...]


class Include(NamedTuple):
    name: str


class QubitDeclaration(NamedTuple):
    name: str
    size: Expression | None


class BitDeclaration(NamedTuple):
    """`measured` is the operand of `bit c = measure q;`."""

    name: str
    size: Expression | None
    measured: Operand | None = None


class Input(NamedTuple):
    type: str
    name: str


class Const(NamedTuple):
    type: str
    size: Expression | None
    name: str
    value: Expression


class Alias(NamedTuple):
    name: str
    parts: tuple[Operand, ...]


class GateDefinition(NamedTuple):
    """`body` is None for an `opaque` gate."""

    name: str
    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: Body | None


class Parameter(NamedTuple):
    """Of a subroutine: a `qubit` or a number."""

    type: str
    size: Expression | None
    name: str


class Subroutine(NamedTuple):
    name: str
    parameters: tuple[Parameter, ...]
    body: Body


class Call(NamedTuple):
    """A gate, `gphase`, or a subroutine; modifiers are (name, argument or None), outermost first."""

    name: str
    arguments: tuple[Expression, ...]
    operands: tuple[Operand, ...]
    modifiers: tuple[tuple[str, Expression | None], ...] = ()


class Measure(NamedTuple):
    operand: Operand
    target: Operand | None


class Reset(NamedTuple):
    operand: Operand


class Barrier(NamedTuple):
    operands: tuple[Operand, ...]


class For(NamedTuple):
    type: str
    size: Expression | None
    name: str
    values: Expression
    body: Body


class If(NamedTuple):
    condition: Expression
    then: Body
    otherwise: Body


class Empty(NamedTuple):
    """A lone semicolon, or what changes nothing."""


Statement = (
    Include | QubitDeclaration | BitDeclaration | Input | Const | Alias | GateDefinition | Subroutine | Call | Measure
    | Reset | Barrier | For | If | Empty
)  # fmt: skip
