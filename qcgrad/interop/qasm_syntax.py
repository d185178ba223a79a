"""The parser of the openqasm3 library, with errors that say where."""

import contextlib
import io
from typing import Any

from .qasm_expressions import QasmError


def parse_program(text: str, source: str) -> Any:
    """The program as openqasm3's syntax tree.

    Raises:
        QasmError: empty text or a syntax error.
    """
    from openqasm3.parser import QASM3ParsingError, parse

    if not text.strip():
        raise QasmError("the program is empty", source, 1, 1)
    try:
        # ANTLR also prints its complaints; the error says it all.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            return parse(text)
    except RecursionError as error:
        raise QasmError("an expression is nested too deeply", source, 1, 1) from error
    except QASM3ParsingError as error:
        line, column, near = _where(error, text)
        if near.endswith("'pow'"):
            near += ": the parser takes pow for the modifier only, write a ** b"
        raise QasmError(f"syntax error{near}", source, line, column) from error
    except Exception as error:  # the parser has no common base class for what its visitor raises
        raise QasmError(f"the program cannot be parsed ({error or type(error).__name__})", source, 1, 1) from error


def _where(error, text):
    """Line, column (from 1) and the text at the failure, from ANTLR's nested exceptions."""
    cause: Any = error
    while cause is not None:
        for candidate in (cause, *getattr(cause, "args", ())):
            token = getattr(candidate, "offendingToken", None)
            if token is not None:
                end = token.text == "<EOF>"
                return token.line, token.column + 1, ": the program ends too early" if end else f" at {token.text!r}"
        cause = cause.__cause__
    message = str(error)
    if message.startswith("L") and ":C" in message:
        line, rest = message[1:].split(":C", 1)
        column, _, what = rest.partition(":")
        return int(line), int(column) + 1, f": {what.strip()}"
    return text.count("\n") + 1, 1, f" {message}".rstrip()
