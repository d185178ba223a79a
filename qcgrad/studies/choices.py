"""Names with options as specs write them: what is chosen of a catalogue, and grids over its options."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from ..catalogue import Option, nearest_method
from .cells import MOST_CELLS

Written = str | dict[str, Any]
"""A name, or a table with `name` and options."""

# Points of a grid that are made when a spec is read, which every command does: of rules that takes half a second.
_MOST_TRIED = 300


class Choosable(Protocol):
    """What can be chosen by name: an `Entry` of the catalogue, or a `Maker`."""

    @property
    def name(self) -> str: ...
    @property
    def options(self) -> tuple[Option, ...]: ...
    @property
    def make(self) -> Callable[..., Any]: ...


class Maker(NamedTuple):
    """A function that is chosen by name.

    Attributes:
        name: in kebab case.
        options: what a spec may say.
        make: called with options, to hear what it refuses.
    """

    name: str
    options: tuple[Option, ...]
    make: Callable[..., Any]


def checked(written: Written, known: Mapping[str, Choosable], kind: str) -> dict[str, Any]:
    """A choice with the values of its options, each in a list.

    Args:
        written: a name, or a table with `name` and options; an option that is a list is a grid of its different
            values, and one that takes a list is a grid where its members are lists.
        known: what may be chosen; `make` is called with every point of the grid, to hear what it refuses. Of a grid
            with more than a few hundred points, each value is tried with the first ones of the other options, and what
            is refused beyond that fails as a cell.
        kind: what is chosen, in words.

    Raises:
        ValueError: an unknown name or option, a missing one, a value that is refused, a grid of more than `MOST_CELLS`.
    """
    given = {"name": written} if isinstance(written, str) else dict(written)
    if not isinstance(given.get("name"), str):
        article = "an" if kind[0] in "aeiou" else "a"
        raise ValueError(f'{written!r}: give the name of {article} {kind}, or a table such as {{name = "..."}}')
    entry = known[nearest_method(given.pop("name"), known, kind)]
    options = [option.name for option in entry.options]
    for name in given:
        if name not in options:
            raise ValueError(f"{entry.name} has no option {name!r}: it has {', '.join(options) or 'none'}")
    for option in entry.options:
        if option.is_required and option.name not in given:
            raise ValueError(f"{entry.name} needs {option.name}: {option.help}")
    grid = {option.name: _values(entry, option, given[option.name]) for option in entry.options if option.name in given}
    found = {"name": entry.name, **grid}
    if (count := points(found)) > MOST_CELLS:
        raise ValueError(
            f"{entry.name}: its options make {count:,} instances, {MOST_CELLS:,} are allowed: leave some out"
        )
    for point in _tried(grid):
        try:
            entry.make(**_with_tuples(point))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{entry.name}: {error}") from error
    return found


def _tried(grid: dict[str, list]) -> Iterator[dict[str, Any]]:
    """The points to make: all of a small grid; of a large one each value alone, options in turn, up to a number."""
    if math.prod(map(len, grid.values())) <= _MOST_TRIED:
        yield from _product(grid)
        return
    first = {option: values[0] for option, values in grid.items()}
    later = (
        {**first, option: values[number]}
        for number in range(1, max(map(len, grid.values())))
        for option, values in grid.items()
        if number < len(values)
    )
    yield from itertools.islice(itertools.chain([first], later), _MOST_TRIED)


def points(choice: Written) -> int:
    """How many `instances` a checked choice has."""
    assert isinstance(choice, dict)  # what is checked is one
    return math.prod(len(values) for option, values in choice.items() if option != "name")


def instances(choice: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, options as JSON) for each point of a checked choice's grid."""
    grid = {option: values for option, values in choice.items() if option != "name"}
    for options in _product(grid):
        yield choice["name"], json.dumps(options, sort_keys=True)


def each(choices: Iterable[Written]) -> Iterator[tuple[str, str]]:
    """`instances` of all checked choices, one behind the other; none comes twice, it would count as another draw."""
    before: list[dict[str, Any]] = []
    for choice in choices:
        assert isinstance(choice, dict)  # what is checked is one
        grids = [_grid(earlier) for earlier in before if earlier["name"] == choice["name"]]
        for name, options in instances(choice):
            if not (grids and _is_in_one(grids, json.loads(options))):
                yield name, options
        before.append(choice)


def _grid(choice: dict[str, Any]) -> dict[str, set[str]]:
    return {option: set(map(_told_by, values)) for option, values in choice.items() if option != "name"}


def _is_in_one(grids: list[dict[str, set[str]]], options: dict[str, Any]) -> bool:
    """Whether a point is one of a grid. Points themselves, all of them, would take room."""
    told = {option: _told_by(value) for option, value in options.items()}
    return any(grid.keys() == told.keys() and all(told[option] in grid[option] for option in grid) for grid in grids)


def parsed(text: str) -> dict[str, Any]:
    """Options as `instances` writes them; lists become tuples, which can be hashed."""
    return _with_tuples(json.loads(text))


def in_words(options: str) -> str:
    """Options for people."""
    return ", ".join(f"{name} = {_value_in_words(value)}" for name, value in json.loads(options).items())


def labelled(name: str, options: str) -> str:
    """A choice for people, in few words."""
    given = ", ".join(f"{option}={_value_in_words(value)}" for option, value in json.loads(options).items())
    return f"{name} ({given})" if given else name


def _value_in_words(value: Any) -> str:
    return "+".join(map(_value_in_words, value)) if isinstance(value, list) else str(value)


def _values(entry: Choosable, option: Option, given: Any) -> list[Any]:
    """The values that are meant; what stands in a spec that was checked before is a list of them already."""
    if not isinstance(given, list):
        return [given]
    if not given:
        raise ValueError(f"{entry.name}: {option.name} is an empty list: give a value, or several")
    if _takes_list(option) and not all(isinstance(value, list) for value in given):
        return [given]
    return list({_told_by(value): value for value in reversed(given)}.values())[::-1]


def _told_by(value: Any) -> str:
    """Equal for equal values: 1 and 1.0 are the same number, and true is none."""
    if isinstance(value, dict):
        return repr([(name, _told_by(part)) for name, part in value.items()])
    if isinstance(value, list):
        return repr(list(map(_told_by, value)))
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)


def _takes_list(option: Option) -> bool:
    return isinstance(option.default, (tuple, list)) or option.type.startswith(("tuple", "list", "collections.abc.Seq"))


def _product(grid: dict[str, list]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def _with_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_tuples(part) for name, part in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value
