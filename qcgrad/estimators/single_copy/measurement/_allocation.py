"""How the shots of an evaluation are divided over the groups of strings that are measured together."""

import numpy as np
from jaxtyping import Float, Int

from ....ir.measured_groups import MeasuredGroup


def divided(totals: Int[np.ndarray, "B"], weights: Float[np.ndarray, "B G"], least: int = 2) -> Int[np.ndarray, "B G"]:
    """Whole shots in proportion to the weights, whose sums are the totals.

    Each group of positive weight gets `least` shots at least, or as many as there are for each where that is fewer; one
    of weight 0 gets none.

    Raises:
        ValueError: less than a shot for each group.

    Example:
        >>> import numpy as np
        >>> from qcgrad.estimators.single_copy.measurement._allocation import divided
        >>> divided(np.array([100, 5]), np.array([[3.0, 1.0, 0.001], [1.0, 1.0, 0.0]]))
        array([[74, 24,  2],
               [ 3,  2,  0]])
    """
    groups = int(np.count_nonzero(weights, axis=1).max(initial=0))
    if np.min(totals, initial=groups) < groups:
        raise ValueError(
            f"shots={int(np.min(totals))} for an evaluation of {groups} groups of strings: give at least {groups}, one "
            f"shot for each, or {2 * groups}, so that each has a variance"
        )
    rows = {}
    for row in zip(totals.tolist(), map(tuple, weights.tolist()), strict=True):
        if row not in rows:
            rows[row] = _divided(row[0], np.array(row[1]), least)
    return np.array([rows[row] for row in zip(totals.tolist(), map(tuple, weights.tolist()), strict=True)])


def range_weights(groups: tuple[MeasuredGroup, ...]) -> Float[np.ndarray, "G"]:
    """(G,) the range of each group's outcomes, of several observables the largest.

    A group that adds nothing but zeros is still measured: nobody promised that its coefficients stay what they are.
    """
    weights = np.array([group.ranges.max() for group in groups])
    return np.where(weights > 0, weights, np.max(weights, initial=0.0) * 1e-6 or 1.0)


def _divided(total: int, weights: Float[np.ndarray, "G"], least: int) -> Int[np.ndarray, "G"]:
    is_measured = weights > 0
    least = min(least, total // max(1, int(np.count_nonzero(is_measured))))
    ideal = np.where(is_measured, float(least), 0.0)
    rising = is_measured.copy()
    while rising.any():
        left = total - ideal[~rising].sum()
        share = left * weights / weights[rising].sum()
        fixed = rising & (share < least)
        if not fixed.any():
            ideal[rising] = share[rising]
            break
        rising &= ~fixed
    counts = np.floor(ideal).astype(np.int64)
    missing = total - int(counts.sum())
    counts[np.argsort(counts - ideal, kind="stable")[:missing]] += 1
    return counts
