"""What a shell offers after TAB: names of what there is, each with a few words."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from glob import escape
from pathlib import Path
from typing import ParamSpec

import typer

Offers = list[tuple[str, str]]
P = ParamSpec("P")


def _quiet(offer: Callable[P, Offers]) -> Callable[P, Offers]:
    """Offers, and nothing where they cannot be had: whatever is said of it would stand in the line being typed."""

    @wraps(offer)
    def offered(*arguments: P.args, **named: P.kwargs) -> Offers:
        said = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")
            try:
                return offer(*arguments, **named)
            except Exception:  # of an installed package, a folder that cannot be read, a script that is none
                return []

    return offered


@_quiet
def methods(incomplete: str) -> Offers:
    """Methods for circuits."""
    from .. import catalogue

    found = catalogue.methods().values()
    return _begun(incomplete, ((m.name, m.summary) for m in found if m.differentiates == "circuits"))


@_quiet
def several_methods(incomplete: str) -> Offers:
    """The last of a list of methods with commas, which keeps what stands before it."""
    from .. import catalogue

    before, comma, last = incomplete.rpartition(",")
    found = _begun(last.lstrip(), ((method.name, method.summary) for method in catalogue.methods().values()))
    return [(f"{before}{comma}{name}", about) for name, about in found]


@_quiet
def entries(ctx: typer.Context, incomplete: str) -> Offers:
    """What the catalogue has of the kind that is asked for."""
    from .. import catalogue

    kind = ctx.params.get("kind") or "methods"
    found = getattr(catalogue, kind)().values() if kind in catalogue.KINDS else ()
    return _begun(incomplete, ((entry.name, entry.summary) for entry in found))


@_quiet
def kinds(incomplete: str) -> Offers:
    """Kinds of entries."""
    from .. import catalogue

    return _begun(incomplete, ((kind, "") for kind in catalogue.KINDS))


@_quiet
def activations(incomplete: str) -> Offers:
    """Functions of complex numbers that a tangent kernel takes by name."""
    from ..studies.kernels import complex_activations

    return _begun(incomplete, ((entry.name, entry.summary) for entry in complex_activations().values()))


@_quiet
def circuits(incomplete: str) -> Offers:
    """Circuits of the library."""
    from ..library import list_circuits

    return _begun(incomplete, ((c.name, f"{c.family}, {c.num_qubits} qubits") for c in list_circuits()))


@_quiet
def files_and_circuits(incomplete: str) -> Offers:
    """OpenQASM files and circuits of the library."""
    return [*_paths(incomplete, (".qasm",)), *circuits(incomplete)]


@_quiet
def families(incomplete: str) -> Offers:
    """Families of circuits."""
    from ..library import list_circuits

    return _begun(incomplete, ((name, "") for name in sorted({c.family for c in list_circuits()})))


@_quiet
def studies(incomplete: str) -> Offers:
    """Specs here and in benchmarks/, folders of results, and whatever a path that is begun leads to."""
    specs = ((path.as_posix(), "spec") for path in sorted(Path("benchmarks").glob("*.toml")))
    results = ((path.parent.as_posix(), "results") for path in sorted(Path("qcgrad-results").glob("*/study.sqlite")))
    return _begun(incomplete, dict([*specs, *results, *_paths(incomplete, (".toml", ".sqlite"))]).items())


@_quiet
def claims(incomplete: str) -> Offers:
    """Topics and claims of the checkout."""
    from ..studies.claims import claims_in, repository

    scripts = claims_in(repository())
    names = dict.fromkeys(("all", *(script.topic for script in scripts)), "")
    names |= {script.path.stem.replace("_", "-"): script.claim for script in scripts}
    return _begun(incomplete, names.items())


def _begun(incomplete: str, offers: Iterable[tuple[str, str]]) -> Offers:
    return [offer for offer in offers if offer[0].startswith(incomplete)]


def _paths(incomplete: str, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Folders and files with these endings, one step further than what is written."""
    folder, slash, start = incomplete.rpartition("/")
    for path in sorted(Path(f"{folder}{slash}" or ".").glob(f"{escape(start)}*")):
        is_hidden = path.name.startswith(".") and not start
        if path.is_dir() and not is_hidden:
            yield f"{folder}{slash}{path.name}/", "folder"
        elif path.suffix in endings and not is_hidden:
            yield f"{folder}{slash}{path.name}", "file"
