"""`qcgrad methods`: what there is, with options."""

from typing import Annotated

import typer

from . import consoles

EXAMPLE = "Example: qcgrad methods, then qcgrad methods gentle-sweep"


def methods(name: Annotated[str | None, typer.Argument(help="Show this method with its options.")] = None) -> None:
    """List all methods for gradients, those of installed packages too, or show one with its options."""
    if name is None:
        _list()
    else:
        _show(name)


def _list():
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ..catalogue import methods

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("method", "of", "access", "what it is"):
        table.add_column(heading, overflow="fold")
    for method in methods().values():
        table.add_row(method.name, method.differentiates, method.access.name.replace("_", " "), method.summary)
    consoles.output().print(table)


def _show(name: str):
    from .choices import find, flag

    method = find(name)
    print(f"{method.name} ({method.access.name.replace('_', ' ')} access, for {method.differentiates})")
    print(f"{method.summary}\n")
    for option in method.options:
        default = "needed" if option.is_required else f"default {option.default}"
        print(f"{flag(option.name)} ({default})\n    {option.help}")
