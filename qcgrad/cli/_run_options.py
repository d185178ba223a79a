"""Options of all commands that run studies, and what they mean."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import UserError

if TYPE_CHECKING:
    from ..studies.spec import StudySpec

MAX_QUBITS = Annotated[int | None, typer.Option(help="Leave out circuits on more qubits.", min=1)]
MAX_MEMORY = Annotated[
    float | None,
    typer.Option(metavar="GIB", help="Refuse parts that would take more memory.", show_default="80 % of what is free"),
]
JOBS = Annotated[int, typer.Option("--jobs", "-j", help="Processes that compute side by side.", min=1)]
ALLOW_CODE = Annotated[
    bool, typer.Option("--allow-code", help="Run the Python functions that the study names; trust them first.")
]
QUICK = Annotated[bool, typer.Option("--quick", help="A smaller study, to look around.")]


def smaller(study: "StudySpec", quick: bool, max_qubits: int | None) -> "StudySpec":
    """The study that --quick and --max-qubits leave."""
    if quick:
        study = study.changed(lambda kind: kind.quick())
    if max_qubits is not None:
        if code := study.code():
            raise UserError(f"--max-qubits: the size of {code[0]} is not known before it runs, leave out arguments")
        study = study.changed(lambda kind: kind.within(max_qubits))
    return study


def gib(number: float | None) -> int | None:
    """--max-memory in bytes."""
    if number is not None and not 0 < number < float("inf"):
        raise UserError(f"--max-memory {number}: give a positive number of GiB")
    return None if number is None else int(number * 2**30)


def part_of(text: str | None) -> tuple[int, int]:
    """--shard as (i, n)."""
    if text is None:
        return 1, 1
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise UserError(f"--shard {text}: write it as I/N with 1 <= I <= N, for example 1/4")
    return int(first), int(count)


def again(context: typer.Context, *words: str, less: Collection[str] = ()) -> tuple[str, ...]:
    """The command that goes on after an interrupt: the same, with all that was given.

    Args:
        context: of the command that was interrupted.
        words: its name, and what takes the place of the parameters that are left out.
        less: names of parameters that are left out.
    """
    found = ["qcgrad", *(["--debug"] if context.obj["debug"] else []), *words]
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in less or source is None or source.name.startswith("DEFAULT"):
            continue
        value = context.params[parameter.name or ""]
        if parameter.param_type_name == "option":
            found.append(max(parameter.secondary_opts if value is False else parameter.opts, key=len))
        if not isinstance(value, bool):
            found.append(str(value))
    return tuple(found)
