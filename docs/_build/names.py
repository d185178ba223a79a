"""What is public, read off the sources: what modules without an underscore define, and what packages export."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "qcgrad"


class Name(NamedTuple):
    """A public name.

    Attributes:
        path: by which it is documented.
        defined: where it is defined.
        paths: all public paths to it, the documented one first.
    """

    path: str
    defined: str
    paths: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that documents it."""
        return self.path.rpartition(".")[0]


@cache
def modules() -> dict[str, Path]:
    """Public modules and their files: no part of their names has an underscore in front."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            found[".".join(parts)] = path
    return dict(sorted(found.items()))


@cache
def public() -> tuple[Name, ...]:
    """All public names, each once, in the order of modules and, in them, of sources.

    What several modules export is documented where the path is shortest; the package itself only points there.
    """
    paths: dict[str, list[str]] = {}
    for module in modules():
        for name, defined in exported(module).items():
            paths.setdefault(defined, []).append(f"{module}.{name}")
    found = []
    for defined, known in paths.items():
        if defined not in modules():
            # A function may have the name of the module beside it, and is then called by way of that one.
            ordered = sorted(known, key=lambda path: (path in modules(), path.count(".") == 1, path.count(".")))
            found.append(Name(ordered[0], defined, tuple(ordered)))
    return tuple(found)


@cache
def exported(module: str) -> dict[str, str]:
    """The public names of a module, and where each is defined."""
    path = modules()[module]
    found: dict[str, str] = {}
    # What a package exports on first use stands in a stub beside it.
    for source in (path, path.with_suffix(".pyi")):
        if source.is_file():
            found |= dict(_exports(module, path, ast.parse(source.read_text("utf-8"))))
    return {name: _origin(target) for name, target in found.items()}


def _exports(module: str, path: Path, tree: ast.Module) -> Iterator[tuple[str, str]]:
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    listed = _listed(tree)
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom):
            source = _absolute(package, node)
            for alias in node.names:
                if alias.name.startswith("_"):
                    continue
                if alias.name == "*":
                    yield from exported(source).items()
                elif alias.asname == alias.name or alias.name in listed:
                    yield alias.name, f"{source}.{alias.name}"
        else:
            for name in _defined(node):
                if not name.startswith("_"):
                    yield name, f"{module}.{name}"


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Those of a module, and those that only type checkers see."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse:
            yield from node.body
        else:
            yield node


def _listed(tree: ast.Module) -> set[str]:
    """The names in a written out `__all__`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "__all__" in _defined(node) and isinstance(node.value, ast.List):
            return set(ast.literal_eval(node.value))
    return set()


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _absolute(package: str, node: ast.ImportFrom) -> str:
    above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


@cache
def _origin(path: str) -> str:
    """Where something is defined, through any number of exports."""
    module, _, name = path.rpartition(".")
    source = ROOT / Path(*module.split("."))
    for file in (source / "__init__.pyi", source / "__init__.py", source.with_suffix(".py")):
        if not file.is_file():
            continue
        inside = module if file.stem == "__init__" else module.rpartition(".")[0]
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and any(name == (a.asname or a.name) for a in node.names):
                target = f"{_absolute(inside, node)}.{name}"
                # A module of the package: itself.
                return path if target == path else _origin(target)
    return path
