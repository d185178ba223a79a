"""The tables of a study's file, and what is no file of a study."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from ._claims import CLAIMS

_CELLS = """
CREATE TABLE IF NOT EXISTS cells (
    key TEXT PRIMARY KEY,
    cell TEXT NOT NULL,
    code_version TEXT NOT NULL,
    record TEXT NOT NULL,
    seconds REAL NOT NULL,
    finished_at REAL NOT NULL,
    run TEXT,
    worker TEXT,
    attempts INTEGER
)
"""
_RUNS = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,
    began REAL NOT NULL,
    spec TEXT,
    provenance TEXT NOT NULL
)
"""
_COLUMNS = {
    "cells": ("key", "cell", "code_version", "record", "seconds", "finished_at", "run", "worker", "attempts"),
    "runs": ("id", "began", "spec", "provenance"),
    "claims": ("key", "owner", "beat", "verdict", "message", "traceback"),
}
FORMAT = 3
"""Format of the file, in its `user_version`; 0 is a new file, or one from before there were claims."""

# Columns that older formats lack; tables that they lack come by themselves.
_LATER = {"cells": {"run": "TEXT", "worker": "TEXT", "attempts": "INTEGER"}, "claims": {"traceback": "TEXT"}}


# What SQLite's write-ahead logs begin with, in either byte order of their checksums; a shorter one is empty.
_LOG_BEGINS, _LOG_HEADER = (bytes.fromhex("377f0682"), bytes.fromhex("377f0683")), 32
_FILE_BEGINS, _SMALLEST_PAGE = b"SQLite format 3\0", 512


def opened(path: Path, *, to_read: bool) -> sqlite3.Connection:
    """A connection to a study's file, with all tables.

    Args:
        path: of the file; without one there it is made.
        to_read: whether reading is enough, where nothing can be written: on an archive, in somebody else's folder.

    Raises:
        sqlite3.DatabaseError: it is damaged, of another program, or of a newer qcgrad.
    """
    _check_files(path)
    is_archive = to_read and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    if is_archive and _log_of(path).is_file() and _log_of(path).stat().st_size:
        raise sqlite3.DatabaseError("it has a log, which takes a folder that can be written to: copy all of its files")
    # Without a log nobody is writing, so that nothing has to be locked.
    name = f"{path.resolve().as_uri()}?mode=ro&immutable=1" if is_archive else str(path)
    database = sqlite3.connect(name, timeout=30, uri=is_archive)
    try:
        _check(database)
        if not is_archive:
            _complete(database)
        elif _lacking(database):
            raise sqlite3.DatabaseError("an older qcgrad made it: copy it to where it can be written to")
    except BaseException:
        database.close()
        raise
    return database


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _check_files(path: Path):
    """Refuse what SQLite would take for empty, and write over: a cut file, a log that is none."""
    begins = b""
    with suppress(FileNotFoundError), _log_of(path).open("rb") as file:
        begins = file.read(_LOG_HEADER)
    if len(begins) == _LOG_HEADER and not begins.startswith(_LOG_BEGINS):
        raise sqlite3.DatabaseError(f"it is damaged: its log {_log_of(path).name} is none")
    # With a log it may end so, where a disk was full; what is missing is in the log.
    if not begins and path.is_file() and path.stat().st_size % _SMALLEST_PAGE:
        with path.open("rb") as file:
            is_cut = _FILE_BEGINS.startswith(file.read(len(_FILE_BEGINS)))
        raise sqlite3.DatabaseError("it is damaged: its end is missing" if is_cut else "file is not a database")


def _check(database: sqlite3.Connection):
    """Refuse what is no file of a study, or a damaged one."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise sqlite3.DatabaseError(f"a newer qcgrad made it, in format {version}; this one reads {FORMAT}")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {verdict}")
    tables = _tables(database)
    for table in tables:
        columns = _columns(database, table)
        if columns + _missing(columns, table) != _COLUMNS.get(table):
            raise sqlite3.DatabaseError(f"it is not of a study: table {table!r} has columns {', '.join(columns)}")
    (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal" and not tables:
        raise sqlite3.DatabaseError("its tables are missing: if it was copied, copy the file that ends in -wal too")


def _complete(database: sqlite3.Connection):
    """Make what a file lacks, before there is a log: a file without its log is then never taken for a new one."""
    with database:
        for table, column in _lacking(database):
            if column:
                database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {_LATER[table][column]}")
        for statement in (_CELLS, _RUNS, CLAIMS):
            database.execute(statement)
        if database.execute("PRAGMA user_version").fetchone()[0] < FORMAT:
            database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute("PRAGMA journal_mode=WAL")


def _lacking(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables, with no column, and columns that older formats lack."""
    tables = _tables(database)
    columns = [(table, column) for table in tables for column in _missing(_columns(database, table), table)]
    return [(table, "") for table in _COLUMNS if table not in tables] + columns


def _tables(database: sqlite3.Connection) -> list[str]:
    return [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _columns(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in database.execute(f"PRAGMA table_info('{table}')"))


def _missing(columns: tuple[str, ...], table: str) -> tuple[str, ...]:
    return tuple(column for column in _LATER.get(table, ()) if column not in columns)
