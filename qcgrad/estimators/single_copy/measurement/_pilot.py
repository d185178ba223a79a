"""How many shots a precision takes before anything is known, in a pilot, and after it."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...accuracy import counted, log_of
from ._requirement import Requirement

# Fewer outcomes say too little about their spread.
_FEWEST = 30
# Standard deviations by which a standard error may turn out larger than the pilot says.
_MARGIN = 3


class Need(NamedTuple):
    """What a precision takes.

    Attributes:
        who: the method, for refusals.
        weights: (M, B, K) sizes of the weight of each mean in each derivative.
        ranges: (G, K) half the length of the interval that outcomes lie in.
        epsilon, delta: the precision; a delta of None for standard errors.
        most: (B, G) shots that do whatever the state.
        pilot: (B, G) shots that find the variances, or None where that would save nothing.
    """

    who: type
    weights: Float[np.ndarray, "M B K"]
    ranges: Float[np.ndarray, "G K"]
    epsilon: float
    delta: float | None
    most: Int[np.ndarray, "B G"]
    pilot: Int[np.ndarray, "B G"] | None

    def shots(self, variances: Float[np.ndarray, "B G K"]) -> Int[np.ndarray, "B G"]:
        """(B, G) shots by the sample variances of the pilot's outcomes, never more than `most` altogether."""
        assert self.pilot is not None
        count = self.pilot[:, :, None]
        if self.delta is None:
            # One outcome more than were seen, as far off as can be, and a margin for what the pilot itself is off.
            bounds = np.sqrt((count * variances + self.ranges**2) / (count + 1))
            bounds *= np.sqrt(1 + _MARGIN * np.sqrt(2 / (count - 1)))
        else:
            log = math.log(2 * variances.size / self.delta)
            bounds = np.sqrt(variances) + 2 * self.ranges * np.sqrt(2 * log / (count - 1))
        found = _fewest(self, np.minimum(bounds, self.ranges), bounded=self.delta is not None)
        return found if found.sum() < self.most.sum() else self.most


def needs(
    who: type,
    weights: Float[np.ndarray, "M B K"],
    ranges: Float[np.ndarray, "G K"],
    epsilon: float,
    delta: float | None,
) -> Need:
    """What a precision takes, a pilot included where it pays.

    A pilot of n outcomes leaves a standard deviation uncertain by about \\(2r\\sqrt{2\\ell/n}\\), and N shots grow by
    that: n of about \\((N r^2\\sqrt{2\\ell})^{2/3}\\) is best. Where that is more than a quarter of N nothing is saved.

    Raises:
        NotApplicable: more shots than can be counted.
    """
    alone = Need(who, weights, ranges, epsilon, delta, np.zeros((weights.shape[1], len(ranges)), np.int64), None)
    worst = np.broadcast_to(ranges, (weights.shape[1], *ranges.shape))
    alone = alone._replace(most=_fewest(alone, worst, bounded=False))
    halved = alone if delta is None else alone._replace(delta=delta / 2)
    most = _fewest(halved, worst, bounded=False)
    if delta is None:
        each = np.maximum(_FEWEST, most // 10)
    else:
        log = math.log(2 * max(1, worst.size) / delta)
        each = np.maximum(_FEWEST, np.ceil((most * math.sqrt(2 * log)) ** (2 / 3)).astype(np.int64))
    if each.sum() * 4 >= most.sum():
        return alone
    return alone._replace(most=most, pilot=each)


def _fewest(need: Need, deviations: Float[np.ndarray, "B G K"], bounded: bool) -> Int[np.ndarray, "B G"]:
    """Shots for outcomes of these standard deviations, or sub-Gaussian with their squares.

    Where outcomes for several observables add up, so do their standard deviations at worst.
    """
    components, settings, _ = need.weights.shape
    groups = len(need.ranges)
    spread = np.einsum("mbk,bgk->mbg", need.weights, deviations).reshape(components, -1) ** 2
    largest = np.zeros_like(spread)
    allowed = need.epsilon**2
    if need.delta is not None:
        share = need.delta / 2 if bounded else need.delta
        allowed /= 2 * log_of(components, share)
    if bounded:
        largest = 2 * need.epsilon / 3 * np.einsum("mbk,gk->mbg", need.weights, need.ranges).reshape(components, -1)
    ideal = Requirement(spread, largest, allowed).shots().reshape(settings, groups)
    counted(need.who, float(ideal.sum()), need.epsilon)
    # At least two, so that every evaluation keeps a sample variance.
    found = np.maximum(np.ceil(ideal), 2).astype(np.int64)
    # Evaluations that are in no derivative, such as the value's, are not promised: as many as the worst.
    idle = ~need.weights.any(axis=(0, 2))
    found[idle] = found.max(axis=0, initial=2)
    return found
