"""`qcgrad scaling`: who has backpropagation scaling."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from . import consoles
from .errors import EXIT_INTERRUPTED, UserError

EXAMPLE = 'Example: qcgrad scaling --methods "parameter-shift,bell-shadow" --out hard-instance'


def scaling(
    context: typer.Context,
    spec: Annotated[Path | None, typer.Option(help="Study spec, a TOML file; fields left out have defaults.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results.", show_default="qcgrad-results/scaling-<hash of the spec>"),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Comma-separated: adjoint, parameter-shift, gentle-sweep, read-once, bell-shadow, backprop."),
    ] = None,
    max_qubits: Annotated[int | None, typer.Option(help="Leave out circuits on more qubits.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all random numbers.", min=0)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller study, to look around.")] = False,
):
    """Measure how the cost of a gradient grows with M, for every method, and give a verdict.

    The models are real circuits of the library, the all-Pauli hard instance, and a classical network.

    Finished parts are kept: an interrupted study goes on where it stopped, a finished one is shown again.
    """
    from ..studies.plan import cells_of
    from ..studies.run import StudyInterrupted, run_cells
    from ..studies.store import Store

    study = _study(spec, methods, max_qubits, seed, quick)
    cells = cells_of(study)
    if not cells:
        raise UserError("nothing is left to compute: give more --methods or a larger --max-qubits")
    folder = out or Path("qcgrad-results") / f"scaling-{study.fingerprint}"
    notes = consoles.notes()
    with Store(folder / "study.sqlite") as store:
        try:
            outcome = run_cells(cells, store, console=notes, debug=context.obj["debug"])
        except StudyInterrupted as interruption:
            _say_interrupted(notes, interruption, store.path, spec, out, methods, max_qubits, seed, quick)
            raise typer.Exit(EXIT_INTERRUPTED) from None
    _write(outcome, study, folder)
    if outcome.failures:
        raise typer.Exit(1)


def _study(spec, methods, max_qubits, seed, quick):
    from ..studies import spec as specs

    study = specs.load_spec(spec) if spec is not None else specs.StudySpec()
    changes = {}
    if methods is not None:
        changes["methods"] = tuple(name for name in methods.split(",") if name.strip())
    if seed is not None:
        changes["seed"] = seed
    if changes:
        # Through the constructor again, which checks; copying would not.
        study = specs.make_spec({**study.model_dump(), **changes}, "options")
    if quick:
        study = specs.quick(study)
    return study if max_qubits is None else specs.limit_qubits(study, max_qubits)


def _say_interrupted(notes, interruption, path, spec, out, methods, max_qubits, seed, quick):
    options = (("--spec", spec), ("--out", out), ("--methods", methods), ("--max-qubits", max_qubits), ("--seed", seed))
    again = ["qcgrad", "scaling"]
    for name, value in options:
        again += [] if value is None else [name, str(value)]
    again += ["--quick"] if quick else []
    notes.print(
        f"Interrupted: {interruption.finished} of {interruption.total} cells are finished and kept in {path}.\n"
        f"To go on from there: {shlex.join(again)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _write(outcome, study, folder: Path):
    from ..studies.plan import label
    from ..studies.plots import draw
    from ..studies.report import flat_rows, print_report
    from ..studies.scaling import laws_of
    from ..studies.store import write_csv

    console = consoles.output()
    notes = consoles.notes()
    for cell, message in outcome.failures:
        notes.print(f"failed: {label(cell)}: {' '.join(message.split())}", highlight=False, markup=False)
    if not outcome.records:
        return
    laws = laws_of(outcome.records)
    print_report(outcome.records, laws, study, console)
    write_csv(folder / "cells.csv", flat_rows(outcome.records))
    (folder / "spec.json").write_text(study.model_dump_json(indent=2) + "\n", encoding="utf-8")
    pictures = draw(laws, study, folder / "scaling")
    done = f"\n{outcome.computed} cells computed"
    if outcome.reused:
        done += f", {outcome.reused} taken from an earlier run (--out another folder to compute them again)"
    console.print(done + ".", highlight=False)
    written = ("study.sqlite", "cells.csv", "spec.json", *(picture.name for picture in pictures))
    console.print(
        f"Written to {folder}{'/' if not str(folder).endswith('/') else ''}: {', '.join(written)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
