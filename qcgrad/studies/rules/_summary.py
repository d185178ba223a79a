"""What a study of backward rules shows."""

from collections.abc import Callable, Iterator

from .._over_seeds import Group, along, curve, file_name, grouped, medians, point, quartiles
from ..learning._names import Names, task
from ..learning._tables import ENDS, after, diverged, naming, refusals, trained
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._cell import RuleCell

Groups = dict[RuleCell, Group]

_OF_COSTS = (
    "Medians over seeds, with quartiles. FLOPs and bytes are counted: of one pass forward and backward over a batch, "
    "and its peak. Milliseconds are measured where the cell ran, for one step with the optimiser."
)
_OF_ALIGNMENT = (
    "Medians over seeds, before and after training. The cosine is Re⟨g, ĝ⟩ / (|g| |ĝ|) with the true gradient g on the "
    "first examples; of a rule that draws, |ĝ| is the root mean square over draws. Bias and variance are relative: the "
    "norm of bias_bound over |g|, and the variance of one pass over |g|².",
    "Descent is the smallest eigenvalue of the symmetric part of the rule's tangent kernel over the kernel's root mean "
    "square: where it is not negative, a small step lowers the squared loss whatever the errors are.",
)


def summary(rows: list[tuple[RuleCell, Record]]) -> Summary:
    """Tables and figures of all records."""
    applied = grouped((cell, record) for cell, record in rows if "refused" not in record)
    tables: list[Table] = []
    if applied:
        names = Names(applied)
        notes = tuple(names.in_common())
        tables.append(Table("What rules learn and cost", tuple(_costs(applied, names)), (_OF_COSTS, *notes)))
        tables.append(Table("How rules are aligned", tuple(_alignment(applied, names)), _OF_ALIGNMENT))
    tables += refusals("Rules that are not for a network", rows)
    return Summary("Backward rules", tuple(tables), tuple(_figures(applied)))


def _costs(applied: Groups, names: Names) -> Iterator[Column]:
    groups = applied.values()
    yield from naming(applied, names)
    metrics = " / ".join(dict.fromkeys(group[0]["metric"] for group in groups))
    yield after(f"{metrics}\nof tests", groups, "score")
    yield after("loss", groups, "loss", is_essential=False)
    yield medians("FLOPs\na step", groups, lambda r: r["gradient"]["flops"], ",.0f")
    yield medians("FLOPs /\nbackprop", groups, _ratio("flops"), ".2f", is_essential=False)
    yield medians("peak\nbytes", groups, lambda r: r["gradient"]["peak_bytes"], ",.0f")
    yield medians("bytes /\nbackprop", groups, _ratio("peak_bytes"), ".2f", is_essential=False)
    yield medians("ms\na step", groups, lambda r: 1e3 * r["seconds_per_step"], is_essential=False)
    yield trained(applied.items())


def _alignment(applied: Groups, names: Names) -> Iterator[Column]:
    groups = applied.values()
    yield from naming(applied, names)
    for heading, name, form in (("cosine", "cosine", ".3f"), ("relative bias", "bias", ".2g")):
        yield medians(f"{heading}\nbefore", groups, _first(name), form, is_essential=name == "cosine")
        yield medians(f"{heading}\nafter", groups, _last(name), form)
    yield medians("relative\nvariance", groups, _last("variance"), ".2g", is_essential=False)
    yield medians("descent\nbefore", groups, lambda r: _at(r["descent"], 0), ".2g", is_essential=False)
    yield medians("descent\nafter", groups, lambda r: _at(r["descent"], 1), ".2g", is_essential=False)


def _figures(applied: Groups) -> Iterator[Figure]:
    """One for each task: score against what was spent, alignment along training."""
    for name in dict.fromkeys(map(task, applied)):
        mine = {cell: group for cell, group in applied.items() if task(cell) == name}
        first, (record, *_) = next(iter(mine.items()))
        metric = record["metric"]
        score = f"{metric} of tests"
        is_log = metric != "accuracy"  # errors fall by orders of magnitude
        flops = tuple(_points(mine, lambda record: record["gradient"]["flops"] * record["finite_steps"]))
        held = tuple(_points(mine, lambda record: record["gradient"]["peak_bytes"]))
        aligned, cosine = tuple(_alignments(mine)), "cosine with the true gradient"
        panels = (
            Panel(f"{first.task}: {metric} for FLOPs", "FLOPs of a training", score, flops, log_y=is_log),
            Panel(f"{first.task}: {metric} for bytes", "peak bytes", score, held, log_y=is_log),
            Panel(f"{first.task}: alignment", "step", cosine, aligned, log_x=False, log_y=False),
        )
        shown = tuple(panel for panel in panels if panel.curves)
        if shown:
            notes = (f"Task: {name}.", *([ENDS] if diverged(mine.items()) else []), *Names(mine).in_common())
            yield Figure(f"rules-{file_name(name)}", shown, notes)


def _points(groups: Groups, cost: Callable[[Record], float]) -> Iterator[Curve]:
    names = Names(groups)
    for cell, group in groups.items():
        scores = list(map(_last("score"), group))
        spent, score = quartiles(map(cost, group)), None if None in scores else quartiles(scores)
        yield from point(names.curve(cell), spent, score, **names.look(cell))


def _alignments(groups: Groups) -> Iterator[Curve]:
    names = Names(groups)
    for cell, group in groups.items():
        # What diverges is looked at once more, wherever that is.
        steps = max((record["along"]["step"] for record in group), key=lambda steps: steps[-1])
        cosines = along([record["along"]["cosine"] for record in group])
        if found := [(step, each) for step, each in zip(steps, cosines, strict=True) if each]:
            yield curve(names.curve(cell), found, **names.look(cell))


def _last(name: str) -> Callable[[Record], float | None]:
    return lambda record: record["along"][name][-1]


def _first(name: str) -> Callable[[Record], float | None]:
    return lambda record: record["along"][name][0]


def _ratio(counter: str) -> Callable[[Record], float | None]:
    return lambda r: r["gradient"][counter] / r["backprop"][counter] if r["backprop"][counter] else None


def _at(values: list[float | None], place: int) -> float | None:
    return values[place] if place < len(values) else None
