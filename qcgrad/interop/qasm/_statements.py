"""Parsing of statements without blocks: each takes its own semicolon."""

from collections.abc import Callable

from . import _nodes as nodes
from ._advice import ADVICE
from ._cursor import Cursor
from ._expressions import SCALAR_TYPES, designator, expression, expressions, operand, operands

_MODIFIERS = ("ctrl", "negctrl", "inv", "pow")
_CLASSICAL = "classical variable: only bits, 'input float[64]' and 'const' are supported; write 'const'"


class Refusal(Exception):
    """A statement that is understood and not supported; the token with this number starts it."""

    def __init__(self, message: str, number: int):
        super().__init__(message, number)
        self.message, self.number = message, number


def statement(cursor: Cursor) -> nodes.Statement:
    """The statement that starts here, one of `nodes`.

    Raises:
        SyntaxFault, Refusal: with the number of the token.
    """
    token = cursor.next
    if token == ";":
        cursor.at += 1
        return nodes.Empty()
    if token in cursor.language.keywords or token in ("#", "@"):
        return _keyword(cursor, token)
    following = cursor.tokens[cursor.at + 1]
    if following in ("=", "["):
        return _assignment(cursor)
    return call(cursor)


def _keyword(cursor, token):
    version_3 = cursor.language.version == 3
    parser = _PARSERS.get(token) or (_PARSERS_3.get(token) if version_3 else None)
    if parser is not None:
        return parser(cursor)
    if version_3 and token in _MODIFIERS:
        return _modified(cursor)
    if version_3 and token in SCALAR_TYPES:
        raise Refusal(_CLASSICAL, cursor.at)
    if token in ADVICE:
        raise Refusal(ADVICE[token], cursor.at)
    raise cursor.fault("expected a statement")


def call(cursor: Cursor, modifiers: tuple[tuple[str, nodes.Expression | None], ...] = ()) -> nodes.Call:
    """name(arguments) operands;"""
    tokens = cursor.tokens
    name = tokens[cursor.at]
    if not name.isidentifier():
        raise cursor.fault("expected a statement")
    cursor.at += 1
    arguments = ()
    if tokens[cursor.at] == "(":
        cursor.at += 1
        arguments = expressions(cursor, ")")
    if tokens[cursor.at] == "[":
        raise Refusal("a gate with a duration is not supported; remove the [duration]", cursor.at)
    return nodes.Call(name, arguments, operands(cursor), modifiers)


def _modified(cursor):
    modifiers = []
    while (name := cursor.next) in _MODIFIERS:
        cursor.at += 1
        argument = None
        if name != "inv" and cursor.accept("("):
            argument = expression(cursor)
            cursor.expect(")")
        elif name == "pow":
            raise cursor.fault("pow needs an exponent, as in pow(2) @")
        cursor.expect("@")
        modifiers.append((name, argument))
    if cursor.next != "gphase" and cursor.next in cursor.language.keywords:
        raise cursor.fault("expected a gate after its modifiers")
    return call(cursor, tuple(modifiers))


def _assignment(cursor):
    if cursor.language.version == 2:
        raise cursor.fault("expected a gate and its qubits", cursor.at + 1)
    start = cursor.at
    target = operand(cursor)
    if not cursor.accept("="):
        if cursor.tokens[cursor.at + 1] == "=" or cursor.next in ("<<", ">>", "**"):
            raise Refusal("assignment to a classical variable: write its value into the angles", start)
        raise cursor.fault("expected '=' and a measurement")
    if not cursor.accept("measure"):
        raise Refusal("assignment to a classical variable: write its value into the angles", start)
    measured = operand(cursor)
    cursor.expect(";")
    return nodes.Measure(measured, target)


def _include(cursor):
    cursor.at += 1
    name = cursor.take()
    if name[:1] not in "\"'" or len(name) < 3:
        raise cursor.fault("expected the name of a file in quotes", cursor.at - 1)
    cursor.expect(";")
    return nodes.Include(name[1:-1])


