"""Parts of tables that kinds of study share in which something learns."""

from collections.abc import Iterable, Iterator, Sequence

from .._over_seeds import Group, medians
from ..cells import Cell
from ..records import Record
from ..summary import Column, Table
from ._cell import LearningCell
from ._names import Names, rule, task


def naming(cells: Iterable[LearningCell], names: Names) -> Iterator[Column]:
    """Task and rule, and what else differs from row to row."""
    known = list(cells)
    yield Column.of_words("task", map(task, known))
    yield Column.of_words("rule", map(rule, known))
    for heading, part in (("network", names.network), ("optimizer", names.optimizer), ("training", names.setting)):
        if any(map(part, known)):
            yield Column.of_words(heading, map(part, known))


ENDS = "A curve ends where a training diverges, and there is no point for it."
"""What figures say where one does."""


def after(heading: str, groups: Iterable[Group], name: str, *, is_essential: bool = True) -> Column:
    """What trainings lead to: medians with quartiles of those that did not diverge, and how many did."""
    return medians(
        heading,
        groups,
        lambda record: record["along"][name][-1],
        with_quartiles=True,
        is_essential=is_essential,
        missing="diverged",
    )


def trained(groups: Iterable[tuple[LearningCell, Group]]) -> Column:
    """How many trainings there are, and which came to their end."""
    return Column.of_words("seeds", (_trained(cell, group) for cell, group in groups))


def _trained(cell: LearningCell, group: Group) -> str:
    whole = sum(record["finite_steps"] == cell.steps for record in group)
    return str(whole) if whole == len(group) else f"{whole} of {len(group)}, others diverged"


def diverged(groups: Iterable[tuple[LearningCell, Group]]) -> bool:
    """Whether any training did."""
    return any(record["finite_steps"] < cell.steps for cell, group in groups for record in group)


def refusals(title: str, rows: Sequence[tuple[Cell, Record]]) -> list[Table]:
    """A table of what was refused, and why; each reason once for all that it is the same for."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for cell, record in rows:
        if "refused" in record:
            found.setdefault((cell.where, record["refused"]), {})[_choice(cell)] = None
    if not found:
        return []
    columns = (
        Column.of_words("what", (" · ".join(choices) for choices in found.values())),
        Column.of_words("where", (where for where, _ in found)),
        Column.of_words("why", (why for _, why in found)),
    )
    return [Table(title, columns)]


def _choice(cell: Cell) -> str:
    """What was to be done there: the rest of a cell's label."""
    return rule(cell) if isinstance(cell, LearningCell) else cell.label.partition(f", {cell.where}")[0]
