"""Running a study: every cell that the store does not have yet, kept as soon as it is done."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

from ..errors import QcgradError, StateTooLarge
from ._claims import Failure
from .cells import Cell
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
    *,
    compute: Callable[[Cell, Callable[[str], None]], Record] = Cell.compute,
    console: "Console | None" = None,
    debug: bool = False,
) -> Outcome:
    """Compute the cells that the store lacks and return all records.

    Processes that share the store share the work: each computes the cells that no other one is at, waits for those
    that others are at, and returns all records.

    Args:
        cells: see `cells_of`.
        store: keeps each record as soon as it is computed.
        compute: what computes a cell.
        console: rich console for the progress bar; None shows none. Nothing is shown where its file is no
            terminal.
        debug: raise the first error of a cell instead of noting it and going on.

    Returns:
        An `Outcome`.

    Raises:
        StudyInterrupted: on Ctrl-C, with finished cells kept.
        StoreError: results cannot be written; what was kept before stays.
    """
    wanted = list(cells)
    settled: dict[int, Settled] = {}
    run = _Run(store, compute, debug, time.time())
    with _progress(console, len(wanted)) as progress:
        try:
            while len(settled) < len(wanted):
                before = len(settled)
                for index, cell in enumerate(wanted):
                    if index not in settled and (result := run.settle(cell, progress.of(cell, len(settled)))):
                        settled[index] = result
                if len(settled) == before:  # all that is left is with other processes
                    time.sleep(_POLL)
        except KeyboardInterrupt:
            finished = sum(isinstance(result.end, dict) for result in settled.values())
            raise StudyInterrupted(finished, len(wanted)) from None
    return _outcome(wanted, settled)


class Settled(NamedTuple):
    """What has become of a cell, and whether this process computed it."""

    end: Record | Failure
    is_new: bool


@dataclass
class _Run:
    """One process's part of a run; `began` tells failures of this run from older ones, which are tried again."""

    store: Store
    compute: Callable
    debug: bool
    began: float

    def settle(self, cell: Cell, notify: Callable[[str], None]) -> Settled | None:
        """Find or compute what belongs to a cell; None while another process is at it."""
        for known in (self.store.get(cell.data), self.store.failure(cell.data, self.began)):
            if known is not None:
                return Settled(known, is_new=False)
        if not self.store.claim(cell.data):
            notify("another process is at it")
            return None
        return self._compute(cell, notify)

    def _compute(self, cell, notify) -> Settled:
        began = time.perf_counter()
        try:
            record = self.compute(cell, notify)
            self.store.put(cell.data, record, time.perf_counter() - began)
            return Settled(record, is_new=True)
        except (KeyboardInterrupt, StoreError):
            self.store.release(cell.data)
            raise
        except Exception as error:  # one impossible cell must not cost the others
            if "KeyboardInterrupt" in str(error):  # JAX wraps what interrupts a callback
                self.store.release(cell.data)
                raise KeyboardInterrupt from error
            failure = _failure(error)
            self.store.release(cell.data, failure)
            if self.debug:
                raise
            return Settled(failure, is_new=True)


def _failure(error: Exception) -> Failure:
    if isinstance(error, StateTooLarge):
        return Failure("refused", str(error))
    # A refusal by name says all there is to say; of other errors the kind helps.
    is_refusal = isinstance(error, (QcgradError, ValueError)) and str(error)
    return Failure("failed", str(error) if is_refusal else f"{type(error).__name__}: {error}")


def _outcome(cells: list[Cell], settled: dict[int, Settled]) -> Outcome:
    outcome = Outcome()
    for index, cell in enumerate(cells):
        end, is_new = settled[index]
        if isinstance(end, Failure):
            (outcome.refused if end.verdict == "refused" else outcome.failures).append((cell, end.message))
        else:
            outcome.records.append((cell, end))
            outcome.computed += is_new
            outcome.reused += not is_new
    return outcome


class _progress:
    """A bar over the cells, with the one that is running and what it is doing."""

    def __init__(self, console: "Console | None", total: int):
        self.console, self.total = console, total
        self.bar, self.task = None, None

    def __enter__(self) -> Self:
        if self.console is not None and self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
            text = TextColumn("{task.description}", markup=False)
            self.bar = Progress(*columns, text, console=self.console, transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total)
        return self

    def of(self, cell: Cell, finished: int) -> Callable[[str], None]:
        """What a cell says goes beside the bar, which shows how many are finished."""
        name = cell.label

        def show(message: str):
            if self.bar is not None and self.task is not None:
                self.bar.update(self.task, completed=finished, description=f"{name}: {message}" if message else name)

        show("")
        return show

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
