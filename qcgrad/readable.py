"""Estimates as text that people read."""

import math
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

if TYPE_CHECKING:  # estimates are made of what is here
    from .result import Estimate

_MOST_ROWS = 12
_TITLE = "Estimate (derivatives are per radian where params are angles)"


def in_words(estimate: "Estimate") -> str:
    """Value and derivatives with standard errors and bias bounds, cost and result, a line each."""
    rows, missing, facts = _shown(estimate)
    lines = [_TITLE, *_table(rows)]
    lines += [f"  ... {missing:,} more"] if missing else []
    return "\n".join([*lines, *(f"  {name:9} {text}" for name, text in facts.items())])


def in_html(estimate: "Estimate") -> str:
    """The same as a table for notebooks."""
    (first, *rows), missing, facts = _shown(estimate)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in first)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<tr><td colspan={len(first)}>... {missing:,} more</td></tr>" if missing else ""
    told = "<br>".join(f"<b>{name}</b> {escape(text)}" for name, text in facts.items())
    return f"<table><caption>{escape(_TITLE)}</caption><tr>{head}</tr>{body}{more}</table><p>{told}</p>"


def _shown(estimate):
    """(rows of cells, the first one headings; how many numbers are left out; facts by name)."""
    errors = [np.sqrt(np.asarray(part)) for part in (estimate.value_variance, *jax.tree.leaves(estimate.variance))]
    biases = [np.asarray(part) for part in (estimate.value_bias_bound, *jax.tree.leaves(estimate.bias_bound))]
    leaves = [("", np.asarray(estimate.value))] + [
        (f"/d params{jax.tree_util.keystr(path)}", np.asarray(leaf))
        for path, leaf in jax.tree_util.tree_leaves_with_path(estimate.gradient)
    ]
    rows, outputs = [("", "estimate", "standard error", "bias bound")], leaves[0][1].ndim
    for (name, numbers), error, bias in zip(leaves, errors, biases, strict=True):
        for index in islice(np.ndindex(numbers.shape), max(0, _MOST_ROWS + 1 - len(rows))):
            label = f"{'d ' if name else ''}value{_brackets(index[:outputs])}{name}{_brackets(index[outputs:])}"
            rows.append((label, with_error(numbers[index], error[index]), size(error[index]), size(bias[index])))
    missing = sum(numbers.size for _, numbers in leaves) + 1 - len(rows)
    if not any(np.any(bias) for bias in biases):
        rows = [row[:3] for row in rows]
    spent = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in estimate.cost.spent().items())
    result = f"{estimate.result}: {estimate.result.message}"
    return rows, missing, {"cost": spent or "nothing", "result": result, "fidelity": estimate.fidelity}


def with_error(number: Any, error: Any) -> str:
    """A number with as many decimals as its error deserves: two of its digits."""
    if np.iscomplexobj(number):
        return f"{number:.8g}"
    if not 0 < error < math.inf or not math.isfinite(number):
        return f"{number:.10g}"
    decimals = 1 - math.floor(math.log10(error))
    return f"{number:.{decimals}f}" if 0 <= decimals <= 12 else f"{number:.3g}"


def counted(number: int) -> str:
    """A count, as a power of ten where nobody counts digits any more."""
    # Not by writing it out: Python refuses to write integers of thousands of digits.
    return f"{number:,}" if number < 10**18 else f"10^{math.floor(math.log10(number))}"


def size(number: Any) -> str:
    """An error or a bound in two digits."""
    return "unknown" if np.isnan(number) else "0" if number == 0 else f"{number:.2g}"


def _brackets(index) -> str:
    return "".join(f"[{i}]" for i in index)


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])] + [c.rjust(w) for c, w in zip(others, widths[1:], strict=True)]
        yield "  " + "  ".join(cells).rstrip()
