"""The tables of a study's file, and what is no file of a study."""

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


def check_files(path: Path) -> None:
    """Refuse what SQLite would take for empty, and write over: a cut file, a log that is none.

    Raises:
        sqlite3.DatabaseError: the file, or its log, is damaged.
    """
    log = path.with_name(f"{path.name}-wal")
    begins = b""
    with suppress(FileNotFoundError), log.open("rb") as file:
        begins = file.read(_LOG_HEADER)
    if len(begins) == _LOG_HEADER and not begins.startswith(_LOG_BEGINS):
        raise sqlite3.DatabaseError(f"it is damaged: its log {log.name} is none")
    # With a log it may end so, where a disk was full; what is missing is in the log.
    if not begins and path.is_file() and path.stat().st_size % _SMALLEST_PAGE:
        is_cut = _FILE_BEGINS.startswith(path.read_bytes()[: len(_FILE_BEGINS)])
        raise sqlite3.DatabaseError("it is damaged: its end is missing" if is_cut else "file is not a database")


def prepare(database: sqlite3.Connection) -> None:
    """Check that a file is of a study, and make what it lacks.

    Raises:
        sqlite3.DatabaseError: it is damaged, of another program, or of a newer qcgrad.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise sqlite3.DatabaseError(f"a newer qcgrad made it, in format {version}; this one reads {FORMAT}")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {verdict}")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        columns = _columns(database, table)
        if columns + _missing(columns, table) != _COLUMNS.get(table):
            raise sqlite3.DatabaseError(f"it is not of a study: table {table!r} has columns {', '.join(columns)}")
    (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal" and not tables:
        raise sqlite3.DatabaseError("its tables are missing: if it was copied, copy the file that ends in -wal too")
    # Before there is a log, so that a file without its log is never taken for a new one.
    with database:
        for table in tables:
            for column in _missing(_columns(database, table), table):
                database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {_LATER[table][column]}")
        for statement in (_CELLS, _RUNS, CLAIMS):
            database.execute(statement)
        if version < FORMAT:
            database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute("PRAGMA journal_mode=WAL")


def _columns(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in database.execute(f"PRAGMA table_info('{table}')"))


def _missing(columns: tuple[str, ...], table: str) -> tuple[str, ...]:
    return tuple(column for column in _LATER.get(table, ()) if column not in columns)
