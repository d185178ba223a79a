"""Shots with which parameter shifts in groups of strings keep to an accuracy for certain."""

import math

import numpy as np
from jaxtyping import Float

from ....ir.measured_groups import MeasuredGroup, half_ranges
from ....objective import Point
from ..._programs import program_at
from ...accuracy import counted, hoeffding, log_of, num_components
from ..shifts._evaluations import Evaluations
from ._allocation import divided, range_weights


def proved_shots(
    method: type, point: Point, groups: tuple[MeasuredGroup, ...], epsilon: float, delta: float
) -> tuple[int, ...]:
    """Shots of each evaluation, divided over the groups by their ranges: the value's, then those of every angle."""
    shifts = Evaluations.of(program_at(point, method, samples=True).circuit.angle_gates)
    if not groups:
        return (2,) * (1 + len(shifts.owner))
    weight = np.abs(shifts.coefficients)
    each = weight * np.bincount(shifts.owner, weight, shifts.num_gates)[shifts.owner]
    log = log_of(num_components(point), delta)
    squares, weights = cotangent_ranges(point, groups) ** 2, range_weights(groups)
    found: dict[float, int] = {}
    for share in np.unique(each).tolist():
        allowed = 1 / max(hoeffding(np.array([share]), log, epsilon), 1e-300)
        needed = max(counted(method, weights.sum() ** 2 / allowed, epsilon), 2 * len(groups))
        # Whole shots divide a little worse than any number would.
        while (spread := _spread(squares, weights, needed)) > allowed:
            needed = counted(method, max(needed + 1, needed * spread / allowed), epsilon)
        found[share] = needed
    # The value is not promised: it gets as many as the worst evaluation.
    return (max(found.values(), default=2 * len(groups)), *(found[share] for share in each.tolist()))


def cotangent_ranges(point: Point, groups: tuple[MeasuredGroup, ...]) -> Float[np.ndarray, "C G"]:
    """Ranges of the outcomes of each group for each weighted sum of the outputs."""
    rows = np.asarray(point.cotangents, float)
    columns = [half_ranges(group.supports, rows @ group.coefficients) for group in groups]
    return np.stack(columns, axis=1)


def _spread(squares: Float[np.ndarray, "C G"], weights: Float[np.ndarray, "G"], total: int) -> float:
    """Of the worst output, what the mean of so many shots is sub-Gaussian with."""
    shots = divided(np.array([total]), weights[None])[0]
    return float(np.max(squares @ (1 / shots), initial=0.0)) if len(shots) else math.inf
