"""A place in a list of tokens, and what every parser asks of it."""

import re

from .language import Language
from .limits import MAX_NESTING

_DIGITS = {"0x": 16, "0X": 16, "0b": 2, "0B": 2, "0o": 8}
_INTEGER = re.compile(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0o[0-7_]+|[0-9][0-9_]*")


class SyntaxFault(Exception):
    """The token with this number cannot stand here."""

    def __init__(self, message: str, number: int):
        super().__init__(message)
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

    def expect(self, token: str):
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
        head = f"syntax error at {token[:40]!r}" if token else "syntax error, the program ends too early"
        return SyntaxFault(f"{head}: {message}" if message else head, number)

    def descend(self):
        """One level deeper; `ascend` goes back."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fault(f"nested more than {MAX_NESTING} levels deep")

    def ascend(self):
        self.depth -= 1


def number(token: str, language: Language) -> int | float | None:
    """The value of a number token, None where it is none; every number of OpenQASM 2 is a real one."""
    if not (token[:1].isdecimal() or (token[:1] == "." and len(token) > 1)):
        return None
    digits = token.replace("_", "")
    if language.version == 2:
        return float(digits) if digits == token and not digits[:2] in _DIGITS else None
    if not _INTEGER.fullmatch(token):
        return float(digits)
    base = _DIGITS.get(token[:2], 10)
    # Python refuses to read very long decimals; the evaluation refuses what is wider than an int anyway.
    return int(digits if base == 10 else digits[2:] or "x", base) if len(digits) < 1000 else float("inf")
