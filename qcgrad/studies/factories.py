"""Circuits that a Python function of the user's makes: named by where it is, and run with permission only."""

import hashlib
import itertools
import json
import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import ImportRefused
from .cells import MOST_CELLS

_NAME = re.compile(r"(?P<place>.+?):(?P<function>[^\W\d]\w*)(?:\((?P<arguments>.*)\))?", re.DOTALL)
_ARGUMENT = re.compile(r"\s*([^\W\d]\w*)\s*=\s*")
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class CodeRefused(ImportRefused):
    """A circuit that only the user's code can make, and nobody has permitted to run it."""

    def __init__(self, name: str):
        super().__init__(
            f"{name} is Python code, which runs with all your rights: read it, then give --allow-code if you trust it"
        )
        self.name = name

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.name,)


@dataclass(frozen=True)
class Factory:
    """A function that makes a circuit, and what it is called with.

    Attributes:
        place: the path of a .py file, or the dotted name of a module.
        function: its name there.
        arguments: by name, plain data.

    Example:
        >>> from qcgrad.studies.factories import Factory
        >>> Factory.named('ansatz.py:layers(depth=2, gate="ry")').arguments
        {'depth': 2, 'gate': 'ry'}
        >>> str(Factory("ansatz.py", "layers", {"gate": "ry", "depth": 2}))
        'ansatz.py:layers(depth=2, gate="ry")'
    """

    place: str
    function: str
    arguments: dict[str, Any]

    @classmethod
    def named(cls, name: str) -> "Factory":
        """The factory of a name, as `str` writes it.

        Raises:
            ImportRefused: it is no such name.
        """
        found = _NAME.fullmatch(name)
        if found is None or not (found["place"].endswith(".py") or _MODULE.fullmatch(found["place"])):
            raise ImportRefused(f"{name!r} names no function: write file.py:function or package.module:function")
        return cls(found["place"], found["function"], _read_arguments(name, found["arguments"] or ""))

    def __str__(self) -> str:
        given = ", ".join(f"{name}={_json(value)}" for name, value in sorted(self.arguments.items()))
        return f"{self.place}:{self.function}" + (f"({given})" if given else "")

    @property
    def is_file(self) -> bool:
        """Whether its place is a path."""
        return self.place.endswith(".py")

    def source(self) -> Path | None:
        """The file that defines it; found without running anything, None where there is none."""
        if self.is_file:
            return Path(self.place)
        path, origin = None, None
        parts = self.place.split(".")
        for count, part in enumerate(parts, start=1):
            origin, path = _found_module(".".join(parts[:count]), part, path)
        return Path(origin) if origin is not None and origin.endswith(".py") else None

    def make(self, content: str | None = None) -> Any:
        """Call it: this runs the user's code.

        Args:
            content: hash that its source has to have; by default any.

        Raises:
            ImportRefused: there is no such file or function, its source is another one, or it raises an error.
        """
        path = self.source()
        try:
            source = b"" if path is None else path.read_bytes()
        except OSError as error:
            raise ImportRefused(f"{self}: {path} cannot be read: {error.strerror or error}") from error
        if path is None:
            raise ImportRefused(
                f"{self}: no Python module {self.place!r} here; for a file beside the spec write {self.place}.py"
            )
        if content is not None and hashlib.sha256(source).hexdigest() != content:
            raise ImportRefused(f"{path} has changed since the study began: run the study again")
        package = "" if self.is_file else self.place.rpartition(".")[0]
        try:
            function = getattr(_module(source, str(path), package), self.function, None)
            if not callable(function):
                raise ImportRefused(f"{path} has no function {self.function!r}")
            return function(**self.arguments)
        except ImportRefused:
            raise
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            raise ImportRefused(f"{self}: {type(error).__name__}: {error}") from error


def is_factory_name(name: str) -> bool:
    """Whether a circuit's name is that of a Python function.

    Example:
        >>> from qcgrad.studies.factories import is_factory_name
        >>> is_factory_name("ansatz.py:layers(depth=2)"), is_factory_name("tfim_hva_n3_p1")
        (True, False)
    """
    return _NAME.fullmatch(name) is not None


def expanded(entry: dict[str, Any]) -> Iterator[str]:
    """Names of the circuits of a table of a spec: `factory`, and `arguments`, of which lists are grids.

    Raises:
        ValueError: another key, arguments that are no plain data, or too many points.
    """
    unknown = [key for key in entry if key not in ("factory", "arguments")]
    name, arguments = entry.get("factory"), entry.get("arguments", {})
    if unknown or not isinstance(name, str) or not isinstance(arguments, dict):
        what = f"{unknown[0]!r} is unknown in {entry!r:.80}" if unknown else f"{entry!r:.80}"
        raise ValueError(f'{what}: write {{factory = "file.py:function", arguments = {{depth = [1, 2]}}}}')
    factory = Factory.named(name)
    grid = {key: value if isinstance(value, list) else [value] for key, value in arguments.items()}
    if twice := grid.keys() & factory.arguments.keys():
        raise ValueError(f"{name}: {min(twice)} is given twice")
    if math.prod(map(len, grid.values())) > MOST_CELLS:
        raise ValueError(f"{name}: its arguments make more than {MOST_CELLS:,} circuits: leave out values")
    for values in itertools.product(*grid.values()):
        point = factory.arguments | dict(zip(grid, values, strict=True))
        named = str(Factory(factory.place, factory.function, point))
        Factory.named(named)  # names that no function's argument can have are refused
        yield named


def _read_arguments(name: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at, reader = 0, json.JSONDecoder()
    while text[at:].strip():
        key = _ARGUMENT.match(text, at)
        try:
            if key is None:
                raise ValueError("no name")
            found[key[1]], at = reader.raw_decode(text, key.end())
        except (ValueError, RecursionError) as error:
            raise ImportRefused(f"{name!r:.200}: write arguments as name=value, values as in JSON ({error})") from error
        rest = text[at:].lstrip()
        if rest and not rest.startswith(","):
            raise ImportRefused(f"{name!r:.200}: put a comma between arguments")
        at = len(text) - len(rest) + 1 if rest else len(text)
    return found


def _json(value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{value!r:.80} cannot be an argument: give numbers, texts, booleans or lists") from error


def _found_module(name: str, part: str, path: list[str] | None) -> tuple[str | None, list[str]]:
    """Where a module's source is, and the folders of its submodules.

    Asks the finders of this interpreter; unlike `importlib.util.find_spec` it imports no parent.
    """
    for finder in sys.meta_path:
        try:
            found = finder.find_spec(name, path)
        except (AttributeError, KeyError):  # a very old finder; a folder without a file, whose parent is not imported
            continue
        if found is not None and found.origin is not None:
            return found.origin, list(found.submodule_search_locations or ())
    folders = [os.path.join(folder, part) for folder in (sys.path if path is None else path)]
    return None, list(filter(os.path.isdir, folders))


@lru_cache(maxsize=64)
def _module(source: bytes, path: str, package: str) -> ModuleType:
    """A module of exactly these bytes, so that what runs is what was hashed; the same for all cells of a process."""
    name = f"_qcgrad_factory_{hashlib.sha256(source + path.encode()).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__, module.__package__ = path, package
    sys.modules[name] = module  # where dataclasses and pickles look for it
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
