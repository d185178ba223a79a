"""`qcgrad reproduce`: the claims of theory/."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import _consoles as consoles
from ._studying import JOBS, STORE_NAME, Setting, compute
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.claims import ClaimCell, Script

EXAMPLE = "Example: qcgrad reproduce, then qcgrad reproduce quantum-backprop --small --jobs 2"


_TOPIC = Annotated[
    str | None, typer.Argument(help="A topic, a claim, or all; without one, claims and their states are listed.")
]
_FULL = Annotated[
    bool, typer.Option("--full/--small", help="The whole claim, in minutes, or a smaller one, in seconds.")
]
_OUT = Annotated[Path, typer.Option(help="Folder of results and figures.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def reproduce(
    context: typer.Context,
    topic: _TOPIC = None,
    full: _FULL = False,
    jobs: JOBS = 1,
    out: _OUT = Path("qcgrad-results/claims"),
    as_json: _JSON = False,
) -> None:
    """Compute the claims of theory/ anew and say for each what was measured and whether it holds.

    Run it in a checkout of the repository. Exit code 1: a claim does not hold, or could not be computed.
    """
    import json

    from ..studies.claims import ClaimCell, claims_in, repository

    scripts = claims_in(repository())
    if topic is not None:
        scripts = _chosen(topic, scripts)
    cells = [ClaimCell.of(script, small=not full, folder=out) for script in scripts]
    if topic is not None:
        setting = Setting(out, jobs, debug=context.obj["debug"], again=("qcgrad", "reproduce", topic))
        compute(cells, setting, None)
    found = _states(scripts, cells, out)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _show(found, is_whole=topic is not None)
    if topic is not None and any(state["state"] != "holds" for state in found):
        raise typer.Exit(1)


def _chosen(topic: str, scripts: "list[Script]") -> "list[Script]":
    from ..catalogue import nearest_method

    named = topic.replace("_", "-")
    if named == "all":
        return scripts
    topics = sorted({script.topic for script in scripts})
    if named in topics:
        return [script for script in scripts if script.topic == named]
    claims = {script.path.stem.replace("_", "-"): script for script in scripts}
    try:
        return [claims[nearest_method(named, claims, "claim")]]
    except ValueError as error:
        raise UserError(f"{error}; topics are all, {', '.join(topics)}") from error


def _states(scripts: "list[Script]", cells: "list[ClaimCell]", folder: Path) -> list[dict]:
    """What is known of each claim: the newest record, by whatever code."""
    from ..studies.identity import canonical
    from ..studies.store import Store

    kept = {}
    if (folder / STORE_NAME).is_file():
        with Store(folder / STORE_NAME) as store:
            kept = {canonical(row.cell): row for row in store.rows()}
            failures = {cell: store.failure(cell.data) for cell in cells}
    else:
        failures = {}
    found = []
    for script, cell in zip(scripts, cells, strict=True):
        row, failure = kept.get(canonical(cell.data)), failures.get(cell)
        state = "not computed"
        if row is not None:
            state = "holds" if row.record["holds"] else "does not hold"
        elif failure is not None:
            state = f"could not be computed: {failure.message}"
        known = {} if row is None else {"seconds": row.seconds, **row.record}
        found.append({"script": cell.where, "claim": script.claim, "state": state, "seconds": None, **known})
    return found


def _show(found: list[dict], *, is_whole: bool):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console = consoles.output()
    if is_whole:
        for state in found:
            console.print(f"[bold]{state['script']}[/]", highlight=False)
            for line in (state["claim"].splitlines()[0], *state.get("measured", ())):
                console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
            if state.get("failure"):
                console.print(f"  {state['failure']}", style="red", highlight=False, markup=False, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for heading in ("script", "claim", "state", "seconds"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "seconds" else "left")
    colours = {"holds": "green", "does not hold": "red"}
    for state in found:
        seconds = "" if state["seconds"] is None else f"{state['seconds']:.1f}"
        claim = state["claim"].splitlines()[0]
        table.add_row(state["script"], claim, state["state"], seconds, style=colours.get(state["state"], ""))
    console.print(table)
