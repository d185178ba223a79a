"""Collective measurements with back-action: exact, Gaussian and idealized, against each other and closed forms."""

import jax
import numpy as np
import pytest
from scipy.stats import binom, norm

import qcgrad as qg
from qcgrad.errors import StateTooLarge
from qcgrad.ir import rows
from qcgrad.ir.pull_back import pull_back
from qcgrad.ir.sweep_form import common_state_form, one_state_forms
from qcgrad.queries import SweepStop, ThresholdSweep
from qcgrad.simulators.multicopy import moments, thresholds
from qcgrad.simulators.multicopy.checks import Check, disturbance
from qcgrad.simulators.multicopy.gaussian import GaussianModel
from qcgrad.simulators.multicopy.symmetric import SymmetricState

COPIES = 60
PSI = np.array([np.cos(0.7), np.exp(1.0j) * np.sin(0.7)])
Z, X, Y = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0, -1j], [1j, 0]])
HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
FIRST = np.array([True, False])


def model(psi=PSI, copies=COPIES, observables=(Z, X)):
    vectors = np.array([observable @ psi for observable in observables])
    return GaussianModel.of_moments(copies, np.real(vectors @ psi.conj()), vectors.conj() @ vectors.T)


def rotation_sweep(num_qubits=2, layers=2, observable="ZX"):
    circuit, count = qg.Circuit(num_qubits), 0
    for _ in range(layers):
        for q in range(num_qubits):
            circuit = circuit.ry(q, param=count).rz(q, param=count + 1)
            count += 2
        for q in range(num_qubits - 1):
            circuit = circuit.cx(q, q + 1)
    angles = np.random.default_rng(3).uniform(-1, 1, count)
    (form,) = one_state_forms(qg.Expectation(circuit, observable).program, angles, "terms")
    return form


def free_order_form():
    """Z and what the derivatives of RX and RY at 0 pull back to, on RY(0.5)|0>."""
    program = qg.Expectation(qg.Circuit(1).ry(0, 0.5).rx(0, param=0).ry(0, param=1), "Z").program
    return common_state_form(pull_back(program, np.zeros(2)), 1)


def two_pointers_exact(rng, variance):
    first, copies = SymmetricState.of_copies(PSI, COPIES).read_pointer(FIRST, variance, rng)
    second, _ = copies.rotated(HADAMARD).read_pointer(FIRST, variance, rng)
    return first, second


def two_pointers_gaussian(rng, variance):
    first, after = model().read_pointer(0, variance, rng)
    return first, after.read_pointer(1, variance, rng)[0]


def test_two_pointers_have_the_same_moments_exactly_and_in_the_gaussian_model():
    """Z, then X; d = 2, k = 60, s^2 = 1; 2000 trials each, three standard errors.

    The Gaussian model misses that the first pointer shrinks <X> by exp(-1/(2 s^2 k)); the test puts it in.
    """
    trials, rng = 2000, np.random.default_rng(0)
    exact = np.sqrt(COPIES) * np.array([two_pointers_exact(rng, 1.0) for _ in range(trials)])
    gaussian = np.sqrt(COPIES) * np.array([two_pointers_gaussian(rng, 1.0) for _ in range(trials)])
    ours, theirs = np.cov(exact.T), np.cov(gaussian.T)
    variances = np.diag(theirs)
    error = np.sqrt(2 * (np.outer(variances, variances) + theirs**2) / trials)
    assert np.all(np.abs(ours - theirs) < 3 * error)
    shift = exact.mean(axis=0) - gaussian.mean(axis=0) * np.exp([0, -1 / (2 * COPIES)])
    assert np.all(np.abs(shift) < 3 * np.sqrt(2 * variances / trials))
    # The model's own law: C_jj + s^2, and the disturbance Omega^2/s^2 on the second.
    start = model()
    predicted = np.diag(start.covariance) + 1 + np.array([0, start.commutators[0, 1] ** 2])
    assert np.all(np.abs(variances - predicted) < 3 * predicted * np.sqrt(2 / trials))
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


