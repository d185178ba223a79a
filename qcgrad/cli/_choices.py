"""Estimators by their name on the command line, from the catalogue."""

import ast
from typing import Any

from ..catalogue import Method, methods, nearest_method
from ..estimator import AbstractEstimator
from .errors import UserError


def find(name: str, differentiates: str | None = None) -> Method:
    """The method, of those for "circuits" or "networks" where one is named; capitals and underscores are accepted.

    Raises:
        ValueError: unknown name, suggests the nearest; the name of a method for the other.
    """
    everything = methods()
    known = {n: found for n, found in everything.items() if differentiates in (None, found.differentiates)}
    named = name.strip().lower().replace("_", "-")
    if named in everything and named not in known:
        kind = everything[named].differentiates
        raise ValueError(f"method {named!r} is for {kind}: give one for {differentiates}, {', '.join(known)}")
    return known[nearest_method(name, known)]


def default() -> Method:
    """What differentiates circuits where nobody says how: of the typical methods the one that needs least access."""
    typical = [method for method in methods().values() if method.is_typical and method.differentiates == "circuits"]
    return min(typical, key=lambda method: (method.access, method.name))


def make_estimator(method: Method, given: dict[str, str]) -> AbstractEstimator:
    """The estimator with these options, as written on the command line; each method checks its own.

    Raises:
        UserError: an option that the method does not have, one that it needs and was not given, a wrong value.
    """
    for name, text in given.items():
        if method.option(name) is None:
            raise UserError(f"{flag(name)} {text} does not apply to {method.name}: {_offered(method)}")
    for option in method.options:
        if option.is_required and option.name not in given:
            raise UserError(f"{method.name} needs {flag(option.name)}: {option.help}")
    try:
        return method.make(**{name: value(text) for name, text in given.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f"{method.name}: {error}") from error


def assignments(texts: list[str]) -> dict[str, str]:
    """Options written as name=value.

    Raises:
        UserError: no equals sign, or a name twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, rest = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name:
            raise UserError(f"--option {text}: write it as name=value, for example --option batches=16")
        if name in found:
            raise UserError(f"--option {name} is given twice")
        found[name] = rest.strip()
    return found


def value(text: str) -> Any:
    """A number, a truth value, None, a list of these, or the text itself; 1e4 is the integer 10000."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return int(found) if isinstance(found, float) and found.is_integer() else found


def flag(name: str) -> str:
    """How an option is written."""
    return f"--{name}" if name in SHORT else f"--option {name}=..."


SHORT = ("shots", "copies", "epsilon", "delta")
"""Options that are written as --name; all others as --option name=value."""


def _offered(method: Method) -> str:
    names = [flag(option.name) for option in method.options]
    return f"it has {', '.join(names)}" if names else "it has no options"
