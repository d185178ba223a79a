"""What is read out of a file of results, whoever wrote it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from .cells import NOT_HERE
from .identity import canonical

T = TypeVar("T")


class Row(NamedTuple):
    """A finished cell as it is kept.

    Attributes:
        cell, record: plain data.
        seconds: that it took.
        finished_at: seconds since the epoch.
        code_version: of the code that computed it.
        run, worker, attempts: under which run, on which host, and how often it was begun: more than once where its
            worker died. None in files of older versions.
    """

    cell: dict[str, Any]
    record: dict[str, Any]
    seconds: float
    finished_at: float
    code_version: str
    run: str | None
    worker: str | None
    attempts: int | None


def row(values: Sequence[Any]) -> Row:
    """A finished cell, of the columns that `Row` names.

    Raises:
        ValueError, sqlite3.DatabaseError: one of them holds something else.
    """
    cell, record, seconds, finished_at, code, run, worker, attempts = values
    times, others = (time(seconds), time(finished_at)), (_text(run), _text(worker))
    if code is None or not (attempts is None or isinstance(attempts, int)):
        raise sqlite3.DatabaseError(f"it holds {code!r:.80} for a version and {attempts!r:.80} for attempts")
    return Row(table(cell), table(record), *times, _text(code) or "", *others, attempts)


class Kept(NamedTuple):
    """Which code computed a cell, and how often it was begun."""

    code_version: str
    attempts: int


class Run(NamedTuple):
    """One start of a study: when, of which spec (JSON), and on what (see `provenance`)."""

    id: str
    began: float
    spec: str | None
    provenance: dict[str, Any]


class ByCell(Generic[T]):
    """What is known of cells, by their data; later ones replace earlier ones.

    Of circuits whose source is not here, as on another machine, it is found by everything but that.

    Args:
        rows: (text of a cell, what is known).
    """

    def __init__(self, rows: Iterable[tuple[str, T]]):
        self._known = dict(rows)
        self._without: dict[str, T] | None = None

    def of(self, cell: dict[str, Any]) -> T | None:
        """What is known of a cell."""
        if cell.get("content") != NOT_HERE:
            return self._known.get(canonical(cell))
        if self._without is None:
            self._without = {_without_content(table(text)): known for text, known in self._known.items()}
        return self._without.get(_without_content(cell))


def _without_content(cell: dict[str, Any]) -> str:
    return canonical({name: part for name, part in cell.items() if name != "content"})


def table(text: Any) -> dict[str, Any]:
    """A table.

    Raises:
        ValueError, sqlite3.DatabaseError: it is something else.
    """
    found = json.loads(text, parse_constant=_no_constant) if isinstance(text, str) else text
    if not isinstance(found, dict):
        raise sqlite3.DatabaseError(f"it holds {found!r:.80} where a table belongs")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")


def time(seconds: Any) -> float:
    """Seconds since the epoch."""
    if not (isinstance(seconds, (int, float)) and 0 <= seconds < 2**40):
        raise sqlite3.DatabaseError(f"it holds {seconds!r:.80} for a time")
    return seconds


def text_of_table(value: Any) -> str | None:
    """The text of a table, where there is one."""
    if value is not None:
        table(value)
    return value


def _text(value: Any) -> str | None:
    if not (value is None or isinstance(value, str)):
        raise sqlite3.DatabaseError(f"it holds {value!r:.80} where a text belongs")
    return value
