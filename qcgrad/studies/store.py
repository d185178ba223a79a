"""Results of a study in one SQLite file: a row for each finished cell, nothing lost on a kill."""

import csv
import hashlib
import importlib.metadata
import json
import sqlite3
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cells (
    key TEXT PRIMARY KEY,
    cell TEXT NOT NULL,
    code_version TEXT NOT NULL,
    record TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished_at REAL NOT NULL
)
"""


class StoreError(RuntimeError):
    """The file of results cannot be used."""


class Store:
    """One study's results, keyed by what was computed and by which code.

    Each row is committed as soon as its cell is done, in write-ahead-log mode, so a killed process loses
    at most the cell that was running.

    Args:
        path: the SQLite file; its folder is created.

    Raises:
        StoreError: the file is not a SQLite database or cannot be written.

    Example:
        >>> import tempfile
        >>> from qcgrad.studies.store import Store
        >>> with tempfile.TemporaryDirectory() as folder, Store(f"{folder}/study.sqlite") as store:
        ...     store.put({"method": "adjoint"}, {"gates": 3}, seconds=0.1)
        ...     store.get({"method": "adjoint"}), store.get({"method": "backprop"})
        ({'gates': 3}, None)
    """

    def __init__(self, path: "str | Path"):
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.path, timeout=30)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(_SCHEMA)
            self._database.commit()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"results file {self.path} cannot be used ({error}): name another folder") from error

    def get(self, cell: dict[str, Any]) -> dict[str, Any] | None:
        """The record of a finished cell, or None."""
        row = self._database.execute("SELECT record FROM cells WHERE key = ?", (cell_key(cell),)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, cell: dict[str, Any], record: dict[str, Any], seconds: float):
        """Keep the record of a cell; on disk when this returns."""
        values = (cell_key(cell), _canonical(cell), code_version(), json.dumps(record), seconds, time.time())
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?)", values)

    def __len__(self):
        return self._database.execute("SELECT COUNT(*) FROM cells").fetchone()[0]

    def close(self):
        """Close the file."""
        self._database.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def cell_key(cell: dict[str, Any]) -> str:
    """What identifies a cell's result: a hash of the cell and of the code that computes it."""
    return hashlib.sha256(f"{_canonical(cell)}\n{code_version()}".encode()).hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Package version and a hash of the package's sources and circuits: another code, other results."""
    from ..interop.library import list_circuits

    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for source in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".so")):
        digest.update(source.relative_to(root).as_posix().encode())
        digest.update(source.read_bytes())
    for circuit in list_circuits():
        digest.update(circuit.path.read_bytes())
        digest.update(repr((circuit.terms, circuit.params.tolist())).encode())
    return f"{_package_version()}+{digest.hexdigest()[:16]}"


def _package_version() -> str:
    try:
        return importlib.metadata.version("qcgrad")
    except importlib.metadata.PackageNotFoundError:  # a source tree that was never installed
        return "0"


def write_csv(path: "str | Path", rows: list[dict[str, Any]]):
    """Write flat rows; the columns are all their keys in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _canonical(cell) -> str:
    return json.dumps(cell, sort_keys=True)
