"""What all commands that run studies do: compute, show, write, and say how to go on."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from . import _consoles as consoles
from .errors import EXIT_INTERRUPTED, UserError

if TYPE_CHECKING:
    from ..studies.cells import Cell
    from ..studies.executors import AbstractExecutor
    from ..studies.run import Outcome
    from ..studies.spec import StudySpec
    from ..studies.summary import Summary

STORE_NAME = "study.sqlite"


@dataclass(frozen=True)
class Setting:
    """How a study is run.

    Attributes:
        folder: of the results.
        jobs: processes; one is this one.
        scheduler: address or file of a Dask scheduler, in place of `jobs`; "local" for one with `jobs` workers here.
        shard: (i, n) computes every n-th cell, from the i-th one on, counted from 1.
        max_bytes: that all cells side by side may take.
        again: the command that goes on after an interrupt.
        debug: raise the first error of a cell.
        allow_code: run functions of the user's that make circuits.
        as_json: print one document in place of tables.
    """

    folder: Path
    jobs: int = 1
    scheduler: str | None = None
    shard: tuple[int, int] = (1, 1)
    max_bytes: int | None = None
    again: tuple[str, ...] = ()
    debug: bool = False
    allow_code: bool = False
    as_json: bool = False


def run_study(study: "StudySpec", setting: Setting) -> None:
    """Compute what the store lacks, print and write everything; exit code 1 where cells are missing."""
    from ..studies.factories import CodeRefused
    from ..studies.report import summaries

    notes = consoles.notes()
    if not setting.allow_code and (code := study.code()):
        raise CodeRefused(code[0])
    first, step = setting.shard
    cells = study.cells(allow_code=setting.allow_code)
    if not cells:
        raise UserError("nothing is left to compute: give more methods or a larger --max-qubits")
    mine = cells[first - 1 :: step]
    if not mine:  # its empty results are kept, since whoever merges all shards gives them too
        notes.print(f"note: --shard {first}/{step} is empty, the study has {len(cells)} cells", highlight=False)
    outcome = compute(mine, setting, study.model_dump_json())
    if not setting.as_json:
        _say_notes(notes, outcome)
    found = summaries(study, outcome.records)
    written = _keep(found, study, setting.folder) if outcome.records else []
    if setting.as_json:
        data = {"title": study.title, **_as_data(outcome, found, setting.folder, written)}
        consoles.print_json(data)
    elif outcome.records:
        show(found)
        _say_done(outcome, setting.folder, written)
    if outcome.failures or outcome.refused:
        raise typer.Exit(1)


def show(found: "Sequence[Summary]") -> None:
    """Print the tables of all kinds."""
    from ..studies.render.console import print_summary

    console = consoles.output()
    for index, summary in enumerate(found):
        if index:
            console.print()
        print_summary(summary, console)


def shown(found: "Sequence[Summary]") -> list[dict[str, Any]]:
    """What `show` prints, as plain data."""
    from ..studies.render.data import as_data

    return [as_data(summary) for summary in found]


def write(found: "Sequence[Summary]", folder: Path) -> list[Path]:
    """Write the figures of all kinds."""
    from ..studies.render.pictures import draw

    figures = [figure for summary in found for figure in summary.figures]
    return [path for figure in figures for path in draw(figure, folder)]


def compute(cells: "Sequence[Cell]", setting: Setting, spec: str | None) -> "Outcome":
    """Compute what the store lacks, and say what could not be computed.

    Args:
        cells: of the study.
        setting: how it is run.
        spec: of the study, as JSON, for whoever goes on from the store alone.
    """
    from ..studies.provenance import provenance
    from ..studies.run import StudyInterrupted, run_cells
    from ..studies.store import Store

    with _executor(setting) as executor, Store(setting.folder / STORE_NAME) as store:
        store.begin(spec, provenance() | {"workers": executor.machines})
        try:
            outcome = run_cells(cells, store, executor, console=consoles.notes())
        except StudyInterrupted as interruption:
            _say_interrupted(interruption, store.path, list(setting.again))
            raise typer.Exit(EXIT_INTERRUPTED) from None
    _say_missing(consoles.notes(), outcome)
    return outcome


def _executor(setting: Setting) -> "AbstractExecutor":
    from ..studies.executors import Dask, InProcess, Processes

    if setting.scheduler == "local":
        return Dask.local(setting.jobs, setting.max_bytes)
    if setting.scheduler is not None:
        if setting.jobs != 1:
            raise UserError(
                f"--jobs {setting.jobs} and --scheduler {setting.scheduler} are both given, but that cluster has its "
                "own workers: give one of them"
            )
        return Dask(setting.scheduler, setting.max_bytes)
    if setting.jobs > 1:
        return Processes(setting.jobs, setting.max_bytes)
    return InProcess(setting.max_bytes, raise_errors=setting.debug)


def _say_notes(notes, outcome: "Outcome") -> None:
    for note in _notes(outcome):
        notes.print(f"note: {note}", highlight=False, soft_wrap=True)


def _notes(outcome: "Outcome") -> list[str]:
    """What of the circuits' files was read differently than written, once for each file."""
    from ..studies.plain import plain

    found = {f"{cell.where}, {note}": None for cell, record in outcome.records for note in record.get("notes", ())}
    return [plain(note) for note in found]


