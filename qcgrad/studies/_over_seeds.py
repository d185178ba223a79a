"""Records of equal cells with different draws, taken together: medians and quartiles."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..array_types import Key
from ..keys import as_key
from .cells import Cell
from .records import Record
from .summary import Column, Curve

# Budgets of a curve.
_BUDGETS = 25

C = TypeVar("C", bound=Cell)
Group = list[Record]


class Quartiles(NamedTuple):
    """Median, and the quartiles around it."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half of the distance between the quartiles."""
        return (self.high - self.low) / 2


def key_of(seed: int, repetition: int) -> Key:
    """What one of several equal cells draws with."""
    import jax

    key = as_key(seed)
    assert key is not None  # there is a seed
    return jax.random.fold_in(key, repetition)


def quartiles(values: Iterable[float | None]) -> Quartiles | None:
    """Of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Quartiles(*map(float, np.quantile(known, [0.5, 0.25, 0.75])))


def grouped(rows: Iterable[tuple[C, Record]]) -> dict[C, Group]:
    """Records by their cell, whatever its `repetition`, in order."""
    found: dict[C, Group] = {}
    for cell, record in rows:
        found.setdefault(replace(cell, repetition=0), []).append(record)  # pyright: ignore[reportCallIssue]
    return found


def medians(
    heading: str,
    groups: Iterable[Group],
    value: Callable[[Record], float | None],
    form: str = ".3g",
    *,
    is_essential: bool = True,
    with_quartiles: bool = False,
    missing: str = "",
) -> Column:
    """A column of medians over each group; `missing` says why a member has no value, where it should be said."""
    values = [list(map(value, group)) for group in groups]
    found = [quartiles(each) for each in values]
    shown = tuple(
        _shown(each, form, with_quartiles, _lost(members, missing)) for each, members in zip(found, values, strict=True)
    )
    return Column(heading, shown, tuple(each and each.median for each in found), is_essential=is_essential)


def _lost(members: list[float | None], why: str) -> str:
    lost = members.count(None)
    if not (why and lost):
        return ""
    return why if lost == len(members) else f"{lost} of {len(members)} {why}"


def along(records: Sequence[Sequence[float | None]]) -> list[Quartiles | None]:
    """Quartiles of several sequences place by place, as far as any of them goes."""
    longest = max(map(len, records), default=0)
    return [quartiles(values[k] for values in records if k < len(values)) for k in range(longest)]


def against(runs: Sequence[tuple[Sequence[float], Sequence[float | None]]]) -> list[tuple[float, Quartiles]]:
    """What each budget leads to: quartiles over runs of the last number that the budget pays for.

    Args:
        runs: what was spent until each number, which never falls, and the numbers.

    Returns:
        Budgets that every run can make something of, up to the largest that one spent; the last number of a run that
        has ended stands, unless it is None: no more is known of them all then. None where nothing is spent.
    """
    found = []
    for budget in _budgets([spent for spent, _ in runs]):
        # Ends of the range are rounded.
        last = [int(np.searchsorted(spent, budget * (1 + 1e-9), side="right")) - 1 for spent, _ in runs]
        paid = [numbers[k] for k, (_, numbers) in zip(last, runs, strict=True)]
        # Those that go on, alone, would look better than all of them are.
        if None not in paid and (middle := quartiles(paid)):
            found.append((budget, middle))
    return found


def _budgets(spent: Sequence[Sequence[float]]) -> list[float]:
    if len(set(map(tuple, spent))) == 1:
        return [cost for cost in spent[0] if cost > 0]
    starts = [next((cost for cost in costs if cost > 0), None) for costs in spent]
    known = [start for start in starts if start is not None]
    if len(known) < len(spent):
        return []
    first, most = max(known), max(costs[-1] for costs in spent)
    return np.geomspace(first, most, _BUDGETS).tolist() if most > first else [most]


def curve(label: str, found: Sequence[tuple[float, Quartiles]], **look: Any) -> Curve:
    """Medians with a band between the quartiles."""
    return Curve(
        label,
        tuple(x for x, _ in found),
        tuple(each.median for _, each in found),
        band=(tuple(each.low for _, each in found), tuple(each.high for _, each in found)),
        line="solid",
        **look,
    )


def point(label: str, x: Quartiles | None, y: Quartiles | None, **look: Any) -> Iterator[Curve]:
    """A median with half of the distance between its quartiles; nothing where an axis has no place for it."""
    if x is not None and y is not None and x.median > 0:
        yield Curve(label, (x.median,), (y.median,), (y.spread,), **look)


def _shown(found: Quartiles | None, form: str, with_quartiles: bool, lost: str) -> str:
    if found is None:
        return lost or "–"
    text = format(found.median, form)
    if with_quartiles and found.low != found.high:
        text += f" ({format(found.low, form)} to {format(found.high, form)})"
    return f"{text}, {lost}" if lost else text


def file_name(words: str) -> str:
    """Words as a part of a file's name."""
    return "-".join(re.findall(r"[\w.]+", words))