def test_the_bias_sets_in_where_the_theory_says_and_the_gaussian_model_misses_it():
    """M = 15 forgetful pointers of X, then Z: M/(4 s^2 k) = 1.25. 250 trials; exact mean e^{-2.5} <Z>.

    The exact mean lies within four standard errors of the dephased one and eight from the model's, which stays.
    """
    variance, pointers, trials, rng = 0.05, 15, 250, np.random.default_rng(1)
    psi = np.array([np.cos(0.3), np.sin(0.3)])
    true_mean, start = np.cos(0.6), SymmetricState.of_copies(psi, COPIES)
    exact, gaussian = np.empty((2, trials))
    for trial in range(trials):
        copies, large = start.rotated(HADAMARD), model(psi)
        for _ in range(pointers):
            _, copies = copies.read_pointer(FIRST, variance, rng)
            _, large = large.read_pointer(1, variance, rng)
        exact[trial], _ = copies.rotated(HADAMARD).read_pointer(FIRST, variance, rng)
        gaussian[trial], _ = large.read_pointer(0, variance, rng)
    dephased = true_mean * np.exp(-pointers / (2 * variance * COPIES))
    assert abs(exact.mean() - dephased) < 4 * exact.std() / np.sqrt(trials)
    assert true_mean - exact.mean() > 8 * exact.std() / np.sqrt(trials)
    assert abs(gaussian.mean() - true_mean) < 4 * gaussian.std() / np.sqrt(trials)


def test_outcomes_are_unbiased_where_nothing_has_disturbed_the_string():
    """Z, then Z again: it commutes with itself. 4000 trials, four standard errors, both pictures."""
    rng, trials = np.random.default_rng(2), 4000
    true_mean = np.real(PSI.conj() @ Z @ PSI)
    for start, target in ((SymmetricState.of_copies(PSI, COPIES), FIRST), (model(), 0)):
        seconds = np.array(
            [start.read_pointer(target, 0.3, rng)[1].read_pointer(target, 0.3, rng)[0] for _ in range(trials)]
        )
        assert abs(seconds.mean() - true_mean) < 4 * seconds.std() / np.sqrt(trials)


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


@pytest.mark.parametrize("copies", [1, 60])
@pytest.mark.parametrize("accept", [0.0, 0.3, 0.97, 1.0])
@pytest.mark.parametrize("limits", [(0.35, 0.65), (0.6, 0.9), (-0.2, 0.1), (0.75, 1.4), (-9.0, 0.5)])
def test_stop_moments_are_sums_over_the_counts(copies, accept, limits):
    for noise in (0.02, 0.5, 5.0, 100.0):
        check = Check(limits[0] * copies, limits[1] * copies, noise)
        counts = np.arange(copies + 1)
        weights, stop = binom.pmf(counts, copies, accept), 1 - check.passing(counts)
        np.testing.assert_allclose(
            check.stop_moments(copies, accept), [weights @ stop, weights @ stop**2], rtol=1e-9, atol=1e-13
        )


@pytest.mark.parametrize(("backaction", "copies"), [("exact", 3), ("gaussian", 4000), ("idealized", 4000)])
def test_the_first_check_stops_as_often_as_it_should(backaction, copies):
    """One check, 1000 sweeps, four standard errors of each rate; the Gaussian model adds O(1/sqrt k) = 0.016."""
    form = rotation_sweep()
    target, sweeps = 3, 1000
    mean = moments.expectations(form)[target]
    width = 1.2 / np.sqrt(copies)
    prediction = mean + 0.7 / np.sqrt(copies)
    query = ThresholdSweep(
        form, np.array([target]), np.array([prediction]), copies, width, 0.4 * np.sqrt(copies), backaction
    )
    keys = jax.random.split(jax.random.key(0), sweeps)
    sides = np.array([thresholds.run(query, key).side for key in keys])
    counts, centre = np.arange(copies + 1), copies * (1 + prediction) / 2
    weights = binom.pmf(counts, copies, (1 + mean) / 2)
    above = np.exp(-np.maximum(centre + copies * width / 2 - counts, 0) / query.noise)
    below = (1 - above) * np.exp(-np.maximum(counts - centre + copies * width / 2, 0) / query.noise)
    for side, rate in ((1, weights @ above), (-1, weights @ below)):
        assert 0.02 < rate < 0.98
        slack = 0.016 if backaction == "gaussian" else 0
        assert abs(np.mean(sides == side) - rate) < 4 * np.sqrt(rate * (1 - rate) / sweeps) + slack


