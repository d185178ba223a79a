"""`qcgrad study`: studies declared in a file."""

from pathlib import Path
from typing import Annotated

import typer

from . import _completion as completion
from . import _consoles as consoles
from ._places import WHAT, folder_for, folder_of, found_study
from ._run_options import ALLOW_CODE, JOBS, MAX_MEMORY, MAX_QUBITS, QUICK, again, gib, part_of, smaller
from ._studying import STORE_NAME, Setting, run_study

EXAMPLE = "Example: qcgrad study run benchmarks/scaling.toml --jobs 2, then qcgrad study report benchmarks/scaling.toml"

_SPEC = Annotated[Path, typer.Argument(metavar="SPEC", help="A spec, a TOML file.", autocompletion=completion.studies)]
_OUT = Annotated[
    Path | None,
    typer.Option(help="Folder of the results.", show_default="qcgrad-results/<name of the spec>-<hash of the spec>"),
]
_SCHEDULER = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Compute on a Dask cluster, for example tcp://10.0.0.1:8786.")
]
_SHARD = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Compute every N-th cell, from the I-th one on; merge puts them together."),
]

application = typer.Typer(name="study", epilog=EXAMPLE)


@application.callback(invoke_without_command=True)
def _help(context: typer.Context):
    """Run studies that a file declares, and show what came out."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@application.command("run", epilog="Example: qcgrad study run benchmarks/scaling.toml --jobs 2")
def run(
    context: typer.Context,
    spec: _SPEC,
    out: _OUT = None,
    jobs: JOBS = 1,
    scheduler: _SCHEDULER = None,
    shard: _SHARD = None,
    max_memory: MAX_MEMORY = None,
    max_qubits: MAX_QUBITS = None,
    quick: QUICK = False,
    allow_code: ALLOW_CODE = False,
    as_json: consoles.JSON = False,
) -> None:
    """Compute a study, print its tables, write its figures.

    Each finished part is kept at once: after an interrupt or a kill the same command goes on, and nothing is
    computed twice.
    Exit code 1: some parts failed or would not fit into memory; the others are done.
    """
    from ..studies.spec import load_spec

    study = smaller(load_spec(spec), quick, max_qubits)
    folder = out or folder_for(spec, study)
    run_study(study, _setting(context, folder, jobs, scheduler, shard, max_memory, allow_code, as_json))


@application.command("resume", epilog="Example: qcgrad study resume qcgrad-results/scaling-1a2b3c --jobs 2")
def resume(
    context: typer.Context,
    what: WHAT,
    jobs: JOBS = 1,
    scheduler: _SCHEDULER = None,
    shard: _SHARD = None,
    max_memory: MAX_MEMORY = None,
    allow_code: ALLOW_CODE = False,
    as_json: consoles.JSON = False,
) -> None:
    """Go on with a study from its results alone, on this machine or another one."""
    study, folder = found_study(what)
    run_study(study, _setting(context, folder, jobs, scheduler, shard, max_memory, allow_code, as_json))


def _setting(context, folder: Path, jobs, scheduler, shard, max_memory, allow_code, as_json) -> Setting:
    return Setting(
        folder,
        jobs,
        scheduler,
        part_of(shard),
        gib(max_memory),
        # The spec may change until then; the folder has it, as --quick and --max-qubits left it.
        again=again(context, "study", "resume", str(folder), less=("spec", "what", "out", "quick", "max_qubits")),
        debug=context.obj["debug"],
        allow_code=allow_code,
        as_json=as_json,
    )


@application.command("status", epilog="Example: qcgrad study status benchmarks/scaling.toml --json")
def status(what: WHAT, as_json: consoles.JSON = False) -> None:
    """Say what of a study is finished, what failed and why, and what computed it."""
    from ..studies.status import status_of
    from ..studies.store import Store

    study, folder = found_study(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        found = status_of(study, store)
    if as_json:
        consoles.print_json(found.data)
        return
    console = consoles.output()
    for line in found.lines():
        console.print(line, highlight=False, soft_wrap=True)


@application.command("merge", epilog="Example: qcgrad study merge all shard-1 shard-2")
def merge(
    into: Annotated[
        Path,
        typer.Argument(
            metavar="STORE", help="Results that take over what they lack.", autocompletion=completion.studies
        ),
    ],
    others: Annotated[
        list[Path],
        typer.Argument(metavar="OTHERS...", help="Results of other shards.", autocompletion=completion.studies),
    ],
    as_json: consoles.JSON = False,
) -> None:
    """Put results of several machines or shards together."""
    from ..studies.store import Store

    paths = {other: folder_of(other) / STORE_NAME for other in others}
    for path in paths.values():
        Store(path, must_exist=True).close()  # before there is a new one, which would stay empty
    merged = []
    with Store(folder_of(into) / STORE_NAME) as store:
        for other in others:
            merged.append({"from": str(other), "cells": store.merge(paths[other])})
            if not as_json:
                print(f"{merged[-1]['cells']} cells from {other}")
        specs = {run.spec for run in store.runs() if run.spec is not None}
    if len(specs) > 1:
        note = f"note: {into} has results of {len(specs)} specs, and by its name the newest one's are shown"
        consoles.notes().print(note, highlight=False, soft_wrap=True)
    if as_json:
        consoles.print_json(merged)
