"""What the committed study says of one method: sections of its page, and its part of the overview."""

from collections.abc import Callable
from functools import cache

from qcgrad.catalogue import Method
from qcgrad.studies.kind import AbstractKind
from qcgrad.studies.summary import Column, Summary, Table

from . import study
from .figures import cell, drawn, table

HOW_TO_READ = (
    "How the cost of a gradient, over that of the value, grows with the number M of its components was measured on "
    "circuits of the library; the exponent is of a power law in M, ± one standard error. A click on a heading sorts."
)
_DASH = "–"


def sections(method: Method) -> list[str]:
    """Markdown: figures and tables of what was measured, and where the method refused."""
    found = [_measured(kind, method) for kind in _study().spec.kinds()]
    parts = [part for part in found if part]
    if not parts:
        parts.append(f"## Measured\n\n{_why_not(method)}")
    if refusals := _refusals(method):
        parts.append("## Where it does not apply\n\n" + "\n".join(refusals))
    return [*parts, _origin()]


def row(method: Method) -> dict[str, str]:
    """Exponent and verdict on the first series of circuits on which there is a law."""
    laws = _laws(method)
    column = {"M^": _DASH, "backprop. scaling": _DASH, "measured on": _DASH}
    if laws is None:
        return column
    for number, _ in enumerate(laws.columns[0].shown):
        verdict = _shown(laws, number, lambda c: c.verdicts)
        exponent = _shown(laws, number, lambda c: "ratio" in c.heading and "M^" in c.heading)
        if exponent != _DASH:
            series = _shown(laws, number, lambda c: c.heading == "model")
            return {"M^": exponent, "backprop. scaling": verdict, "measured on": series}
    return column


@cache
def _study() -> study.Measured:
    return study.read()


def _summary(kind: AbstractKind, method: Method) -> Summary | None:
    mine = [(c, end) for c, end in _study().records if kind.is_mine(c) and getattr(c, "method", None) == method.name]
    return kind.summary(mine) if mine else None


def _laws(method: Method) -> Table | None:
    scaling = _study().spec.scaling
    summary = scaling and _summary(scaling, method)
    return summary.tables[0] if summary and summary.tables else None


def _shown(laws: Table, number: int, chosen: Callable[[Column], bool]) -> str:
    return next((cell(column.shown[number]) for column in laws.columns if chosen(column)), _DASH)


def _measured(kind: AbstractKind, method: Method) -> str:
    summary = _summary(kind, method)
    if summary is None:
        return ""
    figures = [svg for figure in summary.figures for svg in drawn(figure, f"{summary.title}: {method.name}")]
    known = (method.name, method.access.name.replace("_", " "))
    tables = [f"**{cell(shown.title)}**\n\n{table(shown, known)}" for shown in summary.tables]
    notes = [cell(note) for note in summary.notes]
    return "\n\n".join([f"## Measured: {summary.title[0].lower()}{summary.title[1:]}", *figures, *tables, *notes])


def _why_not(method: Method) -> str:
    if _refusals(method):
        return "There is no figure, since the method applies to none of the circuits of the study; its reasons follow."
    return f"There is no figure: the committed study is older than the method. `{study.COMMAND}` measures it."


def _refusals(method: Method) -> list[str]:
    """One line for each reason, with the circuits."""
    reasons: dict[str, list[str]] = {}
    for refused, message in _study().refusals:
        if getattr(refused, "method", None) == method.name:
            reasons.setdefault(" ".join(message.split()), []).append(refused.where)
    return [f"- {', '.join(dict.fromkeys(where))}: {cell(message)}" for message, where in reasons.items()]


def _origin() -> str:
    about = _study().provenance
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"*Computed by `{study.COMMAND}` (code {about['qcgrad']}, Python {about['python']}, {packages}); "
        "the numbers are in `docs/data/methods.json`.*"
    )
