"""Which law predicts best, how sure that is, and what the exponent may be: by a bootstrap over seeds."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ._forms import FORMS, POWER, Form
from .fit import FITS, Fit, fit_power

LEVEL = 0.95
"""Of intervals and bands."""

RESAMPLES = 1000

# Fewer degrees of freedom than these know too little of the spread to resample it.
_LEAST_FREEDOM = 3
# Sizes are left out one by one up to this many; of more, as many parts, each with sizes of all magnitudes.
_PARTS = 12
# Points and resamples, multiplied, that are computed within seconds.
_AT_MOST = 30_000
# Relative misses that are rounding, not a difference between forms.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Sample:
    """A positive quantity at several sizes, once for each seed.

    Attributes:
        sizes: one for each point, ascending; points of equal size are different things, not different seeds.
        values: for each point, one number for each of its seeds.
    """

    sizes: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if not self.sizes or len(self.sizes) != len(self.values) or not all(self.values):
            raise ValueError(f"a sample has sizes, and one value or more at each: {self.sizes} and {self.values} given")

    @property
    def means(self) -> tuple[float, ...]:
        """Geometric mean over the seeds of each point; the number itself where all are equal."""
        return tuple(v[0] if min(v) == max(v) else float(np.exp(np.mean(np.log(v)))) for v in self.values)

    @property
    def is_drawn(self) -> bool:
        """Whether seeds differ; what is computed from bounds or counted has no spread, and is given none."""
        return any(min(v) < max(v) for v in self.values)

    @property
    def can_be_fitted(self) -> bool:
        """Whether there are two sizes at least, and all values are positive."""
        return len(set(self.sizes)) > 1 and min(map(min, self.values)) > 0

    @property
    def spread(self) -> "Spread":
        """Over seeds, in ln y."""
        counts = np.array([len(v) for v in self.values])
        logs = [np.log(v) - np.mean(np.log(v)) for v in self.values]
        freedom = int(counts.sum() - len(counts))
        variance = sum(float(d @ d) for d in logs) / freedom if freedom and self.is_drawn else 0.0
        # A seed's departure from the mean of so many is that much smaller than from the truth.
        inflated = [d * np.sqrt(len(d) / (len(d) - 1)) for d in logs if len(d) > 1]
        return Spread(float(np.sqrt(variance)), freedom, np.concatenate([*inflated, np.zeros(0)]))

    @property
    def errors(self) -> tuple[float, ...] | None:
        """Standard errors of `means`; None where nothing was drawn, or too little to know its spread."""
        if not (self.is_drawn and self.can_be_fitted) or self.spread.freedom < _LEAST_FREEDOM:
            return None
        sigma = self.spread.sigma
        return tuple(m * sigma / len(v) ** 0.5 for m, v in zip(self.means, self.values, strict=True))


class Spread(NamedTuple):
    """What seeds change, taken as of equal relative size at all sizes.

    Attributes:
        sigma: standard deviation of ln y, pooled over sizes.
        freedom: its degrees of freedom.
        residuals: departures of ln y, scaled to have that standard deviation.
    """

    sigma: float
    freedom: int
    residuals: Float[np.ndarray, " N"]


@dataclass(frozen=True)
class Comparison:
    """Laws compared by what they predict.

    Attributes:
        fits: of each form to all points, by name.
        misses: rms of ln(predicted/found) for sizes that are left out of the fit.
        best: the form with the smallest miss; of equal ones that with fewer parameters.
        shares: in which fraction of the resamples each form is the best one; None where nothing was drawn, or too few
            seeds to resample.
        interval: of the power law's exponent at `LEVEL`; None likewise.
        resampled: parameters of the best form for each resample; none likewise.
    """

    fits: dict[str, Fit]
    misses: dict[str, float]
    best: str
    shares: dict[str, float] | None
    interval: tuple[float, float] | None
    resampled: Float[np.ndarray, "B P"]

    @property
    def fit(self) -> Fit:
        """The best form's."""
        return self.fits[self.best]

    def band(self, x: ArrayLike) -> tuple[Float[np.ndarray, " X"], Float[np.ndarray, " X"]] | None:
        """Limits of the best form's curve, at `LEVEL` for each x by itself; None where nothing was drawn."""
        if not len(self.resampled):
            return None
        form = next(form for form in FORMS if form.name == self.best)
        low, high = np.quantile(form.logs(np.asarray(x, float), self.resampled), _tails(), axis=0)
        return np.exp(low), np.exp(high)


