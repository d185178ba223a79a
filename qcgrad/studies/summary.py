"""What a study shows, as data: every form of report is drawn from it.

Words may be names that users chose, or that stand in a file of results: whatever they hold, they are `plain` here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from .plain import plain


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: may have line breaks.
        shown: what people read, a text for each row.
        values: what programs sort by; None has no value. By default the texts.
        is_text: words, at the left; numbers stand at the right.
        is_essential: narrow tables leave the others out.
        verdicts: whether the texts are "yes", "no" or "not enough range", and coloured so.
    """

    heading: str
    shown: tuple[str, ...]
    values: tuple[float | str | None, ...] = ()
    is_text: bool = False
    is_essential: bool = True
    verdicts: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", tuple(map(plain, self.shown)))
        if not self.values:
            object.__setattr__(self, "values", self.shown)

    @classmethod
    def of_words(
        cls, heading: str, shown: Iterable[str], *, is_essential: bool = True, verdicts: bool = False
    ) -> "Column":
        """A column of words; see the attributes."""
        return cls(heading, tuple(shown), is_text=True, is_essential=is_essential, verdicts=verdicts)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: above it.
        columns: of equal length.
        notes: paragraphs below it: how to read it.
    """

    title: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title))
        object.__setattr__(self, "notes", tuple(map(plain, self.notes)))


@dataclass(frozen=True)
class Curve:
    """Points, or a line through them.

    Attributes:
        label: in the legend; an empty one is left out of it.
        x, y: of equal length.
        error: standard errors of y, or other halves of an interval; none by default.
        colour: curves with equal words have equal colours.
        marker: curves with equal words have equal markers; none without a word.
        is_filled: its markers.
        line: between the points.
        opacity: from 0 to 1.
        band: lower and upper ends of an area around the line, each as long as y; none by default.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] | None = None
    colour: str = ""
    marker: str = ""
    is_filled: bool = True
    line: Literal["none", "solid", "dashed", "dotted"] = "none"
    opacity: float = 1.0
    band: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", plain(self.label))


@dataclass(frozen=True)
class Panel:
    """Axes with curves; both logarithmic unless said otherwise."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    log_x: bool = True
    log_y: bool = True


@dataclass(frozen=True)
class Figure:
    """Panels side by side.

    Attributes:
        name: of its files.
        panels: at least one.
        notes: paragraphs below it.
    """

    name: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """Tables and figures of one kind of study.

    Attributes:
        title: of the section.
        tables, figures: in the order in which they are shown.
        notes: what holds for all of them.
    """

    title: str
    tables: tuple[Table, ...] = field(default_factory=tuple)
    figures: tuple[Figure, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = field(default_factory=tuple)
