r"""Claim: passing a threshold check damages the count by at most about Pr[stop] sd(S)/E[X] (chi^2 lemma).

A check stops where S + X > threshold, S ~ Binomial(k, p), X ~ Exp. At k = 200, p = 1/2, noise E[X] between one and
1.5 standard deviations of S, and Pr[stop] up to 0.3,

    sqrt(chi^2((S | passed), S)) = c Pr[stop] sd(S)/E[X]    with    1.1 < c < 1.5,

and with noise of at least one standard deviation c < 1.5 at every p. With less noise the lemma does not hold. The
derivation is in chi_squared_lemma.md.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from qcgrad.simulators.multicopy.checks import Check
from theory.claim import Headline, canvas, run

COPIES = 200
NOISES = (0.5, 1.0, 1.5, 4.0)
ACCEPTS = (0.5, 0.7, 0.9)
LARGEST_STOP, SMALLEST_STOP = 0.3, 1e-6


class Result(NamedTuple):
    """Curves for each p and noise, (P, R, T) over thresholds.

    Attributes:
        stop: Pr[stop].
        damage: sqrt(chi^2), by summation over all counts.
        closed_form: the same from `Check.stop_moments`.
        constant: damage / (Pr[stop] sd(S)/E[X]).
    """

    stop: np.ndarray
    damage: np.ndarray
    closed_form: np.ndarray
    constant: np.ndarray


def compute(small: bool = False) -> Result:
    """All curves; exact, nothing is drawn."""
    curves = [[_curve(p, ratio, 40 if small else 400) for ratio in NOISES] for p in ACCEPTS]
    return Result(*(np.array([[curve[i] for curve in row] for row in curves]) for i in range(4)))


def _curve(p, ratio, points):
    deviation = np.sqrt(COPIES * p * (1 - p))
    noise = ratio * deviation
    counts = np.arange(COPIES + 1)
    prior = binom.pmf(counts, COPIES, p)
    stop, damage, closed = np.empty((3, points))
    thresholds = COPIES * p + np.linspace(-deviation, 14 * noise + deviation, points)
    for i, threshold in enumerate(thresholds):
        check = Check(-1e9, threshold, noise)
        passing = check.passing(counts)
        posterior = prior * passing / (prior @ passing)
        stop[i] = prior @ (1 - passing)
        likely = prior > 0
        damage[i] = np.sqrt(np.sum((posterior - prior)[likely] ** 2 / prior[likely]))
        moment, square = check.stop_moments(COPIES, p)
        closed[i] = np.sqrt(np.maximum(square - moment**2, 0)) / (1 - moment)
    return stop, damage, closed, damage / (stop * deviation / noise)


def check(result: Result):
    """Raise AssertionError where the claim fails."""
    np.testing.assert_allclose(result.closed_form, result.damage, rtol=1e-6, err_msg="stop_moments misses the sum")
    noises, rare = np.array(NOISES), _rare(result)
    assert rare.any(axis=-1).all(), f"a curve has no point with Pr[stop] <= {LARGEST_STOP}"
    largest = result.constant[:, noises >= 1][rare[:, noises >= 1]].max()
    assert largest < 1.5, f"the constant reaches {largest:.3f}, above 1.5"
    stated = (noises >= 1) & (noises <= 1.5)
    least = result.constant[0, stated][rare[0, stated]].min()
    assert least > 1.1, f"the constant at p = 1/2 falls to {least:.3f}, below 1.1"
    assert result.constant[0, 0][rare[0, 0]].max() > 2, "noise of half a standard deviation should break the lemma"
    for r in range(1, len(NOISES)):
        rarest = result.constant[0, r][rare[0, r]][-1]
        limit = np.sqrt(np.expm1(1 / noises[r] ** 2)) * noises[r]
        assert abs(rarest / limit - 1) < 0.01, f"rare stops have the constant {rarest:.4f}, not {limit:.4f}"


def headline(result: Result) -> Headline:
    """The largest constant where the lemma is to hold."""
    stated = np.array(NOISES) >= 1
    largest = result.constant[:, stated][_rare(result)[:, stated]].max()
    return Headline("largest constant c, noise of one standard deviation or more", "below 1.5", f"{largest:.3f}")


def report(result: Result) -> list[str]:
    """The range of the constant on each curve."""
    lines = []
    for p, accept in enumerate(ACCEPTS):
        for r, ratio in enumerate(NOISES):
            c = result.constant[p, r][_rare(result)[p, r]]
            lines.append(f"p = {accept}, E[X] = {ratio:g} sd(S): constant {c.min():.2f} to {c.max():.2f}")
    return lines


def figure(result: Result, path: Path):
    """sqrt(chi^2) against Pr[stop] sd(S)/E[X], and the constant between them."""
    drawing, ((left, right),) = canvas(1, 2)
    rare = _rare(result)
    for r, ratio in enumerate(NOISES):
        for p, style in enumerate(("-", "--", ":")):
            label = f"E[X] = {ratio:g} sd(S)" if p == 0 else None
            x, y = result.stop[p, r][rare[p, r]], result.damage[p, r][rare[p, r]]
            left.loglog(x / ratio, y, style, color=f"C{r}", label=label)
            right.semilogx(x, result.constant[p, r][rare[p, r]], style, color=f"C{r}", label=label)
    left.loglog([1e-6, 0.6], [1e-6, 0.6], color="0.6", linewidth=1, label="constant 1")
    left.set(xlabel="Pr[stop] sd(S)/E[X]", ylabel=r"$\sqrt{\chi^2}$ of (S | passed) against S")
    left.legend()
    right.axhspan(1.1, 1.5, color="0.9")
    right.set(xlabel="Pr[stop]", ylabel="constant c", ylim=(0.7, 3.6))
    right.set_title(f"k = {COPIES}; solid p = 0.5, dashed 0.7, dotted 0.9; band: 1.1 to 1.5", fontsize=9)
    drawing.savefig(path, dpi=130)


def _rare(result):
    return (result.stop <= LARGEST_STOP) & (result.stop > SMALLEST_STOP)


if __name__ == "__main__":
    run(__name__)
