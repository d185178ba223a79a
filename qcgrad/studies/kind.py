"""What a kind of study has to say: its cells, and what they show."""

import abc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from .cells import Cell
from .plain import commands_in
from .records import Record
from .summary import Summary

# Text and booleans are no numbers, though they could be read as some.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]

_MOST_SEEDS = 1000

# Of a name or title; paths have no more.
_MOST_CHARACTERS = 4096


class Part(BaseModel):
    """Checked plain data that nobody changes afterwards."""

    # A misspelt field would silently fall back to its default, so it is an error.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AbstractKind(Part, abc.ABC):
    """One kind of study with its grid."""

    @abc.abstractmethod
    def cells(self, seed: int) -> Iterator[Cell]:
        """The cells in the order in which they run."""

    @abc.abstractmethod
    def is_mine(self, cell: Cell) -> bool:
        """Whether a cell is of this kind."""

    @abc.abstractmethod
    def summary(self, records: Sequence[tuple[Cell, Record]]) -> Summary:
        """What the records of its cells show, however many of them there are."""

    def circuits_named(self) -> tuple[str, ...]:
        """Names of all circuits that its cells are on, see `CircuitNames`."""
        return ()

    def with_files_in(self, folder: Path) -> Self:
        """With absolute names for files, which are relative to `folder`."""
        return self

    def within(self, max_qubits: int) -> Self | None:
        """Without anything on more qubits; None where nothing is left."""
        return self

    def quick(self) -> Self:
        """A smaller study, to look around."""
        return self


def check_words(text: str) -> str:
    """A name or title that can be shown, and be that of a file.

    Raises:
        ValueError: it is too long, or has characters that command a terminal or turn what stands beside them.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{text[:40]!r}... has {len(text):,} characters: give at most {_MOST_CHARACTERS:,}")
    if found := commands_in(text):
        raise ValueError(f"{text!r:.200} has the control character {found[0]!a}: leave it out")
    return text


Words = Annotated[str, AfterValidator(check_words)]
"""A name or a title."""


def _so_many_or_these(seeds: Any) -> Any:
    if isinstance(seeds, bool) or not isinstance(seeds, int):
        return seeds
    if not 1 <= seeds <= _MOST_SEEDS:
        raise ValueError(f"{seeds} given: give a number from 1 to {_MOST_SEEDS}, or a list of seeds")
    return tuple(range(seeds))


def distinct(values: tuple) -> tuple:
    """Each value once: a point that counts twice would make every fit look better than it is."""
    return tuple(dict.fromkeys(values))


Seeds = Annotated[
    tuple[Annotated[Whole, Field(ge=0, lt=2**31)], ...],
    Field(min_length=1, max_length=_MOST_SEEDS),
    BeforeValidator(_so_many_or_these),
    AfterValidator(distinct),
]
"""A number n, for 0 to n - 1, or a list; added to the study's seed."""
