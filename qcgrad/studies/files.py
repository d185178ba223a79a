"""Files that a study leaves: whole or not at all."""

import csv
import io
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

# Where a text begins with one of these, spreadsheets take it for a formula and carry it out.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Rows = Collection[dict[str, Any]]
"""Flat rows; they are gone through more than once, and need not be held."""


def write_csv(path: "str | Path", rows: Rows) -> None:
    """Write flat rows; the columns are all their keys in order of appearance.

    Texts that a spreadsheet would take for a formula get an apostrophe in front, as spreadsheets themselves write it.
    """
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        _write_csv(file, rows)


def csv_text(rows: Rows) -> str:
    """The text of such a file."""
    text = io.StringIO()
    _write_csv(text, rows)
    return text.getvalue()


def _write_csv(file: TextIO, rows: Rows):
    columns = columns_of(rows)
    writer = csv.writer(file)
    writer.writerow(map(_harmless, columns))
    writer.writerows([_harmless(row.get(name)) for name in columns] for row in rows)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def columns_of(rows: Rows) -> list[str]:
    """All keys of the rows in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


@contextmanager
def replacing(path: "str | Path") -> Iterator[Path]:
    """A file to write instead of `path`, which it replaces in the end: nobody finds half of one.

    Example:
        >>> import pathlib, tempfile
        >>> from qcgrad.studies.files import replacing
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(f"{folder}/a.txt") as part:
        ...         _ = part.write_text("whole")
        ...     pathlib.Path(folder, "a.txt").read_text()
        'whole'
    """
    path = Path(path)
    # A name that nobody can have put a link at.
    part = path.with_name(f".{secrets.token_hex(8)}-{path.name}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        # Of writing to a full disk the system does not say which file it was.
        if error.filename is None and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)
