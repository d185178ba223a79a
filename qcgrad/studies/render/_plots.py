"""Figures as plotly reads them."""

import textwrap
from typing import Any

from ..summary import Curve, Figure, Panel
from .palette import colours, markers

_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "triangle-left", "star")
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "none": "solid"}
_LABEL_WIDTH = 36


def plotted(figure: Figure, panel: Panel) -> dict[str, Any]:
    """A panel of a figure: what plotly calls data and layout."""
    colour, marker = colours(figure), markers(figure, _SHAPES)
    bands = [_band(curve, colour) for curve in panel.curves if curve.band is not None]
    return {"data": [*bands, *(_trace(curve, colour, marker) for curve in panel.curves)], "layout": _layout(panel)}


def _trace(curve: Curve, colour: dict[str, str], marker: dict[str, str]) -> dict[str, Any]:
    shape = marker.get(curve.marker)
    modes = [*(["markers"] if shape else []), *(["lines"] if curve.line != "none" else [])]
    trace = {
        "name": _plotly_text(curve.label),
        "showlegend": bool(curve.label),
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


def _band(curve: Curve, colour: dict[str, str]) -> dict[str, Any]:
    """The area around a line, as its outline there and back; it has no entry in the legend."""
    assert curve.band is not None
    low, high = curve.band
    return {
        "x": curve.x + curve.x[::-1],
        "y": high + low[::-1],
        "fill": "toself",
        "fillcolor": colour[curve.colour],
        "opacity": 0.15,
        "mode": "lines",
        "line": {"color": colour[curve.colour], "width": 0},
        "marker": {"color": colour[curve.colour]},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _layout(panel: Panel) -> dict[str, Any]:
    def axis(label: str, is_log: bool, values: list[float]) -> dict[str, Any]:
        kind = {"type": "log" if is_log else "linear"}
        # Less than a decade may hold no power of ten and neither two nor five of them.
        if is_log and values and max(values) > 10 * min(values):
            kind["dtick"] = "D2"
        # Lines short enough for a phone.
        text = "<br>".join(map(_plotly_text, textwrap.wrap(label, _LABEL_WIDTH)))
        return {"title": {"text": text, "font": {"size": 13}}, "automargin": True, **kind}

    return {
        "xaxis": axis(panel.x_label, panel.log_x, [x for curve in panel.curves for x in curve.x]),
        "yaxis": axis(panel.y_label, panel.log_y, [y for curve in panel.curves for y in curve.y]),
        # Shading would turn the order round.
        "legend": {"orientation": "h", "traceorder": "normal", "y": -0.3, "yanchor": "top", "font": {"size": 11}},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
    }


def _plotly_text(text: str) -> str:
    """Plotly reads a few HTML tags in labels; names of users have none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
