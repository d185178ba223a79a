"""A page for each entry of the catalogue, methods first, and an overview of each kind; nothing is listed by hand."""

import inspect
from collections.abc import Iterator

from qcgrad import catalogue
from qcgrad.catalogue import Entry, Method
from qcgrad.estimator import AbstractEstimator

from . import measured
from .names import public

# The functions of the catalogue, and what their pages are called.
KINDS = {
    "methods": "Methods",
    "rules": "Backward rules",
    "layers": "Layers",
    "activations": "Activations",
    "backends": "Backends",
}
# What classes declare, in words; what does not hold goes without saying.
_ABOUT = {
    "is_traceable": "works under `jax.jit` and `jax.vmap`",
    "is_random": "draws at random what it asks",
    "needs_common_state": "its derivatives have to be Pauli expectations of one common state",
    "is_exact": "exact",
    "is_unbiased": "unbiased",
    "is_noisy": "noisy",
    "allots_shots": "each coordinate can have shots of its own",
    "allots_directions": "each random direction can have shots of its own",
    "is_homogeneous": "positively homogeneous",
}


def pages() -> dict[str, str]:
    """Markdown by path."""
    found = {}
    for kind in KINDS:
        known = entries(kind)
        found[f"{kind}/index.md"] = _overview(kind, known)
        for entry in known.values():
            found[place(kind, entry)] = _page(entry)
    return found


def entries(kind: str) -> dict[str, Entry]:
    """The entries of a kind that are part of this package, by name; methods of others have pages elsewhere."""
    return {name: entry for name, entry in getattr(catalogue, kind)().items() if path_of(entry.make)}


def place(kind: str, entry: Entry) -> str:
    """Where an entry's page stands."""
    return f"{kind}/{entry.name}.md"


def documented() -> frozenset[str]:
    """Public names whose documentation stands on these pages."""
    return frozenset(path_of(entry.make) for kind in KINDS for entry in entries(kind).values())


def path_of(made: type) -> str:
    """The public path by which a class is documented; empty where it is none of this package's."""
    defined = f"{made.__module__}.{made.__qualname__}"
    return next((name.path for name in public() if name.defined == defined), "")


def _page(entry: Entry) -> str:
    parts = [f"# {entry.name}", *_facts(entry), f"::: {path_of(entry.make)}"]
    if isinstance(entry, Method):
        parts.append(f"## In a terminal\n\n```sh\n{_command(entry)}\n```")
        parts += measured.sections(entry)
    return "\n\n".join(parts) + "\n"


def _facts(entry: Entry) -> Iterator[str]:
    """What the class declares of itself, in one paragraph."""
    facts = []
    if isinstance(entry, Method):
        facts += [f"for **{entry.differentiates}**", f"**{_words(entry.access.name)}** access to the state"]
        facts += [f"pays in **{entry.pays_in}**"]
        facts += ["states a bound for an accuracy" if _is_bounded(entry.make) else "states no bound for an accuracy"]
    facts += [words for name, words in _ABOUT.items() if inspect.getattr_static(entry.make, name, None) is True]
    if facts:
        yield "; ".join(facts)[0].upper() + "; ".join(facts)[1:] + "."


def _is_bounded(made: type[AbstractEstimator]) -> bool:
    return made.for_accuracy.__func__ is not AbstractEstimator.for_accuracy.__func__  # pyright: ignore


def _command(method: Method) -> str:
    if method.differentiates != "circuits":
        return f"qcgrad methods {method.name}"
    needed = [f"--option {option.name}=..." for option in method.options if option.is_required]
    return f"qcgrad methods {method.name}\n" + " ".join(["qcgrad grad circuit.qasm --method", method.name, *needed])


def _overview(kind: str, known: dict[str, Entry]) -> str:
    rows = [_row(entry) for entry in known.values()]
    headings = list(rows[0])
    table = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    table += ["| " + " | ".join(row.values()) + " |" for row in rows]
    parts = [f"---\nhide: [toc]\n---\n# {KINDS[kind]}", _first(kind)]
    parts += [measured.HOW_TO_READ] if kind == "methods" else []
    return "\n\n".join([*parts, '<div class="sortable" markdown>', "\n".join(table), "</div>"]) + "\n"


def _first(kind: str) -> str:
    """The first paragraph of what the catalogue says of it."""
    about = inspect.getdoc(getattr(catalogue, kind)) or ""
    return about.split("\n\n")[0].replace("\n", " ")


def _row(entry: Entry) -> dict[str, str]:
    row = {"name": f"[{entry.name}]({entry.name}.md)"}
    if isinstance(entry, Method):
        row |= {"access": _words(entry.access.name), "pays in": entry.pays_in, **measured.row(entry)}
    # With its formulas, which the catalogue takes out.
    summary = " ".join((inspect.getdoc(entry.make) or "").split("\n\n")[0].split())
    return row | {"what it is": summary.replace("|", "\\|")}


def _words(name: str) -> str:
    return name.replace("_", " ")
