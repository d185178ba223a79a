"""One cell of a study: what is computed from nothing but its fields."""

import abc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, Self, overload

from ._errors_of_specs import SpecError
from .records import Record, check_finite

MOST_CELLS = 1_000_000
"""Cells of one study: a grid that is larger is a mistake, and whoever means it can write several specs."""

NOT_HERE = ""
"""The `content` of a cell whose source cannot be found on this machine."""


@dataclass(frozen=True, kw_only=True)
class Cell(abc.ABC):
    """One result of a study: plain data, and how its record is computed.

    Attributes:
        kind: tells cells of different classes apart.
        hurries: whether compiling its programs takes longer than running them, as for many small ones.
        seed: of all random numbers.
    """

    kind: ClassVar[str]
    hurries: ClassVar[bool] = True
    seed: int = 0

    @property
    @abc.abstractmethod
    def where(self) -> str:
        """What it is computed on, for people."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """A short name for people."""

    @property
    def effort(self) -> float:
        """A guess of the seconds that it takes; only its ratio to that of others matters.

        Where several workers share a study, what takes long begins first; and the time that is left is told by it.
        """
        return 0.1

    @abc.abstractmethod
    def record(self, notify: Callable[[str], None], max_bytes: int | None) -> Record:
        """What `compute` returns, unchecked."""

    @property
    def data(self) -> dict[str, Any]:
        """All fields that are given, as plain data: what a result is kept under."""
        # Not `asdict`, which copies: plain fields need none, and a study may have 10^5 cells.
        found = {"kind": self.kind}
        for name in _field_names(type(self)):
            if (part := getattr(self, name)) is not None:
                found[name] = part
        return found

    def permitted(self) -> Self:
        """The same cell, which may run the user's code if it has to."""
        return self

    def compute(self, notify: Callable[[str], None] = lambda message: None, *, max_bytes: int | None = None) -> Record:
        """Compute the cell.

        Args:
            notify: told what is going on inside a long cell.
            max_bytes: memory that it may take; by default 80 % of what is free.

        Returns:
            The record, of plain numbers.

        Raises:
            StateTooLarge: it would take more, with the number of bytes and what would fit; nothing is allocated.
            NotApplicable: the method does not apply, or has no bound.
        """
        with _hurried_compilation() if self.hurries else nullcontext():
            record = self.record(notify, max_bytes)
        check_finite(record)
        return record


@lru_cache(maxsize=64)
def _field_names(kind: type[Cell]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class Cells(Sequence[Cell]):
    """The cells of a study, made anew whenever they are gone through: however many there are, they take no room.

    Args:
        make: gives an iterator over all of them.
        part: which of them, with bounds that are not negative.

    Raises:
        SpecError: there are more than `MOST_CELLS`, seen where they are counted or gone through.

    Example:
        >>> from qcgrad.studies.cells import Cells
        >>> from qcgrad.studies.scaling import Scaling
        >>> cells = Cells(lambda: Scaling(methods=("backprop",)).cells(seed=0))
        >>> len(cells), [cell.n for cell in cells[1::2]]
        (4, [3, 5])
    """

    def __init__(self, make: Callable[[], Iterator[Cell]], part: slice = slice(None)):
        self._make, self._part = make, part

    def __iter__(self) -> Iterator[Cell]:
        return islice(_at_most(MOST_CELLS, self._make()), self._part.start, self._part.stop, self._part.step)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | Sequence[Cell]:
        if isinstance(index, slice) and self._part == slice(None):
            return Cells(self._make, index)
        return list(self)[index]


def _at_most(count: int, cells: Iterator[Cell]) -> Iterator[Cell]:
    for number, cell in enumerate(cells):
        if number == count:
            raise SpecError(f"the grid of this study has more than {count:,} cells: leave out values, or split it")
        yield cell


@contextmanager
def _hurried_compilation() -> Iterator[None]:
    """Let XLA compile faster and run slower.

    Cells are many small programs of different sizes, each run a few times: compiling takes most of their
    time. Counted costs do not depend on it.
    """
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
