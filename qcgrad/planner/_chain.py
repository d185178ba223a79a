"""From errors of coordinates to those of the user's parameters."""

import jax
import numpy as np

from ..errors import NotApplicable
from ..objective import Point, Reading


def by_parameters(point: Point, reading: Reading) -> Reading:
    """The reading by the user's parameters; any will do where the chain rule does not depend on them.

    Raises:
        NotApplicable: it does, and there are none.
    """
    params = point.params
    if params is None:
        if getattr(point.objective, "parameter_map", None) is not None:
            raise NotApplicable("params are missing: how errors of gate angles add up depends on them here")
        params = np.zeros(getattr(point.objective, "num_parameters", 0))
    return point.objective.to_params(params, reading)


def amplification(point: Point) -> float:
    r"""\(\max_p \sum_a |\partial\theta_a/\partial p|\): how errors of coordinates add up in one parameter, at most.

    Raises:
        NotApplicable: it depends on parameters, and there are none.
    """
    # The chain rule carries bounds on biases as sums of absolute values, which is what is asked here.
    rows = jax.tree.map(lambda leaf: np.zeros((1, *np.shape(leaf)), leaf.dtype), point.coordinates)
    ones = jax.tree.map(lambda leaf: np.ones_like(leaf.real), rows)
    nothing = jax.tree.map(np.zeros_like, ones)
    outer = by_parameters(point, Reading(np.zeros(1), rows, nothing, np.zeros(1), ones))
    # A parameter that drives nothing has no error.
    return max((float(np.max(leaf, initial=0.0)) for leaf in jax.tree.leaves(outer.bias_bound)), default=0.0) or 1.0
