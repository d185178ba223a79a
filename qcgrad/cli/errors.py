"""Errors as one line."""

EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130
EXIT_NO_READER = 141


class UserError(ValueError):
    """Something on the command line that the user can put right; the message says how."""


def explain(error: BaseException) -> str:
    """One line for an error; the type is named where the message alone would be a riddle.

    Example:
        >>> from qcgrad.cli.errors import explain
        >>> explain(ValueError("give a positive integer")), explain(KeyError("x"))
        ('give a positive integer', "KeyError: 'x' (qcgrad --debug shows where)")
    """
    from ..errors import QcgradError
    from ..studies.store import StoreError

    if hasattr(error, "format_message"):  # typer's complaints about options
        return f"{one_line(error.format_message())} (--help shows the options)"  # pyright: ignore
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    message = one_line(error)
    if isinstance(error, (QcgradError, ValueError, TypeError, StoreError)) and message:
        return message
    return f"{type(error).__name__}: {message} (qcgrad --debug shows where)"


def one_line(text: object) -> str:
    """A text of anybody's in one line that commands no terminal."""
    from ..studies.plain import plain

    return plain(" ".join(str(text).split()))
