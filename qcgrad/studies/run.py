"""Running a study: every cell that the store does not have yet, kept as soon as it is done."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ._progress import Progress
from .cells import Cell
from .executors import AbstractExecutor, Failure, Finished, InProcess
from .identity import cell_key
from .records import Record
from .store import Store, StoreError

if TYPE_CHECKING:
    from rich.console import Console

# Seconds until a look whether other processes have finished.
_POLL = 0.3
# Cells that are held to be put in order.
_WINDOW = 10_000


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study; what was finished is in the store.

    Attributes:
        finished, total: cells in the store, cells of the study.
    """

    def __init__(self, finished: int, total: int):
        super().__init__(f"interrupted with {finished} of {total} cells finished")
        self.finished, self.total = finished, total

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return type(self), (self.finished, self.total)


@dataclass
class Outcome:
    """What a run of a study has to show.

    Attributes:
        records: (cell, record) of every finished cell, in the study's order.
        computed, reused: how many of them were computed here, and how many by an earlier run or another process.
        failures: (cell, message) of cells that could not be computed.
        refused: (cell, message) of cells that would not fit into memory.
    """

    records: list[tuple[Cell, Record]] = field(default_factory=list)
    computed: int = 0
    reused: int = 0
    failures: list[tuple[Cell, str]] = field(default_factory=list)
    refused: list[tuple[Cell, str]] = field(default_factory=list)


def run_cells(
    cells: Iterable[Cell],
    store: Store,
    executor: AbstractExecutor | None = None,
    *,
    console: "Console | None" = None,
) -> Outcome:
    """Compute the cells that the store lacks and return all records.

    This process alone writes what its executor computes, each cell in a transaction of its own. Processes that share
    the store share the work: each computes the cells that no other one is at, waits for those that others are at, and
    returns all records.

    Args:
        cells: of a study; gone through several times, and one by one. What can be gone through once is held.
        store: keeps each record as soon as it is computed.
        executor: computes the cells; one after another in this process by default.
        console: rich console for the progress bar; None shows none. Nothing is shown where its file is no
            terminal.

    Returns:
        An `Outcome`.

    Raises:
        StudyInterrupted: on Ctrl-C, with finished cells kept.
        StoreError: results cannot be written; what was kept before stays.
    """
    executor = executor or InProcess()
    cells = cells if isinstance(cells, Sequence) else tuple(cells)
    with Progress(console, cells) as progress, _Run(cells, store, progress).claims() as run:
        try:
            while True:
                before = run.settled
                # One long cell in the end would leave all other workers idle; alone, first results come soon.
                longest_first = executor.workers > 1
                with contextlib.closing(executor.map(run.claimed(longest_first), progress.show)) as results:
                    for finished in results:
                        run.keep(finished)
                if run.settled == run.total:
                    break
                if run.settled == before:  # all that is left is with other processes
                    time.sleep(_POLL)
        except KeyboardInterrupt:
            raise StudyInterrupted(run.count(_COMPUTED) + run.count(_REUSED), run.total) from None
    return run.outcome()


# What has become of a cell.
_OPEN, _COMPUTED, _REUSED, _FAILED = range(4)


class _Run:
    """One process's part of a run.

    Cells are gone through, and not held: beside those that are being computed, here or by others, it holds a byte for
    each, by its number in the study, and what is said of those that failed.
    """

    def __init__(self, cells: Sequence[Cell], store: Store, progress: Progress):
        # Tells failures of this run from older ones, which are tried again.
        self._began = time.time()
        self._store, self._cells, self._progress = store, cells, progress
        self.total, self.settled = progress.count, 0
        self._states = bytearray(self.total)
        self._failures: dict[int, tuple[Cell, Failure]] = {}
        self._mine: dict[str, tuple[int, Cell]] = {}
        # At first all; then those that others are at.
        self._waiting: Iterable[tuple[int, Cell]] = enumerate(cells)

    def claimed(self, longest_first: bool) -> Iterator[Cell]:
        """The cells to compute here, each claimed when it is asked for; others are settled, or left to who has them."""
        waiting, left = self._waiting, []
        self._waiting = left
        for number, cell in _longest_first(waiting) if longest_first else waiting:
            if self._store.has(cell.data):
                self._settle(number, cell, _REUSED)
            elif failure := self._store.failure(cell.data, self._began):
                self._fail(number, cell, failure, is_new=False)
            elif (key := cell_key(cell.data)) not in self._mine and self._store.claim(cell.data):
                self._mine[key] = number, cell
                yield cell
            else:
                left.append((number, cell))
                self._progress.show(cell, "another process is at it")

    def keep(self, finished: Finished) -> None:
        """Write down what came of a cell."""
        key = cell_key(finished.cell.data)
        number, cell = self._mine[key]
        end = finished.end
        if not isinstance(end, Failure):
            try:
                self._store.put(cell.data, end, finished.seconds, finished.worker, finished.attempts)
            except ValueError as error:  # a number that no JSON file can hold
                end = Failure("failed", str(error))
        if isinstance(end, Failure):
            self._store.release(cell.data, end)
            self._fail(number, cell, end, is_new=True)
        else:
            self._settle(number, cell, _COMPUTED)
        del self._mine[key]

    @contextlib.contextmanager
    def claims(self) -> Iterator["_Run"]:
        """Whatever ends the run, what was claimed and not finished is free for others."""
        try:
            yield self
        finally:
            with contextlib.suppress(StoreError):  # then the claims grow old by themselves
                for _, cell in self._mine.values():
                    self._store.release(cell.data)

    def count(self, state: int) -> int:
        """How many cells are in that state."""
        return self._states.count(state)

    def outcome(self) -> Outcome:
        """All that is known of the cells; records are read back, as a later report reads them."""
        outcome = Outcome(computed=self.count(_COMPUTED), reused=self.count(_REUSED))
        for cell, failure in (self._failures[number] for number in sorted(self._failures)):
            (outcome.refused if failure.verdict == "refused" else outcome.failures).append((cell, failure.message))
        for state, cell in zip(self._states, self._cells, strict=True):
            if state != _FAILED:
                record = self._store.get(cell.data)
                if record is None:
                    outcome.failures.append((cell, "what it is computed from changed meanwhile: run the study again"))
                else:
                    outcome.records.append((cell, record))
        return outcome

    def _fail(self, number: int, cell: Cell, failure: Failure, *, is_new: bool):
        self._failures[number] = cell, failure
        self._settle(number, cell, _FAILED, is_new=is_new)

    def _settle(self, number: int, cell: Cell, state: int, *, is_new: bool | None = None):
        self._states[number] = state
        self.settled += 1
        self._progress.settle(cell, is_new=state == _COMPUTED if is_new is None else is_new)


def _longest_first(numbered: Iterable[tuple[int, Cell]]) -> Iterator[tuple[int, Cell]]:
    """Cells in windows of many, since all of them may be too many to hold."""
    left = iter(numbered)
    while window := list(islice(left, _WINDOW)):
        yield from sorted(window, key=lambda item: -item[1].effort)
