"""Where NaN and infinity come from, in words."""

import jax
import numpy as np

from .array_types import Coordinates
from .objective import AbstractObjective, Reading


def of_coordinates(objective: AbstractObjective, coordinates: Coordinates) -> str | None:
    """What is wrong with coordinates before anything is asked at them; None if nothing is."""
    if (found := _first(coordinates, np.isfinite)) is None:
        return None
    return f"{objective.coordinate_name} {found}: the map from params to it is not finite here, so nothing was asked"


def of_readings(objective: AbstractObjective, inner: Reading, outer: Reading) -> str | None:
    """What is wrong with what was found, by coordinates and by params; None if nothing is.

    Variances may be NaN, which means unknown.
    """
    if not objective.is_vector:
        inner, outer = (_without_axis(reading) for reading in (inner, outer))
    name = objective.coordinate_name
    if found := _first(outer.value, np.isfinite):
        return f"the value {found}, as the backend answered"
    if found := _first(inner.gradient, np.isfinite):
        return f"the derivative by {name} {found}, as it follows from the backend's answers"
    if found := _first(outer.gradient, np.isfinite):
        return (
            f"the derivative by params{found}: all derivatives by {name}s are finite, so this arose in the chain rule "
            f"through the map from params to {name}s, which has no finite derivative here"
        )
    for what, part in (("the value", outer.value_variance), ("the derivative by params", outer.variance)):
        if found := _first(part, lambda array: ~np.isinf(array)):
            return f"the variance of {what}{found}: it overflows, so rescale the objective"
    return None


def _first(tree, accepts) -> str | None:
    """Where the first number of a pytree is that is not accepted, and what it is."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.asarray(leaf)
        bad = np.argwhere(~accepts(array))
        if len(bad):
            index = bad[0].tolist()
            return f"{jax.tree_util.keystr(path)}{index or ''} is {array[tuple(index)]}".lstrip()
    return None


def _without_axis(reading: Reading) -> Reading:
    parts = {name: getattr(reading, name) for name in ("value", "gradient", "variance", "value_variance")}
    return Reading(**jax.tree.map(lambda leaf: leaf[0], parts))
