"""Summaries as plain data, for programs."""

import math
from typing import Any

from ..summary import Column, Summary, Table


def as_data(summary: Summary) -> dict[str, Any]:
    """`title`, `notes`, `tables` (each `title`, `notes`, `rows`: values by heading) and the names of the `figures`.

    Example:
        >>> from qcgrad.studies.render.data import as_data
        >>> from qcgrad.studies.summary import Column, Summary, Table
        >>> table = Table("Copies", (Column("method", ("a",)), Column("copies\\nin all", ("1,000",), (1000.0,))))
        >>> as_data(Summary("Costs", (table,)))["tables"][0]["rows"]
        [{'method': 'a', 'copies in all': 1000.0}]
    """
    return {
        "title": summary.title,
        "notes": list(summary.notes),
        "tables": [
            {"title": table.title, "notes": list(table.notes), "rows": _rows(table)} for table in summary.tables
        ],
        "figures": [figure.name for figure in summary.figures],
    }


def _rows(table: Table) -> list[dict[str, Any]]:
    headings = [" ".join(column.heading.split()) for column in table.columns]
    values = zip(*(_values(column) for column in table.columns), strict=True)
    return [dict(zip(headings, row, strict=True)) for row in values]


def _values(column: Column) -> list[Any]:
    # JSON has neither NaN nor infinity.
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in column.values]
