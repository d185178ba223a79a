"""The tables of a study's file, and what is no file of a study."""

import sqlite3

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
    database.execute("PRAGMA journal_mode=WAL")
    with database:
        for table in tables:
            for column in _missing(_columns(database, table), table):
                database.execute(f"ALTER TABLE {table} ADD COLUMN {column} {_LATER[table][column]}")
        for statement in (_CELLS, _RUNS, CLAIMS):
            database.execute(statement)
        if version < FORMAT:
            database.execute(f"PRAGMA user_version = {FORMAT}")


def _columns(database: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1] for row in database.execute(f"PRAGMA table_info('{table}')"))


def _missing(columns: tuple[str, ...], table: str) -> tuple[str, ...]:
    return tuple(column for column in _LATER.get(table, ()) if column not in columns)
