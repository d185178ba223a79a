"""Shots with which every entry of a matrix is as precise as asked, for certain."""

import numpy as np
from jaxtyping import Float

from ...matrices import Problem
from ..accuracy import checked_accuracy, counted, log_of


def allowed_spread(problem: Problem, matrices: int, epsilon: float, delta: float | None) -> float:
    r"""What an entry may be sub-Gaussian with, \(\epsilon^2/2\ln(2M/\delta)\) for all M different entries together.

    Without delta it is the variance that is allowed, \(\epsilon^2\): what is sub-Gaussian with v has a variance of v at
    most (P. Rivasplata, "Subgaussian random variables: an expository note", 2012, proposition 1.1).

    Raises:
        ValueError: an epsilon that is no positive number, a delta that is not between 0 and 1.
    """
    epsilon, checked = checked_accuracy(epsilon, 0.5 if delta is None else delta)
    size = len(problem.directions)
    return epsilon**2 if delta is None else epsilon**2 / (2 * log_of(matrices * size * (size + 1) // 2, checked))


def fewest(
    method: type,
    spreads: tuple[Float[np.ndarray, "C N N"], Float[np.ndarray, "C N N"]],
    counts: tuple[int, int],
    allowed: float,
    epsilon: float,
) -> tuple[int, int]:
    r"""Shots of each evaluation of two kinds, with the least total that leaves every entry what is allowed.

    Entry m is sub-Gaussian with \(a_m/N_1 + b_m/N_2\). For a ratio \(t = N_2/N_1\) the least that will do is
    \(N_1 = \max_m (a_m + b_m/t)/v\). Ratios are tried in steps of 5 %, beside the one that is best where no entry has
    both.

    Args:
        method: for refusals.
        spreads: a and b, of one shot in each evaluation.
        counts: evaluations of each kind.
        allowed: v.
        epsilon: for refusals.

    Raises:
        NotApplicable: more shots than can be counted.
    """
    first, second = (part.ravel() for part in spreads)
    most = [float(np.max(part, initial=0.0)) for part in (first, second)]
    ratios = np.append(np.geomspace(1e-3, 1e3, 277), most[1] / most[0] if min(most) > 0 else 1.0)
    needed = np.array([np.max(first + second / t, initial=0.0) for t in ratios]) / allowed
    best = int(np.argmin(needed * (counts[0] + counts[1] * ratios)))
    # At least two, so that every evaluation keeps a sample variance.
    shots = needed[best], needed[best] * ratios[best] if most[1] > 0 else 0.0
    one, two = (max(2, counted(method, part * (1 + 1e-12), epsilon)) for part in shots)
    return one, two