@pytest.mark.parametrize("backaction", ["exact", "gaussian", "idealized"])
def test_a_sweep_stops_at_the_wrong_prediction_and_nowhere_else(backaction):
    """Enough copies for certainty; strings of a free order are visited as they are given."""
    form = free_order_form()
    order = np.arange(form.num_components)[::-1]
    predictions = moments.expectations(form)[order]
    query = ThresholdSweep(form, order, predictions, 900, 0.8, 15.0, backaction)
    assert thresholds.run(query, jax.random.key(1))[:2] == (None, 0)
    for side, shift in ((1, -1.5), (-1, 1.5)):
        wrong = predictions.copy()
        wrong[-1] += shift
        query = ThresholdSweep(form, order, wrong, 900, 0.8, 15.0, backaction)
        assert thresholds.run(query, jax.random.key(1))[:2] == (len(order) - 1, side)


def test_exact_sweeps_follow_dense_copies_through_the_circuit():
    """Two copies of the whole form, 64 amplitudes: the distribution of the stop; 800 sweeps, four standard errors."""
    form, copies, noise, margin = rotation_sweep(), 2, 0.3, 1.0
    order = np.array([0, 1, 2, 5])
    predictions = moments.expectations(form)[order]
    state, undone, reach, expected = np.outer(form.state, form.state), 0, 1.0, []
    for v, d in enumerate(order):
        undo = rows.run(form.undo[undone : form.step[d]], np.eye(len(state), dtype=complex)).T
        undone = form.step[d]
        string = rows.apply_pauli(int(form.x[d]), int(form.z[d]), np.eye(len(state), dtype=complex)).T
        values, vectors = np.linalg.eigh(string)
        state = vectors.conj().T @ undo @ state @ undo.T @ vectors.conj()
        accepted = (values[:, None] > 0).astype(int) + (values > 0)
        centre = copies * (1 + predictions[v]) / 2
        above = np.exp(-np.maximum(centre + copies * margin / 2 - accepted, 0) / noise)
        below = (1 - above) * np.exp(-np.maximum(accepted - centre + copies * margin / 2, 0) / noise)
        weights = np.abs(state) ** 2
        expected += [reach * np.sum(weights * above), reach * np.sum(weights * below)]
        passed = np.sum(weights * (1 - above - below))
        reach *= passed
        state = vectors @ (state * np.sqrt((1 - above - below) / passed)) @ vectors.T
    expected = np.array([*expected, reach])
    query = ThresholdSweep(form, order, predictions, copies, margin, noise, "exact")
    sweeps = 800
    found = np.zeros(len(expected))
    for key in jax.random.split(jax.random.key(2), sweeps):
        stop = thresholds.run(query, key)
        assert stop.disturbance == 0
        found[len(expected) - 1 if stop.position is None else 2 * stop.position + (stop.side < 0)] += 1 / sweeps
    assert np.all(np.abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / sweeps))
    fresh = np.array([_passes(copies, m, p, margin, noise) for m, p in zip(predictions, predictions, strict=True)])
    assert abs(np.prod(fresh) - reach) > 0.02  # back-action is what makes the difference


def _passes(copies, mean, prediction, margin, noise):
    centre, half = copies * (1 + prediction) / 2, copies * margin / 2
    check = Check(centre - half, centre + half, noise)
    return binom.pmf(np.arange(copies + 1), copies, (1 + mean) / 2) @ check.passing(np.arange(copies + 1))