def _say_missing(notes, outcome: "Outcome"):
    """One line for each reason that kept cells from being computed."""
    from ..studies.plain import plain

    for verdict, missing in (("failed", outcome.failures), ("refused", outcome.refused)):
        reasons: dict[str, list[str]] = {}
        for cell, message in missing:
            reasons.setdefault(" ".join(message.split()), []).append(cell.label)
        for message, labels in reasons.items():
            others = f" (and {len(labels) - 1} more)" if len(labels) > 1 else ""
            notes.print(plain(f"{verdict}: {labels[0]}{others}: {message}"), highlight=False, soft_wrap=True)


def _say_interrupted(interruption, path: Path, again: list[str]):
    consoles.notes().print(
        f"Interrupted: {interruption.finished} of {interruption.total} cells are finished and kept in {path}.\n"
        f"To go on from there: {shlex.join(again)}",
        highlight=False,
        soft_wrap=True,
    )


def _keep(found: "Sequence[Summary]", study: "StudySpec", folder: Path) -> list[str]:
    """Write figures, rows and the spec beside the store; the names of all files."""
    from ..studies.export import write as export
    from ..studies.files import replacing
    from ..studies.store import Store

    write(found, folder)
    with Store(folder / STORE_NAME) as store:
        export(store, folder / "cells.csv")
    with replacing(folder / "spec.json") as part:
        part.write_text(study.model_dump_json(indent=2) + "\n", encoding="utf-8")
    pictures = sorted(path.name for ending in ("*.png", "*.svg") for path in folder.glob(ending))
    return [STORE_NAME, "cells.csv", "spec.json", *pictures]


def _as_data(outcome: "Outcome", found: "Sequence[Summary]", folder: Path, written: list[str]) -> dict[str, Any]:
    def missing(cells):
        return [{"cell": cell.label, "message": message} for cell, message in cells]

    return {
        "folder": str(folder),
        "computed": outcome.computed,
        "reused": outcome.reused,
        "failed": missing(outcome.failures),
        "refused": missing(outcome.refused),
        "notes": _notes(outcome),
        "summaries": shown(found),
        "files": written,
    }


def _say_done(outcome: "Outcome", folder: Path, written: list[str]) -> None:
    done = f"\n{outcome.computed} cells computed"
    if outcome.reused:
        done += f", {outcome.reused} taken from an earlier run or another process"
        done += " (--out another folder to compute them again)"
    console = consoles.output()
    console.print(done + ".", highlight=False)
    console.print(
        f"Written to {folder}{'/' if not str(folder).endswith('/') else ''}: {', '.join(written)}",
        highlight=False,
        soft_wrap=True,
    )
