"""Summaries in a terminal."""

from typing import TYPE_CHECKING

from ..summary import Column, Summary, Table

if TYPE_CHECKING:
    from rich.console import Console

# Rows of a table: more than that nobody reads here.
_MOST_ROWS = 200
# Columns that tables take with everything on one line; below this they leave out what can be missed.
_FULL_WIDTH = 120
_COLOURS = {"yes": "green", "no": "red", "not enough range": "yellow"}


def print_summary(summary: Summary, console: "Console") -> None:
    """Print the tables with what they mean.

    Args:
        summary: of a study.
        console: a rich console; below 120 columns some columns are left out (the exported files have all numbers).
    """
    narrow = console.width < _FULL_WIDTH
    for index, table in enumerate(summary.tables):
        if index:
            console.print()
        console.print(_table(table, narrow), *([""] if table.notes else []))
        if (left_out := len(table.columns[0].shown) - _MOST_ROWS) > 0:
            more = f"... and {left_out:,} more rows: qcgrad study export writes the numbers of all\n"
            console.print(more, highlight=False, markup=False)
        for note in table.notes:
            console.print(note, style="dim", highlight=False, markup=False)
    for note in summary.notes:
        console.print(note, style="dim", highlight=False, markup=False)


def _table(table: Table, narrow: bool):
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    look = {"box": SIMPLE_HEAD, "padding": (0, 0 if narrow else 1, 0, 0), "show_edge": False}
    shown = RichTable(title=Text(table.title), title_justify="left", title_style="bold", **look)
    columns = [column for column in table.columns if column.is_essential or not narrow]
    for column in columns:
        # Where even this is too wide, a number on two lines is better than one cut off.
        shown.add_column(Text(column.heading), justify="left" if column.is_text else "right", overflow="fold")
    for row in range(min(_MOST_ROWS, len(columns[0].shown))):
        shown.add_row(*(Text(column.shown[row], style=_style(column, row)) for column in columns))
    return shown


def _style(column: Column, row: int) -> str:
    return _COLOURS.get(column.shown[row], "") if column.verdicts else ""
