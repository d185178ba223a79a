"""Variances that estimators report, against the spread over thousands of seeds.

Claim (derivation in reported_variances.md). On every method that samples, and every way to use it that has a formula
of its own, the mean of the reported variances is the variance of the estimates. Exceptions are few, and their
docstrings say them: of a random subset of coordinates the sum over parameters alone, of online tomography a bound
together with the bias.
"""

from dataclasses import dataclass

import numpy as np

from theory.claim import Headline, canvas, run

from .estimator_cases import CASES, Case
from .repeated_estimates import TOLERANCE, Ratio, sampled, value_ratio, variance_ratios


@dataclass
class Row:
    """Reported over sample variance of all derivatives together, of the one that is furthest off, and of the value."""

    case: Case
    together: Ratio
    worst: Ratio
    value: Ratio


@dataclass
class Result:
    """One row for each case."""

    rows: list[Row]


def compute(small: bool = False) -> Result:
    """Seconds if small, the quick cases alone; else minutes."""
    return Result([_row(case) for case in CASES if case.is_quick or not small])


def _row(case):
    sample = sampled(case, 31)
    each, together = variance_ratios(case, sample)
    return Row(case, together, _furthest(each), _furthest(value_ratio(sample)))


def _furthest(found: Ratio) -> Ratio:
    if not len(found.ratio):
        return found
    off = np.argmax(np.abs(np.log(found.ratio)) / found.error)
    return Ratio(found.ratio[off : off + 1], found.error[off : off + 1])


def check(result: Result):
    """Raise AssertionError where a variance is not what its estimator reports."""
    for row in result.rows:
        off = float(np.log(row.together.ratio[0]) / row.together.error[0])
        is_right = off > -TOLERANCE if row.case.promise == "bound" else abs(off) < TOLERANCE
        assert is_right, f"{row.case.name}: reported over sample variance is {row.together.ratio[0]:.3f}"


def headline(result: Result) -> Headline:
    """The case that is furthest off."""
    rows = [row for row in result.rows if row.case.promise != "bound"]
    ratios = [row.together.ratio[0] for row in rows]
    return Headline(f"reported over sample variance, {len(rows)} cases", "1", f"{min(ratios):.3f} to {max(ratios):.3f}")


def report(result: Result):
    """Lines for the reader: a table."""
    yield "| reported / sample variance | seeds | all derivatives | the one furthest off | value |"
    yield "|---|---|---|---|---|"
    for row in result.rows:
        cells = " | ".join(map(_in_words, (row.together, row.worst, row.value)))
        yield f"| {row.case.name}{_PROMISES[row.case.promise]} | {row.case.seeds} | {cells} |"


_PROMISES = {"each": "", "sum": " (sum over parameters)", "bound": " (bound on mean squares)"}


def _in_words(found: Ratio) -> str:
    if not len(found.ratio):
        return "-"
    return f"{found.ratio[0]:.3f} ± {found.ratio[0] * found.error[0]:.3f}"


def figure(result: Result, path):
    """Ratios with three standard errors."""
    drawing, ((axis,),) = canvas(1, 1, width=7.5, height=2.0 + 0.19 * len(result.rows))
    rows = [row for row in result.rows if row.case.promise != "bound"]
    where = np.arange(len(rows))
    ratio = np.array([row.together.ratio[0] for row in rows])
    error = 3 * ratio * [row.together.error[0] for row in rows]
    axis.axvline(1.0, color="#D55E00", linewidth=1)
    axis.errorbar(ratio, where, xerr=error, fmt="o", color="#0072B2", markersize=4, label="three standard errors")
    axis.set_yticks(where, [row.case.name for row in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set(xlabel="reported / sample variance", title="Variances over thousands of seeds")
    axis.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
