"""Threshold checks with back-action: exact, Gaussian and idealized, against each other and closed forms."""

import jax
import numpy as np
import pytest
from scipy.stats import binom

from qcgrad.errors import StateTooLarge
from qcgrad.ir import rows
from qcgrad.queries import SweepStop, ThresholdSweep
from qcgrad.simulators.multicopy import _thresholds as thresholds
from qcgrad.simulators.multicopy import moments
from qcgrad.simulators.multicopy.checks import Check, disturbance
from qcgrad.simulators.multicopy.symmetric import SymmetricState
from theory.statistics import assert_frequencies, counts, key

from .sweeps import COPIES, FIRST, HADAMARD, PSI, free_order_form, model, rotation_sweep


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


@pytest.mark.statistical
@pytest.mark.parametrize(("backaction", "copies"), [("exact", 3), ("gaussian", 4000), ("idealized", 4000)])
def test_the_first_check_stops_as_often_as_it_should(backaction, copies):
    """One check, 1000 sweeps find a rate that is off by 0.2; the Gaussian model is off by O(1/sqrt k) = 0.016."""
    form = rotation_sweep()
    target, sweeps = 3, 1000
    mean = moments.expectations(form)[target]
    width = 1.2 / np.sqrt(copies)
    prediction = mean + 0.7 / np.sqrt(copies)
    query = ThresholdSweep(
        form, np.array([target]), np.array([prediction]), copies, width, 0.4 * np.sqrt(copies), backaction
    )
    keys = jax.random.split(key(0), sweeps)
    sides = np.array([thresholds.run(query, used).side for used in keys])
    possible, centre = np.arange(copies + 1), copies * (1 + prediction) / 2
    weights = binom.pmf(possible, copies, (1 + mean) / 2)
    above = np.exp(-np.maximum(centre + copies * width / 2 - possible, 0) / query.noise)
    below = (1 - above) * np.exp(-np.maximum(possible - centre + copies * width / 2, 0) / query.noise)
    for side, rate in ((1, weights @ above), (-1, weights @ below)):
        assert 0.02 < rate < 0.98
        slack = 0.016 if backaction == "gaussian" else 0
        low, high = counts(sweeps, rate, 2)
        assert low - slack * sweeps <= np.sum(sides == side) <= high + slack * sweeps


@pytest.mark.statistical
@pytest.mark.parametrize("backaction", ["exact", "gaussian", "idealized"])
def test_a_sweep_stops_at_the_wrong_prediction_and_nowhere_else(backaction):
    """Enough copies for certainty (an error has probability 1e-9); a free order is visited as it is given."""
    form = free_order_form()
    order = np.arange(form.num_components)[::-1]
    predictions = moments.expectations(form)[order]
    query = ThresholdSweep(form, order, predictions, 900, 0.8, 15.0, backaction)
    assert thresholds.run(query, key(1))[:2] == (None, 0)
    for side, shift in ((1, -1.5), (-1, 1.5)):
        wrong = predictions.copy()
        wrong[-1] += shift
        query = ThresholdSweep(form, order, wrong, 900, 0.8, 15.0, backaction)
        assert thresholds.run(query, key(1))[:2] == (len(order) - 1, side)


@pytest.mark.statistical
def test_exact_sweeps_follow_dense_copies_through_the_circuit():
    """Two copies of the whole form, 64 amplitudes: the distribution of the stop, to within 0.2 of each rate."""
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
    for used in jax.random.split(key(2), sweeps):
        stop = thresholds.run(query, used)
        assert stop.disturbance == 0
        found[len(expected) - 1 if stop.position is None else 2 * stop.position + (stop.side < 0)] += 1
    assert_frequencies(found, expected)
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
