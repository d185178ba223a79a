"""What there is: every method under its name, with its options, read off the classes.

Nothing is listed here. Methods of this package are those that `qcgrad.estimators` exports; packages of others add
theirs through the entry point group "qcgrad.estimators", in their pyproject.toml:

    [project.entry-points."qcgrad.estimators"]
    my-method = "my_package:MyMethod"
"""

import importlib.metadata
import inspect
import re
import warnings
from functools import lru_cache
from typing import Any, NamedTuple

from . import estimators
from .estimator import AbstractEstimator
from .queries import Access

GROUP = "qcgrad.estimators"


class Option(NamedTuple):
    """One argument of a method.

    Attributes:
        name: as in the signature.
        default: `REQUIRED` where there is none.
        help: what the docstring says of it.
    """

    name: str
    default: Any
    help: str

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is REQUIRED


REQUIRED = inspect.Parameter.empty


class Method(NamedTuple):
    """An estimator's class, described.

    Attributes:
        name: its own `called`, or its class name in kebab case: `ParameterShift` is "parameter-shift".
        make: the class.
        options: its arguments, in order.
        summary: the first line of its docstring.
    """

    name: str
    make: type[AbstractEstimator]
    options: tuple[Option, ...]
    summary: str

    @property
    def access(self) -> Access:
        """The most access to a state that it asks for."""
        return self.make.access

    @property
    def differentiates(self) -> str:
        """What it is for, "circuits" or "networks"."""
        return self.make.differentiates

    @property
    def pays_in(self) -> str:
        """The resource that grows with M, a field of `Cost`."""
        return self.make.pays_in

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)


def methods() -> dict[str, Method]:
    """All methods by name: those of this package, then those of others.

    Warns:
        UserWarning: a package's method cannot be loaded, is no estimator, or has a name that is taken; it is left out.

    Example:
        >>> from qcgrad.catalogue import methods
        >>> shift = methods()["parameter-shift"]
        >>> shift.access.name, [option.name for option in shift.options]
        ('single_copy', ['shots', 'split'])
    """
    return dict(_methods())


@lru_cache(maxsize=1)
def _methods() -> dict[str, Method]:
    # Looking through all installed packages takes a while, and they do not change while a program runs.
    found = {method.name: method for method in map(described, _own())}
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            method = described(entry.load())
        except Exception as error:  # whatever a foreign package raises, the others stay usable
            warnings.warn(f"method {entry.name} of {entry.value} is left out: {error}", stacklevel=3)
            continue
        if found.setdefault(method.name, method) is not method:
            warnings.warn(f"method {method.name} of {entry.value} is left out: its name is taken", stacklevel=3)
    return found


@lru_cache(maxsize=256)
def described(make: type[AbstractEstimator]) -> Method:
    """What the class says of itself.

    Raises:
        TypeError: it is no class of an estimator, or has abstract methods left.
    """
    if not (inspect.isclass(make) and issubclass(make, AbstractEstimator)):
        raise TypeError(f"{make!r} is no class of a qcgrad.AbstractEstimator")
    if inspect.isabstract(make):
        raise TypeError(f"{make.__name__} lacks {', '.join(sorted(make.__abstractmethods__))}")
    docstring = inspect.getdoc(make) or ""
    told = _arguments(docstring)
    options = tuple(
        Option(name, parameter.default, told.get(name, ""))
        for name, parameter in inspect.signature(make).parameters.items()
    )
    return Method(make.called or _kebab(make.__name__), make, options, _plain(docstring.split("\n", 1)[0]))


def _own() -> list[type[AbstractEstimator]]:
    classes = [thing for thing in vars(estimators).values() if inspect.isclass(thing)]
    return [make for make in classes if issubclass(make, AbstractEstimator) and not inspect.isabstract(make)]


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def _arguments(docstring: str) -> dict[str, str]:
    """The entries of the section "Args:", as plain text; one that names several arguments is for each of them."""
    section = re.search(r"^Args:\n((?:[ ].*\n?|\n)+)", docstring, re.MULTILINE)
    if section is None:
        return {}
    found: dict[str, str] = {}
    for names, text in re.findall(r"^ {4}(\w[\w, ]*): ((?:.*\n?(?: {8}.*\n?)*))", section[1], re.MULTILINE):
        found |= dict.fromkeys((name.strip() for name in names.split(",")), _plain(text))
    return found


def _plain(text: str) -> str:
    """One line without the marks of code and formulas."""
    return re.sub(r"`|\\[()]|\\(?=[a-z])", "", " ".join(text.split()))
