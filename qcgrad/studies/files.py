"""Files that a study leaves: whole or not at all."""

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_csv(path: "str | Path", rows: list[dict[str, Any]]) -> None:
    """Write flat rows; the columns are all their keys in order of appearance."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        file.write(csv_text(rows))


def csv_text(rows: list[dict[str, Any]]) -> str:
    """The text of such a file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns_of(rows))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
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
    part = path.with_name(f".{os.getpid()}-{path.name}")
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