def _register(kind: Callable):
    """qreg q[2]; creg c[2];"""

    def parse(cursor):
        cursor.at += 1
        name = cursor.name("the name of a register")
        if cursor.language.version == 2 and cursor.next != "[":
            raise cursor.fault("expected the size of the register in brackets")
        size = designator(cursor)
        cursor.expect(";")
        return kind(name, size)

    return parse


def _qubit(cursor):
    cursor.at += 1
    size = designator(cursor)
    name = cursor.name("the name of a register")
    cursor.expect(";")
    return nodes.QubitDeclaration(name, size)


def _bit(cursor):
    start = cursor.at
    cursor.at += 1
    size = designator(cursor)
    name = cursor.name("the name of a register")
    measured = None
    if cursor.accept("="):
        if not cursor.accept("measure"):
            raise Refusal(_CLASSICAL, start)
        measured = operand(cursor)
    cursor.expect(";")
    return nodes.BitDeclaration(name, size, measured)


def _input(cursor):
    start = cursor.at
    is_input = cursor.take() == "input"
    kind = cursor.take()
    size = designator(cursor)
    name = cursor.name("the name of an input")
    if kind == "bit" and not is_input:
        cursor.expect(";")
        return nodes.BitDeclaration(name, size)
    if not is_input or kind not in ("float", "angle"):
        what = cursor.tokens[start]
        raise Refusal(f"{what} of type {kind}: only 'input float[64] {name};' is supported", start)
    cursor.expect(";")
    return nodes.Input(kind, name)


def _const(cursor):
    cursor.at += 1
    kind = cursor.take()
    if kind not in SCALAR_TYPES:
        raise cursor.fault(f"expected a type, one of {', '.join(SCALAR_TYPES)}", cursor.at - 1)
    size = designator(cursor)
    name = cursor.name("the name of a constant")
    cursor.expect("=")
    value = expression(cursor)
    cursor.expect(";")
    return nodes.Const(kind, size, name, value)


def _alias(cursor):
    cursor.at += 1
    name = cursor.name("the name of an alias")
    cursor.expect("=")
    parts = [operand(cursor)]
    while cursor.accept("+"):
        cursor.expect("+")
        parts.append(operand(cursor))
    cursor.expect(";")
    return nodes.Alias(name, tuple(parts))


def _measure(cursor):
    cursor.at += 1
    measured = operand(cursor)
    target = operand(cursor) if cursor.accept("->") else None
    if target is None and cursor.language.version == 2:
        raise cursor.fault("expected '->' and a classical bit")
    cursor.expect(";")
    return nodes.Measure(measured, target)


def _reset(cursor):
    cursor.at += 1
    found = nodes.Reset(operand(cursor))
    cursor.expect(";")
    return found


def _barrier(cursor):
    cursor.at += 1
    return nodes.Barrier(operands(cursor))


def _opaque(cursor):
    cursor.at += 1
    name, parameters, qubits = signature(cursor, ";")
    return nodes.GateDefinition(name, parameters, qubits, None)


def signature(cursor: Cursor, end: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Name, parameters and qubits of a gate that is defined, up to `end`, which is taken."""
    name = cursor.name("the name of a gate")
    parameters = cursor.names("a parameter", ")") if cursor.accept("(") else ()
    return name, parameters, cursor.names("a qubit", end)


_PARSERS = {
    "include": _include,
    "qreg": _register(nodes.QubitDeclaration),
    "creg": _register(nodes.BitDeclaration),
    "measure": _measure,
    "reset": _reset,
    "barrier": _barrier,
    "opaque": _opaque,
}
_PARSERS_3 = {
    "qubit": _qubit,
    "bit": _bit,
    "input": _input,
    "output": _input,
    "const": _const,
    "let": _alias,
    "gphase": call,
    "nop": _barrier,
}
