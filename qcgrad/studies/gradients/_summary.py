"""What an accuracy study shows: a table of errors and costs, and errors against copies."""

import math
from collections.abc import Callable, Iterator, Sequence

from .._circuit_fields import told_apart
from ..choices import in_words
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._cell import GradientCell

Rows = Sequence[tuple[GradientCell, Record]]

_HOW_TO_READ = (
    "The error is the root mean square over components and trials, against the adjoint gradient without noise; ± its "
    "standard error over trials. Copies and circuits are those of one estimate, counted."
)
_MISSED = (
    "Missed: trials in which some component is off by more than epsilon (times the observable's norm, as in a scaling "
    "study); at most a fraction delta is promised."
)


def summary(rows: Rows) -> Summary:
    """Table and figure of the finished cells."""
    has_accuracy = any(cell.epsilon is not None for cell, _ in rows)
    notes = (_HOW_TO_READ, *([_MISSED] if has_accuracy else []), *_sources(rows))
    table = Table("Error and cost of gradients", tuple(_columns(rows)), notes)
    curves = tuple(_curves(rows))
    panel = Panel("Error of a gradient against its copies", "copies of the state", "root mean square error", curves)
    return Summary("Accuracy of gradients", (table,), (Figure("gradients", (panel,)),) if curves else ())


def _columns(rows: Rows) -> Iterator[Column]:
    names = told_apart(cell for cell, _ in rows)
    yield _text("circuit", rows, lambda cell: names[cell.source])
    yield from _where_it_differs("observable", rows, lambda cell: cell.observable or "default")
    yield _text("method", rows, lambda cell: cell.method)
    yield _text("options", rows, _options_text)
    for heading, read in _CONDITIONS:
        yield from _where_it_differs(heading, rows, read)
    for heading, key in (("M", "M"), ("qubits", "qubits")):
        yield _numbers(heading, [record[key] for _, record in rows], is_essential=False)
    for heading, counter in (("copies", "copies"), ("circuits", "circuit_runs")):
        yield _numbers(heading, [record["gradient"][counter] for _, record in rows])
    shown = tuple(_error(r["rms_error"], r["rms_standard_error"]) for _, r in rows)
    yield Column("rms error", shown, tuple(r["rms_error"] for _, r in rows))
    if any("missed" in record for _, record in rows):
        missed = tuple(r["missed"] / r["trials"] if "missed" in r else None for _, r in rows)
        shown = tuple(f"{r['missed']} of {r['trials']}" if "missed" in r else "" for _, r in rows)
        yield Column("missed", shown, missed)
    for heading, key in (("reported\nstandard error", "reported_standard_error"), ("bias bound", "bias_bound")):
        values = tuple(record[key] for _, record in rows)
        yield Column(heading, tuple("unknown" if v is None else f"{v:.2g}" for v in values), values, is_essential=False)


def _noise_text(cell: GradientCell) -> str:
    return ", ".join(cell.noise) if cell.noise else "none"


def _backend_text(cell: GradientCell) -> str:
    return cell.backend or "default"


_CONDITIONS = (("noise", _noise_text), ("backend", _backend_text), ("seed", lambda cell: str(cell.seed)))


def _text(heading: str, rows: Rows, read: Callable[[GradientCell], str]) -> Column:
    return Column.of_words(heading, (read(cell) for cell, _ in rows))


def _where_it_differs(heading: str, rows: Rows, read: Callable[[GradientCell], str]) -> Iterator[Column]:
    """A column that says the same everywhere is left out."""
    column = _text(heading, rows, read)
    if len(set(column.shown)) > 1:
        yield column


def _numbers(heading: str, values: list[int], *, is_essential: bool = True) -> Column:
    return Column(heading, tuple(f"{value:,}" for value in values), tuple(values), is_essential=is_essential)


def _options_text(cell: GradientCell) -> str:
    accuracy = [f"ε = {cell.epsilon:g}", f"δ = {cell.delta:g}"] if cell.epsilon is not None else []
    return ", ".join([*accuracy, *filter(None, [in_words(cell.options)])])


def _error(value: float, spread: float | None) -> str:
    return f"{value:.2e}" if spread is None else f"{value:.2e} ± {spread:.0e}"


def _sources(rows: Rows) -> list[str]:
    """Where the observables and angles of the user's circuits come from, in words."""
    names = told_apart(cell for cell, _ in rows)
    found: dict[str, dict[str, None]] = {}
    for cell, record in rows:
        if cell.content is not None:
            origin = f"observable {record['observable']}; angles {record['angles']}"
            found.setdefault(origin, {})[names[cell.source]] = None
    return [f"{', '.join(circuits)}: {origin}." for origin, circuits in found.items()]


def _curves(rows: Rows) -> Iterator[Curve]:
    """One curve for each method on each circuit under each condition, over the copies of its options, for all seeds."""
    told = [read for heading, read in _CONDITIONS[:2] if len({read(cell) for cell, _ in rows}) > 1]
    told += [lambda cell: cell.observable or "default"] if len({cell.observable for cell, _ in rows}) > 1 else []
    circuits = told_apart(cell for cell, _ in rows)
    groups: dict[tuple[str, ...], dict[int, list[Record]]] = {}
    for cell, record in rows:
        if record["gradient"]["copies"] and record["rms_error"] > 0:
            name = cell.method, circuits[cell.source], *(read(cell) for read in told)
            groups.setdefault(name, {}).setdefault(record["gradient"]["copies"], []).append(record)
    for name, points in groups.items():
        copies = sorted(points)
        together = [_together(points[count]) for count in copies]
        yield Curve(
            ", ".join(name),
            tuple(copies),
            tuple(error for error, _ in together),
            tuple(spread for _, spread in together),
            colour=name[0],
            marker=", ".join(name[1:]),
            line="solid",
        )


def _together(records: list[Record]) -> tuple[float, float]:
    """Root mean square error of estimates at equal copies, and its standard error."""
    count = len(records)
    error = math.sqrt(sum(record["rms_error"] ** 2 for record in records) / count)
    return error, math.sqrt(sum((record["rms_standard_error"] or 0.0) ** 2 for record in records)) / count
