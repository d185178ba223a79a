"""Results of a study in one SQLite file: a row for each finished cell, nothing lost on a kill."""

import errno
import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from . import _stored as stored
from ._claims import Claims
from ._schema import opened
from ._stored import Kept, Row, Run
from .executors import Failure
from .identity import canonical, cell_key, version_of

# Bytes that SQLite takes at least to open a file.
_LEAST_SPACE = 1 << 16
_ROW = ", ".join(("key", *Row._fields))


class StoreError(RuntimeError):
    """The file of results cannot be used."""


class Store:
    """One study's results, keyed by what was computed and by which code.

    Each row is committed as soon as its cell is done, in write-ahead-log mode, so a killed process loses
    at most the cell that was running. Several processes of one machine may share the file: each claims a cell before
    computing it. Machines take a file each, and `merge`, since such a log works on no network file system.

    Args:
        path: the SQLite file; its folder is created.
        must_exist: refuse a file that is not there instead of beginning one. Where nothing can be written, it can
            still be read.

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

    def __init__(self, path: "str | Path", *, must_exist: bool = False):
        self.path = Path(path)
        if must_exist and not self.path.is_file():
            raise StoreError(f"results file {self.path} is not there: give the path of a study.sqlite, or its folder")
        if must_exist and self.path.stat().st_size == 0:
            raise StoreError(f"results file {self.path} is empty: run the study again, or give another one")
        with self._explained("cannot be used", "name another folder"):
            if not must_exist:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = opened(self.path, to_read=must_exist)
        self._claims = Claims(self._database, self.path)
        self._run: str | None = None

    def begin(self, spec: str | None, provenance: dict[str, Any]) -> None:
        """Write down a run; what is kept from now on belongs to it.

        Args:
            spec: of the study, as JSON.
            provenance: what computes, plain data.
        """
        self._run = uuid.uuid4().hex
        values = (self._run, time.time(), spec, json.dumps(provenance))
        with self._explained("cannot be written", "finished cells are kept in it"), self._database:
            self._database.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", values)

    def runs(self) -> list[Run]:
        """All starts of the study, the oldest first."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            rows = self._database.execute("SELECT id, began, spec, provenance FROM runs ORDER BY began").fetchall()
            return [
                Run(name, stored.time(began), stored.text_of_table(spec), stored.table(text))
                for name, began, spec, text in rows
            ]

    def get(self, cell: dict[str, Any]) -> dict[str, Any] | None:
        """The record of a finished cell, or None."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            row = self._database.execute("SELECT record FROM cells WHERE key = ?", (cell_key(cell),)).fetchone()
            return None if row is None else stored.table(row[0])

    def has(self, cell: dict[str, Any]) -> bool:
        """Whether a cell is finished, by this code."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            found = self._database.execute("SELECT 1 FROM cells WHERE key = ?", (cell_key(cell),)).fetchone()
            return found is not None

    def kept(self) -> stored.ByCell[Kept]:
        """What is known of the newest record of each finished cell."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            rows = self._database.execute("SELECT cell, code_version, attempts FROM cells ORDER BY finished_at, key")
            return stored.ByCell((cell, Kept(code, attempts or 1)) for cell, code, attempts in rows)

    def newest(self, cells: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any] | None]:
        """For each of the cells its newest record, by whatever code, or None."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            query = "SELECT cell, rowid FROM cells ORDER BY finished_at, key"
            rows: stored.ByCell[int] = stored.ByCell(self._database.execute(query))
        for cell in cells:
            with self._explained("cannot be read", "it is damaged, name another folder"):
                row = rows.of(cell)
            yield None if row is None else self._record_in(row)

    def rows(self) -> Iterator[Row]:
        """All finished cells in the order in which they were finished, whatever spec or code they belong to."""
        for _, row in self._rows():
            yield row

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever other processes write meanwhile."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.rollback()

    def _rows(self) -> Iterator[tuple[tuple[Any, ...], Row]]:
        """All finished cells as they are in the file, the key first, and as what they are."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            for values in self._database.execute(f"SELECT {_ROW} FROM cells ORDER BY finished_at, key"):
                yield values, stored.row(values[1:])

    def _record_in(self, row: int) -> dict[str, Any]:
        with self._explained("cannot be read", "it is damaged, name another folder"):
            (text,) = self._database.execute("SELECT record FROM cells WHERE rowid = ?", (row,)).fetchone()
            return stored.table(text)

    def put(
        self,
        cell: dict[str, Any],
        record: dict[str, Any],
        seconds: float,
        worker: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Keep the record of a cell, and give up the claim on it; on disk when this returns.

        Args:
            cell, record: plain data.
            seconds, worker, attempts: that it took, where it was computed, and how often it was begun.

        Raises:
            StoreError: it cannot be written, for example on a full disk; what was kept before stays.
            ValueError: NaN or infinity in the record.
        """
        key, text = cell_key(cell), json.dumps(record, allow_nan=False)
        values = (key, canonical(cell), version_of(cell), text, seconds, time.time(), self._run, worker, attempts)
        with self._explained("cannot be written", "finished cells are kept in it"), self._database:
            self._database.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
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

    def failures(self) -> dict[str, Failure]:
        """Why cells could not be computed, by `cell_key`."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            return self._claims.failures()

    def failure(self, cell: dict[str, Any], since: float = 0.0) -> Failure | None:
        """Why a process could not compute the cell, if that was after `since` (seconds since the epoch)."""
        with self._explained("cannot be read", "it is damaged, name another folder"):
            return self._claims.failure(cell_key(cell), since)

    def merge(self, path: "str | Path") -> int:
        """Take over what another store has and this one lacks, such as that of another shard.

        Returns:
            How many cells are new.

        Raises:
            StoreError: the other one cannot be read, or this one not written; then nothing is taken over.
        """
        insert = f"INSERT OR IGNORE INTO cells ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        with Store(path, must_exist=True) as other, other.snapshot():
            before = len(self)
            # Read as for a report, which checks: what is damaged there must not come here.
            runs = [(run.id, run.began, run.spec, json.dumps(run.provenance)) for run in other.runs()]
            with self._explained("cannot be written", "finished cells are kept in it"), self._database:
                self._database.executemany("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)", runs)
                self._database.executemany(insert, (values for values, _ in other._rows()))
        return len(self) - before

    def __len__(self) -> int:
        with self._explained("cannot be read", "it is damaged, name another folder"):
            return self._database.execute("SELECT COUNT(*) FROM cells").fetchone()[0]

    def close(self) -> None:
        """Give up all claims and close the file."""
        self._claims.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _explained(self, what: str, advice: str):
        try:
            yield
        except (OSError, sqlite3.Error, ValueError, TypeError, RecursionError) as error:  # the last three of json.loads
            reason = getattr(error, "strerror", None) or error
            if _is_of_a_full_disk(error, self.path):
                reason = reason if "full" in str(reason) else f"{reason}, the disk is full"
                advice = "finished cells are kept in it, so make space and run the same command again"
            raise StoreError(f"results file {self.path} {what} ({reason}): {advice}") from error


def _is_of_a_full_disk(error: Exception, path: Path) -> bool:
    """SQLite says so where it writes rows; where it begins a log it speaks of an I/O error."""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(error, "errno", None) == errno.ENOSPC:
        return True
    with suppress(OSError):
        return isinstance(error, sqlite3.OperationalError) and shutil.disk_usage(path.parent).free < _LEAST_SPACE
    return False
