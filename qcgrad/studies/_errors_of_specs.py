"""What is wrong with a spec, in one line each."""

import difflib
import re
import reprlib
import tomllib
from typing import Any, get_args

from pydantic import BaseModel

MOST_BYTES = 2**24
"""Of a spec's text: ten times what a list of all cells takes."""

MOST_NESTING = 20
"""Tables and lists in each other: several times what any field takes, and much less than Python's stack holds."""


class SpecError(ValueError):
    """A study spec that cannot be used; the message names the field and what it should be."""


# a."b".c: keys in keys. Reading one takes time with the square of its parts, and a spec has three.
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w.\"'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MOST_NESTING}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """Plain data of a TOML file.

    Raises:
        ValueError, RecursionError: it is none, or is nested so deeply that no field of a spec can mean it.
    """
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"line {line} has a name with more than {MOST_NESTING} dots")
    return tomllib.loads(text)


def check_nesting(data: Any, source: str) -> None:
    """Refuse plain data that is nested so deeply that no field of a spec can mean it.

    Raises:
        SpecError: it is.
    """
    level = [data]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise SpecError(f"{source} has tables or lists in each other {MOST_NESTING} times: no field is nested like that")


def explain(error: Any, model: type[BaseModel]) -> str:
    """One of pydantic's errors for people: the field, what is wrong, what was given."""
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{field}: no such field{_hint(str(error['loc'][-1]), error['loc'][:-1], model)}"
    message = error["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
    if error["type"] == "too_short":
        least = error["ctx"]["min_length"]
        return f"{field}: give at least {'one' if least == 1 else least}"
    if not field:
        return message
    # Our own messages say what was given where that helps.
    given = "" if error["type"] in ("value_error", "missing") else f", and not {reprlib.repr(error['input'])}"
    return f"{field}: {message}{given}"


def _hint(name: str, location: tuple, model: type[BaseModel]) -> str:
    """The nearest field, or the table that has one of this name."""
    if near := difflib.get_close_matches(name, _fields_at(location, model), n=1):
        return f", did you mean {near[0]!r}?"
    tables = [table for table in model.model_fields if name in _fields_at((table,), model)]
    return f", it belongs into [{tables[0]}]" if tables and not location else ""


def _fields_at(location: tuple, model: type[BaseModel]) -> list[str]:
    """Fields of the model that stands at a place of the spec; none where a number or a text stands there."""
    for name in location:
        if isinstance(name, int):
            continue
        found = _model_in(model.model_fields[name].annotation) if name in model.model_fields else None
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation speaks of, such as X in X | None or tuple[X, ...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
