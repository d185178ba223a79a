"""`qcgrad methods`: what there is, with options."""

from typing import TYPE_CHECKING, Annotated

import typer

from . import _completion as completion
from . import _consoles as consoles
from .errors import UserError

if TYPE_CHECKING:
    from ..catalogue import Entry

EXAMPLE = "Example: qcgrad methods, then qcgrad methods gentle-sweep, or qcgrad methods --kind activations"

# As wide as lines are read with ease; a narrower terminal has what it has.
_WIDEST = 100


def methods(
    name: Annotated[
        str | None, typer.Argument(help="Show the page of this one.", autocompletion=completion.entries)
    ] = None,
    kind: Annotated[
        str,
        typer.Option(help="methods, activations, layers, rules or backends.", autocompletion=completion.kinds),
    ] = "methods",
    as_json: consoles.JSON = False,
) -> None:
    """List all methods for gradients, those of installed packages too, or show the page of one.

    A page says what a method is, its equation, what access it needs and what it costs, where it does not apply, its
    options with defaults, an example and references. Other kinds are the activations, layers and backward rules of
    networks, and what answers queries.
    """
    from .. import catalogue

    if kind not in catalogue.KINDS:
        raise UserError(f"--kind {kind}: give one of {', '.join(catalogue.KINDS)}")
    known = getattr(catalogue, kind)()
    if name is None:
        _list(known, kind, as_json)
    else:
        if name not in known and (others := [k for k in catalogue.KINDS if name in getattr(catalogue, k)()]):
            raise UserError(f"{name} is not among the {kind}: qcgrad methods {name} --kind {others[0]} shows it")
        _show(known[catalogue.nearest_method(name, known, kind.removesuffix("s"))], kind, as_json)


def _list(known: "dict[str, Entry]", kind: str, as_json: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from ..catalogue import Method
    from ._pages import page

    if as_json:
        consoles.print_json([page(entry, kind) for entry in known.values()])
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("name", *(("of", "access") if kind == "methods" else ()), "what it is"):
        table.add_column(heading, overflow="fold")
    for entry in known.values():
        where = (entry.differentiates, entry.access.name.replace("_", " ")) if isinstance(entry, Method) else ()
        table.add_row(entry.name, *where, entry.summary)
    consoles.output().print(table)


def _show(entry: "Entry", kind: str, as_json: bool) -> None:
    from ._pages import lines, page

    about = page(entry, kind)
    if as_json:
        consoles.print_json(about)
        return
    console = consoles.output()
    for line in lines(about, min(_WIDEST, console.width)):
        console.print(line, highlight=False, soft_wrap=True)
