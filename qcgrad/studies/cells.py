"""One cell of a study: what is computed from nothing but its fields."""

import abc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from .records import Record, check_finite


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
        return {"kind": self.kind} | {name: part for name, part in asdict(self).items() if part is not None}

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
