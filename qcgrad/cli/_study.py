"""`qcgrad study`: studies declared in a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import _consoles as consoles
from ._studying import (
    ALLOW_CODE,
    JOBS,
    MAX_MEMORY,
    MAX_QUBITS,
    QUICK,
    STORE_NAME,
    Setting,
    gib,
    part_of,
    run_study,
    show,
    smaller,
    write,
)
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.spec import StudySpec

EXAMPLE = "Example: qcgrad study run benchmarks/scaling.toml --jobs 2, then qcgrad study report benchmarks/scaling.toml"

_WHAT = Annotated[
    Path, typer.Argument(metavar="SPEC|STORE", help="A spec (.toml), or results: a folder, or its study.sqlite.")
]
_SPEC = Annotated[Path, typer.Argument(metavar="SPEC", help="A spec, a TOML file.")]
_OUT = Annotated[
    Path | None,
    typer.Option(help="Folder of the results.", show_default="qcgrad-results/<name of the spec>-<hash of the spec>"),
]
_SCHEDULER = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Compute on a Dask cluster: an address as tcp://10.0.0.1:8786, a scheduler file, or local for one on this "
        "machine with --jobs workers.",
    ),
]
_SHARD = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Compute every N-th cell, from the I-th one on; merge puts them together."),
]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]

application = typer.Typer(
    name="study", help="Run studies that a file declares, and show what came out.", no_args_is_help=True, epilog=EXAMPLE
)


@application.command("run")
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
) -> None:
    """Compute a study, print its tables, write its figures.

    Each finished part is kept at once: after an interrupt or a kill the same command goes on, and nothing is
    computed twice.
    Exit code 1: some parts failed or would not fit into memory; the others are done.
    """
    from ..studies.spec import load_spec

    study = smaller(load_spec(spec), quick, max_qubits)
    folder = out or _folder(spec, study)
    _run(context, study, folder, jobs, scheduler, shard, max_memory, allow_code)


@application.command("resume")
def resume(
    context: typer.Context,
    what: _WHAT,
    jobs: JOBS = 1,
    scheduler: _SCHEDULER = None,
    shard: _SHARD = None,
    max_memory: MAX_MEMORY = None,
    allow_code: ALLOW_CODE = False,
) -> None:
    """Go on with a study from its results alone, on this machine or another one."""
    study, folder = _found(what)
    _run(context, study, folder, jobs, scheduler, shard, max_memory, allow_code)


def _run(context, study: "StudySpec", folder: Path, jobs, scheduler, shard, max_memory, allow_code):
    again = ("qcgrad", "study", "resume", str(folder), *(["--allow-code"] if allow_code else []))
    run_study(
        study,
        Setting(
            folder, jobs, scheduler, part_of(shard), gib(max_memory), again, context.obj["debug"], allow_code=allow_code
        ),
    )


@application.command("status")
def status(what: _WHAT, as_json: _JSON = False) -> None:
    """Say what of a study is finished, what failed and why, and what computed it."""
    import json

    from ..studies.status import status_of
    from ..studies.store import Store

    study, folder = _found(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        found = status_of(study, store)
    if as_json:
        print(json.dumps(found.data, indent=2))
        return
    console = consoles.output()
    for line in found.lines():
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@application.command("export")
def export(
    what: _WHAT,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv, .json or .parquet.")],
) -> None:
    """Write all finished cells as flat rows."""
    from ..studies.export import write as write_rows
    from ..studies.store import Store

    with Store(_folder_of(what) / STORE_NAME, must_exist=True) as store:
        count = write_rows(store, to)
    print(f"{count} rows written to {to}")


@application.command("plot")
def plot(
    what: _WHAT,
    out: Annotated[Path | None, typer.Option(help="Folder of the figures.", show_default="that of the results")] = None,
) -> None:
    """Draw the figures of what is finished, as PNG and SVG."""
    study, folder, records = _records(what)
    target = out or folder
    target.mkdir(parents=True, exist_ok=True)
    for path in write(study, records, target):
        print(path)


@application.command("report")
def report(
    what: _WHAT,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The HTML file.", show_default="report.html beside the results")
    ] = None,
) -> None:
    """Write one HTML file with tables, interactive figures, the data, and what computed it; it needs no network."""
    import json

    from ..studies.export import FlatRows
    from ..studies.files import csv_text
    from ..studies.render.html import Report, write_html
    from ..studies.report import summaries
    from ..studies.status import status_of
    from ..studies.store import Store

    study, folder, records = _records(what)
    with Store(folder / STORE_NAME, must_exist=True) as store, store.snapshot():
        status, rows = status_of(study, store), csv_text(FlatRows(store))
    spec = json.dumps(study.model_dump(mode="json", exclude_none=True), indent=2)
    title = study.title or f"Study {folder.name}"
    files = (("cells.csv", rows.encode()), ("spec.json", spec.encode()))
    target = out or folder / "report.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_html(Report(title, tuple(summaries(study, records)), status, spec, files), target)
    print(target)


@application.command("show")
def show_tables(
    what: _WHAT, latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX tables (booktabs).")] = False
) -> None:
    """Print the tables of what is finished."""
    from ..studies.render.latex import latex as in_latex
    from ..studies.report import summaries

    study, _, records = _records(what)
    if latex:
        print("\n\n".join(in_latex(table) for found in summaries(study, records) for table in found.tables))
    else:
        show(study, records)


@application.command("merge")
def merge(
    into: Annotated[Path, typer.Argument(metavar="STORE", help="Results that take over what they lack.")],
    others: Annotated[list[Path], typer.Argument(metavar="OTHERS...", help="Results of other shards.")],
) -> None:
    """Put results of several machines or shards together."""
    from ..studies.store import Store

    with Store(_folder_of(into) / STORE_NAME) as store:
        for other in others:
            print(f"{store.merge(_folder_of(other) / STORE_NAME)} cells from {other}")


def _records(what: Path):
    from ..studies.report import records_in
    from ..studies.store import Store

    study, folder = _found(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        records = records_in(study, store)
    if not records:
        raise UserError(f"{folder} has no finished part of this study: qcgrad study run computes them")
    return study, folder, records


def _found(what: Path) -> "tuple[StudySpec, Path]":
    """The study and the folder of its results, of a spec or of results alone."""
    from ..studies.spec import load_spec, read_spec
    from ..studies.store import Store

    if what.suffix.lower() == ".toml":
        study = load_spec(what)
        return study, _folder(what, study)
    folder = _folder_of(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        runs = [run for run in store.runs() if run.spec is not None]
    if not runs:
        raise UserError(f"{folder} does not say which study it is of: give the spec")
    return read_spec(runs[-1].spec or "{}", f"the spec in {folder}"), folder


def _folder(spec: Path, study: "StudySpec") -> Path:
    return Path("qcgrad-results") / f"{spec.stem}-{study.fingerprint}"


def _folder_of(what: Path) -> Path:
    """The folder of results, of its name, of its database, or of the spec."""
    if what.suffix.lower() == ".toml":
        return _found(what)[1]
    return what.parent if what.name == STORE_NAME else what
