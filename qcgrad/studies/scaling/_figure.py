"""The figure of a scaling study: copies, prices, and prices over that of classical backpropagation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..comparison import LEVEL
from ..summary import Curve, Figure, Panel
from .laws import UNITS, Law, over_classical

if TYPE_CHECKING:
    from ._kind import Scaling

_COMPONENTS = "M, gradient components (parameterised gates or weights)"
_NOTE = (
    f"Lines are the laws that predict best, fitted to the sizes shown; where they lie with other seeds is shaded "
    f"({LEVEL:.0%}). Where all seeds agree, as for bounds and counted costs, there is nothing to shade."
)


def figure(laws: list[Law], spec: "Scaling") -> Figure:
    """What grows how."""
    panels = [_ratio_panel(laws, spec)]
    if any(min(law.copies) > 0 for law in laws):  # not only methods that measure nothing
        panels.insert(0, _copies_panel(laws, spec))
    if over := _over_classical(laws, spec):
        panels.append(over)
    return Figure("scaling", tuple(panels), (_NOTE,))


def _copies_panel(laws: list[Law], spec: "Scaling") -> Panel:
    curves = []
    for law in laws:
        if min(law.copies) <= 0:
            continue
        is_hard = law.kind == "hard-instance"
        # Real circuits at shots from a bound, the hard instance measured: open and filled.
        origin = "measured" if is_hard else "from a bound"
        label = f"{law.method}, {law.model}{_epsilon(law, spec)} ({origin})"
        curves += [_points(law, "copies", label, _shade(law, spec)), *_fitted(law, "copies", is_named=is_hard)]
    several = len(spec.epsilon) > 1
    title = "Copies for every component within ε" + ("" if several else f" = {spec.epsilon[0]:g}")
    return Panel(title, "M, gradient components (parameterised gates)", "copies of the state", tuple(curves))


def _ratio_panel(laws: list[Law], spec: "Scaling") -> Panel:
    curves = []
    for law in _finest(laws):
        label = f"{law.method}, {law.model}{_epsilon(law, spec)} ({UNITS[law.pays_in]})"
        curves += [_points(law, "ratio", label), *_fitted(law, "ratio")]
    title = "Price of a gradient over its value"
    return Panel(title, _COMPONENTS, "cost(gradient) / cost(value)", tuple(curves))


def _over_classical(laws: list[Law], spec: "Scaling") -> Panel | None:
    """Prices over that of classical backpropagation at equal M; None where none was counted."""
    curves = []
    for law in _finest(laws):
        found = [(m, over) for m, over in zip(law.sizes, over_classical(law, laws), strict=True) if over]
        if found:
            x, y = zip(*found, strict=True)
            label = f"{law.method}, {law.model}{_epsilon(law, spec)}"
            curves.append(Curve(label, x, y, colour=law.method, marker=law.model, **_look(law), line="dotted"))
    title = "Price over that of classical backpropagation"
    return Panel(title, _COMPONENTS, "ratio of the prices, at equal M", tuple(curves)) if curves else None


def _finest(laws: list[Law]) -> list[Law]:
    """Both costs follow epsilon in the same way, so that the smallest one is enough; in the order of the table."""
    finest = {law.without_epsilon: law for law in sorted(laws, key=lambda law: -(law.epsilon or 0))}
    return [law for law in laws if law in finest.values()]


def _points(law: Law, name: str, label: str, opacity: float = 1.0) -> Curve:
    sample = law.samples[name]
    look = {"colour": law.method, "marker": law.model, **_look(law), "opacity": opacity}
    return Curve(label, sample.sizes, sample.means, sample.errors, **look)


def _look(law: Law) -> dict:
    return {"is_filled": law.kind != "circuit"}


def _fitted(law: Law, name: str, *, is_named: bool = False) -> Iterator[Curve]:
    """The law that predicts best, with its band; the power law where two sizes can be compared to nothing."""
    found, power = law.comparison(name), law.power(name)
    fit = found.fit if found else power
    if fit is None:
        return
    x = np.geomspace(law.sizes[0], law.sizes[-1], 60)
    limits = found.band(x) if found else None
    band = None if limits is None else (tuple(limits[0].tolist()), tuple(limits[1].tolist()))
    y = tuple(np.asarray(fit.at(x)).tolist())
    yield Curve(str(fit) if is_named else "", tuple(x.tolist()), y, colour=law.method, line="dashed", band=band)


def _epsilon(law: Law, spec: "Scaling") -> str:
    """What a label says of epsilon: nothing where there is only one."""
    return f", ε = {law.epsilon:g}" if law.epsilon is not None and len(spec.epsilon) > 1 else ""


def _shade(law: Law, spec: "Scaling") -> float:
    """Opacity: the smaller epsilon, the darker."""
    if law.epsilon is None or law.epsilon not in spec.epsilon:
        return 1.0
    return (1 + spec.epsilon.index(law.epsilon)) / len(spec.epsilon)
