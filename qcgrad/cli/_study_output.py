"""`qcgrad study` export, plot, report, show: what is made of results."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from . import _consoles as consoles
from ._places import WHAT, folder_of, records_of
from ._studying import STORE_NAME, show, shown, write
from .errors import UserError


def export(
    what: WHAT,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv, .json or .parquet.")],
    as_json: consoles.JSON = False,
) -> None:
    """Write all finished cells as flat rows."""
    from ..studies.export import write as write_rows
    from ..studies.store import Store

    with Store(folder_of(what) / STORE_NAME, must_exist=True) as store:
        count = write_rows(store, to)
    if as_json:
        consoles.print_json({"rows": count, "files": [str(to)]})
    else:
        print(f"{count} rows written to {to}")


def plot(
    what: WHAT,
    out: Annotated[Path | None, typer.Option(help="Folder of the figures.", show_default="that of the results")] = None,
    as_json: consoles.JSON = False,
) -> None:
    """Draw the figures of what is finished, as PNG and SVG."""
    from ..studies.report import summaries

    study, folder, records = records_of(what)
    target = out or folder
    target.mkdir(parents=True, exist_ok=True)
    _say_files(write(summaries(study, records), target), as_json)


def report(
    what: WHAT,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The HTML file.", show_default="report.html beside the results")
    ] = None,
    as_json: consoles.JSON = False,
) -> None:
    """Write one HTML file with tables, interactive figures, the data, and what computed it; it needs no network."""
    import json

    from ..studies.export import FlatRows
    from ..studies.files import csv_text
    from ..studies.render.html import Report, write_html
    from ..studies.report import summaries
    from ..studies.status import status_of
    from ..studies.store import Store

    study, folder, records = records_of(what)
    with Store(folder / STORE_NAME, must_exist=True) as store, store.snapshot():
        status, rows = status_of(study, store), csv_text(FlatRows(store))
    spec = json.dumps(study.model_dump(mode="json", exclude_none=True), indent=2)
    title = study.title or f"Study {folder.name}"
    files = (("cells.csv", rows.encode()), ("spec.json", spec.encode()))
    target = out or folder / "report.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_html(Report(title, tuple(summaries(study, records)), status, spec, files), target)
    _say_files([target], as_json)


def show_tables(
    what: WHAT,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX tables (booktabs).")] = False,
    as_json: consoles.JSON = False,
) -> None:
    """Print the tables of what is finished."""
    from ..studies.render.latex import latex as in_latex
    from ..studies.report import summaries

    if latex and as_json:
        raise UserError("--latex and --json are both given: give one of them")
    study, _, records = records_of(what)
    found = summaries(study, records)
    if as_json:
        consoles.print_json(shown(found))
    elif latex:
        print("\n\n".join(in_latex(table) for summary in found for table in summary.tables))
    else:
        show(found)


def _say_files(paths: Sequence[Path], as_json: bool) -> None:
    if as_json:
        consoles.print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        print(path)


_COMMANDS = {
    "export": (export, "Example: qcgrad study export benchmarks/scaling.toml rows.parquet"),
    "plot": (plot, "Example: qcgrad study plot benchmarks/scaling.toml --out figures"),
    "report": (report, "Example: qcgrad study report benchmarks/scaling.toml --out report.html"),
    "show": (show_tables, "Example: qcgrad study show benchmarks/scaling.toml --latex"),
}


def add_to(application: typer.Typer) -> None:
    """Make them commands."""
    for name, (command, example) in _COMMANDS.items():
        application.command(name, epilog=example)(command)
