"""Tables and figures of a study's summary inside a page."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from html import escape

from qcgrad.studies.render.pictures import draw
from qcgrad.studies.summary import Column, Figure, Panel, Table

# Matplotlib writes colours out; these follow the page, light or dark.
_FOLLOWING = (
    (re.compile(r"fill: #ffffff"), "fill: none"),
    (re.compile(r"(fill|stroke): #000000"), r"\1: currentColor"),
    (re.compile(r"'DejaVu Sans', "), ""),
    # Several figures share a page, and nothing refers to these.
    (re.compile(r' id="[A-Za-z0-9.]+_\d+"'), ""),
    (re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL), ""),
    (re.compile(r"<metadata>.*?</metadata>", re.DOTALL), ""),
    # As wide as the page lets it.
    (re.compile(r'(?<=<svg )([^>]*?)width="[^"]*"'), r"\1"),
    (re.compile(r'(?<=<svg )([^>]*?)height="[^"]*"'), r"\1"),
)


def drawn(figure: Figure, caption: str) -> list[str]:
    """The panels of a figure as HTML: each an SVG with text for its letters, in the colours of the page."""
    found = []
    for panel in map(_visible, figure.panels):
        if panel.curves:
            label = f'<svg role="img" aria-label="{escape(f"{caption}: {panel.title}")}" '
            svg = _svg(replace(figure, panels=(panel,))).replace("<svg ", label, 1)
            words = f"<figcaption>{escape(caption)}</figcaption>"
            found.append(f'<figure class="measured" tabindex="0">\n{svg}\n{words}\n</figure>')
    return found


def _visible(panel: Panel) -> Panel:
    """Without curves that a logarithmic axis has no place for."""
    shown = (c for c in panel.curves if not (panel.log_y and max(c.y) <= 0))
    return replace(panel, curves=tuple(shown))


def _svg(figure: Figure) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (path,) = draw(figure, folder, (".svg",))
        svg = path.read_text("utf-8")
    svg = svg[svg.index("<svg ") :]
    for pattern, other in _FOLLOWING:
        svg = pattern.sub(other, svg)
    # Markdown would end the figure at an empty line.
    return "\n".join(line for line in svg.splitlines() if line.strip())


def table(shown: Table, known: tuple[str, ...] = ()) -> str:
    """A table in Markdown, with how to read it below.

    Args:
        known: words that the page says already; columns of nothing else are left out.
    """
    columns = [column for column in shown.columns if not set(column.shown) <= set(known)]
    lines = ["| " + " | ".join(cell(column.heading) for column in columns) + " |"]
    lines += ["|" + "|".join(map(_alignment, columns)) + "|"]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in zip(*(c.shown for c in columns), strict=True)]
    return "\n".join([*lines, "", *_notes(shown.notes)])


def cell(text: str) -> str:
    """Text for one cell of a table in Markdown, as it is."""
    text = " ".join(escape(text, quote=False).split())
    return re.sub(r"([|*_`\\$\[\]])", r"\\\1", text)


def _alignment(column: Column) -> str:
    return "---" if column.is_text else "--:"


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    if notes:
        yield '??? note "How to read this"\n'
        for note in notes:
            yield f"    {cell(note)}\n"
