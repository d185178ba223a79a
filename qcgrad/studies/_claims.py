"""Who computes what: processes that share a file of results claim each cell before they compute it.

A claim is a row with its owner and a time that a thread of the owner renews. Where the time is old the owner has died,
and the next process takes the cell over. A process that was only asleep loses nothing but the work on that cell.
"""

import os
import socket
import sqlite3
import threading
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path

from .executors import Failure

CLAIMS = """
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    beat REAL NOT NULL,
    verdict TEXT,
    message TEXT,
    traceback TEXT
)
"""

BEAT = 1.0
"""Seconds between two renewals."""

STALE = 15.0
"""Seconds without one after which the owner counts as dead; long against one call that holds the interpreter's lock."""

# One statement, so that of two processes one wins. A claim with a verdict is of a cell that could not be computed.
_TAKE = """
INSERT INTO claims (key, owner, beat) SELECT :key, :owner, :now
WHERE NOT EXISTS (SELECT 1 FROM cells WHERE key = :key)
ON CONFLICT (key) DO UPDATE SET owner = :owner, beat = :now, verdict = NULL, message = NULL, traceback = NULL
WHERE claims.owner = :owner OR claims.verdict IS NOT NULL OR abs(:now - claims.beat) > :stale
"""


class Claims:
    """The claims of one process in the file of results.

    Args:
        database: open connection to the file, with its tables.
        path: of the file, for the thread's own connection.
    """

    def __init__(self, database: sqlite3.Connection, path: Path):
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._database, self._path = database, path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, key: str) -> bool:
        """Claim a cell; False if it is finished, or claimed by a process that lives."""
        self._start()
        settings = {"key": key, "owner": self.owner, "now": time.time(), "stale": STALE}
        with self._database:
            return self._database.execute(_TAKE, settings).rowcount == 1

    def drop(self, key: str) -> None:
        """Forget all claims on a finished cell, in the transaction that is open."""
        self._database.execute("DELETE FROM claims WHERE key = ?", (key,))

    def release(self, key: str, failure: Failure | None) -> None:
        """End the own claim, with what came of it."""
        with self._database:
            if failure is None:
                self._database.execute("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self.owner))
            else:
                self._database.execute(
                    "UPDATE claims SET beat = ?, verdict = ?, message = ?, traceback = ? WHERE key = ? AND owner = ?",
                    (time.time(), *failure, key, self.owner),
                )

    def failure(self, key: str, since: float) -> Failure | None:
        """What came of a claim that ended without a record after `since`."""
        query = "SELECT verdict, message, traceback FROM claims WHERE key = ? AND verdict IS NOT NULL AND beat >= ?"
        row = self._database.execute(query, (key, since)).fetchone()
        return None if row is None else Failure(*row)

    def failures(self) -> dict[str, Failure]:
        """What came of all claims that ended without a record, by key."""
        rows = self._database.execute("SELECT key, verdict, message, traceback FROM claims WHERE verdict IS NOT NULL")
        return {key: Failure(*rest) for key, *rest in rows}

    def close(self) -> None:
        """End the thread and all own claims."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        # Where even this cannot be written, the claims grow old by themselves.
        with suppress(sqlite3.Error), self._database:
            self._database.execute("DELETE FROM claims WHERE owner = ? AND verdict IS NULL", (self.owner,))

    def _start(self):
        if self._thread is None:
            self._thread = threading.Thread(target=self._renew, name="qcgrad-claims", daemon=True)
            self._thread.start()

    def _renew(self):
        with closing(sqlite3.connect(self._path, timeout=30)) as database:
            while not self._stop.wait(BEAT):
                # A full disk or a lock now is no reason to give up: the next beat may succeed.
                with suppress(sqlite3.Error), database:
                    update = "UPDATE claims SET beat = ? WHERE owner = ? AND verdict IS NULL"
                    database.execute(update, (time.time(), self.owner))
                # So that the file without its log, as some copy it, lacks little of a run that was killed.
                with suppress(sqlite3.Error):
                    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
