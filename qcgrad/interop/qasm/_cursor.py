"""A place in a list of tokens, and what every parser asks of it."""

import math
import re

from ._language import Language
from .limits import MAX_NESTING

_FIRST = frozenset("0123456789.")
_BASES = {"0x": 16, "0X": 16, "0b": 2, "0B": 2, "0o": 8}
_INTEGER = re.compile(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0o[0-7_]+|[0-9][0-9_]*")
_REAL = re.compile(r"[0-9.]+(?:[eE][+-]?[0-9]+)?")


class SyntaxFault(Exception):
    """The token with this number cannot stand here."""

    def __init__(self, message: str, number: int):
        super().__init__(message, number)
        self.message, self.number = message, number


class Cursor:
    """Tokens of a piece of text and the number of the next one.

    Attributes:
        tokens: ends in empty ones, so that looking ahead needs no check.
        at: number of the next token.
        language: what the tokens mean.
    """

    def __init__(self, tokens: list[str], language: Language):
        self.tokens, self.at, self.language = tokens, 0, language
        self.depth = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    @property
    def is_at_end(self) -> bool:
        return not self.tokens[self.at]

    def take(self) -> str:
        token = self.tokens[self.at]
        if not token:
            raise self.fault("")
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        """Whether the next token is this one; if so it is taken."""
        if self.tokens[self.at] != token:
            return False
        self.at += 1
        return True

    def expect(self, token: str) -> None:
        if self.tokens[self.at] != token:
            raise self.fault(f"expected {token!r}")
        self.at += 1

    def name(self, what: str) -> str:
        """An identifier, of `what` the message says."""
        token = self.tokens[self.at]
        if not token.isidentifier():
            raise self.fault(f"expected {what}")
        if token in self.language.keywords:
            raise self.fault(f"expected {what}, and {token!r} is a keyword of OpenQASM {self.language.version}")
        self.at += 1
        return token

    def names(self, what: str, end: str) -> tuple[str, ...]:
        """Identifiers between commas, up to `end`, which is taken."""
        found = []
        while not self.accept(end):
            found.append(self.name(what))
            if not self.accept(","):
                self.expect(end)
                break
        return tuple(found)

    def fault(self, message: str, number: int | None = None) -> SyntaxFault:
        """A syntax error at the next token, or at the one with this number."""
        number = self.at if number is None else number
        token = self.tokens[number]
        if token == "**" and self.language.version == 2:
            message = "OpenQASM 2 writes a power as a ^ b"
        head = f"syntax error at {token[:40]!r}" if token else "syntax error, the program ends too early"
        return SyntaxFault(f"{head}: {message}" if message else head, number)

    def number(self, at: int) -> int | float | None:
        """The value of the token with this number, None where it is none; OpenQASM 2 has real numbers only."""
        token, version_2 = self.tokens[at], self.language.version == 2
        if token[:1] not in _FIRST or token == ".":
            return None
        if version_2 and not _REAL.fullmatch(token):
            raise self.fault("this is no number in OpenQASM 2", at)
        try:
            if not version_2 and len(token) < 1000 and _INTEGER.fullmatch(token):
                base = _BASES.get(token[:2])
                return int(token) if base is None else int(token[2:], base)
            value = float(token)
        except ValueError:
            raise self.fault("this is no number", at) from None
        if not math.isfinite(value):
            raise self.fault("this number is out of range", at)
        return value

    def descend(self) -> None:
        """One level deeper; `ascend` goes back."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fault(f"nested more than {MAX_NESTING} levels deep")

    def ascend(self) -> None:
        self.depth -= 1
