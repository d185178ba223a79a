"""The tables of a scaling study."""

import math
from collections.abc import Callable, Iterator, Sequence

from .._forms import FORMS
from ..comparison import Comparison
from ..summary import Column, Table
from ._columns import column, counts, epsilons, exponent, finite, number, percent, times
from ._verdict import NO_RANGE
from .laws import UNITS, AccuracyLaw, Law, over_classical


def law_table(laws: list[Law], notes: tuple[str, ...]) -> Table:
    """Exponents, ratios, verdicts."""
    over = [over_classical(law, laws)[-1] for law in laws]
    columns = [
        Column.of_words("method", [law.method for law in laws]),
        Column.of_words("access", [law.access for law in laws], is_essential=False),
        Column.of_words("model", [law.model for law in laws]),
        *epsilons([law.epsilon for law in laws]),
        column("M", laws, lambda law: max(law.sizes), lambda law: f"{min(law.sizes)}–{max(law.sizes)}"),
        *(
            column(f"{heading}\n∝ M^", laws, _exponent_of(name), _exponent_text(name))
            for heading, name in (("copies", "copies"), ("gates", "gates"), ("cost ratio", "ratio"))
        ),
        column(
            "ratio at\nlargest M", laws, lambda law: law.ratio[-1], lambda law: times(law.ratio[-1]), is_essential=False
        ),
        *([Column("× classical\nat equal M", tuple(map(times, over)), tuple(over))] if any(over) else []),
        Column.of_words("paid in", [UNITS[law.pays_in] for law in laws], is_essential=False),
        Column.of_words("backprop.\nscaling", [law.verdict for law in laws], verdicts=True),
    ]
    return Table("Gradient cost against M", tuple(columns), (*notes, *_missing_range(laws)))


def fit_tables(laws: list[Law]) -> Iterator[Table]:
    """Laws of the cost ratio, and how they compare; none where no law has three sizes."""
    compared = [(law, found) for law in laws if (found := law.comparison("ratio"))]
    if not compared:
        return
    mine, found = [law for law, _ in compared], [each for _, each in compared]
    judged = [law.judged for law in mine]
    named = [
        Column.of_words("method", [law.method for law in mine]),
        Column.of_words("model", [law.model for law in mine]),
        *epsilons([law.epsilon for law in mine]),
    ]
    columns = [
        *named,
        Column.of_words("cost ratio", [each.fit.with_errors for each in found]),
        column("predicts\nbest", found, _share, lambda each: percent(_share(each))),
        column("exponent,\n95 %", judged, lambda v: v.interval and v.interval[1], lambda v: _interval(v.interval)),
        Column("log M\n∝ M^", tuple(number(v.log_exponent) for v in judged), finite(v.log_exponent for v in judged)),
        Column("√M\ntold", tuple(percent(v.told) for v in judged), tuple(v.told for v in judged)),
    ]
    yield Table("Laws of the cost ratio that predict best", tuple(columns), _BEST)
    yield Table("Misses of all laws", (*named, *(_misses(form.name, found) for form in FORMS)), _MISSES)


_BEST = (
    "Laws are fitted by least squares in ln y, ± one standard error: from the spread of seeds where costs are drawn, "
    "else from how sizes scatter about the law. The one shown predicts best what is left out of its fit. Predicts "
    "best: in how many of 1000 resamples of the seeds it is that law again; – where all seeds agree, as they do for "
    "bounds and counted costs, or there is one seed, so that nothing can be resampled. √M told: the probability that "
    "√M would be told from log M over these sizes, with this noise.",
)
_MISSES = (
    "Each size is left out in turn and predicted by each law from the others: rms of relative errors; in brackets the "
    "share of resamples in which the law misses least. Of laws that miss by as much, the one with fewer parameters is "
    "best.",
)


def accuracy_table(laws: list[AccuracyLaw]) -> Table:
    """What a smaller epsilon costs."""
    found = sorted({e for law in laws for e in law.epsilons}, reverse=True)
    columns = [
        Column.of_words("method", [law.method for law in laws]),
        Column.of_words("model", [law.model for law in laws]),
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
        Column.of_words("method", [law.method for law in laws]),
        *epsilons([law.epsilon for law in laws]),
        *(counts(f"M = {m}", [dict(zip(law.sizes, law.copies, strict=True)).get(m) for law in laws]) for m in sizes),
        Column("spread\nof seeds", tuple(map(percent, spreads)), tuple(spreads), is_essential=False),
        Column.of_words(
            "power law", ["–" if (fit := law.power("copies")) is None else fit.with_errors for law in laws]
        ),
        Column.of_words(
            "predicts best", [each.fit.with_errors if (each := law.comparison("copies")) else "–" for law in laws]
        ),
    ]
    return Table("All-Pauli hard instance: copies that reach epsilon", tuple(columns), notes)


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


def _misses(name: str, found: Sequence[Comparison]) -> Column:
    misses = [each.misses.get(name) for each in found]
    shares = [f" ({percent(each.shares[name])})" if each.shares and name in each.shares else "" for each in found]
    shown = tuple(f"{percent(miss)}{share}" for miss, share in zip(misses, shares, strict=True))
    return Column(name, shown, tuple(miss if miss is not None and math.isfinite(miss) else None for miss in misses))


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{number(interval[0])} to {number(interval[1])}"
