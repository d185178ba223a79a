"""`qcgrad scaling`: who has backpropagation scaling."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from . import _consoles as consoles
from .errors import EXIT_INTERRUPTED, UserError
from .numbers import numbers

EXAMPLE = 'Example: qcgrad scaling --methods "parameter-shift,bell-shadow" --out hard-instance'


_SPEC = Annotated[Path | None, typer.Option(help="Study spec, a TOML file; fields left out have defaults.")]
_OUT = Annotated[
    Path | None, typer.Option(help="Folder of the results.", show_default="qcgrad-results/scaling-<hash of the spec>")
]
_METHODS = Annotated[
    str | None,
    typer.Option(help="Comma-separated names that qcgrad methods lists.", show_default="typical ones"),
]
_CIRCUITS = Annotated[
    str | None,
    typer.Option(help="Comma-separated OpenQASM files or names of library circuits, one series of growing size."),
]
_OBSERVABLE = Annotated[
    str | None,
    typer.Option(
        help="Pauli sum for --circuits, for example ZZI + 0.5*IXI.",
        show_default="the recorded one, else Z on every qubit, summed",
    ),
]
_EPSILON = Annotated[str | None, typer.Option(help="Comma-separated accuracies, for example 0.3,0.1.")]
_MAX_QUBITS = Annotated[int | None, typer.Option(help="Leave out circuits on more qubits.", min=1)]
_MAX_MEMORY = Annotated[
    float | None,
    typer.Option(metavar="GIB", help="Refuse parts that would take more memory.", show_default="80 % of what is free"),
]
_SEED = Annotated[int | None, typer.Option(help="Seed of all random numbers.", min=0)]
_QUICK = Annotated[bool, typer.Option("--quick", help="A smaller study, to look around.")]


def scaling(
    context: typer.Context,
    spec: _SPEC = None,
    out: _OUT = None,
    methods: _METHODS = None,
    circuits: _CIRCUITS = None,
    observable: _OBSERVABLE = None,
    epsilon: _EPSILON = None,
    max_qubits: _MAX_QUBITS = None,
    max_memory: _MAX_MEMORY = None,
    seed: _SEED = None,
    quick: _QUICK = False,
) -> None:
    """Measure how the cost of a gradient grows with M, for every method, and give a verdict.

    The models are real circuits of the library or your own, the all-Pauli hard instance, and a classical network.
    Circuits need nothing but their program: a .toml file beside it, as in the library, gives observable and angles;
    without one the angles are drawn from the seed. Gradients are compared with the adjoint method.

    Finished parts are kept: an interrupted study goes on where it stopped, a finished one is shown again. Several
    processes on one folder share the work. Exit code 1: some parts failed or would not fit into memory.
    """
    study = _study(spec, methods, circuits, observable, epsilon, max_qubits, seed, quick)
    folder = out or Path("qcgrad-results") / f"scaling-{study.fingerprint}"
    outcome = _outcome(context, study, folder, None if max_memory is None else _bytes(max_memory))
    _say_notes(consoles.notes(), outcome)
    _say_missing(consoles.notes(), outcome)
    _write(outcome, study, folder)
    if outcome.failures or outcome.refused:
        raise typer.Exit(1)


def _outcome(context: typer.Context, study, folder: Path, max_bytes: int | None):
    from functools import partial

    from ..studies.cells import Cell
    from ..studies.plan import cells_of
    from ..studies.run import StudyInterrupted, run_cells
    from ..studies.store import Store

    cells = cells_of(study)
    if not cells:
        raise UserError("nothing is left to compute: give more --methods or a larger --max-qubits")
    limits = {} if max_bytes is None else {"compute": partial(Cell.compute, max_bytes=max_bytes)}
    notes = consoles.notes()
    with Store(folder / "study.sqlite") as store:
        try:
            return run_cells(cells, store, console=notes, debug=context.obj["debug"], **limits)
        except StudyInterrupted as interruption:
            _say_interrupted(notes, interruption, store.path, _again(context))
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _bytes(gib: float) -> int:
    if not 0 < gib < float("inf"):
        raise UserError(f"--max-memory {gib}: give a positive number of GiB")
    return int(gib * 2**30)


def _study(spec, methods, circuits, observable, epsilon, max_qubits, seed, quick):
    from ..studies import spec as specs

    study = specs.load_spec(spec) if spec is not None else specs.StudySpec()
    changes = {}
    if methods is not None:
        changes["methods"] = _listed(methods)
    if circuits is not None:
        changes["circuits"] = [{"label": "circuits", "circuits": _listed(circuits), "observable": observable}]
    elif observable is not None:
        raise UserError("--observable belongs to --circuits: give both, or write it into the spec")
    if epsilon is not None:
        changes["epsilon"] = numbers(epsilon, "--epsilon")
    if seed is not None:
        changes["seed"] = seed
    if changes:
        # Through the constructor again, which checks; copying would not.
        study = specs.make_spec({**study.model_dump(), **changes}, "options")
        study = specs.with_files_in(study, Path.cwd())
    if quick:
        study = specs.quick(study)
    return study if max_qubits is None else specs.limit_qubits(study, max_qubits)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _again(context: typer.Context) -> list[str]:
    """The command line that goes on, from the options that were given."""
    words = ["qcgrad", "scaling"]
    for name, value in context.params.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def _say_notes(notes, outcome):
    """What of the circuits' files was read differently than written, once for each file."""
    found = {(cell.where, note): None for cell, record in outcome.records for note in record.get("notes", ())}
    for circuit, note in found:
        notes.print(f"note: {circuit}, {note}", highlight=False, markup=False, soft_wrap=True)


def _say_missing(notes, outcome):
    """One line for each reason that kept cells from being computed."""
    for verdict, missing in (("failed", outcome.failures), ("refused", outcome.refused)):
        reasons: dict[str, list[str]] = {}
        for cell, message in missing:
            reasons.setdefault(" ".join(message.split()), []).append(cell.label)
        for message, labels in reasons.items():
            others = f" (and {len(labels) - 1} more)" if len(labels) > 1 else ""
            notes.print(f"{verdict}: {labels[0]}{others}: {message}", highlight=False, markup=False, soft_wrap=True)


def _say_interrupted(notes, interruption, path, again: list[str]):
    notes.print(
        f"Interrupted: {interruption.finished} of {interruption.total} cells are finished and kept in {path}.\n"
        f"To go on from there: {shlex.join(again)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _write(outcome, study, folder: Path):
    from ..studies.plots import draw
    from ..studies.report import flat_rows, print_report
    from ..studies.scaling import laws_of
    from ..studies.store import replacing, write_csv

    console = consoles.output()
    if not outcome.records:
        return
    laws = laws_of(outcome.records)
    print_report(outcome.records, laws, study, console)
    write_csv(folder / "cells.csv", flat_rows(outcome.records))
    with replacing(folder / "spec.json") as part:
        part.write_text(study.model_dump_json(indent=2) + "\n", encoding="utf-8")
    pictures = draw(laws, study, folder / "scaling")
    done = f"\n{outcome.computed} cells computed"
    if outcome.reused:
        done += f", {outcome.reused} taken from an earlier run or another process"
        done += " (--out another folder to compute them again)"
    console.print(done + ".", highlight=False)
    written = ("study.sqlite", "cells.csv", "spec.json", *(picture.name for picture in pictures))
    console.print(
        f"Written to {folder}{'/' if not str(folder).endswith('/') else ''}: {', '.join(written)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
