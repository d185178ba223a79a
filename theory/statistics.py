"""What chance may do: tolerances of statistical assertions, and seeds that can be shifted.

A statistical assertion of `tests/` or `theory/` takes its tolerance from here: by luck it fails with probability
FALSE_ALARM at most, for any seeds and however many components it looks at (`count`: each gets an equal part). The suite
makes fewer than a thousand of them: all together fail by luck with probability below 1e-6.

Its power is what it would find. Where nothing else is said, an error of twice the tolerance is missed with probability
FALSE_ALARM at most; so say how large the tolerance is, in units of what is tested.

QCGRAD_TEST_SEED_SHIFT=k adds k to the seeds of all draws: a suite that holds for the seeds in the text alone shows it.
Data and circuits that are drawn once, as an example, are part of what is asserted and keep their seeds.
"""

import os

import jax
import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, chi2, norm, t

FALSE_ALARM = 1e-9
SEED_SHIFT = int(os.environ.get("QCGRAD_TEST_SEED_SHIFT", "0"))


def shifted(seed: int) -> int:
    """The seed of this run."""
    return seed + SEED_SHIFT


def key(seed: int) -> jax.Array:
    """JAX's key for the seed of this run."""
    return jax.random.key(shifted(seed))


def rng(seed: int) -> np.random.Generator:
    """NumPy's generator for the seed of this run."""
    return np.random.default_rng(shifted(seed))


def normal(count: int = 1) -> float:
    """Standard errors that `count` normal deviates of known variance stay within: 6.1 for one, 6.8 for a hundred.

    Also for means of so many samples that they are normal that far out. A mean of N samples with skewness g is within a
    factor 2 of that where N > (55 g)^2; with fewer take `bernstein`.
    """
    return float(norm.isf(FALSE_ALARM / 2 / count))


def student(degrees: float, count: int = 1) -> float:
    """The same where the variance itself comes from the samples, with `degrees` of freedom: 7.2 for 60, 26 for 9."""
    return float(t.isf(FALSE_ALARM / 2 / count, degrees))


def counts(trials: int, probability, count: int = 1):
    """Smallest and largest number of successes in `trials`; exact."""
    tail = FALSE_ALARM / 2 / count
    return binom.ppf(tail, trials, probability), binom.isf(tail, trials, probability)


def variance_ratio(degrees: float, count: int = 1) -> tuple[float, float]:
    """Limits of a sample variance with `degrees` of freedom over the true one; samples are normal."""
    tail = FALSE_ALARM / 2 / count
    return float(chi2.ppf(tail, degrees) / degrees), float(chi2.isf(tail, degrees) / degrees)


def bernstein(variance, largest, samples: int, count: int = 1):
    """Tolerance of the mean of independent samples with a known variance that are `largest` from it at most.

    Bernstein's inequality: holds for every distribution, at the price of 6.5 standard errors instead of 6.1, plus
    14 `largest` / N.
    """
    log = np.log(2 * count / FALSE_ALARM)
    return np.sqrt(2 * log * variance / samples) + 2 * log * largest / (3 * samples)


def empirical_bernstein(squared_error, largest, samples: int, count: int = 1):
    """The same from the estimated variance of the mean, `squared_error`, of `samples` samples.

    Maurer and Pontil 2009, theorem 4: even if all samples seen are alike and the estimated variance is zero.
    """
    log = np.log(4 * count / FALSE_ALARM)
    return np.sqrt(2 * log * np.asarray(squared_error)) + 7 * log * largest / (3 * (samples - 1))


def assert_frequencies(found, probabilities):
    r"""Outcome counts follow a distribution, whatever its rare outcomes; an impossible one is an error.

    \(N\,\mathrm{KL}(\hat p\|p)\) exceeds t with probability at most \(e^{-t}(et/(k-1))^{k-1}\) (Agrawal 2020) for k
    outcomes. Another distribution q is found, but for chances of a few percent, from \(N\,\mathrm{KL}(q\|p) > 2t\) on.
    """
    found, probabilities = np.ravel(found), np.ravel(probabilities)
    assert not np.any(found[probabilities < 1e-15]), "an impossible outcome was drawn"
    seen = found > 0
    entropy = np.sum(found[seen] * np.log(found[seen] / (found.sum() * probabilities[seen])))
    k = np.count_nonzero(probabilities >= 1e-15) - 1
    log = -np.log(FALSE_ALARM)
    limit = brentq(lambda x: x - k * (1 + np.log(x / k)) - log, k + 1e-9, 10 * (k + log))
    assert entropy < limit, f"relative entropy {entropy:.1f} of the counts, not below {limit:.1f}"
