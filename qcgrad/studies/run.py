"""Running a study: every cell that the store does not have yet, kept as soon as it is done."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .cells import Record
from .cells import compute as compute_cell
from .plan import Cell, label
from .store import Store


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study; what was finished is in the store.

    Attributes:
        finished, total: cells in the store, cells of the study.
    """

    def __init__(self, finished: int, total: int):
        super().__init__(f"interrupted with {finished} of {total} cells finished")
        self.finished, self.total = finished, total

    def __reduce__(self):
        return type(self), (self.finished, self.total)


@dataclass
class Outcome:
    """What a run of a study has to show.

    Attributes:
        records: (cell, record) of every finished cell, in the study's order.
        computed, reused: how many of them were computed now, and how many the store had.
        failures: (cell, message) of cells that could not be computed.
    """

    records: list[tuple[Cell, Record]] = field(default_factory=list)
    computed: int = 0
    reused: int = 0
    failures: list[tuple[Cell, str]] = field(default_factory=list)


def run_cells(
    cells: Iterable[Cell],
    store: Store,
    *,
    compute: Callable[[Cell, Callable[[str], None]], Record] = compute_cell,
    console=None,
    debug: bool = False,
) -> Outcome:
    """Compute the cells that the store lacks and return all records.

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
    """
    pending = list(cells)
    outcome = Outcome()
    with _progress(console, len(pending)) as advance:
        try:
            for cell in pending:
                advance(cell, "")
                _run_cell(cell, store, compute, outcome, advance, debug)
        except KeyboardInterrupt:
            raise StudyInterrupted(len(outcome.records), len(pending)) from None
    return outcome


def _run_cell(cell, store, compute, outcome: Outcome, advance, debug):
    record = store.get(cell)
    if record is not None:
        outcome.reused += 1
        outcome.records.append((cell, record))
        return
    began = time.perf_counter()
    try:
        record = compute(cell, lambda message: advance(cell, message))
    except Exception as error:  # one impossible cell must not cost the others
        if debug:
            raise
        outcome.failures.append((cell, f"{type(error).__name__}: {error}"))
        return
    seconds = time.perf_counter() - began
    store.put(cell, record, seconds)
    outcome.computed += 1
    outcome.records.append((cell, record))


class _progress:
    """A bar over the cells; calling it shows which one is running and what it is doing."""

    def __init__(self, console, total):
        self.console, self.total = console, total
        self.bar, self.task, self.current = None, None, None

    def __enter__(self):
        if self.console is not None and self.console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
            text = TextColumn("{task.description}", markup=False)
            self.bar = Progress(*columns, text, console=self.console, transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total)
        return self

    def __call__(self, cell: Cell, message: str):
        if self.bar is None or self.task is None:
            return
        if self.current is not None and self.current is not cell:
            self.bar.advance(self.task)
        self.current = cell
        text = label(cell)
        self.bar.update(self.task, description=f"{text}: {message}" if message else text)

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.stop()
