"""A bar over the cells of a study, for terminals."""

from typing import TYPE_CHECKING, Any, Self

from .cells import Cell
from .plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console


class Progress:
    """How many cells are finished, the time that is left, and what is being done.

    Time is told by the effort that is left (see `Cell.effort`) and by how fast it got less here, with however many
    workers: many short cells say little of a few long ones.

    Args:
        console: a rich console; None, or one whose file is no terminal, shows nothing.
        cells: of the study, gone through once.

    Attributes:
        count: how many they are.
    """

    def __init__(self, console: "Console | None", cells: "Iterable[Cell]"):
        self._console = console if console is not None and console.is_terminal else None
        self.count, self._settled, self._left = 0, 0, 0.0
        for cell in cells:
            self.count += 1
            self._left += cell.effort
        self._computed = 0.0
        self._running: dict[int, tuple[Cell, str]] = {}
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._console is not None:
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            count, text = TextColumn("{task.fields[count]}"), TextColumn("{task.description}", markup=False)
            times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
            columns = (BarColumn(bar_width=24), count, *times, text)
            self._bar = Bar(*columns, console=self._console, transient=True, speed_estimate_period=600)
            self._bar.start()
            self._task = self._bar.add_task("", total=self._left, count="")
        return self

    def show(self, cell: Cell, message: str) -> None:
        """What a cell says goes beside the bar."""
        self._running[id(cell)] = cell, message
        self._draw(cell, message)

    def settle(self, cell: Cell, *, is_new: bool) -> None:
        """It is known what became of a cell, and whether it was computed here."""
        self._running.pop(id(cell), None)
        self._settled += 1
        self._left -= cell.effort
        self._computed += cell.effort * is_new
        self._draw(*next(reversed(self._running.values()), (None, "")))

    def _draw(self, cell: Cell | None, message: str):
        if self._bar is None:
            return
        text = ""
        if cell is not None:
            others = len(self._running) - 1
            text = cell.label + (f": {message}" if message else "") + (f" (and {others} more)" if others else "")
        # What others computed took no time here, so it is no part of the whole that the speed refers to.
        progress = {"completed": self._computed, "total": self._computed + self._left}
        self._bar.update(self._task, **progress, count=f"{self._settled}/{self.count}", description=plain(text))

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
