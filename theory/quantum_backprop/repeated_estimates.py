"""One estimate repeated with many seeds: whether its variances, means, covariances and intervals are what it reports.

What is compared is derived in reported_variances.md.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from qcgrad.backend import resolve
from qcgrad.cost import Cost
from qcgrad.estimate import run
from qcgrad.matrices import AbstractMatrixMethod
from qcgrad.objective import Reading, point_at
from qcgrad.result import Estimate, Result
from theory.statistics import key

from .estimator_cases import Case

# What is exact has a variance of rounding.
_EXACT = 1e-20
LEVEL = 0.9
# Standard errors, of which logarithms of variances go further than normal ones: see reported_variances.md.
TOLERANCE = 8.5
# Standard errors beyond the tolerance of what is found with 90 %.
POWER = 1.29


class Sample(NamedTuple):
    """Readings of S seeds: by parameters, and by gate angles; their leaves have a leading axis S."""

    outer: Reading
    inner: Reading


class Ratio(NamedTuple):
    """Reported over sample variance, and the standard error of its logarithm; of each number and of all together."""

    ratio: np.ndarray
    error: np.ndarray


def sampled(case: Case, seed: int) -> Sample:
    """The case with its number of seeds."""
    keys = jax.random.split(key(seed), case.seeds)
    if isinstance(case.estimator, AbstractMatrixMethod):
        readings = [_matrix(case, one) for one in keys]
        together = jax.tree.map(lambda *leaves: np.stack(leaves), *readings)
        return Sample(together, together)
    point, params = point_at(case.objective, case.params)
    backend, method = resolve(case.backend, point.objective), case.estimator
    start = None if method.is_random else method.init(point, None)

    def once(key):
        inner = run(point, method, backend, key, start=start).reading
        # Other stats are there or not by what comes out.
        freedom = {name: value for name, value in inner.stats.items() if name == "degrees_of_freedom"}
        inner = inner._replace(stats=freedom)
        return Sample(point.objective.to_params(params, inner), inner)

    if method.is_traceable and backend.is_traceable:
        found = jax.jit(jax.vmap(once))(keys)
    else:
        found = jax.tree.map(lambda *leaves: np.stack(leaves), *map(once, keys))
    return jax.tree.map(np.asarray, found)


def _matrix(case, key) -> Reading:
    """Entries of a matrix on and above the diagonal as if they were derivatives, beside a value without variance."""
    found = case.measured(case.estimator, key)
    upper = np.triu_indices(found.matrix.shape[-1])
    parts = [np.atleast_2d(part[..., *upper]) for part in (found.matrix, found.variance, found.bias_bound)]
    none = np.zeros(0)
    return Reading(none, parts[0], parts[1], none, parts[2], stats=found.stats)


def deviations(sample: Float[np.ndarray, "S *N"]) -> Float[np.ndarray, "S *N"]:
    """Distances to the sample mean, whose mean squares are unbiased variances."""
    return (sample - sample.mean(axis=0)) * np.sqrt(len(sample) / (len(sample) - 1))


def ratios(squares: Float[np.ndarray, "S N"], variances: Float[np.ndarray, "S N"]) -> Ratio:
    """Means of `variances` over means of `squares`.

    The logarithm has the standard error of the mean of x/E[x] - v/E[v], for x the squares: the fourth moment of the
    estimates is that of the sample, and so is its correlation with the variances.
    """
    x, v = squares.mean(axis=0), variances.mean(axis=0)
    return Ratio(v / x, np.std(squares / x - variances / v, axis=0, ddof=1) / np.sqrt(len(squares)))


def spreads(numbers: Float[np.ndarray, "S *N"], variances: Float[np.ndarray, "S *N"]) -> tuple[np.ndarray, np.ndarray]:
    """(S, N) squared deviations and variances of all numbers that are not exact.

    Raises:
        AssertionError: a variance that is not known, of a number that never varies, or none of one that does.
    """
    seeds = len(numbers)
    squares, variances = deviations(numbers).reshape(seeds, -1) ** 2, variances.reshape(seeds, -1)
    assert not np.isnan(variances).any(), "a variance is not known"
    scatters, reported = squares.mean(axis=0) > _EXACT, variances.mean(axis=0) > _EXACT
    assert np.array_equal(scatters, reported), f"scatter {scatters.tolist()}, reported {reported.tolist()}"
    return squares[:, scatters], variances[:, scatters]


def variance_ratios(case: Case, sample: Sample) -> tuple[Ratio, Ratio]:
    """Of each derivative, and of all together: of sums in units of reported variances.

    Where the sum alone is promised, of the sum in both places; where a bound is, of it to mean squares.
    """
    if case.promise == "bound":
        return (mean_square_ratio(case, sample),) * 2
    squares, variances = spreads(sample.outer.gradient, sample.outer.variance)
    scale = variances.mean(axis=0) if case.promise == "each" else np.ones(squares.shape[1])
    together = ratios((squares / scale).sum(axis=1)[:, None], (variances / scale).sum(axis=1)[:, None])
    return ratios(squares, variances) if case.promise == "each" else together, together


def value_ratio(sample: Sample) -> Ratio:
    """Of the values that are not exact."""
    return ratios(*spreads(sample.outer.value, sample.outer.value_variance))


def covariance_scores(case: Case, sample: Sample) -> Float[np.ndarray, "N"]:
    """Sample covariances of gate angles less reported ones, in standard errors; of none reported, less 0.

    Of all pairs that one parameter drives: others add up nowhere, and estimators leave them out.
    """
    point, _ = point_at(case.objective, case.params)
    if isinstance(case.estimator, AbstractMatrixMethod) or not point.objective.mixes_coordinates:
        return np.zeros(0)
    gradient, reported = sample.inner.gradient, sample.inner.covariance
    off = deviations(gradient)
    products = np.einsum("sca,scb->scab", off, off)
    if reported is None:
        reported = np.zeros(products.shape)
    owner, _, _ = point.objective.circuit.angle_map
    if point.objective.parameter_map is not None:
        owner = 0 * owner
    first, second = np.nonzero(np.triu(owner[:, None] == owner, 1))
    excess = (products - reported)[..., first, second].reshape(len(gradient), -1)
    scatter = excess.std(axis=0, ddof=1)
    used = scatter > _EXACT
    return excess.mean(axis=0)[used] / scatter[used] * np.sqrt(len(gradient))


def bias_excess(case: Case, sample: Sample) -> Float[np.ndarray, "K P"]:
    """How far means are off the truth beyond the tolerance and the mean bias bound: not above 0."""
    gradient, bound = sample.outer.gradient, sample.outer.bias_bound
    error = gradient.std(axis=0, ddof=1) / np.sqrt(len(gradient))
    allowed = 0.0 if bound is None else bound.mean(axis=0)
    return np.abs(gradient.mean(axis=0) - case.truth) - allowed - TOLERANCE * error - 1e-9


def covered(case: Case, sample: Sample) -> Float[np.ndarray, "K P"]:
    """How many intervals of LEVEL hold the truth."""
    outer, stats, truth = sample.outer, dict(sample.outer.stats), case.truth
    if "degrees_of_freedom" in stats:
        stats["degrees_of_freedom"] = np.asarray(stats["degrees_of_freedom"], float)[:, None, None]
    bias = np.zeros_like(outer.gradient) if outer.bias_bound is None else outer.bias_bound
    none = np.zeros(0)
    estimates = Estimate(
        none, outer.gradient, outer.variance, none, bias, none, Cost(), Result("ok", ""), "exact", stats
    )
    lower, upper = (np.asarray(side) for side in estimates.interval(LEVEL))
    return ((lower <= truth + 1e-9) & (truth - 1e-9 <= upper)).sum(axis=0)


def mean_square_ratio(case: Case, sample: Sample) -> Ratio:
    """Of reported variances and squared bias bounds to squared errors, all derivatives together."""
    outer = sample.outer
    squares = ((outer.gradient - case.truth) ** 2).sum(axis=(1, 2))[:, None]
    return ratios(squares, (outer.variance + outer.bias_bound**2).sum(axis=(1, 2))[:, None])
