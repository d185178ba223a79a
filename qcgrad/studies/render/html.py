"""One HTML file that holds a whole report and works without a network."""

import base64
import inspect
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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
from ._plots import plotted

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
        "downloads": [(name, _data_url(content)) for name, content in (*report.files, _shown(report.summaries))],
        "sections": [_section(number, summary) for number, summary in enumerate(report.summaries)],
        "counters": list(told(inspect.getdoc(Cost) or "", "Attributes").items()),
        "runs": [_run(run) for run in data["runs"]],
        "spec": report.spec,
    }


def _shown(summaries: Sequence[Summary]) -> tuple[str, bytes]:
    """Tables and figures as data: columns with their values, curves with their errors and bands."""

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: plain(value) for name, value in part.items()}
        if isinstance(part, (list, tuple)):
            return [plain(value) for value in part]
        return None if isinstance(part, float) and not math.isfinite(part) else part

    data = plain([asdict(summary) for summary in summaries])
    return "summary.json", json.dumps(data, allow_nan=False, ensure_ascii=False).encode()


def _data_url(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def _run(run: dict[str, Any]) -> dict[str, Any]:
    about = dict(run["provenance"])
    packages, engine, workers = (about.pop(name, {}) for name in ("packages", "engine", "workers"))
    facts = {**about, **packages, **engine} | {f"worker {host}": _machine(there) for host, there in workers.items()}
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run["began"]))
    return {
        "began": began,
        "host": about.get("host", "?"),
        "facts": [(k, v) for k, v in facts.items() if v is not None],
    }


def _machine(about: dict[str, Any]) -> str:
    engine = about.get("engine", {})
    parts = about.get("platform"), f"{about.get('processors')} processors", engine.get("engine")
    return ", ".join(str(part) for part in (*parts, engine.get("instruction set")) if part)


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
    numbers = Table(f"{panel.title}: numbers", tuple(_numbers(panel.curves)))
    return {
        "id": name,
        "title": panel.title,
        "x_label": panel.x_label,
        "y_label": panel.y_label,
        "json": _script_safe(
            json.dumps(plotted(figure, panel)).replace("<", "\\u003c")
        ),  # a comment would hide the element's end
        "numbers": _table(numbers, f"{name}-numbers"),
    }


def _numbers(curves: Sequence[Curve]) -> Iterator[Column]:
    """The points of curves; fitted lines are in tables."""
    marked = [curve for curve in curves if curve.marker]
    yield Column("curve", tuple(curve.label for curve in marked for _ in curve.x), is_text=True)
    headings = {"x": "x", "y": "y"} | ({"error": "standard error"} if any(c.error for c in marked) else {})
    for name, heading in headings.items():
        values = tuple(value for c in marked for value in (getattr(c, name) or (None,) * len(c.x)))
        yield Column(heading, tuple("–" if value is None else f"{value:.6g}" for value in values), values)
