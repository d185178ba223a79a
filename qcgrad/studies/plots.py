"""The picture of a scaling study: copies to an accuracy, and what a gradient costs over a value."""

from pathlib import Path

import numpy as np

from ._methods import ranked
from .scaling import UNITS, Law, hard_instance_fits
from .spec import StudySpec
from .store import replacing

# Okabe and Ito's palette: distinguishable with any kind of colour vision, and by shape in print.
_PALETTE = ("#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#009E73", "#000000", "#56B4E9", "#F0E442")
_MARKERS = {"all-Pauli": "o", "perceptron": "D", "efficient_su2": "s", "tfim_hva": "^"}
_SPARE_MARKERS = ("v", "P", "X", "<", ">")

# Characters of two legend entries that fit side by side below a panel.
_LEGEND_WIDTH = 80


def draw(laws: list[Law], spec: StudySpec, stem: "str | Path") -> list[Path]:
    """Write the figure as PNG and SVG.

    Args:
        laws: `laws_of(records)`.
        spec: of the study.
        stem: path without ending.

    Returns:
        The files written.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    style = {
        "font.size": 10,
        "axes.grid": True,
        "grid.alpha": 0.3,
        "grid.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "qcgrad",
    }
    with matplotlib.style.context(style):
        # A figure of its own, without pyplot: no display is needed and no global state is touched.
        figure = Figure(layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
        FigureCanvasAgg(figure)
        if any(min(law.copies) > 0 for law in laws):
            left, right = figure.subplots(1, 2)
            rows = _draw_copies(left, laws, spec)
        else:  # only methods that measure nothing
            right, rows = figure.subplots(), 0
        rows = max(rows, _draw_ratio(right, laws, spec))
        figure.set_size_inches(11, 4.6 + 0.17 * rows)
        paths = []
        for ending in (".png", ".svg"):
            path = Path(f"{stem}{ending}")
            with replacing(path) as part:
                figure.savefig(part, dpi=160, metadata={"Date": None} if ending == ".svg" else None)
            paths.append(path)
    return paths


def _marker(law: Law, laws: list[Law]) -> str:
    if law.model in _MARKERS:
        return _MARKERS[law.model]
    others = [model for model in dict.fromkeys(other.model for other in laws) if model not in _MARKERS]
    return _SPARE_MARKERS[others.index(law.model) % len(_SPARE_MARKERS)]


def _draw_copies(axes, laws: list[Law], spec: StudySpec) -> int:
    for law in laws:
        if min(law.copies) <= 0:
            continue
        is_hard = law.kind == "hard-instance"
        axes.loglog(
            law.sizes,
            law.copies,
            _marker(law, laws),
            color=_colour(law.method),
            # Real circuits at shots from a bound, the hard instance measured: open and filled.
            markerfacecolor=_colour(law.method) if is_hard else "none",
            markersize=7,
            alpha=_shade(law, spec),
            label=f"{law.method}, {law.model}{_epsilon(law, spec)}" + (" (measured)" if is_hard else " (from a bound)"),
        )
        if is_hard:
            _draw_fits(axes, law)
    several = len(spec.epsilon) > 1
    axes.set_title("Copies for every component within ε" + ("" if several else f" = {spec.epsilon[0]:g}"), loc="left")
    axes.set_xlabel("M, gradient components (parameterised gates)")
    axes.set_ylabel("copies of the state")
    return _finish(axes)


def _epsilon(law: Law, spec: StudySpec) -> str:
    """What a label says of epsilon: nothing where there is only one."""
    return f", ε = {law.epsilon:g}" if law.epsilon is not None and len(spec.epsilon) > 1 else ""


def _shade(law: Law, spec: StudySpec) -> float:
    """Opacity: the smaller epsilon, the darker."""
    if law.epsilon is None or law.epsilon not in spec.epsilon:
        return 1.0
    return (1 + spec.epsilon.index(law.epsilon)) / len(spec.epsilon)


def _draw_fits(axes, law: Law):
    fits = hard_instance_fits(law)
    if fits is None:
        return
    grid = np.geomspace(law.sizes[0], law.sizes[-1], 100)
    colour = _colour(law.method)
    power = f"power law {fits.power.prefactor:.4g} M$^{{{fits.power.exponent:.2f}}}$"
    axes.loglog(grid, fits.power.at(grid), "--", color=colour, linewidth=1.2, label=power)
    sign = "+" if fits.logarithm.slope >= 0 else "−"
    line = f"{fits.logarithm.offset:.4g} {sign} {abs(fits.logarithm.slope):.4g} ln M"
    curve = fits.logarithm.at(grid) * (grid if fits.per_component else 1)
    axes.loglog(grid, curve, ":", color=colour, linewidth=1.8, label=f"M ({line})" if fits.per_component else line)


def _draw_ratio(axes, laws: list[Law], spec: StudySpec) -> int:
    # Both costs follow epsilon in the same way, so that the smallest one is enough.
    finest = {(law.method, law.model): law for law in sorted(laws, key=lambda law: -(law.epsilon or 0))}
    for law in (law for law in laws if law in finest.values()):  # in the order of the table
        axes.loglog(
            law.sizes,
            law.ratio,
            f"-{_marker(law, laws)}",
            color=_colour(law.method),
            markerfacecolor="none" if law.kind == "circuit" else _colour(law.method),
            markersize=7,
            linewidth=1,
            label=f"{law.method}, {law.model}{_epsilon(law, spec)} ({UNITS[law.pays_in]})",
        )
    axes.set_title("Price of a gradient over its value", loc="left")
    axes.set_xlabel("M, gradient components (parameterised gates or weights)")
    axes.set_ylabel("cost(gradient) / cost(value)")
    return _finish(axes)


def _finish(axes) -> int:
    """Ticks and legend; the rows of the legend."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.margins(0.06)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        # A decade or two have too few powers of ten to read numbers off.
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,), numticks=12))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())
    # Below the axes, so that no curve can run under it; names that are too long for two columns take one.
    _, names = axes.get_legend_handles_labels()
    half = -(-len(names) // 2)
    longest = (max(map(len, part), default=0) for part in (names[:half], names[half:]))
    columns = 2 if sum(longest) <= _LEGEND_WIDTH else 1
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns, frameon=False, fontsize=8)
    return -(-len(names) // columns)


def _tick(value: float, _position) -> str:
    """Plain numbers as far as they are short."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    mantissa, power = f"{value:.0e}".split("e")
    return f"$10^{{{int(power)}}}$" if mantissa == "1" else f"{mantissa}×$10^{{{int(power)}}}$"


def _colour(method: str) -> str:
    return _PALETTE[ranked().index(method) % len(_PALETTE)]
