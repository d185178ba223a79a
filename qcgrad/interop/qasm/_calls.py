"""Calls with angles, `u3(0.1, pi/4, -2) q[3];`, read in parts: where each line is another, its parts still repeat.

Name, expressions and operands are read by the same rules of the grammar as in any other statement, each distinct text
once; only a plain real number is no text to remember. A piece of another shape, or with a fault in a part, is left to
the rule for whole statements, which knows the places of faults.
"""

import re
from functools import lru_cache
from typing import Any

from . import _nodes as nodes
from ._cursor import Cursor, SyntaxFault
from ._expressions import expressions, operands
from ._language import LANGUAGES
from ._nodes import Operand
from ._source import tokens

# No part holds a parenthesis or a semicolon, so no token and no expression reaches from one into the next.
_PARTS = re.compile(r"([^(){}]*)\(([^(){}]*)\)([^(){}]*)")
# A number with a point or an exponent is the same real number in both versions; an integer is not. With so few digits
# it is finite.
_is_real = re.compile(r"\s*-?(?:[0-9]{1,99}\.[0-9]*|\.[0-9]+|[0-9]{1,99}(?=[eE]))(?:[eE][+-]?[0-9]{1,2})?\s*").fullmatch


def call_by_parts(piece: str, version: int) -> nodes.Call | None:
    """The call of a piece of text, None where it has another shape or a fault."""
    parts = _PARTS.fullmatch(piece)
    if parts is None:
        return None
    head, inside, tail = parts.groups()
    frame = _frame(head, tail, version)
    if frame is None:
        return None
    arguments = []
    for text in inside.split(","):
        value = float(text) if _is_real(text) else _argument(text, version)
        if value is None:
            return None
        arguments.append(value)
    name, qubits = frame
    return nodes.Call(name, tuple(arguments), qubits)


@lru_cache(maxsize=4096)
def _frame(head: str, tail: str, version: int) -> tuple[str, tuple[Operand, ...]] | None:
    """Name and operands."""
    name, following = tokens(head)[:2]
    if following or not name.isidentifier() or name in LANGUAGES[version].keywords:
        return None
    found = _whole(tail, version, operands)
    return None if found is None else (name, found)


@lru_cache(maxsize=4096)
def _argument(text: str, version: int) -> nodes.Expression | None:
    # With the parenthesis behind it, as in the statement.
    found = _whole(text + ")", version, lambda cursor: expressions(cursor, ")"))
    return found[0] if found is not None and len(found) == 1 else None


def _whole(text: str, version: int, rule) -> Any:
    """What a rule makes of a text, None where it does not take all of it."""
    cursor = Cursor(tokens(text), LANGUAGES[version])
    try:
        found = rule(cursor)
    except SyntaxFault:
        return None
    return found if cursor.is_at_end else None
