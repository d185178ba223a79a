"""The interface, and its plainest case."""

import abc
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Self

from ..cells import Cell
from ..records import Record
from ._attempt import Finished, attempt

Notify = Callable[[Cell, str], None]
"""Told of a cell what it is doing; nothing at all when it begins."""


def _silent(cell: Cell, message: str) -> None:
    pass


class AbstractExecutor(abc.ABC):
    """Computes cells somewhere, until it is closed: `with` does that."""

    @property
    def workers(self) -> int:
        """How many cells it computes side by side now."""
        return 1

    @property
    def machines(self) -> dict[str, Any]:
        """What computes, where that is not only this machine: see `provenance`, by host."""
        return {}

    def close(self) -> None:
        """Give back what it holds."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def map(self, cells: Iterable[Cell], notify: Notify = _silent) -> Generator[Finished, None, None]:
        """Yield each cell with what became of it, in the order in which they are done.

        Args:
            cells: taken one by one when there is room to compute it, not before: whoever makes them may claim them
                then.
            notify: told what is being computed.

        Raises:
            KeyboardInterrupt: Ctrl-C. Cells that were being computed are given up, at the latest when the iterator is
                closed.
        """


class InProcess(AbstractExecutor):
    """One cell after another, here.

    Args:
        max_bytes: memory that a cell may take; by default 80 % of what is free.
        compute: what computes a cell.
        raise_errors: raise the error of a cell instead of a `Failure`, to find out where it comes from.

    Example:
        >>> from qcgrad.studies.executors import InProcess
        >>> from qcgrad.studies.scaling import Scaling
        >>> cells = list(Scaling(methods=("backprop",)).cells(seed=0))
        >>> [finished.end["M"] for finished in InProcess().map(cells[:2])]
        [3, 15]
    """

    def __init__(
        self,
        max_bytes: int | None = None,
        *,
        compute: Callable[[Cell, Callable[[str], None]], Record] | None = None,
        raise_errors: bool = False,
    ):
        self._compute = compute or partial(Cell.compute, max_bytes=max_bytes)
        self._caught = () if raise_errors else (Exception,)

    def map(self, cells: Iterable[Cell], notify: Notify = _silent) -> Generator[Finished, None, None]:
        for cell in cells:
            notify(cell, "")
            yield attempt(cell, self._compute, partial(notify, cell), caught=self._caught)
