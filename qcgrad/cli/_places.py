"""Which study, and where its results are: of a spec, of results, of their database."""

from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _completion as completion
from ._studying import STORE_NAME
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.cells import Cell
    from ..studies.spec import StudySpec

_MOST_NAMED = 3

WHAT = Annotated[
    Path,
    typer.Argument(
        metavar="SPEC|STORE",
        help="A spec (.toml), or results: a folder, or its study.sqlite.",
        autocompletion=completion.studies,
    ),
]


def records_of(what: Path) -> "tuple[StudySpec, Path, list[tuple[Cell, dict[str, Any]]]]":
    """The study, the folder of its results, and what is finished.

    Raises:
        UserError: nothing is.
    """
    from ..studies.report import records_in
    from ..studies.store import Store

    study, folder = found_study(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        records = records_in(study, store)
    if not records:
        raise UserError(f"{folder} has no finished part of this study: qcgrad study run computes them")
    return study, folder, records


def found_study(what: Path) -> "tuple[StudySpec, Path]":
    """The study and the folder of its results, of a spec or of results alone.

    Raises:
        UserError: the spec was not run, or only in part; the message names folders of what was.
    """
    from ..studies.spec import load_spec, read_spec
    from ..studies.store import Store

    if what.suffix.lower() == ".toml":
        study = load_spec(what)
        folder = folder_for(what, study)
        if not (folder / STORE_NAME).is_file():
            raise UserError(f"{what} has no results in {folder}: {_instead_of(what, folder)}")
        return study, folder
    folder = folder_of(what)
    with Store(folder / STORE_NAME, must_exist=True) as store:
        runs = [run for run in store.runs() if run.spec is not None]
    if not runs:
        raise UserError(f"{folder} does not say which study it is of: give the spec")
    return read_spec(runs[-1].spec or "{}", f"the spec in {folder}"), folder


def folder_for(spec: Path, study: "StudySpec") -> Path:
    """Where the results of a spec go by default."""
    return Path("qcgrad-results") / f"{spec.stem}-{study.fingerprint}"


def folder_of(what: Path) -> Path:
    """The folder of results, of its name, of its database, or of the spec."""
    from ..studies.spec import load_spec

    if what.suffix.lower() == ".toml":
        return folder_for(what, load_spec(what))
    return what.parent if what.name == STORE_NAME else what


def _instead_of(spec: Path, folder: Path) -> str:
    """What to do where a spec has no results: often it was run with --quick, or has changed since."""
    others = folder.parent.glob(f"{escape(spec.stem)}-{'[0-9a-f]' * 10}/{STORE_NAME}")
    newest = [str(path.parent) for path in sorted(others, key=lambda path: -path.stat().st_mtime)[:_MOST_NAMED]]
    computes = f"qcgrad study run {spec} computes them"
    if not newest:
        return f"{computes}, or give the folder that --out named"
    return f"{computes}, or give a folder of it as --quick, --max-qubits or another text made it: {', '.join(newest)}"
