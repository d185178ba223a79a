"""`qcgrad reproduce`: the claims of theory/."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _completion as completion
from . import _consoles as consoles
from ._run_options import JOBS, again
from ._studying import STORE_NAME, Setting, compute
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.claims import ClaimCell, Script

EXAMPLE = (
    "Example: qcgrad reproduce, then qcgrad reproduce quantum-backprop --small --jobs 2, or qcgrad reproduce --full"
)


_TOPIC = Annotated[
    str | None,
    typer.Argument(
        help="A topic, a claim, or all, which is meant where only --small or --full is given.",
        autocompletion=completion.claims,
    ),
]
_FULL = Annotated[
    bool | None,
    typer.Option(
        "--full/--small", help="The whole claim, in minutes, or a smaller one, in seconds.", show_default="small"
    ),
]
_OUT = Annotated[Path, typer.Option(help="Folder of results and figures.")]
_PUBLISH = Annotated[bool, typer.Option("--publish", help="Write whole results into theory/results of the checkout.")]


def reproduce(
    context: typer.Context,
    topic: _TOPIC = None,
    full: _FULL = None,
    jobs: JOBS = 1,
    out: _OUT = Path("qcgrad-results/claims"),
    publish: _PUBLISH = False,
    as_json: consoles.JSON = False,
) -> None:
    """Compute the claims of theory/ anew and say for each what it expects, what was measured and whether it holds.

    Without arguments, claims and their states are listed. Run it in a checkout of the repository. What is computed is
    kept and not computed again while neither the scripts nor qcgrad change. Beside it stands what the repository
    publishes of the whole claims, "not run" where there is nothing.

    Exit code 1: a claim does not hold, or could not be computed.
    """
    from ..studies.claims import ClaimCell, claims_in, repository, states

    if publish:
        _check_publishable(bool(full))
    if topic is None and full is not None:
        topic = "all"
    root = repository()
    scripts = claims_in(root)
    if topic is not None:
        scripts = _chosen(topic, scripts)
    cells = [ClaimCell.of(script, small=not full, folder=out) for script in scripts]
    if topic is not None:
        setting = Setting(out, jobs, debug=context.obj["debug"], again=again(context, "reproduce"))
        compute(cells, setting, None)
    if publish:
        _publish(dict(zip(cells, scripts, strict=True)), out, root)
    found = states(scripts, cells, out / STORE_NAME, root)
    if as_json:
        consoles.print_json(found)
    else:
        _show(found, is_whole=topic is not None)
    if topic is not None and any(state["state"] != "holds" or not state["is_current"] for state in found):
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


def _check_publishable(full: bool):
    """Refuse before anything is computed, which takes minutes."""
    from ..studies.claims import is_uncommitted
    from ..studies.provenance import provenance

    if not full:
        raise UserError("--publish writes whole results: give --full as well")
    if is_uncommitted(provenance()):
        raise UserError("--publish names the commit that computed the results, and the checkout differs: commit first")


def _publish(scripts: "Mapping[ClaimCell, Script]", out: Path, root: Path) -> None:
    """Write what this version found of the claims, whatever became of the others."""
    from ..studies.claims import is_uncommitted, newest, publish
    from ..studies.identity import version_of
    from ..studies.store import Store

    rows = newest(list(scripts), out / STORE_NAME)
    with Store(out / STORE_NAME, must_exist=True) as store:
        runs = {run.id: run for run in store.runs()}
    for cell, row in rows.items():
        if row.code_version != version_of(cell.data):
            continue
        run = runs.get(row.run or "")
        if run is not None and is_uncommitted(run.provenance):
            said = f"{cell.where} is not published: sources that were not committed computed it (another --out anew)"
        else:
            said = f"{publish(scripts[cell], row, run, root)} is written"
        consoles.notes().print(said, highlight=False, markup=False, soft_wrap=True)


def _show(found: Sequence[Mapping[str, Any]], *, is_whole: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console = consoles.output()
    if is_whole:
        for state in found:
            _show_one(state, console)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    size = found[0]["size"] if found else "small"
    for heading in ("script", "claim", size, "seconds", "published"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "seconds" else "left")
    for state in found:
        seconds = "" if state["seconds"] is None else f"{state['seconds']:.1f}"
        claim = state["claim"].splitlines()[0]
        colour = _COLOURS.get(state["state"], "")
        told = state["state"] + ("" if state["is_current"] else ", by another version")
        table.add_row(state["script"], claim, told, seconds, _published(state["published"]), style=colour)
    console.print(table)


_COLOURS = {"holds": "green", "does not hold": "red"}


def _show_one(state: Mapping[str, Any], console) -> None:
    """All that a script reports, then its number and whether that is enough."""
    console.print(state["script"], style="bold", highlight=False)
    lines = [state["claim"].splitlines()[0], *state.get("report", ())]
    if state.get("quantity"):
        lines.append(f"{state['quantity']}: expected {state['expected']}, measured {state['measured']}")
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    verdict = f"{state['state']}{': ' if state.get('failure') else ''}{state.get('failure', '')}"
    colour = _COLOURS.get(state["state"], "")
    console.print(f"  {verdict}", style=colour, highlight=False, soft_wrap=True)


def _published(found: Mapping[str, Any]) -> str:
    if found["state"] == "not run":
        return "not run"
    others = "" if found["is_current"] else ", by another script"
    return f"{found['state']}, {found['finished']}{others}"
