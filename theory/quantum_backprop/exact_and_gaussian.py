r"""Claim: three pictures of collective measurements agree where they must and differ where they must.

A qubit, k = 60 copies, pointers of variance s^2 that read collective Paulis:

1. Outcomes of Z, then X, then Y on the same copies have the same covariances in the symmetric subspace (exact) and in
   the Gaussian model, and the same means up to the dephasing e^{-1/(2 s^2 k)} that the model misses.
2. One exact pointer, its outcome forgotten, is a random collective rotation: the counts of the next observable have
   the same distribution to 1e-9.
3. M pointers of X shrink the mean of Z by e^{-M/(2 s^2 k)}: the bias sets in at M/(4 s^2 k) ~ 1. The exact simulation
   and the collective rotations show it, the Gaussian model does not.

The derivation is in exact_and_gaussian.md.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binom

from qcgrad.simulators.multicopy.gaussian import GaussianModel
from qcgrad.simulators.multicopy.symmetric import SymmetricState
from theory.claim import Headline, canvas, run
from theory.statistics import normal, rng, student

COPIES = 60
Z, X, Y = np.diag([1, -1]), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])
OBSERVABLES = (Z, X, Y)
# Columns of each are eigenvectors, +1 first.
BASES = (np.eye(2), np.array([[1, 1], [1, -1]]) / np.sqrt(2), np.array([[1, 1], [1j, -1j]]) / np.sqrt(2))
ACCEPTING = np.array([True, False])
VARIANCE = 1.0  # s^2 of claims 1 and 2
NARROW = 0.25  # s^2 of claim 3
ONSET_STATE = np.array([np.cos(0.4), np.sin(0.4)])  # <Z> = 0.70, <X> = 0.72, <Y> = 0


@dataclass
class Result:
    """What `compute` finds.

    Attributes:
        exact, gaussian: (T, 3) outcomes of Z, X, Y, as estimates of the expectation values.
        counts, rotated_counts: (k + 1,) distributions of the count of X after a forgotten pointer of Z.
        onset: (M,) values of M/(4 s^2 k) at which Z is read.
        exact_means, rotated_means, gaussian_means: (trials, M) outcomes of Z.
    """

    exact: np.ndarray
    gaussian: np.ndarray
    counts: np.ndarray
    rotated_counts: np.ndarray
    onset: np.ndarray
    exact_means: np.ndarray
    rotated_means: np.ndarray
    gaussian_means: np.ndarray


def compute(small: bool = False) -> Result:
    """Seconds if small, else about a minute."""
    draw = rng(5)
    psi = np.array([np.cos(0.7), np.exp(1.0j) * np.sin(0.7)])
    trials = 1000 if small else 10_000
    exact = np.array([_sweep(SymmetricState.of_copies(psi, COPIES), draw) for _ in range(trials)])
    gaussian = np.array([_sweep(_model(psi), draw) for _ in range(trials)])
    return Result(exact, gaussian, *_forgotten(psi), *_onset(150 if small else 400, 60 if small else 90, draw))


def _model(psi):
    vectors = np.array([observable @ psi for observable in OBSERVABLES])
    return GaussianModel.of_moments(COPIES, np.real(vectors @ psi.conj()), vectors.conj() @ vectors.T)


def _read(copies, j, variance, rng):
    """One pointer, on exact copies (computational basis before and after) or on the model."""
    if isinstance(copies, GaussianModel):
        return copies.read_pointer(j, variance, rng)
    outcome, copies = copies.rotated(BASES[j].conj().T).read_pointer(ACCEPTING, variance, rng)
    return outcome, copies.rotated(BASES[j])


def _sweep(copies, rng):
    outcomes = []
    for j in range(len(OBSERVABLES)):
        outcome, copies = _read(copies, j, VARIANCE, rng)
        outcomes.append(outcome)
    return outcomes


def _forgotten(psi):
    """Counts of X after a pointer of Z: outcomes integrated out, and averaged over collective rotations."""
    copies = SymmetricState.of_copies(psi, COPIES)
    possible = 2 * np.arange(COPIES + 1) / COPIES - 1
    # The integrand is analytic and vanishes at both ends, so equal steps converge exponentially.
    outcomes, step = np.linspace(-2.5, 2.5, 501, retstep=True)
    spread = VARIANCE / COPIES
    normal = np.exp(-((outcomes[:, None] - possible) ** 2) / (2 * spread)) / np.sqrt(2 * np.pi * spread)
    counts = np.zeros(COPIES + 1)
    for outcome, density in zip(outcomes, normal @ copies.counts(ACCEPTING), strict=True):
        after = copies.after_pointer(ACCEPTING, VARIANCE, outcome).rotated(BASES[1].conj().T)
        counts += step * density * after.counts(ACCEPTING)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    turns = nodes[:, None] / np.sqrt(4 * VARIANCE * COPIES)
    accept = np.abs((psi * np.exp(1j * turns * np.diag(Z))) @ BASES[1][:, 0].conj()) ** 2
    rotated = weights / weights.sum() @ binom.pmf(np.arange(COPIES + 1), COPIES, accept[:, None])
    return counts, rotated


def _onset(trials, length, rng):
    """X and Z in turn, `length` times; the outcomes of Z in all three pictures."""
    exact, rotated, gaussian = np.empty((3, trials, length))
    for means, start in (
        (exact, SymmetricState.of_copies(ONSET_STATE, COPIES)),
        (gaussian, _model(ONSET_STATE)),
    ):
        for trial in range(trials):
            copies = start
            for i in range(length):
                _, copies = _read(copies, 1, NARROW, rng)
                means[trial, i], copies = _read(copies, 0, NARROW, rng)
    states = np.tile(ONSET_STATE.astype(complex), (trials, 1))
    for i in range(length):
        states = _kicked(states, X, rng)
        accepted = rng.binomial(COPIES, np.clip(np.abs(states[:, 0]) ** 2, 0, 1))
        rotated[:, i] = 2 * accepted / COPIES - 1 + rng.normal(scale=np.sqrt(NARROW / COPIES), size=trials)
        states = _kicked(states, Z, rng)
    return np.arange(1, length + 1) / (4 * NARROW * COPIES), exact, rotated, gaussian


def _kicked(states, observable, rng):
    turn = rng.normal(scale=1 / np.sqrt(4 * NARROW * COPIES), size=(len(states), 1))
    return np.cos(turn) * states + 1j * np.sin(turn) * (states @ observable.T)


def _moments(outcomes):
    """Means and covariances in units of F, each with standard errors."""
    f = outcomes * np.sqrt(COPIES)
    covariance = np.cov(f.T)
    variances = np.diag(covariance)
    # Of normal data; the outcomes are normal up to O(1/sqrt k).
    error = np.sqrt((np.outer(variances, variances) + covariance**2) / len(f))
    return f.mean(axis=0), np.sqrt(variances / len(f)), covariance, error


def _deviations(result):
    """Exact less Gaussian in standard errors: means (3,) with the dephasing put into the model, covariances (3, 3)."""
    dephased = result.gaussian * np.exp(-np.arange(3) / (2 * VARIANCE * COPIES))
    mean, mean_error, covariance, error = _moments(result.exact)
    other_mean, other_error, _, _ = _moments(dephased)
    _, _, other_covariance, other_covariance_error = _moments(result.gaussian)
    means = (mean - other_mean) / np.hypot(mean_error, other_error)
    return means, (covariance - other_covariance) / np.hypot(error, other_covariance_error)


def _true_mean():
    return ONSET_STATE @ Z @ ONSET_STATE


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    # A fifth of a covariance with 1000 trials, and 0.1 of a mean.
    for name, off in zip(("means", "covariances"), _deviations(result), strict=True):
        worst = np.abs(off).max()
        assert worst < normal(off.size), f"{name} of exact and Gaussian are {worst:.1f} standard errors apart"
    apart = np.abs(result.counts - result.rotated_counts).max()
    assert apart < 1e-9, f"a forgotten pointer is {apart:.1e} away from a random rotation"
    predicted = _true_mean() * np.exp(-2 * result.onset)
    trials, length = result.exact_means.shape
    both = result.exact_means, result.rotated_means
    # The distribution of each outcome is the same in both pictures, so its width comes from both. Tolerances of these
    # means are 0.4 with 150 trials; the bias that they are to show grows to 0.6.
    error = _error(np.concatenate(both)) * np.sqrt(2)
    for name, outcomes in zip(("exact", "rotated"), both, strict=True):
        worst = np.max(np.abs(outcomes.mean(axis=0) - predicted) / error)
        assert worst < student(2 * trials - 1, length), f"{name} means are {worst:.1f} standard errors off"
    bias = (_true_mean() - result.exact_means.mean(axis=0))[result.onset > 0.9]  # 0.58 at least, +- 0.06
    assert np.all(bias > 0.15), f"the bias is only {bias.min():.2f} at the onset"
    off = np.abs(result.gaussian_means.mean(axis=0) - _true_mean()) / _error(result.gaussian_means)
    allowed = student(trials - 1, length)
    assert off.max() < allowed, f"the Gaussian model's mean is {off.max():.1f} standard errors off, not unbiased"


def headline(result: Result) -> Headline:
    """The mean of Z at the onset of dephasing."""
    at = int(np.argmin(np.abs(result.onset - 1)))
    mean, error = result.exact_means[:, at].mean(), _error(result.exact_means)[at]
    expected = f"{_true_mean() * np.exp(-2 * result.onset[at]):.3f}"
    return Headline(f"<Z> = {_true_mean():.3f} at the onset", expected, f"{mean:.3f} ± {error:.3f}")


def report(result: Result) -> list[str]:
    """Deviations between the pictures."""
    means, covariances = _deviations(result)
    at = int(np.argmin(np.abs(result.onset - 1)))
    return [
        f"{len(result.exact)} trials: means (with dephasing) within {np.abs(means).max():.2f}, "
        f"covariances within {np.abs(covariances).max():.2f} standard errors",
        f"exact covariances (F units)\n{np.array_str(_moments(result.exact)[2], precision=3)}",
        f"Gaussian covariances\n{np.array_str(_moments(result.gaussian)[2], precision=3)}",
        f"forgotten pointer against random rotation: {np.abs(result.counts - result.rotated_counts).max():.1e}",
        f"<Z> = {_true_mean():.3f}; at M/(4 s^2 k) = {result.onset[at]:.2f}: "
        f"exact {result.exact_means[:, at].mean():.3f} +- {_error(result.exact_means)[at]:.3f}, "
        f"rotations {result.rotated_means[:, at].mean():.3f}, Gaussian {result.gaussian_means[:, at].mean():.3f}, "
        f"theory {_true_mean() * np.exp(-2 * result.onset[at]):.3f}",
    ]


def figure(result: Result, path: Path):
    """Covariances, the forgotten pointer, and the onset of the bias."""
    drawing, ((covariances, forgotten, onset),) = canvas(1, 3)
    upper = np.triu_indices(3)
    names = [f"{'ZXY'[i]}{'ZXY'[j]}" for i, j in zip(*upper, strict=True)]
    for label, outcomes, shift in (("exact Sym^k", result.exact, -0.1), ("Gaussian", result.gaussian, 0.1)):
        _, _, covariance, error = _moments(outcomes)
        place = np.arange(len(names)) + shift
        covariances.errorbar(place, covariance[upper], 3 * error[upper], fmt="o", markersize=4, label=label)
    covariances.set(xticks=range(len(names)), xticklabels=names, ylabel="covariance of outcomes (F units)")
    covariances.set_title("Z, X, Y in turn; bars: 3 standard errors", fontsize=9)
    covariances.legend()
    accepted = np.arange(COPIES + 1)
    forgotten.plot(accepted, result.counts, "o", markersize=4, label="pointer of Z, outcome forgotten")
    forgotten.plot(accepted, result.rotated_counts, color="C3", label="random collective rotation")
    forgotten.set(xlabel="copies that accept X", ylabel="probability", ylim=(0, None))
    forgotten.legend(loc="upper left", fontsize=8)
    for label, outcomes, marker in (
        ("exact Sym^k", result.exact_means, "o"),
        ("random rotations", result.rotated_means, "s"),
        ("Gaussian", result.gaussian_means, "^"),
    ):
        every = slice(2, None, 6)
        onset.errorbar(
            result.onset[every],
            outcomes.mean(axis=0)[every],
            _error(outcomes)[every],
            fmt=marker,
            markersize=4,
            label=label,
        )
    onset.plot(result.onset, _true_mean() * np.exp(-2 * result.onset), color="0.3", label="dephasing")
    onset.axhline(_true_mean(), color="0.7", linewidth=1)
    onset.set(xlabel="M/(4 s$^2$ k)", ylabel="mean outcome of Z")
    onset.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


def _error(outcomes):
    return outcomes.std(axis=0, ddof=1) / np.sqrt(len(outcomes))


if __name__ == "__main__":
    run(__name__)
