"""`qcgrad methods`: what there is, with options."""

from typing import TYPE_CHECKING, Annotated

import typer

from . import _consoles as consoles
from .errors import UserError

if TYPE_CHECKING:
    from ..catalogue import Entry

EXAMPLE = "Example: qcgrad methods, then qcgrad methods gentle-sweep, or qcgrad methods --kind activations"

_KINDS = ("methods", "activations", "layers", "rules", "backends")


def methods(
    name: Annotated[str | None, typer.Argument(help="Show this one with its options.")] = None,
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(_KINDS)}.")] = "methods",
) -> None:
    """List all methods for gradients, those of installed packages too, or show one with its options.

    Other kinds are the activations, layers and backward rules of networks, and what answers queries.
    """
    from .. import catalogue

    if kind not in _KINDS:
        raise UserError(f"--kind {kind}: give one of {', '.join(_KINDS)}")
    known = getattr(catalogue, kind)()
    if name is None:
        _list(known)
    else:
        if name not in known and (others := [k for k in _KINDS if name in getattr(catalogue, k)()]):
            raise UserError(f"{name} is not among the {kind}: qcgrad methods {name} --kind {others[0]} shows it")
        _show(known[catalogue.nearest_method(name, known, kind.removesuffix("s"))])


def _list(known: "dict[str, Entry]"):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ..catalogue import Method

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    are_methods = any(isinstance(entry, Method) for entry in known.values())
    for heading in ("name", *(("of", "access") if are_methods else ()), "what it is"):
        table.add_column(heading, overflow="fold")
    for entry in known.values():
        where = (entry.differentiates, _words(entry.access)) if isinstance(entry, Method) else ()
        table.add_row(entry.name, *where, entry.summary)
    consoles.output().print(table)


def _show(entry: "Entry"):
    from ..catalogue import Method
    from ._choices import flag

    is_method = isinstance(entry, Method)
    print(f"{entry.name} ({_words(entry.access)} access, for {entry.differentiates})" if is_method else entry.name)
    print(f"{entry.summary}\n")
    for option in entry.options:
        default = "needed" if option.is_required else f"default {option.default}"
        kind = f"{option.type}, " if option.type else ""
        print(f"{flag(option.name) if is_method else option.name} ({kind}{default})\n    {option.help}")


def _words(access) -> str:
    return access.name.replace("_", " ")
