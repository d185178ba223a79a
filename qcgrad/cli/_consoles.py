"""Where output goes: results on stdout, progress and notes on stderr."""

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # rich is slow to import, so it waits until it is used
    from rich.console import Console

JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]

# What a table needs; a pipe has no width of its own, and rich would take 80.
_PIPE_WIDTH = 150


def output() -> "Console":
    """A rich console on stdout, wide enough for tables in a pipe."""
    return _as_it_is()(width=None if sys.stdout.isatty() else _PIPE_WIDTH, soft_wrap=False)


def notes() -> "Console":
    """A rich console on stderr; it shows progress on a terminal only."""
    return _as_it_is()(stderr=True)


def print_json(data: Any) -> None:
    """One document on stdout; what JSON has no number for has to be None by now."""
    print(json.dumps(data, indent=2, allow_nan=False))


@cache
def _as_it_is() -> "type[Console]":
    """A console that shows texts as they are: where others wrote them, brackets, colons and escapes mean nothing."""
    from rich.console import Console
    from rich.text import Text

    from ..studies.plain import plain

    class AsItIs(Console):
        def __init__(self, **settings: Any):
            super().__init__(markup=False, emoji=False, **settings)

        def render_str(self, text: str, **settings: Any) -> Text:
            return super().render_str("\n".join(map(plain, text.split("\n"))), **settings)

    return AsItIs
