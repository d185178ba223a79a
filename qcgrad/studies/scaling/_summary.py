"""What a scaling study shows: exponents with verdicts, fits on the hard instance, two pictures."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..fit import PowerFit
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._circuit_cells import CircuitCell
from ._hard_cells import HardInstanceCell
from ._method_cell import MethodCell
from ._parts import HardInstance
from .laws import RULE, UNITS, AccuracyLaw, HardInstanceFits, Law, accuracy_laws, hard_instance_fits, laws_of

if TYPE_CHECKING:
    from ._kind import Scaling

Records = Sequence[tuple[MethodCell, Record]]

_READING = (
    "M counts the parameterised gates of a circuit, the weights of a network. The cost ratio is "
    "cost(gradient)/cost(value) in the resource that is paid in. On real circuits copies follow each method's bounds "
    "for epsilon and delta, or what it expects in typical cases, those for every value Hoeffding's. "
    "Exponents are of power laws in M, least squares in log-log, ± one standard error; they hold for the range of M "
    "shown."
)


def summary(records: Records, spec: "Scaling") -> Summary:
    """Tables and figure of the finished cells."""
    laws = laws_of(records)
    tables = [_law_table(laws, (RULE, _READING, *sources(records)))]
    if accuracies := accuracy_laws(laws):
        tables.append(_accuracy_table(accuracies))
    hard = [law for law in laws if law.kind == "hard-instance" and hard_instance_fits(law)]
    if hard:
        tables.append(_fit_table(hard, (_definition(records, spec),)))
    return Summary("Gradient cost against M", tuple(tables), (_figure(laws, spec),))


def _law_table(laws: list[Law], notes: tuple[str, ...]) -> Table:
    columns = [
        _text("method", [law.method for law in laws]),
        _text("access", [law.access for law in laws], is_essential=False),
        _text("model", [law.model for law in laws]),
        *([_epsilons([law.epsilon for law in laws])] if _differ(law.epsilon for law in laws) else []),
        _column("M", laws, lambda law: max(law.sizes), lambda law: f"{min(law.sizes)}–{max(law.sizes)}"),
        *(
            _column(f"{name}\n∝ M^", laws, _exponent_of(resource), _exponent_text(resource))
            for name, resource in (("copies", "copies"), ("gates", "gates"), ("cost ratio", "ratio"))
        ),
        _column("ratio at\nlargest M", laws, lambda law: law.ratio[-1], _ratio_text, is_essential=False),
        _text("paid in", [UNITS[law.pays_in] for law in laws], is_essential=False),
        _text("backprop.\nscaling", [law.verdict for law in laws], verdicts=True),
    ]
    return Table("Gradient cost against M", tuple(columns), notes)


def _accuracy_table(laws: list[AccuracyLaw]) -> Table:
    epsilons = sorted({e for law in laws for e in law.epsilons}, reverse=True)
    columns = [
        _text("method", [law.method for law in laws]),
        _text("model", [law.model for law in laws]),
        _column("M", laws, lambda law: law.size, lambda law: str(law.size)),
        *(
            _counts(f"ε = {e:g}", [dict(zip(law.epsilons, law.copies, strict=True)).get(e) for law in laws])
            for e in epsilons
        ),
        _column("copies\n∝ (1/ε)^", laws, lambda law: law.power.exponent, lambda law: exponent(law.power)),
    ]
    return Table("Copies against accuracy, at the largest M", tuple(columns))


def _fit_table(laws: list[Law], notes: tuple[str, ...]) -> Table:
    pairs = [(law, fits) for law in laws if (fits := hard_instance_fits(law))]
    sizes = sorted({size for law, _ in pairs for size in law.sizes})
    columns = [
        _text("method", [law.method for law, _ in pairs]),
        *([_epsilons([law.epsilon for law, _ in pairs])] if _differ(law.epsilon for law, _ in pairs) else []),
        *(
            _counts(f"M = {m}", [dict(zip(law.sizes, law.copies, strict=True)).get(m) for law, _ in pairs])
            for m in sizes
        ),
        _text("power law", [f"{f.power.prefactor:.4g} · M^({exponent(f.power)})" for _, f in pairs]),
        _column("R²", pairs, lambda pair: pair[1].power.r_squared, lambda pair: f"{pair[1].power.r_squared:.4f}"),
        _text("logarithm", [_logarithm(f) for _, f in pairs]),
        _column("R²", pairs, lambda pair: pair[1].r_squared, lambda pair: f"{pair[1].r_squared:.4f}"),
    ]
    return Table("All-Pauli hard instance: copies that reach epsilon", tuple(columns), notes)


def _text(heading: str, shown: Sequence[str], *, is_essential: bool = True, verdicts: bool = False) -> Column:
    return Column(heading, tuple(shown), is_text=True, is_essential=is_essential, verdicts=verdicts)


def _column(heading: str, rows: Sequence, value: Callable, text: Callable, *, is_essential: bool = True) -> Column:
    return Column(heading, tuple(map(text, rows)), tuple(map(value, rows)), is_essential=is_essential)


def _counts(heading: str, counts: list[int | None]) -> Column:
    return Column(heading, tuple("" if c is None else f"{c:,}" for c in counts), tuple(counts), is_essential=False)


def _epsilons(epsilons: list[float | None]) -> Column:
    return Column("ε", tuple("–" if e is None else f"{e:g}" for e in epsilons), tuple(epsilons))


def _differ(epsilons: Iterable[float | None]) -> bool:
    return len(set(epsilons) - {None}) > 1


def _exponent_of(resource: str) -> Callable[[Law], float | None]:
    return lambda law: None if (fit := law.power(resource)) is None else fit.exponent


def _exponent_text(resource: str) -> Callable[[Law], str]:
    return lambda law: exponent(law.power(resource))


def _ratio_text(law: Law) -> str:
    return f"{law.ratio[-1]:,.0f}" if law.ratio[-1] >= 100 else f"{law.ratio[-1]:.3g}"


def _logarithm(fits: HardInstanceFits) -> str:
    sign = "+" if fits.logarithm.slope >= 0 else "-"
    line = f"{fits.logarithm.offset:.4g} {sign} {abs(fits.logarithm.slope):.4g} ln M"
    return f"M · ({line})" if fits.per_component else line


def exponent(fit: PowerFit | None) -> str:
    """The exponent with its standard error, or a dash where nothing is paid.

    Example:
        >>> from qcgrad.studies.fit import PowerFit
        >>> from qcgrad.studies.scaling._summary import exponent
        >>> exponent(PowerFit(1.0, 1.128, 0.0211, 0.99)), exponent(None)
        ('1.13±0.02', '–')
    """
    if fit is None:
        return "–"
    # An exact law has an exponent of rounding error, whose sign would say nothing.
    value = 0.0 if abs(fit.exponent) < 5e-3 else fit.exponent
    return f"{value:.2f}±{fit.standard_error:.2f}" if not math.isnan(fit.standard_error) else f"{value:.2f}±?"


def _definition(records: Records, spec: "Scaling") -> str:
    hard = spec.hard_instance or HardInstance()
    cells = [(cell, r) for cell, r in records if isinstance(cell, HardInstanceCell)]
    counts = {cell.method: cell.trials for cell, _ in cells}
    trials = ", ".join(f"{count} for {name}" for name, count in counts.items())
    known = [r for _, r in cells]
    epsilons = ", ".join(f"{epsilon:g}" for epsilon in spec.epsilon)
    zeros = min(r["error_of_zeros"] for r in known)
    return (
        f"Copies that reach epsilon: the fewest on a ladder of ratio {hard.ladder:g} with which the largest error of "
        f"all M components stays within epsilon = {epsilons} in a fraction {1 - spec.delta:g} of seeded trials "
        f"({trials}); all copies of an estimate count, those for the value too. Returning zeros would be off by "
        f"{zeros:.2f} or more. Both R² are of the copies.{_idealization(known)}"
    )


def _idealization(records: list[Record]) -> str:
    """What the simulation of sign votes leaves out, if there were any."""
    bound = max(record["idealization_bound"] for record in records)
    if not bound:
        return ""
    return (
        " Sign votes are drawn as if each had copies of its own (idealized); that they share them changes any sign "
        f"with a probability of at most {bound:.1g}."
    )


def sources(records: Records) -> list[str]:
    """Where the observables and angles of the user's files come from, in words."""
    files: dict[str, list[str]] = {}
    for cell, record in records:
        if isinstance(cell, CircuitCell) and cell.path is not None:
            origin = f"observable {record['observable']}; angles {record['angles']}"
            files.setdefault(origin, []).append(cell.circuit)
    return [f"{', '.join(dict.fromkeys(names))}: {origin}." for origin, names in files.items()]


