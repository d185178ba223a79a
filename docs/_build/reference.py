"""Pages of the reference: one for each public module, with every public name that is documented there."""

import ast
from collections.abc import Iterator

from .names import PACKAGE, Name, exported, modules, public

FOLDER = "reference"


def pages(elsewhere: frozenset[str]) -> dict[str, str]:
    """Markdown by path.

    Args:
        elsewhere: names whose documentation stands on a page of their own.
    """
    found = {f"{FOLDER}/index.md": _index()}
    for module in modules():
        if exported(module):
            found[path_of(module)] = _page(module, elsewhere)
    return found


def path_of(module: str) -> str:
    """Where the page of a module stands."""
    return f"{FOLDER}/{module}.md"


def is_for_users(module: str) -> bool:
    """Modules that one imports from: those at the top, and packages; others are shared between floors."""
    return module.count(".") < 2 or modules()[module].stem == "__init__"


def _index() -> str:
    return "\n".join(
        [
            "# Reference",
            "",
            "Read off the sources, all of it: what the modules without an underscore in their names define and export.",
            "",
            "## Modules to import from",
            "",
            *_rows(module for module in modules() if exported(module) and is_for_users(module)),
            "",
            "## Modules that others build on",
            "",
            "Needed by more than one floor of the package, and by those who extend it.",
            "",
            *_rows(module for module in modules() if exported(module) and not is_for_users(module)),
            "",
        ]
    )


def _rows(chosen: Iterator[str]) -> Iterator[str]:
    yield "| module | what is in it |"
    yield "|---|---|"
    for module in chosen:
        yield f"| [`{module}`]({module}.md) | {_cell(_summary(module))} |"


def _page(module: str, elsewhere: frozenset[str]) -> str:
    here = [name for name in public() if name.module == module]
    mine = {name.path for name in here}
    by_path = {path: name for name in public() for path in name.paths}
    guests = [by_path[f"{module}.{name}"] for name in exported(module) if f"{module}.{name}" in by_path]
    guests = [name for name in guests if name.path not in mine]
    parts = [f"# {module}", f"::: {module}\n    options:\n      members: false\n      show_root_heading: false"]
    moved = [name for name in here if name.path in elsewhere]
    if moved:
        parts.append("## On pages of their own\n\n" + _links(module, moved))
    parts += [_documented(name) for name in here if name.path not in elsewhere]
    if guests:
        parts.append("## Also exported\n\n" + _links(module, guests))
    return "\n\n".join(parts) + "\n"


def _documented(name: Name) -> str:
    others = ", ".join(f"`{path}`" for path in name.paths if path != name.path)
    return f"::: {name.path}" + (f"\n\nAlso as {others}." if others else "")


def _links(module: str, names: list[Name]) -> str:
    rows = (f"[`{name.path.rpartition('.')[2]}`][{name.path}]" for name in sorted(names))
    return ", ".join(rows) + "."


def _summary(module: str) -> str:
    docstring = ast.get_docstring(ast.parse(modules()[module].read_text("utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def undocumented(inventory: set[str]) -> list[str]:
    """Public names that an inventory of the built site lacks."""
    return [name.path for name in public() if name.path not in inventory and name.module != PACKAGE]
