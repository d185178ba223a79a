"""The fewest shots with which every derivative is accurate enough, from bounds on what single outcomes do."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# Multiplicative steps towards the best division; one is enough where no two derivatives share an evaluation.
_STEPS = 60


class Requirement(NamedTuple):
    r"""Of M derivatives that are weighted means of U independent kinds of outcomes.

    With \(N_u\) outcomes of kind u, derivative m is accurate enough where
    \(\sum_u a_{mu}/N_u + \max_u b_{mu}/N_u \le v\).

    Attributes:
        spread: (M, U) the a.
        largest: (M, U) the b.
        allowed: v.
    """

    spread: Float[np.ndarray, "M U"]
    largest: Float[np.ndarray, "M U"]
    allowed: float

    def shots(self) -> Float[np.ndarray, "U"]:
        r"""Numbers that meet it, whole ones from there on, with a total close to the smallest.

        For fixed prices \(\lambda_m\) the best division is \(N_u^2 = \sum_m \lambda_m a_{mu}\); prices rise where too
        little is promised. What is left over is made up by a factor, so that the requirement is met for certain.
        """
        count = np.zeros(self.spread.shape[1])
        spread = self.spread + self.largest**2 / self.allowed * 1e-6
        prices = np.square(np.sqrt(spread).sum(axis=1)) / self.allowed**2
        best = np.inf
        for _ in range(_STEPS):
            given = np.sqrt(prices @ spread)
            needed = self._needed(given)
            factor = np.max(needed, initial=0.0) / self.allowed
            if factor * given.sum() < best:
                best, count = factor * given.sum(), factor * given
            if best == 0 or factor * given.sum() <= 0:
                break
            prices = prices * needed / self.allowed
        return count * (1 + 1e-12)

    def _needed(self, given: Float[np.ndarray, "U"]) -> Float[np.ndarray, "M"]:
        with np.errstate(divide="ignore", invalid="ignore"):
            each, most = (np.where(part > 0, part / given, 0.0) for part in (self.spread, self.largest))
        return each.sum(axis=1) + most.max(axis=1, initial=0.0)