def _figure(laws: list[Law], spec: "Scaling") -> Figure:
    panels = [_ratio_panel(laws, spec)]
    if any(min(law.copies) > 0 for law in laws):  # not only methods that measure nothing
        panels.insert(0, _copies_panel(laws, spec))
    return Figure("scaling", tuple(panels))


def _copies_panel(laws: list[Law], spec: "Scaling") -> Panel:
    curves = []
    for law in laws:
        if min(law.copies) <= 0:
            continue
        is_hard = law.kind == "hard-instance"
        # Real circuits at shots from a bound, the hard instance measured: open and filled.
        origin = "measured" if is_hard else "from a bound"
        label = f"{law.method}, {law.model}{_epsilon(law, spec)} ({origin})"
        look = {"colour": law.method, "marker": law.model, "is_filled": is_hard, "opacity": _shade(law, spec)}
        curves.append(Curve(label, law.sizes, law.copies, **look))
        if is_hard:
            curves += _fitted(law)
    several = len(spec.epsilon) > 1
    title = "Copies for every component within ε" + ("" if several else f" = {spec.epsilon[0]:g}")
    return Panel(title, "M, gradient components (parameterised gates)", "copies of the state", tuple(curves))


def _fitted(law: Law) -> list[Curve]:
    fits = hard_instance_fits(law)
    if fits is None:
        return []
    grid = np.geomspace(law.sizes[0], law.sizes[-1], 100)
    x = tuple(grid.tolist())
    power = f"power law {fits.power.prefactor:.4g} M^{fits.power.exponent:.2f}"
    sign = "+" if fits.logarithm.slope >= 0 else "−"
    line = f"{fits.logarithm.offset:.4g} {sign} {abs(fits.logarithm.slope):.4g} ln M"
    curve = np.asarray(fits.logarithm.at(grid)) * (grid if fits.per_component else 1)
    return [
        Curve(power, x, tuple(np.asarray(fits.power.at(grid)).tolist()), colour=law.method, line="dashed"),
        Curve(
            f"M ({line})" if fits.per_component else line, x, tuple(curve.tolist()), colour=law.method, line="dotted"
        ),
    ]


