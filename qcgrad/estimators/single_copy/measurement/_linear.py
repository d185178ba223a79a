"""What a method makes of its evaluations, where that is a weighted sum: the weights."""

import numpy as np
from jaxtyping import Float

from ....errors import NotApplicable
from ....estimator import AbstractEstimator, OneRoundEstimator
from ....objective import Point
from ....queries import Evaluate, Means

# Rounding of weights that are worked out as differences, in units of the largest.
_ROUNDING = 1e-4


def weights_of(
    who: AbstractEstimator, method: OneRoundEstimator, point: Point, query: Evaluate
) -> Float[np.ndarray, "C A B K"]:
    """Weight of the mean of setting b and observable k in each derivative, from one reading for each of them.

    Raises:
        NotApplicable: the derivatives are no weighted sums of the means.
    """
    settings, outputs = query.num_parts, query.program.num_observables

    def read(mean):
        reading = method.combine(point, (query,), (Means(mean.astype(query.angles.dtype), np.zeros_like(mean)),))
        return np.asarray(reading.gradient, float)

    start = read(np.zeros((settings, outputs)))
    found = np.zeros((*start.shape, settings, outputs))
    for b in range(settings):
        for k in range(outputs):
            unit = np.zeros((settings, outputs))
            unit[b, k] = 1.0
            found[..., b, k] = read(unit) - start
    # Numbers without a pattern that a rule could share.
    trial = np.sin(np.arange(1.0, settings * outputs + 1)).reshape(settings, outputs)
    off = read(trial) - start - np.einsum("cabk,bk->ca", found, trial)
    if np.max(np.abs(off), initial=0.0) > _ROUNDING * max(1.0, np.max(np.abs(found), initial=0.0)) * settings:
        raise NotApplicable(
            f"{type(who).__name__} works out the shots of each evaluation from its weight in each derivative, but "
            f"those of {type(method).__name__} are no weighted sums of its evaluations: give it shots and use it alone"
        )
    return found
