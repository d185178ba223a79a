"""Figures as PNG and SVG, for papers."""

from pathlib import Path

from ..files import replacing
from ..summary import Figure, Panel
from .palette import colours, markers

_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_LINES = {"none": "none", "solid": "-", "dashed": "--", "dotted": ":"}
_STYLE = {
    "font.size": 10,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "qcgrad",
}

_BAND_OPACITY = 0.15

# Characters of two legend entries that fit side by side below a panel.
_LEGEND_WIDTH = 80


def draw(figure: Figure, folder: "str | Path", endings: tuple[str, ...] = (".png", ".svg")) -> list[Path]:
    """Write a figure.

    Args:
        figure: of a summary.
        folder: where `figure.name` with each of the endings goes.
        endings: of the formats.

    Returns:
        The files written.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.style.context(_STYLE):
        # A figure of its own, without pyplot: no display is needed and no global state is touched.
        canvas = Canvas(layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
        FigureCanvasAgg(canvas)
        columns = len(figure.panels)
        axes = canvas.subplots(1, columns, squeeze=False)[0]
        rows = max(_draw_panel(axis, panel, figure) for axis, panel in zip(axes, figure.panels, strict=True))
        canvas.set_size_inches(max(7.0, 5.5 * columns), 4.6 + 0.17 * rows)
        # Laid out once: each format would do it again.
        canvas.draw_without_rendering()
        canvas.set_layout_engine("none")
        return [_save(canvas, Path(folder) / f"{figure.name}{ending}") for ending in endings]


def _save(canvas, path: Path) -> Path:
    with replacing(path) as part:
        canvas.savefig(
            part, dpi=160, format=path.suffix[1:], metadata={"Date": None} if path.suffix == ".svg" else None
        )
    return path


def _draw_panel(axes, panel: Panel, figure: Figure) -> int:
    colour, marker = colours(figure), markers(figure, _SHAPES)
    axes.set_xscale("log" if panel.log_x else "linear")
    axes.set_yscale("log" if panel.log_y else "linear")
    for curve in panel.curves:
        own = colour[curve.colour]
        if curve.band is not None:
            axes.fill_between(curve.x, *curve.band, color=own, alpha=_BAND_OPACITY, linewidth=0)
        axes.errorbar(
            curve.x,
            curve.y,
            curve.error,
            label=_no_formula(curve.label) or None,
            color=own,
            linestyle=_LINES[curve.line],
            linewidth=1.8 if curve.line == "dotted" else 1.1,
            marker=marker.get(curve.marker, "none"),
            markerfacecolor=own if curve.is_filled else "none",
            markersize=7,
            capsize=2,
            alpha=curve.opacity,
        )
    axes.set_title(_no_formula(panel.title), loc="left")
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    return _finish(axes, panel)


def _finish(axes, panel: Panel) -> int:
    """Ticks and legend; the rows of the legend."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.margins(0.06)
    for name, axis, is_log in (("x", axes.xaxis, panel.log_x), ("y", axes.yaxis, panel.log_y)):
        if not is_log:
            continue
        low, high = axis.get_data_interval()
        if high < 1.01 * low:  # a single value, or as good as one, has no decade of its own
            axes.autoscale(False, axis=name)
            axes.set(**{f"{name}lim": (low / 2, 2 * high)})
        low, high = axis.get_view_interval()
        # A decade or two have too few powers of ten to read numbers off.
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,), numticks=12))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())
    # Below the axes, so that no curve can run under it; names that are too long for two columns take one.
    names = [curve.label for curve in panel.curves if curve.label]
    half = -(-len(names) // 2)
    longest = (max(map(len, part), default=0) for part in (names[:half], names[half:]))
    columns = 2 if sum(longest) <= _LEGEND_WIDTH else 1
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns, frameon=False, fontsize=8)
    return -(-len(names) // columns)


def _no_formula(text: str) -> str:
    """Between dollar signs Matplotlib reads a formula, and fails where there is none."""
    return text.replace("$", r"\$")


def _tick(value: float, _position) -> str:
    """Plain numbers as far as they are short."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    mantissa, power = f"{value:.2e}".split("e")
    mantissa = f"{float(mantissa):g}"
    return f"$10^{{{int(power)}}}$" if mantissa == "1" else f"{mantissa}×$10^{{{int(power)}}}$"
