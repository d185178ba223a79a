"""One HTML file that holds a whole report and works without a network."""

import base64
import inspect
import json
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ...cost import Cost
from ...entries import told
from ...errors import QcgradError
from ...version import __version__
from ..files import replacing
from ..status import Status
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from .palette import colours, markers

_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "triangle-left", "star")
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "none": "solid"}
_LABEL_WIDTH = 36
# Rows of a table: browsers sort and filter so many at once.
_MOST_ROWS = 2000


class ReportRefused(QcgradError, RuntimeError):
    """A report that cannot be written; the message says what is missing."""


@dataclass(frozen=True)
class Report:
    """What a report holds.

    Attributes:
        title: above it.
        summaries: tables and figures of each kind.
        status: what is finished and what computed it.
        spec: of the study, as text.
        files: (name, content) of the data that can be downloaded.
    """

    title: str
    summaries: tuple[Summary, ...]
    status: Status
    spec: str
    files: tuple[tuple[str, bytes], ...] = ()


def write_html(report: Report, path: "str | Path") -> None:
    """Write a report as one file.

    Raises:
        ReportRefused: a package that draws it is not installed.
    """
    try:
        import jinja2
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        message = f"reports take {error.name}, which is not installed: pip install 'qcgrad[studies]'"
        raise ReportRefused(message) from error
    parts = resources.files("qcgrad.studies.render")
    # Names come from users: whatever is in them is text and no HTML.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    names = {"style": "page.css", "script": "page.js"}
    safe = {name: _script_safe(parts.joinpath(file).read_text("utf-8")) for name, file in names.items()}
    text = environment.from_string(parts.joinpath("page.html.jinja").read_text("utf-8")).render(
        **_context(report), **safe, plotly=_script_safe(get_plotlyjs())
    )
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _script_safe(text: str) -> Any:
    """Text that stands inside a script or style element as it is."""
    from markupsafe import Markup

    return Markup(text.replace("</", "<\\/"))


def _context(report: Report) -> dict[str, Any]:
    data = report.status.data
    return {
        "version": __version__,
        "title": report.title,
        "finished": data["finished"],
        "total": data["total"],
        "not_finished": data["failures"],
        "downloads": [(name, _data_url(content)) for name, content in report.files],
        "sections": [_section(number, summary) for number, summary in enumerate(report.summaries)],
        "counters": list(told(inspect.getdoc(Cost) or "", "Attributes").items()),
        "runs": [_run(run) for run in data["runs"]],
        "spec": report.spec,
    }


def _data_url(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def _run(run: dict[str, Any]) -> dict[str, Any]:
    about = dict(run["provenance"])
    packages, engine = about.pop("packages", {}), about.pop("engine", {})
    facts = {**about, **packages, **engine}
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run["began"]))
    return {
        "began": began,
        "host": about.get("host", "?"),
        "facts": [(k, v) for k, v in facts.items() if v is not None],
    }


def _section(number: int, summary: Summary) -> dict[str, Any]:
    return {
        "title": summary.title,
        "notes": summary.notes,
        "tables": [_table(table, f"t{number}-{index}") for index, table in enumerate(summary.tables)],
        "figures": [_figure(figure, f"f{number}-{index}") for index, figure in enumerate(summary.figures)],
    }


def _table(table: Table, name: str) -> dict[str, Any]:
    first = table.columns[0].shown
    rows = range(min(_MOST_ROWS, len(first)))
    more = (
        f"The first {_MOST_ROWS:,} of {len(first):,} rows: the file of all cells, among the data below, has the rest."
    )
    return {
        "id": name,
        "title": table.title,
        "notes": (*([more] if len(first) > _MOST_ROWS else []), *table.notes),
        "columns": table.columns,
        "example": first[0] if first else "",
        "rows": [[_cell(column, row) for column in table.columns] for row in rows],
    }


def _cell(column: Column, row: int) -> dict[str, Any]:
    value = column.values[row]
    return {
        "text": column.shown[row],
        "value": "" if value is None else value,
        "number": not column.is_text,
        "verdict": column.verdicts,
    }


def _figure(figure: Figure, name: str) -> dict[str, Any]:
    return {
        "notes": figure.notes,
        "panels": [_panel(figure, panel, f"{name}-{index}") for index, panel in enumerate(figure.panels)],
    }


def _panel(figure: Figure, panel: Panel, name: str) -> dict[str, Any]:
    colour, marker = colours(figure), markers(figure, _SHAPES)
    plot = {"data": [_trace(curve, colour, marker) for curve in panel.curves], "layout": _layout(panel)}
    numbers = Table(f"{panel.title}: numbers", tuple(_numbers(panel.curves)))
    return {
        "id": name,
        "title": panel.title,
        "x_label": panel.x_label,
        "y_label": panel.y_label,
        "json": _script_safe(json.dumps(plot).replace("<", "\\u003c")),  # a comment would hide the element's end
        "numbers": _table(numbers, f"{name}-numbers"),
    }


def _trace(curve: Curve, colour: dict[str, str], marker: dict[str, str]) -> dict[str, Any]:
    shape = marker.get(curve.marker)
    modes = [*(["markers"] if shape else []), *(["lines"] if curve.line != "none" else [])]
    trace = {
        "name": _plotly_text(curve.label),
        "x": curve.x,
        "y": curve.y,
        "mode": "+".join(modes) or "markers",
        "opacity": curve.opacity,
        "line": {"color": colour[curve.colour], "dash": _DASHES[curve.line], "width": 1.6},
        "marker": {
            "color": colour[curve.colour],
            "symbol": (shape or "circle") + ("" if curve.is_filled else "-open"),
            "size": 9,
        },
    }
    return (
        trace if curve.error is None else trace | {"error_y": {"type": "data", "array": curve.error, "visible": True}}
    )


def _layout(panel: Panel) -> dict[str, Any]:
    def axis(label: str, is_log: bool) -> dict[str, Any]:
        kind = {"type": "log", "dtick": "D2"} if is_log else {"type": "linear"}
        # Lines short enough for a phone.
        text = "<br>".join(map(_plotly_text, textwrap.wrap(label, _LABEL_WIDTH)))
        return {"title": {"text": text, "font": {"size": 13}}, "automargin": True, **kind}

    return {
        "xaxis": axis(panel.x_label, panel.log_x),
        "yaxis": axis(panel.y_label, panel.log_y),
        "legend": {"orientation": "h", "y": -0.3, "yanchor": "top", "font": {"size": 11}},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
    }


def _plotly_text(text: str) -> str:
    """Plotly reads a few HTML tags in labels; names of users have none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _numbers(curves: Sequence[Curve]) -> Iterator[Column]:
    """The points of curves; fitted lines are in the labels."""
    points = [(c.label, x, y) for c in curves if c.marker for x, y in zip(c.x, c.y, strict=True)]
    yield Column("curve", tuple(label for label, _, _ in points), is_text=True)
    for heading, k in (("x", 1), ("y", 2)):
        values = tuple(point[k] for point in points)
        yield Column(heading, tuple(f"{value:.6g}" for value in values), values)