def _ratio_panel(laws: list[Law], spec: "Scaling") -> Panel:
    # Both costs follow epsilon in the same way, so that the smallest one is enough.
    finest = {(law.method, law.model): law for law in sorted(laws, key=lambda law: -(law.epsilon or 0))}
    curves = tuple(
        Curve(
            f"{law.method}, {law.model}{_epsilon(law, spec)} ({UNITS[law.pays_in]})",
            law.sizes,
            law.ratio,
            colour=law.method,
            marker=law.model,
            is_filled=law.kind != "circuit",
            line="solid",
        )
        for law in laws  # in the order of the table
        if law in finest.values()
    )
    x_label = "M, gradient components (parameterised gates or weights)"
    return Panel("Price of a gradient over its value", x_label, "cost(gradient) / cost(value)", curves)


def _epsilon(law: Law, spec: "Scaling") -> str:
    """What a label says of epsilon: nothing where there is only one."""
    return f", ε = {law.epsilon:g}" if law.epsilon is not None and len(spec.epsilon) > 1 else ""


def _shade(law: Law, spec: "Scaling") -> float:
    """Opacity: the smaller epsilon, the darker."""
    if law.epsilon is None or law.epsilon not in spec.epsilon:
        return 1.0
    return (1 + spec.epsilon.index(law.epsilon)) / len(spec.epsilon)
