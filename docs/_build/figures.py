"""Tables and figures of a study's summary inside a page."""

import re
import tempfile
from collections.abc import Iterator
from html import escape

from qcgrad.studies.render.pictures import draw
from qcgrad.studies.summary import Column, Figure, Table

# Matplotlib writes colours out; these follow the page, light or dark.
_FOLLOWING = (
    (re.compile(r"fill: #ffffff"), "fill: none"),
    (re.compile(r"(fill|stroke): #000000"), r"\1: currentColor"),
    (re.compile(r"(?<=<text )style=\""), 'fill="currentColor" style="'),
    (re.compile(r"'DejaVu Sans', "), ""),
    # Several figures share a page, and nothing refers to these.
    (re.compile(r' id="[A-Za-z0-9.]+_\d+"'), ""),
    (re.compile(r"<metadata>.*?</metadata>", re.DOTALL), ""),
    # As wide as the page lets it.
    (re.compile(r'(?<=<svg )(.*?) width="[^"]*"(.*?)>', re.DOTALL), r"\1\2>"),
    (re.compile(r'(<svg .*?) height="[^"]*"', re.DOTALL), r"\1"),
)


def drawn(figure: Figure, caption: str) -> str:
    """A figure as HTML: an SVG with text for its letters, in the colours of the page."""
    with tempfile.TemporaryDirectory() as folder:
        (path,) = draw(figure, folder, (".svg",))
        svg = path.read_text("utf-8")
    svg = svg[svg.index("<svg ") :]
    for pattern, other in _FOLLOWING:
        svg = pattern.sub(other, svg, count=1 if "<svg " in pattern.pattern else 0)
    # Markdown reads on behind empty lines.
    svg = "\n".join(line for line in svg.splitlines() if line.strip())
    label = escape("; ".join(panel.title for panel in figure.panels))
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f'<figure class="measured" tabindex="0">\n{svg}\n<figcaption>{escape(caption)}</figcaption>\n</figure>'


def table(shown: Table) -> str:
    """A table in Markdown, with the notes below it."""
    headings = [cell(column.heading) for column in shown.columns]
    lines = ["| " + " | ".join(headings) + " |", "|" + "|".join(map(_alignment, shown.columns)) + "|"]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in zip(*(c.shown for c in shown.columns), strict=True)]
    return "\n".join([*lines, "", *_notes(shown.notes)])


def cell(text: str) -> str:
    """Text for one cell of a table in Markdown, as it is."""
    text = " ".join(escape(text, quote=False).split())
    return re.sub(r"([|*_`\\$\[\]])", r"\\\1", text)


def _alignment(column: Column) -> str:
    return "---" if column.is_text else "--:"


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    for note in notes:
        yield f"{cell(note)}\n"
