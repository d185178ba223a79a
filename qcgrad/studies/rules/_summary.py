"""What a study of backward rules shows."""

from collections.abc import Callable, Iterator
from typing import Any

from .._over_seeds import Group, along, curve, file_name, grouped, medians, point, quartiles, texts
from ..choices import labelled
from ..records import Record
from ..summary import Column, Curve, Figure, Panel, Summary, Table
from ._cell import RuleCell

Groups = dict[RuleCell, Group]

_HOW_TO_READ = (
    "Medians over seeds, with quartiles. FLOPs and bytes are counted: of one pass forward and backward over a batch, "
    "and its peak. Milliseconds are measured where the cell ran, for one step with the optimiser.",
    "The cosine is Re⟨g, ĝ⟩ / (|g| |ĝ|) with the true gradient g on the first examples, before and after training; of "
    "a rule that draws, |ĝ| is the root mean square over draws. Bias and variance are relative: the norm of bias_bound "
    "over |g|, and the variance of one pass over |g|².",
    "Descent is the smallest eigenvalue of the symmetric part of the rule's tangent kernel over the kernel's root mean "
    "square, before and after: where it is not negative, a small step lowers the squared loss whatever the errors are.",
)


def summary(rows: list[tuple[RuleCell, Record]]) -> Summary:
    """Tables and figures of all records."""
    applied = grouped((cell, record) for cell, record in rows if "refused" not in record)
    refused = grouped((cell, record) for cell, record in rows if "refused" in record)
    tables = []
    if applied:
        tables.append(Table("Backward rules", tuple(_columns(applied)), _HOW_TO_READ))
    if refused:
        tables.append(Table("Rules that are not for a network", tuple(_refusals(refused))))
    return Summary("Backward rules", tuple(tables), tuple(_figures(applied)))


def _refusals(refused: Groups) -> Iterator[Column]:
    pairs = {(_rule(cell), cell.where): group[0]["refused"] for cell, group in refused.items()}
    yield texts("rule", (rule for rule, _ in pairs))
    yield texts("task and network", (where for _, where in pairs))
    yield texts("why", pairs.values())


def _columns(applied: Groups) -> Iterator[Column]:
    groups = applied.values()
    yield texts("task", (labelled(cell.task, cell.task_options) for cell in applied))
    yield texts("network", (cell.architecture.label for cell in applied), is_essential=len(_networks(applied)) > 1)
    yield texts("rule", map(_rule, applied))
    several = len({(cell.optimizer, cell.optimizer_options) for cell in applied}) > 1
    by = (labelled(cell.optimizer, cell.optimizer_options) for cell in applied)
    yield texts("optimizer", by, is_essential=several)
    metrics = " / ".join(dict.fromkeys(group[0]["metric"] for group in groups))
    yield medians(f"{metrics}\nof tests", groups, _last("score"), with_quartiles=True)
    yield medians("loss", groups, _last("loss"), with_quartiles=True, is_essential=False)
    yield medians("FLOPs\na step", groups, lambda r: r["gradient"]["flops"], ",.0f")
    yield medians("FLOPs /\nbackprop", groups, _ratio("flops"), ".2f", is_essential=False)
    yield medians("peak\nbytes", groups, lambda r: r["gradient"]["peak_bytes"], ",.0f")
    yield medians("bytes /\nbackprop", groups, _ratio("peak_bytes"), ".2f", is_essential=False)
    yield medians("ms\na step", groups, lambda r: 1e3 * r["seconds_per_step"], ".2g", is_essential=False)
    yield medians("cosine\nbefore", groups, _first("cosine"), ".3f")
    yield medians("cosine\nafter", groups, _last("cosine"), ".3f")
    yield medians("relative\nbias", groups, _last("bias"), ".2g", is_essential=False)
    yield medians("relative\nvariance", groups, _last("variance"), ".2g", is_essential=False)
    yield medians("descent\nbefore", groups, lambda r: _at(r["descent"], 0), ".2g", is_essential=False)
    yield medians("descent\nafter", groups, lambda r: _at(r["descent"], 1), ".2g", is_essential=False)
    yield texts("trained", (_trained(cell, group) for cell, group in applied.items()), is_essential=False)


def _figures(applied: Groups) -> Iterator[Figure]:
    """One for each task: score against what was spent, alignment along training."""
    for task in dict.fromkeys(labelled(cell.task, cell.task_options) for cell in applied):
        mine = {cell: group for cell, group in applied.items() if labelled(cell.task, cell.task_options) == task}
        metric = next(iter(mine.values()))[0]["metric"]
        is_log = metric != "accuracy"  # errors fall by orders of magnitude
        flops = tuple(_points(mine, lambda record: record["gradient"]["flops"] * record["finite_steps"]))
        held = tuple(_points(mine, lambda record: record["gradient"]["peak_bytes"]))
        panels = (
            Panel(f"{task}: {metric} for FLOPs", "FLOPs of a training", f"{metric} of tests", flops, log_y=is_log),
            Panel(f"{task}: {metric} for bytes", "peak bytes", f"{metric} of tests", held, log_y=is_log),
            Panel(
                f"{task}: alignment along training",
                "step",
                "cosine with the true gradient",
                tuple(_alignments(mine)),
                log_x=False,
                log_y=False,
            ),
        )
        yield Figure(f"rules-{file_name(task)}", panels)


def _points(groups: Groups, cost: Callable[[Record], float]) -> Iterator[Curve]:
    for cell, group in groups.items():
        spent, score = quartiles(map(cost, group)), quartiles(map(_last("score"), group))
        yield from point(_name(cell, groups), spent, score, **_look(cell))


def _alignments(groups: Groups) -> Iterator[Curve]:
    for cell, group in groups.items():
        steps = max((record["along"]["step"] for record in group), key=len)
        cosines = along([record["along"]["cosine"] for record in group])
        if found := [(step, each) for step, each in zip(steps, cosines, strict=True) if each]:
            yield curve(_name(cell, groups), found, **_look(cell))


def _look(cell: RuleCell) -> dict[str, Any]:
    return {"colour": _rule(cell), "marker": cell.architecture.label}


def _name(cell: RuleCell, groups: Groups) -> str:
    """What tells a curve from the others of its panel."""
    parts = [_rule(cell)]
    if len(_networks(groups)) > 1:
        parts.append(cell.architecture.label)
    if len({(other.optimizer, other.optimizer_options) for other in groups}) > 1:
        parts.append(labelled(cell.optimizer, cell.optimizer_options))
    return ", ".join(parts)


def _rule(cell: RuleCell) -> str:
    return labelled(cell.rule, cell.rule_options)


def _networks(groups: Groups) -> set[str]:
    return {cell.architecture.label for cell in groups}


def _trained(cell: RuleCell, group: Group) -> str:
    whole = sum(record["finite_steps"] == cell.steps for record in group)
    return str(whole) if whole == len(group) else f"{whole} of {len(group)}, others diverged"


def _last(name: str) -> Callable[[Record], float | None]:
    return lambda record: record["along"][name][-1]


def _first(name: str) -> Callable[[Record], float | None]:
    return lambda record: record["along"][name][0]


def _ratio(counter: str) -> Callable[[Record], float | None]:
    return lambda r: r["gradient"][counter] / r["backprop"][counter] if r["backprop"][counter] else None


def _at(values: list[float | None], place: int) -> float | None:
    return values[place] if place < len(values) else None