def compare(sample: Sample, *, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    r"""Fit every form, and see which one predicts sizes that it has not seen.

    Each size is left out in turn and predicted from the others; a form's miss is the root mean square of
    \(\ln(\hat y/y)\). Verdicts are about growth beyond the sizes seen, so prediction is what counts. Akaike's criterion
    would count seeds as if they told of sizes, and its small-sample form is undefined for two parameters at four sizes.

    Of more than twelve sizes every twelfth is left out at a time. Seeds are resampled 1000 times (fewer for more than
    30 points, 100 at least): at each point as many as it has, from the departures of all points (equal relative
    spread), and everything is done anew. Data that are resampled scatter twice, so that shares are on the careful side.
    The exponent's interval is the bootstrap-t, which is right for few seeds where percentiles are too narrow. Where
    all seeds agree, as for bounds and counted FLOPs, nothing is resampled: no shares, no interval.

    Args:
        sample: positive numbers at three different sizes or more.
        resamples: of the bootstrap.
        seed: of its draws.

    Raises:
        ValueError: fewer than three sizes, or a number that is not positive.

    Cost: resamples · sizes small least-squares problems, about 0.3 s for 1000 at four sizes.

    Example:
        >>> import math
        >>> from qcgrad.studies.comparison import Sample, compare
        >>> sizes = (15, 63, 255, 1023)
        >>> found = compare(Sample(sizes, tuple((2300 + 190 * math.log(m),) for m in sizes)))
        >>> found.best, str(found.fit), found.shares
        ('logarithm', '2300 + 190 ln M', None)

    References:
        B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 12.
    """
    if not sample.can_be_fitted or len(set(sample.sizes)) < 3:
        raise ValueError(f"laws are compared on positive numbers at three sizes or more: {sample} given")
    x = np.asarray(sample.sizes, float)
    weights = np.array([len(v) for v in sample.values], float)
    logs = np.log(sample.means)[None]
    forms = [form for form in FORMS if np.all(x > form.least)]
    misses = np.stack([_misses(form, x, logs, weights) for form in forms])
    best = forms[int(_first_best(misses)[0])]
    fits = {form.name: FITS[form](x, sample.means, sample.errors) for form in forms}
    named = {form.name: float(miss) for form, miss in zip(forms, misses[:, 0], strict=True)}
    if sample.errors is None:
        return Comparison(fits, named, best.name, None, None, np.zeros((0, best.free)))
    drawn, _ = _resampled(sample, resamples, seed)
    wins = _first_best(np.stack([_misses(form, x, drawn, weights) for form in forms]))
    shares = {form.name: float(np.mean(wins == k)) for k, form in enumerate(forms)}
    interval = exponent_interval(sample, resamples=resamples, seed=seed)
    return Comparison(fits, named, best.name, shares, interval, best.solve(x, drawn, weights))


def exponent_interval(sample: Sample, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float] | None:
    """An interval of the power law's exponent at `LEVEL`, by the bootstrap-t; None where nothing was drawn.

    How many standard errors of their own the exponents of resamples are from that of the data is how many it is from
    the truth.

    Args:
        sample, resamples, seed: as for `compare`.

    Example:
        >>> from qcgrad.studies.comparison import Sample, exponent_interval
        >>> low, high = exponent_interval(Sample((10, 100, 1000), ((10, 11, 12), (98, 100, 110), (1000, 990, 1100))))
        >>> 0.95 < low < 1 < high < 1.05
        True
    """
    if sample.errors is None:
        return None
    x, logs = np.asarray(sample.sizes, float), np.log(sample.means)[None]
    weights = np.array([len(v) for v in sample.values], float)
    drawn, sigmas = _resampled(sample, resamples, seed)
    error = fit_power(x, np.ones_like(x), 1 / np.sqrt(weights)).standard_error
    exponent = POWER.solve(x, logs, weights)[0, 1]
    departures = POWER.solve(x, drawn, weights)[:, 1] - exponent
    # Now and then all draws agree: then there is no telling how far off they are.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(departures / (sigmas * error))
    low, high = np.quantile(ratios, _tails()) * sample.spread.sigma * error
    return float(exponent - high), float(exponent - low)


def _misses(form: Form, x, logs, weights):
    """Rms of ln(predicted/found) over sizes left out, (B,)."""
    squares = np.zeros(len(logs))
    _, which = np.unique(x, return_inverse=True)
    for part in range(min(_PARTS, which.max() + 1)):
        out = which % _PARTS == part
        if len(np.unique(x[~out])) < form.free:
            return np.full(len(logs), np.inf)
        parameters = form.solve(x[~out], logs[:, ~out], weights[~out])
        squares += np.square(form.logs(x[out], parameters) - logs[:, out]) @ weights[out]
    return np.sqrt(squares / weights.sum())


def _first_best(misses):
    """Index of the first form whose miss is the smallest but for rounding, (B,)."""
    least = misses.min(axis=0)
    return np.argmax(misses <= least * (1 + _ROUNDING) + _ROUNDING, axis=0)


def _resampled(sample: Sample, resamples: int, seed: int):
    """Means of ln y with other seeds, (B, K), and the spread that each of these samples would show, (B,)."""
    draws, spread = np.random.default_rng(seed), sample.spread
    resamples = min(resamples, max(100, _AT_MOST // len(sample.sizes)))
    logs, squares = [], np.zeros(resamples)
    for mean, values in zip(sample.means, sample.values, strict=True):
        departures = draws.choice(spread.residuals, size=(resamples, len(values)))
        logs.append(np.log(mean) + departures.mean(axis=1))
        squares += departures.var(axis=1) * len(values)
    return np.stack(logs, axis=-1), np.sqrt(squares / spread.freedom)


def _tails() -> tuple[float, float]:
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2
