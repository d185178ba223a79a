"""Classes described by what they say of themselves: names, options and help off signatures and docstrings."""

import importlib.metadata
import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from .formulas import readable

REQUIRED = inspect.Parameter.empty


class Option(NamedTuple):
    """One argument of a class.

    Attributes:
        name: as in the signature.
        default: `REQUIRED` where there is none.
        help: what the docstring says of it.
        type: its annotation, as text.
    """

    name: str
    default: Any
    help: str
    type: str

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED


class Entry(NamedTuple):
    """A class, described.

    Attributes:
        name: its own `called`, or its class name in kebab case: `ParameterShift` is "parameter-shift".
        make: the class.
        options: its arguments, in order.
        summary: the first paragraph of its docstring.
    """

    name: str
    make: type
    options: tuple[Option, ...]
    summary: str

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)

    def changed(self, thing: Any, **options: Any) -> Any:
        """An instance with the options of another one, but for those given."""
        kept = {option.name: getattr(thing, option.name) for option in self.options if hasattr(thing, option.name)}
        return self.make(**(kept | options))


E = TypeVar("E", bound=Entry)


def read_off(make: type) -> Entry:
    """The entry of a class."""
    name = getattr(make, "called", "") or _kebab(make.__name__)
    summary = (inspect.getdoc(make) or "").split("\n\n", 1)[0]
    return Entry(name, make, options_of(make), _plain(summary))


def options_of(make: Callable[..., Any]) -> tuple[Option, ...]:
    """The arguments of a class or a function, with what its docstring says of them."""
    helps = told(inspect.getdoc(make) or "")
    return tuple(
        Option(name, parameter.default, helps.get(name, ""), _in_words(parameter.annotation))
        for name, parameter in inspect.signature(make).parameters.items()
    )


def added_by_others(group: str, kind: str, describe: Callable[[Any], E], taken: Mapping[str, E]) -> dict[str, E]:
    """What other packages add to a group of entry points; names that are taken are left out."""
    found: dict[str, E] = {}
    for entry in importlib.metadata.entry_points(group=group):
        try:
            thing = describe(entry.load())
        except (Exception, SystemExit) as error:  # whatever a foreign package raises, the others stay usable
            reason = f"it ends the program ({error})" if isinstance(error, SystemExit) else error
            warnings.warn(f"{kind} {entry.name} of {entry.value} is left out: {reason}", stacklevel=5)
            continue
        if thing.name in taken or found.setdefault(thing.name, thing) is not thing:
            warnings.warn(f"{kind} {thing.name} of {entry.value} is left out: its name is taken", stacklevel=5)
    return found


def require_class(make: Any, base: type, name: str) -> None:
    """Refuse what is no class of a base, or has abstract methods left.

    Raises:
        TypeError: says what is missing.
    """
    if not (inspect.isclass(make) and issubclass(make, base)):
        raise TypeError(f"{make!r} is no class of a {name}")
    if lacking := getattr(make, "__abstractmethods__", ()):
        raise TypeError(f"{make.__name__} lacks {', '.join(sorted(lacking))}")


def _in_words(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _kebab(name: str) -> str:
    # ReLU is one word, and so is 2D.
    name = name.replace("ReLU", "Relu")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def told(docstring: str, section: str = "Args") -> dict[str, str]:
    """The entries of a section of a docstring, as plain text; one that names several things is for each of them."""
    entries = re.search(rf"^{section}:\n((?:[ ].*\n?|\n)+)", docstring, re.MULTILINE)
    if entries is None:
        return {}
    found: dict[str, str] = {}
    for names, text in re.findall(r"^ {4}(\w[\w, ]*): ((?:.*\n?(?: {8}.*\n?)*))", entries[1], re.MULTILINE):
        found |= dict.fromkeys((name.strip() for name in names.split(",")), _plain(text))
    return found


def _plain(text: str) -> str:
    """One line without the marks of code and formulas."""
    return " ".join(readable(text).split())
