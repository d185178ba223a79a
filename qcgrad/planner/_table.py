"""Advice as text that people read."""

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # advice is made of what is here
    from ._plan import Advice, Plan

_HEADINGS = (
    "method",
    "copies",
    "circuits",
    "gates",
    "qubits",
    "depth",
    "FLOPs",
    "bytes",
    "time",
    "backpropagation scaling",
)

_UNITS = {"y": 31_557_600, "d": 86_400, "h": 3600, "min": 60, "s": 1, "ms": 1e-3, "us": 1e-6}


def headings(advice: "Advice") -> tuple[str, ...]:
    """What the columns say; that of biases is there where somebody spoke of noise."""
    has_bias = any(plan.bias is not None for plan in advice.plans)
    return (*_HEADINGS, "bias") if has_bias else _HEADINGS


def cells(plan: "Plan") -> tuple[str, ...]:
    """What a line says of a plan that applies."""
    cost = plan.cost
    assert cost is not None
    counts = (cost.copies, cost.circuit_runs, cost.gates, cost.qubits, cost.depth, cost.flops, cost.peak_bytes)
    known = plan.method.name, *map(_count, counts), duration(plan.seconds), _scaling(plan)
    return known if plan.bias is None else (*known, str(plan.bias))


def in_words(advice: "Advice") -> str:
    """A line for each method, the best first; then why the others do not apply."""
    rows = [headings(advice), *(cells(plan) for plan in advice.plans if plan.cost is not None)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [title(advice)]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  " + "  ".join((first.strip().ljust(widths[0]), *rest)).rstrip())
    lines += [f"  {plan.method.name}: {plan.reason}" for plan in advice.plans if plan.cost is None]
    return "\n".join(lines)


def in_html(advice: "Advice") -> str:
    """The same for notebooks."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings(advice))
    rows = ["".join(f"<td>{escape(cell)}</td>" for cell in cells(plan)) for plan in advice.plans if plan.cost]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    left = [plan for plan in advice.plans if plan.cost is None]
    reasons = "".join(f"<li><b>{escape(plan.method.name)}</b>: {escape(plan.reason)}</li>" for plan in left)
    return f"<table><caption>{escape(title(advice))}</caption><tr>{head}</tr>{body}</table><ul>{reasons}</ul>"


def title(advice: "Advice") -> str:
    """What was asked for."""
    within = f"all derivatives within {advice.epsilon:g} with probability {1 - advice.delta:g}"
    noise = " with noise" if any(plan.bias is not None for plan in advice.plans) else ""
    return f"Advice{noise}: {within}, fewest {advice.rank.replace('_', ' ')} first"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, size in _UNITS.items():
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return "unknown" if math.isnan(seconds) else f"{seconds * 1e9:.3g} ns"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**7 else f"{number:.2e}"


def _scaling(plan) -> str:
    if plan.growth is None:
        return "unknown"
    answer = "yes" if plan.has_backpropagation_scaling else "no"
    return f"{answer} (M^{plan.growth.time:.2f}, M^{plan.growth.memory:.2f})"
