"""Parsing of programs: the version, blocks, and statements one after the other.

A program is read piece by piece, from semicolon to semicolon, and equal pieces are parsed once: circuits repeat
themselves, and what is refused is refused at once, not after the rest of the file.
"""

import re
from collections.abc import Iterator
from typing import Any

from . import _nodes as nodes
from ._calls import call_by_parts
from ._cursor import Cursor, SyntaxFault
from ._expressions import SCALAR_TYPES, designator, expression, value_set
from ._language import OPENQASM_2, OPENQASM_3, Language
from ._source import Place, Source, tokens
from ._statements import Refusal, signature, statement

_BLOCKS = frozenset(["gate", "def", "for", "if"])
# Pieces of text that are remembered with their statements.
_MAX_KNOWN = 4096
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")


def language_of(source: Source) -> Language:
    """The version that a program states; without one, 2 where it includes qelib1.inc.

    Raises:
        QasmError: neither 2 nor 3.
    """
    first = tokens(next((piece for _, piece in source.pieces()), ""))
    if first[0] != "OPENQASM":
        is_version_2 = re.search(r"""\binclude\s*["']qelib1\.inc["']""", source.text)
        return OPENQASM_2 if is_version_2 else OPENQASM_3
    if not _VERSION.fullmatch(first[1]):
        raise source.error(f"expected a version, as in 'OPENQASM 3.0;', got {first[1][:40]!r}", (0, 1))
    if first[1] not in ("2", "2.0") and first[1].split(".")[0] != "3":
        raise source.error(f"OpenQASM version {first[1]} is not supported: use 2.0 or 3.0", (0, 0))
    if first[2] != ";":
        raise source.error("expected ';' after the version", (0, 2))
    return OPENQASM_2 if first[1][0] == "2" else OPENQASM_3


class Parser:
    """The statements of a program.

    Args:
        source: the program.
        language: its version.
    """

    def __init__(self, source: Source, language: Language):
        self.source, self.language = source, language
        self._pieces = source.pieces()
        self._offset = 0
        self._cursor = Cursor(tokens(""), language)

    def statements(self) -> Iterator[tuple[Place, Any]]:
        """(place, statement) one by one.

        Raises:
            QasmError: a syntax error or a statement that is not supported.
        """
        is_first = True
        known: dict[str, Any] = {}
        for offset, piece in self._pieces:
            found = known.get(piece)
            if found is not None:
                yield (offset, 0), found
                continue
            self._offset = offset
            try:
                if is_first and tokens(piece)[0] == "OPENQASM":
                    continue
                found = _simple(piece, self.language)
                if found is not None:
                    if len(known) >= _MAX_KNOWN:
                        known.clear()
                    known[piece] = found
                    yield (offset, 0), found
                else:
                    self._cursor = Cursor(tokens(piece), self.language)
                    while not self._cursor.is_at_end:
                        yield self._statement()
            except (SyntaxFault, Refusal) as fault:
                raise self.source.error(fault.message, (self._offset, fault.number)) from None
            finally:
                is_first = False

    def _statement(self) -> tuple[Place, Any]:
        place = self._offset, self._cursor.at
        keyword = self._cursor.next
        if keyword in _BLOCKS and keyword in self.language.keywords:
            self._cursor.at += 1
            self._cursor.descend()
            found = getattr(self, f"_{keyword}")()
            self._cursor.ascend()
            return place, found
        if self.language.version == 3 and self._cursor.accept("{"):
            self._cursor.descend()
            found = nodes.If(True, self._block(), ())
            self._cursor.ascend()
            return place, found
        return place, statement(self._cursor)

    def _refill(self):
        """The next piece, where this one is used up."""
        if self._cursor.is_at_end:
            following = next(self._pieces, None)
            if following is None:
                return
            self._offset, piece = following
            self._cursor.tokens, self._cursor.at = tokens(piece), 0

    def _block(self) -> nodes.Body:
        """Statements in braces; `{` is taken already."""
        found = []
        while True:
            self._refill()
            if self._cursor.accept("}"):
                return tuple(found)
            found.append(self._statement())

    def _body(self) -> nodes.Body:
        """Statements in braces, or one without."""
        return self._block() if self._cursor.accept("{") else (self._statement(),)

    def _gate(self):
        name, parameters, qubits = signature(self._cursor, "{")
        return nodes.GateDefinition(name, parameters, qubits, self._block())

    def _def(self):
        cursor = self._cursor
        start = cursor.at - 1
        name = cursor.name("the name of a subroutine")
        cursor.expect("(")
        parameters = []
        while not cursor.accept(")"):
            parameters.append(self._parameter())
            if not cursor.accept(","):
                cursor.expect(")")
                break
        if cursor.next == "->":
            raise Refusal(f"def {name} returns a value: only subroutines of qubits and numbers are supported", start)
        cursor.expect("{")
        return nodes.Subroutine(name, tuple(parameters), self._block())

    def _parameter(self):
        cursor = self._cursor
        kind = cursor.take()
        if kind not in ("qubit", "bool", "int", "uint", "float", "angle"):
            raise Refusal(f"a subroutine's parameter of type {kind}: use qubits and numbers", cursor.at - 1)
        size = designator(cursor)
        return nodes.Parameter(kind, size, cursor.name("the name of a parameter"))

    def _for(self):
        cursor = self._cursor
        kind = cursor.take()
        if kind not in SCALAR_TYPES:
            raise cursor.fault("expected the type of the loop variable", cursor.at - 1)
        size = designator(cursor)
        name = cursor.name("the loop variable")
        cursor.expect("in")
        return nodes.For(kind, size, name, value_set(cursor), self._body())

    def _if(self):
        cursor = self._cursor
        start = cursor.at - 1
        cursor.expect("(")
        if self.language.version == 2:
            raise Refusal("if: control flow that depends on measured bits is not supported", start)
        condition = expression(cursor)
        cursor.expect(")")
        then = self._body()
        self._refill()
        otherwise = self._body() if cursor.accept("else") else ()
        return nodes.If(condition, then, otherwise)


def _simple(piece: str, language: Language):
    """The one statement of a piece of text; None where blocks are about."""
    found = call_by_parts(piece, language.version)
    if found is not None:
        return found
    if "{" in piece or "}" in piece:
        return None
    cursor = Cursor(tokens(piece), language)
    if cursor.next in _BLOCKS and cursor.next in language.keywords:
        return None
    # A statement takes its semicolon, and the first semicolon ends the piece.
    return statement(cursor)
