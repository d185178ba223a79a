"""Results of a study in one SQLite file: a row for each finished cell, nothing lost on a kill."""

import csv
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from ..version import __version__
from ._claims import CLAIMS, Claims, Failure

_CELLS = """
CREATE TABLE IF NOT EXISTS cells (
    key TEXT PRIMARY KEY,
    cell TEXT NOT NULL,
    code_version TEXT NOT NULL,
    record TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished_at REAL NOT NULL
)
"""
_TABLES = {
    "cells": ("key", "cell", "code_version", "record", "seconds", "finished_at"),
    "claims": ("key", "owner", "beat", "verdict", "message"),
}
_FORMAT = 1
"""Format of the file, in its `user_version`; 0 is a new file, or one from before there were claims."""


class StoreError(RuntimeError):
    """The file of results cannot be used."""


class Store:
    """One study's results, keyed by what was computed and by which code.

    Each row is committed as soon as its cell is done, in write-ahead-log mode, so a killed process loses
    at most the cell that was running. Several processes may share the file: each claims a cell before computing it.

    Args:
        path: the SQLite file; its folder is created.

    Raises:
        StoreError: the file is no store of a study, is damaged, comes from a newer version, or cannot be written.

    Example:
        >>> import tempfile
        >>> from qcgrad.studies.store import Store
        >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/study.sqlite") as store:
        ...     store.put({"n": 3}, {"gates": 3}, seconds=0.1)
        ...     store.get({"n": 3}), store.get({"n": 4})
        ({'gates': 3}, None)
    """

    def __init__(self, path: "str | Path"):
        self.path = Path(path)
        with self._explained("cannot be used", "name another folder"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.path, timeout=30)
        try:
            with self._explained("cannot be used", "name another folder"):
                self._open()
        except BaseException:
            self._database.close()
            raise
        self._claims = Claims(self._database, self.path)

    def get(self, cell: dict[str, Any]) -> dict[str, Any] | None:
        """The record of a finished cell, or None."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            row = self._database.execute("SELECT record FROM cells WHERE key = ?", (cell_key(cell),)).fetchone()
            record = None if row is None else json.loads(row[0])
        if row is not None and not isinstance(record, dict):
            raise StoreError(
                f"results file {self.path} holds {record!r} for a cell: it is damaged, name another folder"
            )
        return record

    def put(self, cell: dict[str, Any], record: dict[str, Any], seconds: float) -> None:
        """Keep the record of a cell, and give up the claim on it; on disk when this returns.

        Raises:
            StoreError: it cannot be written, for example on a full disk; what was kept before stays.
            ValueError: NaN or infinity in the record.
        """
        key, text = cell_key(cell), json.dumps(record, allow_nan=False)
        values = (key, _canonical(cell), code_version(), text, seconds, time.time())
        with self._explained("cannot be written", "finished cells are kept in it"), self._database:
            self._database.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?)", values)
            self._claims.drop(key)

    def claim(self, cell: dict[str, Any]) -> bool:
        """Whether this process may compute the cell now: it is not finished, and no other process is at it.

        The claim lasts until `put` or `release`, or until this process dies.
        """
        with self._explained("cannot be written", "finished cells are kept in it"):
            return self._claims.take(cell_key(cell))

    def release(self, cell: dict[str, Any], failure: Failure | None = None) -> None:
        """Give up the claim on a cell that was not computed, and say why it cannot be."""
        with self._explained("cannot be written", "finished cells are kept in it"):
            self._claims.release(cell_key(cell), failure)

    def failure(self, cell: dict[str, Any], since: float) -> Failure | None:
        """Why a process could not compute the cell, if that was after `since` (seconds since the epoch)."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            return self._claims.failure(cell_key(cell), since)

    def __len__(self) -> int:
        return self._database.execute("SELECT COUNT(*) FROM cells").fetchone()[0]

    def close(self) -> None:
        """Give up all claims and close the file."""
        self._claims.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self):
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > _FORMAT:
            raise sqlite3.DatabaseError(f"a newer qcgrad made it, in format {version}; this one reads {_FORMAT}")
        (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {verdict}")
        for (table,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = tuple(row[1] for row in self._database.execute(f"PRAGMA table_info('{table}')"))
            if _TABLES.get(table) != columns:
                raise sqlite3.DatabaseError(f"it is not of a study: table {table!r} has columns {', '.join(columns)}")
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(_CELLS)
        self._database.execute(CLAIMS)
        if version < _FORMAT:
            self._database.execute(f"PRAGMA user_version = {_FORMAT}")
        self._database.commit()

    @contextmanager
    def _explained(self, what: str, advice: str):
        try:
            yield
        except (OSError, sqlite3.Error, json.JSONDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(f"results file {self.path} {what} ({reason}): {advice}") from error


def cell_key(cell: dict[str, Any]) -> str:
    """What identifies a result: a hash of the cell, and of the code that computes it."""
    return hashlib.sha256(f"{_canonical(cell)}\n{code_version()}".encode()).hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Package version and a hash of the package's sources and circuits: another code, other results."""
    from ..library import list_circuits

    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for source in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".so")):
        digest.update(source.relative_to(root).as_posix().encode())
        digest.update(source.read_bytes())
    for circuit in list_circuits():
        digest.update(circuit.path.read_bytes())
        digest.update(repr((circuit.terms, circuit.params.tolist())).encode())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def write_csv(path: "str | Path", rows: list[dict[str, Any]]) -> None:
    """Write flat rows; the columns are all their keys in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def replacing(path: "str | Path") -> Iterator[Path]:
    """A file to write instead of `path`, which it replaces in the end: nobody finds half of one.

    Example:
        >>> import pathlib, tempfile
        >>> from qcgrad.studies.store import replacing
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
    finally:
        part.unlink(missing_ok=True)


def _canonical(cell) -> str:
    return json.dumps(cell, sort_keys=True)
