"""Running a study: every cell that the store does not have yet, kept as soon as it is done."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

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
        cells: see `cells_of`.
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
    by_key = {cell_key(cell.data): cell for cell in cells}
    with Progress(console, list(by_key.values())) as progress, _Run(by_key, store, progress).claims() as run:
        try:
            while run.waiting:
                before = len(run.waiting)
                # One long cell in the end would leave all other workers idle; alone, first results come soon.
                longest_first = executor.workers > 1
                with contextlib.closing(executor.map(run.claimed(longest_first), progress.show)) as results:
                    for finished in results:
                        run.keep(finished)
                if len(run.waiting) == before:  # all that is left is with other processes
                    time.sleep(_POLL)
        except KeyboardInterrupt:
            done = sum(isinstance(result.end, dict) for result in run.settled.values())
            raise StudyInterrupted(done, len(run.cells)) from None
    return run.outcome()


class _Settled(NamedTuple):
    """What has become of a cell, and whether this process computed it."""

    end: Record | Failure
    is_new: bool


class _Run:
    """One process's part of a run, by the keys of its cells."""

    def __init__(self, cells: dict[str, Cell], store: Store, progress: Progress):
        # Tells failures of this run from older ones, which are tried again.
        self._began = time.time()
        self._store, self._progress = store, progress
        self.cells, self.waiting = cells, dict(cells)
        self.settled: dict[str, _Settled] = {}
        self._mine: set[str] = set()

    def claimed(self, longest_first: bool) -> Iterator[Cell]:
        """The cells to compute here, each claimed when it is asked for; others are settled, or left to who has them."""
        finished = self._store.finished()
        waiting = list(self.waiting.items())
        if longest_first:
            waiting.sort(key=lambda item: -item[1].effort)
        for key, cell in waiting:
            known = self._store.get(cell.data) if key in finished else self._store.failure(cell.data, self._began)
            if known is not None:
                self._settle(key, known, is_new=False)
            elif self._store.claim(cell.data):
                self._mine.add(key)
                yield cell
            else:
                self._progress.show(cell, "another process is at it")

    def keep(self, finished: Finished) -> None:
        """Write down what came of a cell."""
        key = cell_key(finished.cell.data)
        end = finished.end
        if not isinstance(end, Failure):
            try:
                self._store.put(finished.cell.data, end, finished.seconds, finished.worker, finished.attempts)
            except ValueError as error:  # a number that no JSON file can hold
                end = Failure("failed", str(error))
        if isinstance(end, Failure):
            self._store.release(finished.cell.data, end)
        self._mine.discard(key)
        self._settle(key, end, is_new=True)

    @contextlib.contextmanager
    def claims(self) -> Iterator["_Run"]:
        """Whatever ends the run, what was claimed and not finished is free for others."""
        try:
            yield self
        finally:
            with contextlib.suppress(StoreError):  # then the claims grow old by themselves
                for key in self._mine:
                    self._store.release(self.cells[key].data)

    def outcome(self) -> Outcome:
        outcome = Outcome()
        for key, cell in self.cells.items():
            end, is_new = self.settled[key]
            if isinstance(end, Failure):
                (outcome.refused if end.verdict == "refused" else outcome.failures).append((cell, end.message))
            else:
                outcome.records.append((cell, end))
                outcome.computed += is_new
                outcome.reused += not is_new
        return outcome

    def _settle(self, key: str, end: Record | Failure, is_new: bool):
        self.settled[key] = _Settled(end, is_new)
        self._progress.settle(self.waiting.pop(key), is_new=is_new)
