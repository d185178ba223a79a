"""Which study, and where its results are: of a spec, of results, of their database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import _completion as completion
from ._studying import STORE_NAME
from .errors import UserError

if TYPE_CHECKING:
    from ..studies.cells import Cell
    from ..studies.spec import StudySpec

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
    """The study and the folder of its results, of a spec or of results alone."""
    from ..studies.spec import load_spec, read_spec
    from ..studies.store import Store

    if what.suffix.lower() == ".toml":
        study = load_spec(what)
        return study, folder_for(what, study)
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
    if what.suffix.lower() == ".toml":
        return found_study(what)[1]
    return what.parent if what.name == STORE_NAME else what
