r"""Threshold checks with exponential noise, as functions of the number S of copies that accept.

A check lets S pass between two limits: with independent X, X' ~ Exp of mean \(\lambda\) it stops "above" where
\(S + X >\) upper, else "below" where \(S - X' <\) lower. The Kraus operators are the square roots of

.. math:: A = \min(1, e^{(S - \mathrm{upper})/\lambda}), \quad B = \min(1, e^{(\mathrm{lower} - S)/\lambda}), \quad
    \Pr[\mathrm{above}] = A, \; \Pr[\mathrm{below}] = (1 - A) B, \; \Pr[\mathrm{none}] = (1 - A)(1 - B) .
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ...queries import ThresholdSweep


@dataclass(frozen=True, eq=False)
class Check:
    """Limits of one check, or arrays of them, and the mean noise; all in copies."""

    lower: np.ndarray | float
    upper: np.ndarray | float
    noise: float

    @classmethod
    def of(cls, query: ThresholdSweep) -> "Check":
        """The checks of a sweep, limits (V,)."""
        centre, k = query.copies * (1 + np.asarray(query.predictions, float)) / 2, query.copies
        return cls(centre - k * query.margin / 2, centre + k * query.margin / 2, query.noise)

    def __getitem__(self, v: int) -> "Check":
        return Check(np.asarray(self.lower)[v], np.asarray(self.upper)[v], self.noise)

    def passing(self, counts: Int[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Pr[none | S]."""
        above = np.maximum(self.upper - counts, 0)
        below = np.maximum(counts - self.lower, 0)
        return np.expm1(-above / self.noise) * np.expm1(-below / self.noise)

    def draw(self, counts: int | Int[np.ndarray, "..."], rng: np.random.Generator) -> Int[np.ndarray, "..."]:
        """Sides at the counts S: +1 "above", -1 "below", 0 none."""
        above = counts + rng.exponential(self.noise, np.shape(counts)) > self.upper
        below = counts - rng.exponential(self.noise, np.shape(counts)) < self.lower
        return np.where(above, 1, -below.astype(np.int64))

    def stop_moments(
        self, copies: int, accept: Float[np.ndarray, "V"]
    ) -> tuple[Float[np.ndarray, "V"], Float[np.ndarray, "V"]]:
        r"""E[h] and E[h^2] of \(h = 1 - \Pr[\mathrm{none} \mid S]\) for S ~ Binomial(k, p).

        Between the limits h = A + B - AB with AB constant, so all terms are exponentials of S, whose means over
        a window are binomial probabilities at a tilted p. O(1) for each check, at any k.
        """
        first, last = np.floor(self.lower) + 1, np.ceil(self.upper) - 1

        def mean(rate, origin):
            """E[exp(rate (S - origin)); S between the limits]."""
            scale = 1 - accept + accept * np.exp(rate)
            tilted = accept * np.exp(rate) / scale
            with np.errstate(divide="ignore"):
                window = np.log(_between(first, last, copies, tilted, (1 - accept) / scale))
            return np.exp(copies * np.log(scale) - rate * origin + window)

        rate = 1 / self.noise
        both = np.exp((self.lower - self.upper) * rate)
        inside = mean(0.0, 0.0)
        outside = _at_most(first - 1, copies, 1 - accept) + _at_most(copies - last - 1, copies, accept)
        once = mean(rate, self.upper) + mean(-rate, self.lower)
        twice = mean(2 * rate, self.upper) + mean(-2 * rate, self.lower)
        moment = outside + once - both * inside
        square = outside + twice + both * (2 + both) * inside - 2 * both * once
        return np.clip(moment, 0, 1), np.clip(square, 0, 1)


def disturbance(copies: int, accept: Float[np.ndarray, "V"], check: Check) -> float:
    r"""Bound on how far fresh copies for every check move the distribution of where and how a sweep stops.

    Passing check j leaves \(f|\phi\rangle\), f = sqrt(Pr[none | S]), where the idealized sweep goes on with a fresh
    \(|\phi\rangle\). The two are \(T_j = \sqrt{1 - E[f]^2/E[f^2]} \le \sqrt{\chi^2_j}\) apart in trace distance,
    where \(\chi^2_j\) compares (S | none) with S: 1 - E[f]^2/E[f^2] is at most twice the squared Hellinger distance of
    the two distributions, and that at most \(\chi^2/2\). Replacing the real copies by fresh ones one check at a
    time, the total variation between the two sweeps is at most

    .. math:: \sum_{j < V} \Pr[\text{checks } 1..j \text{ pass}] \, \min(1, \sqrt{\chi^2_j}), \qquad
        \sqrt{\chi^2_j} = \frac{\mathrm{sd}(h_j)}{1 - E[h_j]} \lesssim \Pr[\mathrm{stop}] \,
        \frac{\mathrm{sd}(S)}{\lambda} ,

    with all probabilities those of fresh copies. Nothing follows the last check, so it does not count.

    References:
        C. Bădescu, R. O'Donnell, "Improved quantum data analysis", STOC 2021, arXiv:2011.10908.
    """
    stop, square = check.stop_moments(copies, accept)
    passes = 1 - stop
    with np.errstate(divide="ignore", invalid="ignore"):
        damage = np.sqrt(np.maximum(square - stop**2, 0)) / passes
    # A check that never passes leaves nothing to disturb; its weight below is zero.
    damage = np.where(passes > 0, np.minimum(damage, 1), 0)
    return float(min(1.0, np.sum(np.cumprod(passes)[:-1] * damage[:-1])))


def _between(first, last, copies, accept, reject):
    """Pr[first <= S <= last], from the tails on the side where they are small, so that no digits cancel."""
    below = _at_most(last, copies, reject) - _at_most(first - 1, copies, reject)
    above = _at_most(copies - first, copies, accept) - _at_most(copies - last - 1, copies, accept)
    return np.maximum(np.where(first > copies * accept, above, below), 0)


def _at_most(count, copies, reject):
    """Pr[at most `count` copies accept], any integer, if each rejects with probability `reject`."""
    from scipy.special import betainc

    possible = np.clip(count, 0, copies - 1)
    tail = betainc(copies - possible, possible + 1, np.clip(reject, 0, 1))
    return np.where(count < 0, 0.0, np.where(count >= copies, 1.0, tail))
