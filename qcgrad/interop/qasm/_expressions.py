"""Parsing of expressions, by the precedence of operators; one grammar for both versions."""

from ._cursor import Cursor
from ._nodes import Expression, Operand

SCALAR_TYPES = ("bit", "bool", "int", "uint", "float", "angle", "complex", "duration", "stretch")

_ENDS = frozenset([",", ")", "]"])


def expression(cursor: Cursor) -> Expression:
    """The longest expression that starts here."""
    # Most angles are one number, with a sign or without.
    tokens, at = cursor.tokens, cursor.at
    sign = tokens[at] == "-"
    if tokens[at + sign + 1] in _ENDS and (value := cursor.number(at + sign)) is not None:
        cursor.at = at + sign + 1
        return -value if sign else value
    cursor.descend()
    found = _binary(cursor, 1)
    cursor.ascend()
    return found


def expressions(cursor: Cursor, end: str) -> tuple[Expression, ...]:
    """Expressions between commas, up to `end`, which is taken."""
    found = []
    while not cursor.accept(end):
        found.append(expression(cursor))
        if not cursor.accept(","):
            cursor.expect(end)
            break
    return tuple(found)


def _binary(cursor, lowest):
    ranks = cursor.language.ranks
    left = _prefixed(cursor)
    while (rank := ranks.get(cursor.next, 0)) >= lowest:
        # Operators of one rank in one flat node: a sum of many terms is no deep tree.
        steps = []
        while ranks.get(cursor.next) == rank:
            operator = cursor.take()
            steps.append((operator, _binary(cursor, rank + 1)))
        left = ("chain", left, tuple(steps))
    return left


def _prefixed(cursor):
    if cursor.next in cursor.language.prefixes:
        operator = cursor.take()
        cursor.descend()
        found = operator, _prefixed(cursor)
        cursor.ascend()
        return found
    base = _primary(cursor)
    if not cursor.accept(cursor.language.power):
        return base
    cursor.descend()
    found = "**", base, _prefixed(cursor)
    cursor.ascend()
    return found


def _primary(cursor):
    token, language = cursor.next, cursor.language
    value = cursor.number(cursor.at)
    if value is not None:
        cursor.at += 1
        return value
    if cursor.accept("("):
        found = expression(cursor)
        cursor.expect(")")
        return found
    if language.version == 3:
        if token[:1] == "$" and len(token) > 1:
            return cursor.take()  # a physical qubit as the argument of a subroutine
        if token in ("true", "false"):
            return cursor.take() == "true"
        if token in SCALAR_TYPES:
            return _cast(cursor)
        if token == "pow":
            raise cursor.fault("pow is a modifier of gates; write a ** b")
    following = cursor.tokens[cursor.at + 1]
    if following == "(" and token.isidentifier() and (token in language.functions or token not in language.keywords):
        cursor.at += 2
        return "call", token, expressions(cursor, ")")
    if token in language.constants:
        return cursor.take()
    name = cursor.name("a number, a name or an expression")
    return ("index", name, indices(cursor)) if following == "[" else name


def _cast(cursor):
    kind = cursor.take()
    size = designator(cursor)
    cursor.expect("(")
    found = expression(cursor)
    cursor.expect(")")
    return "cast", kind, size, found


def designator(cursor: Cursor) -> Expression | None:
    """The size in brackets, where there is one."""
    if not cursor.accept("["):
        return None
    size = expression(cursor) if cursor.language.version == 3 else _literal(cursor)
    cursor.expect("]")
    return size


def _literal(cursor):
    """An integer, all that OpenQASM 2 has as a size or an index."""
    token = cursor.next
    if not token.isdecimal() or len(token) > 19:
        raise cursor.fault("expected an integer" + " of at most 19 digits" * token.isdecimal())
    cursor.at += 1
    return int(token)


def operand(cursor: Cursor) -> Operand:
    """A qubit, a register, or some qubits of one."""
    tokens, at = cursor.tokens, cursor.at
    name = tokens[at]
    # q[3], the operand of nearly every gate, without further calls.
    if tokens[at + 1] == "[" and tokens[at + 3] == "]" and tokens[at + 2].isdecimal() and len(tokens[at + 2]) < 10:
        cursor.name("a qubit")
        if tokens[at + 4] != "[":
            cursor.at = at + 4
            return name, int(tokens[at + 2])
    elif name[:1] == "$" and len(name) > 1 and cursor.language.version == 3:
        cursor.at += 1
        return name, None
    else:
        cursor.name("a qubit")
    return name, indices(cursor) if tokens[at + 1] == "[" else None


def operands(cursor: Cursor) -> tuple[Operand, ...]:
    """Operands between commas up to the semicolon, which is taken."""
    found = []
    while not cursor.accept(";"):
        found.append(operand(cursor))
        if not cursor.accept(","):
            cursor.expect(";")
            break
    return tuple(found)


def indices(cursor: Cursor) -> tuple:
    """All brackets behind a name; for each a tuple of expressions, ranges, or one set."""
    found = []
    while cursor.accept("["):
        if cursor.language.version == 2:
            found.append((_literal(cursor),))
            cursor.expect("]")
            continue
        if cursor.accept("{"):
            found.append((("set", expressions(cursor, "}")),))
            cursor.expect("]")
            continue
        inside = []
        while not cursor.accept("]"):
            inside.append(_index(cursor))
            if not cursor.accept(","):
                cursor.expect("]")
                break
        found.append(tuple(inside))
    return tuple(found)


def _index(cursor):
    parts = [None if cursor.next in (":", "]", ",") else expression(cursor)]
    while cursor.accept(":"):
        parts.append(None if cursor.next in (":", "]", ",") else expression(cursor))
    if len(parts) == 1:
        if parts[0] is None:
            raise cursor.fault("expected an index")
        return parts[0]
    # In a::b, b is a stop to the grammar and a step to those who know Python.
    if len(parts) > 3 or (len(parts) == 3 and None in parts[1:]):
        raise cursor.fault("a range is start:stop or start:step:stop")
    start, *step, stop = parts
    return "range", start, step[0] if step else None, stop


def value_set(cursor: Cursor) -> Expression:
    """What a loop goes over: [start:step:stop] or {values}."""
    if cursor.accept("{"):
        return "set", expressions(cursor, "}")
    if cursor.next != "[":
        raise cursor.fault("expected a range [start:stop] or a set {...} of values")
    cursor.at += 1
    found = _index(cursor)
    cursor.expect("]")
    return found
