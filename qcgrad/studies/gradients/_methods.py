"""Methods with their options, as a spec writes them."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from ...catalogue import Method, methods, nearest_method
from ...estimator import AbstractEstimator

Entry = str | dict[str, Any]


def checked(entry: Entry) -> dict[str, Any]:
    """A method with the values of its options, each in a list.

    Args:
        entry: a name, or a table with `name` and options; an option that is a list is a grid.

    Raises:
        ValueError: an unknown method or option, a missing one, a value that the method refuses.
    """
    given = {"name": entry} if isinstance(entry, str) else dict(entry)
    if not isinstance(given.get("name"), str):
        raise ValueError(f'{entry!r}: give the name of a method, or a table such as {{name = "adjoint"}}')
    circuits = {name: method for name, method in methods().items() if method.differentiates == "circuits"}
    method = circuits[nearest_method(given.pop("name"), circuits)]
    for option in given:
        if method.option(option) is None:
            known = ", ".join(o.name for o in method.options) or "none"
            raise ValueError(f"{method.name} has no option {option!r}: it has {known}")
    for option in method.options:
        if option.is_required and option.name not in given:
            raise ValueError(f"{method.name} needs {option.name}: {option.help}")
    grid = {option: value if isinstance(value, list) else [value] for option, value in given.items()}
    for options in _product(grid):
        try:
            method.make(**options)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{method.name}: {error}") from error
    return {"name": method.name, **grid}


def instances(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, options as JSON) for each point of a checked method's grid."""
    grid = {option: values for option, values in entry.items() if option != "name"}
    for options in _product(grid):
        yield entry["name"], json.dumps(options, sort_keys=True)


def estimator_of(name: str, options: str) -> AbstractEstimator:
    """The method with these options."""
    method: Method = methods()[name]
    return method.make(**json.loads(options))


def _product(grid: dict[str, list]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
