"""The text of a program: its pieces, its tokens, and where an error is."""

import re
from collections.abc import Iterator
from typing import Any

from ...errors import ImportRefused

# (offset of a piece, number of a token in it): the line is looked up only where an error or a note names it.
Place = tuple[int, int]

# Annotations (lines that start with @name) may be ignored as well, says the specification.
_COMMENT = re.compile(
    r"""("[^"\n]*"|'[^'\n]*')|//[^\r\n]*|/\*.*?(?:\*/|\Z)|^[ \t]*@[^\W\d][^\r\n]*""", re.DOTALL | re.MULTILINE
)
_TOKEN = re.compile(
    r"""
    [^\W\d]\w*                                                  # names, Greek ones included
    | 0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0o[0-7_]+
    | (?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?
    | "[^"\n]*" | '[^'\n]*' | \$[0-9]+
    | -> | \*\* | == | != | <= | >= | << | >> | && | \|\|
    | \S
    """,
    re.VERBOSE,
)
# So that a parser may look a few tokens ahead without asking whether they are there.
_END = ["", "", "", ""]


class QasmError(ImportRefused):
    """An OpenQASM program that cannot be read, or that holds something without an equivalent here.

    Attributes:
        source: name of the file.
        line, column: where, counted from 1; None where there is no file to point into.

    Example:
        >>> from qcgrad.interop import QasmError, parse_qasm
        >>> try:
        ...     parse_qasm('OPENQASM 3.0; qubit q;\\nx q; reset q;', "mine.qasm")
        ... except QasmError as error:
        ...     print(error.line, error.column)
        2 6
    """

    def __init__(self, message: str, source: str, line: int | None = None, column: int | None = None):
        place = source if line is None else f"{source}, line {line}, column {column}"
        super().__init__(f"{place}: {message}")
        self.message, self.source, self.line, self.column = message, source, line, column

    def __reduce__(self) -> tuple[type["QasmError"], tuple[Any, ...]]:
        # The default would call the class with the finished text alone.
        return type(self), (self.message, self.source, self.line, self.column)


class Source:
    """A program with its name; comments are blanked out, so that places stay what they are.

    Raises:
        QasmError: a comment without an end.
    """

    def __init__(self, name: str, text: str):
        self.name = name
        self.text = text
        if "//" in text or "/*" in text or "@" in text:
            self.text = _COMMENT.sub(self._blank, text)

    def _blank(self, match):
        found = match.group()
        if match.group(1):
            return found
        if found.startswith("/*") and (len(found) < 4 or not found.endswith("*/")):
            raise QasmError("this comment has no end: close it with */", self.name, *self._line(match.start()))
        return re.sub(r"[^\r\n]", " ", found)

    def pieces(self) -> Iterator[tuple[int, str]]:
        """(offset, text) of what lies between semicolons, each with the semicolon that ends it."""
        start, text = 0, self.text
        while end := text.find(";", start) + 1:
            yield start, text[start:end]
            start = end
        if not text[start:].isspace() and start < len(text):
            yield start, text[start:]

    def where(self, place: Place) -> tuple[int, int]:
        """Line and column of a token, from 1; the end of the text if there is no such token."""
        offset, number = place
        for k, match in enumerate(_TOKEN.finditer(self.text, offset)):
            if k == number:
                return self._line(match.start())
        return self._line(len(self.text))

    def _line(self, position):
        before = self.text[:position]
        return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1

    def error(self, message: str, place: Place) -> QasmError:
        """The error that points to a token."""
        return QasmError(message, self.name, *self.where(place))


def tokens(piece: str) -> list[str]:
    """The tokens of a piece of text, with empty ones behind the last."""
    return _TOKEN.findall(piece) + _END
