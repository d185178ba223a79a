"""The tree of pages, made of what there is."""

from pathlib import PurePosixPath
from typing import Any

from . import entries, reference, tutorials
from .names import ROOT, exported, modules
from .repository import place, texts

Tree = list[Any]


def tree() -> Tree:
    """As `nav` of MkDocs' configuration; titles are those of the pages."""
    return [
        {"Home": ["index.md", *_guide(), "advise.md", "circuits/README.md"]},
        {"Tutorials": [*_tutorials(), "examples/README.md"]},
        {"Methods": _methods()},
        {"Networks": [{title: _entries(kind)} for kind, title in _others().items()]},
        {"Claims": ["theory/README.md", *_claims()]},
        {"Results": _results()},
        {"Reference": _reference()},
        {"Project": [*(path for path in _in(".") if path != "README.md"), *_notes()]},
    ]


def _in(folder: str) -> list[str]:
    return [path for path in texts() if str(PurePosixPath(path).parent) == folder]


def _guide() -> Tree:
    # Where one begins comes first.
    return sorted(map(place, _in("docs/guide")), key=lambda page: (not page.endswith("getting-started.md"), page))


def _tutorials() -> Tree:
    """In the order in which their index has them."""
    pages = [path for path in tutorials.pages() if path.endswith(".md")]
    index = ROOT / "docs" / "tutorials" / "README.md"
    text = index.read_text("utf-8") if index.is_file() else ""
    return [*map(place, _in("docs/tutorials")), *sorted(pages, key=lambda path: text.find(PurePosixPath(path).name))]


def _methods() -> Tree:
    by_access: dict[str, list[str]] = {}
    for method in sorted(entries.entries("methods").values(), key=lambda method: method.make.access):
        by_access.setdefault(_spaced(method.make.access.name), []).append(entries.place("methods", method))
    return ["methods/index.md", *({access: found} for access, found in by_access.items())]


def _others() -> dict[str, str]:
    return {kind: title for kind, title in entries.KINDS.items() if kind != "methods"}


def _entries(kind: str) -> Tree:
    return [f"{kind}/index.md", *(entries.place(kind, entry) for entry in entries.entries(kind).values())]


def _claims() -> Tree:
    topics = sorted({str(PurePosixPath(path).parent) for path in texts() if path.startswith("theory/")} - {"theory"})
    return [{_spaced(PurePosixPath(topic).name): [place(topic), *_in(topic)]} for topic in topics]


def _notes() -> list[str]:
    """Derivations beside the code."""
    return [path for path in texts() if path.startswith("qcgrad/")]


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _results() -> Tree:
    # The newest first: names end in dates.
    return [*reversed(_in("benchmarks/results")), *reversed(_in("benchmarks/peers/results"))]


def _reference() -> Tree:
    chosen = [module for module in modules() if exported(module)]
    shared = [reference.path_of(module) for module in chosen if not reference.is_for_users(module)]
    mine = [reference.path_of(module) for module in chosen if reference.is_for_users(module)]
    return ["reference/index.md", *mine, {"Modules that others build on": shared}]
