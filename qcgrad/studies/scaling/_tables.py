"""The tables of a scaling study."""

import math
from collections.abc import Callable, Sequence

from .._forms import FORMS, LOGARITHM, POWER, POWER_LOGARITHM
from ..comparison import Comparison
from ..summary import Column, Table
from ._columns import column, counts, epsilons, exponent, finite, number, percent, text, times
from ._verdict import NO_RANGE
from .laws import UNITS, AccuracyLaw, Law, over_classical

# A law that misses sizes left out by a factor of e says nothing.
_FAR = 1.0


def law_table(laws: list[Law], notes: tuple[str, ...]) -> Table:
    """Exponents, ratios, verdicts."""
    over = [over_classical(law, laws)[-1] for law in laws]
    columns = [
        text("method", [law.method for law in laws]),
        text("access", [law.access for law in laws], is_essential=False),
        text("model", [law.model for law in laws]),
        *epsilons([law.epsilon for law in laws]),
        column("M", laws, lambda law: max(law.sizes), lambda law: f"{min(law.sizes)}–{max(law.sizes)}"),
        *(
            column(f"{heading}\n∝ M^", laws, _exponent_of(name), _exponent_text(name))
            for heading, name in (("copies", "copies"), ("gates", "gates"), ("cost ratio", "ratio"))
        ),
        column("ratio at\nlargest M", laws, lambda law: law.ratio[-1], lambda law: times(law.ratio[-1])),
        Column("× classical\nat equal M", tuple(map(times, over)), tuple(over)),
        text("paid in", [UNITS[law.pays_in] for law in laws], is_essential=False),
        text("backprop.\nscaling", [law.verdict for law in laws], verdicts=True),
    ]
    return Table("Gradient cost against M", tuple(columns), (*notes, *_missing_range(laws)))


def fit_table(laws: list[Law]) -> Table | None:
    """Laws of the cost ratio compared; None where none has three sizes."""
    compared = [(law, found) for law in laws if (found := law.comparison("ratio"))]
    if not compared:
        return None
    mine, found = [law for law, _ in compared], [each for _, each in compared]
    judged = [law.judged for law in mine]
    columns = [
        text("method", [law.method for law in mine]),
        text("model", [law.model for law in mine]),
        *epsilons([law.epsilon for law in mine]),
        column("seeds", mine, lambda law: law.seeds, lambda law: str(law.seeds), is_essential=False),
        text("cost ratio", [str(each.fit) for each in found]),
        column("predicts\nbest", found, _share, lambda each: percent(_share(each))),
        *(_miss(form.name, found) for form in FORMS),
        column("exponent,\n95 %", judged, lambda v: v.interval and v.interval[1], lambda v: _interval(v.interval)),
        Column("log M\n∝ M^", tuple(number(v.log_exponent) for v in judged), finite(v.log_exponent for v in judged)),
        Column("√M\ntold", tuple(percent(v.told) for v in judged), tuple(v.told for v in judged)),
    ]
    return Table("Laws of the cost ratio, compared by what they predict", tuple(columns), _FITS)


_FITS = (
    "Each size is left out in turn and predicted by each law from the others, all fitted by least squares in ln y: the "
    "cost ratio is written as the law that misses least (its miss, and those of the others: rms of relative errors). "
    "Predicts best: in how many of 1000 resamples of the seeds it is that law again; – where all seeds agree, as they "
    "do for bounds and counted costs, or there is one seed, so that nothing can be resampled. √M told: the probability "
    "that √M would be told from log M over these sizes, with this noise.",
)


def accuracy_table(laws: list[AccuracyLaw]) -> Table:
    """What a smaller epsilon costs."""
    found = sorted({e for law in laws for e in law.epsilons}, reverse=True)
    columns = [
        text("method", [law.method for law in laws]),
        text("model", [law.model for law in laws]),
        column("M", laws, lambda law: law.size, lambda law: str(law.size)),
        *(
            counts(f"ε = {e:g}", [dict(zip(law.epsilons, law.copies, strict=True)).get(e) for law in laws])
            for e in found
        ),
        column("copies\n∝ (1/ε)^", laws, lambda law: law.power.exponent, lambda law: exponent(law.power)),
    ]
    return Table("Copies against accuracy, at the largest M", tuple(columns))


def hard_table(laws: list[Law], notes: tuple[str, ...]) -> Table:
    """Copies that reach epsilon on the hard instance."""
    sizes = sorted({size for law in laws for size in law.sizes})
    spreads = [law.samples["copies"].spread.sigma if law.samples["copies"].is_drawn else None for law in laws]
    columns = [
        text("method", [law.method for law in laws]),
        *epsilons([law.epsilon for law in laws]),
        *(counts(f"M = {m}", [dict(zip(law.sizes, law.copies, strict=True)).get(m) for law in laws]) for m in sizes),
        Column("spread\nof seeds", tuple(map(percent, spreads)), tuple(spreads), is_essential=False),
        *(text(form.name, [_copies(law, form.name) for law in laws]) for form in (POWER, LOGARITHM, POWER_LOGARITHM)),
    ]
    return Table("All-Pauli hard instance: copies that reach epsilon", tuple(columns), notes)


def _copies(law: Law, form: str) -> str:
    """A law of the copies, where it is near enough to be one."""
    if compared := law.comparison("copies"):
        return compared.fits[form].with_errors if compared.misses.get(form, math.inf) < _FAR else "–"
    return "–" if form != POWER.name or (power := law.power("copies")) is None else power.with_errors


def _missing_range(laws: list[Law]) -> list[str]:
    """What would help where the range is not enough."""
    found = []
    for law in laws:
        if law.verdict != NO_RANGE:
            continue
        name = f"{law.method} on {law.model}" + ("" if law.epsilon is None else f", ε = {law.epsilon:g}")
        found.append(f"Not enough range for {name}: {_help(law)}.")
    return found


def _help(law: Law) -> str:
    judged = law.judged
    if judged.interval is None:
        return f"{len(set(law.sizes))} different M, and three at least are needed"
    here = f"from M = {min(law.sizes)} to {max(law.sizes)} log M grows as M^{number(judged.log_exponent)}"
    if judged.needed is None:
        return f"{here}; the exponent of the cost ratio lies somewhere in {_interval(judged.interval)}; add sizes" + (
            "" if judged.told < 1 else ", and larger ones"
        )
    return f"{here}; as many sizes up to M of about {judged.needed:,} would tell √M from log M"


def _exponent_of(name: str) -> Callable[[Law], float | None]:
    return lambda law: None if (fit := law.power(name)) is None else fit.exponent


def _exponent_text(name: str) -> Callable[[Law], str]:
    return lambda law: exponent(law.power(name))


def _share(found: Comparison) -> float | None:
    return None if found.shares is None else found.shares[found.best]


def _miss(name: str, found: Sequence[Comparison]) -> Column:
    misses = [each.misses.get(name) for each in found]
    shown = tuple("–" if miss is None else percent(miss) for miss in misses)
    values = tuple(None if miss is None else finite([miss])[0] for miss in misses)
    return Column(f"miss of\n{name}", shown, values, is_essential=False)


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{number(interval[0])} to {number(interval[1])}"