@pytest.mark.parametrize("width", [0.6, 1.0, 1.6])
def test_the_disturbance_bounds_the_distance_between_idealized_and_exact_sweeps(width):
    """Z, X, Z, X on 60 copies, distributions of the stop computed without sampling."""
    root, strings = np.sqrt(COPIES), (0, 1, 0, 1)
    start = model()
    centre = COPIES * (1 + start.means[list(strings)]) / 2
    checks = Check(centre - width * root, centre + width * root, 0.5 * root)
    possible, accept = np.arange(COPIES + 1), (1 + start.means[list(strings)]) / 2
    copies, apart, reach, ideal_reach, ideal_stop, exact_stop = (
        SymmetricState.of_copies(PSI, COPIES),
        0.0,
        1.0,
        1.0,
        [],
        [],
    )
    for v in range(len(strings)):
        passing = checks[v].passing(possible)
        above = np.exp(-np.maximum(checks[v].upper - possible, 0) / checks.noise)
        counts, fresh = copies.counts(FIRST), binom.pmf(possible, COPIES, accept[v])
        exact_stop += [reach * counts @ above, reach * counts @ (1 - above - passing)]
        ideal_stop += [ideal_reach * fresh @ above, ideal_reach * fresh @ (1 - above - passing)]
        reach, ideal_reach = reach * (counts @ passing), ideal_reach * (fresh @ passing)
        # The Hadamard matrix turns Z into X and back.
        copies = copies.filtered(FIRST, np.sqrt(passing)).rotated(HADAMARD)
    apart = np.sum(np.abs(np.subtract([*exact_stop, reach], [*ideal_stop, ideal_reach]))) / 2
    bound = disturbance(COPIES, accept, checks)
    assert 0 < apart <= bound <= 1


@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_constants_of_the_chi_squared_lemma(ratio):
    """k = 200, p = 1/2, noise of `ratio` sd(S): 1.1 to 1.5 wherever Pr[stop] <= 0.3; sums over all counts."""
    copies, deviation, counts = 200, np.sqrt(50), np.arange(201)
    prior, constants = binom.pmf(counts, 200, 0.5), []
    for threshold in np.linspace(100, 100 + 12 * deviation, 40):
        check = Check(-1e6, threshold, ratio * deviation)
        stop = prior @ (1 - check.passing(counts))
        if stop > 0.3:
            continue
        posterior = prior * check.passing(counts) / (1 - stop)
        damage = np.sqrt(np.sum((posterior - prior) ** 2 / prior))
        constants.append(damage * ratio / stop)
        # One more check follows, so that the damage of the first one counts.
        pair = Check(np.full(2, -1e6), np.full(2, threshold), ratio * deviation)
        budget = disturbance(copies, np.full(2, 0.5), pair)
        np.testing.assert_allclose(budget, (1 - stop) * damage, rtol=1e-6)
    assert len(constants) > 20
    assert min(constants) > 1.1
    assert max(constants) < 1.5


def test_seeds_reproduce_and_keys_matter():
    form = rotation_sweep()
    order = np.arange(form.num_components)
    for backaction, copies in (("exact", 4), ("gaussian", 100), ("idealized", 100)):
        query = ThresholdSweep(
            form, order, moments.expectations(form), copies, 3 / np.sqrt(copies), 0.3 * np.sqrt(copies), backaction
        )
        stops = [thresholds.run(query, jax.random.key(seed)) for seed in range(20)]
        assert stops == [thresholds.run(query, jax.random.key(seed)) for seed in range(20)]
        assert len({stop.position for stop in stops}) > 1
        assert all(isinstance(stop, SweepStop) for stop in stops)


def test_bad_questions_are_refused_by_name():
    form = rotation_sweep()
    order = np.arange(form.num_components)
    predictions = np.zeros(len(order))
    with pytest.raises(ValueError, match=r"order.*ascending"):
        thresholds.run(ThresholdSweep(form, order[::-1], predictions, 5, 0.3, 3.0, "idealized"), jax.random.key(0))
    with pytest.raises(ValueError, match=r"noise=0.*at least 0\.01"):
        thresholds.run(ThresholdSweep(form, order, predictions, 5, 0.3, 0, "gaussian"), jax.random.key(0))
    with pytest.raises(StateTooLarge, match=r"k=40 .* d=8 "):
        thresholds.run(ThresholdSweep(form, order, predictions, 40, 0.3, 3.0, "exact"), jax.random.key(0))
