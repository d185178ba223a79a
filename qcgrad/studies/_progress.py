"""A bar over the cells of a study, for terminals."""

from typing import TYPE_CHECKING, Self

from .cells import Cell
from .plain import plain

if TYPE_CHECKING:
    from rich.console import Console


class Progress:
    """How many cells are finished, the time that is left, and what is being done.

    Args:
        console: a rich console; None, or one whose file is no terminal, shows nothing.
        total: cells of the study.
    """

    def __init__(self, console: "Console | None", total: int):
        self._console, self._total = console, total
        self._bar, self._task = None, None
        self.finished = 0

    def __enter__(self) -> Self:
        if self._console is not None and self._console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
            text = TextColumn("{task.description}", markup=False)
            columns = (BarColumn(bar_width=24), MofNCompleteColumn(), *times, text)
            self._bar = Bar(*columns, console=self._console, transient=True, speed_estimate_period=600)
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        return self

    def show(self, cell: Cell, message: str) -> None:
        """What a cell says goes beside the bar."""
        if self._bar is not None and self._task is not None:
            text = plain(f"{cell.label}: {message}" if message else cell.label)
            self._bar.update(self._task, completed=self.finished, description=text)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
