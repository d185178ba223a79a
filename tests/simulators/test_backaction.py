"""Collective measurements with back-action: exact, Gaussian and idealized, against each other and closed forms."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from qcgrad.ir import rows
from qcgrad.simulators.multicopy import _thresholds as thresholds
from qcgrad.simulators.multicopy import moments
from qcgrad.simulators.multicopy.checks import Check
from qcgrad.simulators.multicopy.symmetric import SymmetricState
from theory.statistics import normal, rng, variance_ratio

from .sweeps import COPIES, FIRST, HADAMARD, PSI, X, Y, Z, model, rotation_sweep


def two_pointers_exact(rng, variance):
    first, copies = SymmetricState.of_copies(PSI, COPIES).read_pointer(FIRST, variance, rng)
    second, _ = copies.rotated(HADAMARD).read_pointer(FIRST, variance, rng)
    return first, second


def two_pointers_gaussian(rng, variance):
    first, after = model().read_pointer(0, variance, rng)
    return first, after.read_pointer(1, variance, rng)[0]


@pytest.mark.statistical
def test_two_pointers_have_the_same_moments_exactly_and_in_the_gaussian_model():
    """Z, then X; d = 2, k = 60, s^2 = 1; 2000 trials each find a covariance that is off by a fifth.

    The Gaussian model misses that the first pointer shrinks <X> by exp(-1/(2 s^2 k)); the test puts it in.
    """
    trials, draw = 2000, rng(0)
    exact = np.sqrt(COPIES) * np.array([two_pointers_exact(draw, 1.0) for _ in range(trials)])
    gaussian = np.sqrt(COPIES) * np.array([two_pointers_gaussian(draw, 1.0) for _ in range(trials)])
    # The model's own law: C_jj + s^2, and the disturbance Omega^2/s^2 on the second.
    start = model()
    predicted = np.diag(start.covariance) + 1 + np.array([0, start.commutators[0, 1] ** 2])
    covariance = np.diag(predicted) + start.covariance * (1 - np.eye(2))
    error = np.sqrt((np.outer(predicted, predicted) + covariance**2) / trials)
    low, high = variance_ratio(trials, 4)
    for outcomes in (exact, gaussian):
        found = np.cov(outcomes.T)
        assert np.all((low < np.diag(found) / predicted) & (np.diag(found) / predicted < high))
    assert np.all(np.abs(np.cov(exact.T) - np.cov(gaussian.T)) < normal(4) * np.sqrt(2) * error)
    shift = exact.mean(axis=0) - gaussian.mean(axis=0) * np.exp([0, -1 / (2 * COPIES)])
    assert np.all(np.abs(shift) < normal(2) * np.sqrt(2 * predicted / trials))
    assert start.commutators[0, 1] ** 2 > 0.3


def test_a_forgotten_pointer_is_a_random_collective_rotation():
    """Outcomes integrated out (exact) against xi ~ N(0, 1/(4 s^2)) (80-point quadrature), to 1e-10."""
    variance, copies = 0.5, SymmetricState.of_copies(PSI, COPIES)
    outcomes, step = np.linspace(-2.5, 2.5, 601, retstep=True)
    spread = variance / COPIES
    distance = outcomes[:, None] - (2 * np.arange(COPIES + 1) / COPIES - 1)
    density = np.exp(-(distance**2) / (2 * spread)) / np.sqrt(2 * np.pi * spread) @ copies.counts(FIRST)
    after = np.zeros(COPIES + 1)
    for outcome, weight in zip(outcomes, density * step, strict=True):
        after += weight * copies.after_pointer(FIRST, variance, outcome).rotated(HADAMARD).counts(FIRST)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    turned = PSI * np.exp(1j * nodes[:, None] / np.sqrt(4 * variance * COPIES) * np.array([1, -1]))
    accept = np.abs(turned @ HADAMARD[0]) ** 2
    rotated = weights / weights.sum() @ binom.pmf(np.arange(COPIES + 1), COPIES, accept[:, None])
    np.testing.assert_allclose(after, rotated, atol=1e-10)
    means = after @ (2 * np.arange(COPIES + 1) / COPIES - 1), np.real(PSI.conj() @ X @ PSI)
    np.testing.assert_allclose(means[0], means[1] * np.exp(-1 / (2 * variance * COPIES)), rtol=1e-9)


@pytest.mark.statistical
def test_the_bias_sets_in_where_the_theory_says_and_the_gaussian_model_misses_it():
    """M = 15 forgetful pointers of X, then Z: M/(4 s^2 k) = 1.25. 400 trials; exact mean e^{-2.5} <Z> = 0.07.

    Outcomes lie in [-1, 1] but for a pointer noise of 0.03: the tolerance of a mean is 0.2, for any distribution on it
    of the spread 1/sqrt(2) at most.
    """
    variance, pointers, trials, draw = 0.05, 15, 400, rng(1)
    psi = np.array([np.cos(0.3), np.sin(0.3)])
    true_mean, start = np.cos(0.6), SymmetricState.of_copies(psi, COPIES)
    exact, gaussian = np.empty((2, trials))
    for trial in range(trials):
        copies, large = start.rotated(HADAMARD), model(psi)
        for _ in range(pointers):
            _, copies = copies.read_pointer(FIRST, variance, draw)
            _, large = large.read_pointer(1, variance, draw)
        exact[trial], _ = copies.rotated(HADAMARD).read_pointer(FIRST, variance, draw)
        gaussian[trial], _ = large.read_pointer(0, variance, draw)
    dephased = true_mean * np.exp(-pointers / (2 * variance * COPIES))
    for outcomes, expected in ((exact, dephased), (gaussian, true_mean)):
        assert abs(outcomes.mean() - expected) < normal(2) * outcomes.std() / np.sqrt(trials)
    assert exact.mean() < true_mean / 2


@pytest.mark.statistical
def test_outcomes_are_unbiased_where_nothing_has_disturbed_the_string():
    """Z, then Z again: it commutes with itself. 4000 trials, to within 0.015, both pictures."""
    draw, trials = rng(2), 4000
    true_mean = np.real(PSI.conj() @ Z @ PSI)
    for start, target in ((SymmetricState.of_copies(PSI, COPIES), FIRST), (model(), 0)):
        seconds = np.array(
            [start.read_pointer(target, 0.3, draw)[1].read_pointer(target, 0.3, draw)[0] for _ in range(trials)]
        )
        assert abs(seconds.mean() - true_mean) < normal(2) * seconds.std() / np.sqrt(trials)


def test_a_gaussian_kraus_operator_is_a_pointer():
    """`filtered`, on its grid and with differences for derivatives, gives the Kalman update and Omega^2/s^2."""
    copies, variance = 10**6, 0.7
    start = model(copies=copies, observables=(Z, X, Y))
    outcome = start.means[0] + 1.3 / np.sqrt(copies)

    def kraus(counts):
        return np.exp(-copies * (outcome - (2 * counts / copies - 1)) ** 2 / (4 * variance))

    found, expected = start.filtered(0, kraus), start.after_pointer(0, variance, outcome)
    np.testing.assert_allclose(found.shift, expected.shift, atol=1e-6)
    np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-5)


@pytest.mark.parametrize(("half", "passes", "largest"), [(0.6, 0.50, 0.07), (1.0, 0.82, 0.04), (1.6, 0.98, 0.02)])
def test_a_passed_check_moves_and_spreads_the_model_as_it_does_the_copies(half, passes, largest):
    """k = 225, no sampling: Kolmogorov distances of the counts of Z, X, Y after a check of Z.

    What passed is no Gaussian, so the model with its mean and variance is the closer the rarer stops are.
    """
    root, start = 15, model(copies=225, observables=(Z, X, Y))
    centre = 225 * (1 + start.means[0]) / 2
    check = Check(centre - half * root, centre + half * root, 0.25 * root)
    possible = np.arange(226)
    fresh = SymmetricState.of_copies(PSI, 225)
    assert abs(fresh.counts(FIRST) @ check.passing(possible) - passes) < 0.01
    exact = fresh.filtered(FIRST, np.sqrt(check.passing(possible)))
    found = start.filtered(0, lambda s: np.sqrt(check.passing(s)))
    for j, basis in enumerate((np.eye(2), HADAMARD, HADAMARD @ np.diag([1, -1j]))):
        counts = exact.rotated(basis).counts(FIRST)
        edges = (2 * possible + 1 - 225) / root
        far = [
            np.abs(np.cumsum(counts) - norm.cdf(edges, root * m.means[j], np.sqrt(m.covariance[j, j]))).max()
            for m in (found, start)
        ]
        assert far[0] < largest
        # Without the update the counts are further off: the model's steps are in the right direction.
        assert far[0] < far[1]
    if passes < 0.9:
        assert found.covariance[2, 2] > 1.5 * start.covariance[2, 2]


def test_moments_of_a_form_are_those_of_dense_operators(monkeypatch):
    """Also where the vectors are carried in several passes."""
    found = []
    for carried in (1 << 24, 5 * 8):
        monkeypatch.setattr(moments, "_CARRIED_AMPLITUDES", carried)
        form = rotation_sweep()
        found.append((moments.expectations(form), moments.products(form)))
    dimension, vectors = 2**form.num_qubits, []
    for x, z, step in zip(form.x.tolist(), form.z.tolist(), form.step.tolist(), strict=True):
        undo = rows.run(form.undo[:step], np.eye(dimension, dtype=complex)).T
        string = rows.apply_pauli(x, z, np.eye(dimension, dtype=complex)).T
        vectors.append(undo.conj().T @ string @ undo @ form.state)
    for expectations, products in found:
        np.testing.assert_allclose(expectations, np.real(np.array(vectors) @ form.state.conj()), atol=1e-13)
        np.testing.assert_allclose(products, np.conj(vectors) @ np.transpose(vectors), atol=1e-13)


@pytest.mark.parametrize(("x", "z"), [(0, 0), (0, 5), (3, 0), (6, 5), (7, 7)])
def test_eigenbases_diagonalise_their_strings(x, z):
    unitary, accepting = thresholds.eigenbasis(x, z, 8)
    string = rows.apply_pauli(x, z, np.eye(8, dtype=complex)).T
    np.testing.assert_allclose(unitary @ unitary.conj().T, np.eye(8), atol=1e-14)
    np.testing.assert_allclose(unitary @ string @ unitary.conj().T, np.diag(np.where(accepting, 1, -1)), atol=1e-14)
