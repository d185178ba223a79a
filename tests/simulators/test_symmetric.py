"""The symmetric subspace against explicit tensor products of up to four copies."""

from functools import reduce
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, multinomial, unitary_group

from qcgrad.errors import StateTooLarge
from qcgrad.simulators.multicopy.checks import Check
from qcgrad.simulators.multicopy.symmetric import SymmetricState, check_dimension

CASES = [(d, k) for d in (2, 3, 4) for k in (1, 2, 3)]


def random_state(d, seed=0):
    return unitary_group.rvs(d, random_state=seed)[:, 0]


def tensor_power(array, k):
    return reduce(np.kron, [array] * k)


def embedding(d, k):
    """(d^k, dimension): columns are the normalised symmetrised basis states, in lexicographic order."""
    words = list(product(range(d), repeat=k))
    occupations = np.array([np.bincount(word, minlength=d) for word in words])
    # Occupations of mode 0 first, ascending: the order that SymmetricState documents.
    distinct, where = np.unique(occupations, axis=0, return_inverse=True)
    columns = np.zeros((len(words), len(distinct)))
    columns[np.arange(len(words)), where.ravel()] = 1
    return columns / np.linalg.norm(columns, axis=0)


def accepted_counts(d, k, accepting):
    """S of each of the d^k words."""
    return np.array([sum(accepting[letter] for letter in word) for word in product(range(d), repeat=k)])


@pytest.mark.parametrize(("d", "k"), CASES)
def test_copies_and_rotations_are_tensor_powers(d, k):
    psi, unitary = random_state(d), unitary_group.rvs(d, random_state=1)
    copies = SymmetricState.of_copies(psi, k)
    np.testing.assert_allclose(embedding(d, k) @ copies.amplitudes, tensor_power(psi, k), atol=1e-12)
    rotated = embedding(d, k) @ copies.rotated(unitary).amplitudes
    np.testing.assert_allclose(rotated, tensor_power(unitary, k) @ tensor_power(psi, k), atol=1e-12)


@pytest.mark.parametrize(("d", "k"), CASES)
def test_rotations_of_entangled_states_are_tensor_powers(d, k):
    """Not a product: the state after a count was filtered."""
    accepting = np.arange(d) % 2 == 0
    factors = np.random.default_rng(2).uniform(size=k + 1)
    filtered = SymmetricState.of_copies(random_state(d), k).filtered(accepting, factors)
    dense = tensor_power(random_state(d), k) * factors[accepted_counts(d, k, accepting)]
    dense /= np.linalg.norm(dense)
    np.testing.assert_allclose(embedding(d, k) @ filtered.amplitudes, dense, atol=1e-12)
    unitary = unitary_group.rvs(d, random_state=3)
    rotated = filtered.rotated(unitary)
    np.testing.assert_allclose(embedding(d, k) @ rotated.amplitudes, tensor_power(unitary, k) @ dense, atol=1e-12)
    weights = np.abs(tensor_power(unitary, k) @ dense) ** 2
    counts = np.bincount(accepted_counts(d, k, accepting), weights, minlength=k + 1)
    np.testing.assert_allclose(rotated.counts(accepting), counts, atol=1e-12)


@pytest.mark.parametrize(("d", "k"), [(2, 60), (2, 400), (3, 30), (4, 50)])
def test_rotations_compose_and_keep_the_norm_at_many_copies(d, k):
    """W1 then W2 is W2 W1, on a state that is no product; the largest dimension is 23,426."""
    first, second = (unitary_group.rvs(d, random_state=seed) for seed in (4, 5))
    start = SymmetricState.of_copies(random_state(d), k)
    middle = start.filtered(np.arange(d) == 0, np.cos(np.arange(k + 1)))
    one_by_one = middle.rotated(first).rotated(second).amplitudes
    np.testing.assert_allclose(one_by_one, middle.rotated(second @ first).amplitudes, atol=1e-11)
    np.testing.assert_allclose(np.linalg.norm(one_by_one), 1, atol=1e-11)
    fresh = SymmetricState.of_copies(first @ random_state(d), k)
    np.testing.assert_allclose(start.rotated(first).amplitudes, fresh.amplitudes, atol=1e-11)


@pytest.mark.parametrize("d", [2, 4])
def test_permutations_and_diagonals_are_rotations_too(d):
    """Zeros on the diagonal of W, and W without any rotation."""
    swap = np.eye(d)[::-1] * np.exp(1j * np.arange(d))[:, None]
    start, accepting = SymmetricState.of_copies(random_state(d), 9), np.arange(d) == 0
    np.testing.assert_allclose(start.rotated(swap).counts(accepting), start.counts(accepting[::-1]), atol=1e-13)
    phases = start.rotated(np.diag(np.exp(1j * np.arange(d))))
    np.testing.assert_allclose(phases.counts(accepting), start.counts(accepting), atol=1e-13)
    assert np.abs(phases.amplitudes - start.amplitudes).max() > 0.1


def test_counts_of_fresh_copies_are_binomial_and_basis_states_are_sharp():
    psi, accepting = random_state(4), np.array([True, False, True, False])
    p = np.sum(np.abs(psi[accepting]) ** 2)
    counts = SymmetricState.of_copies(psi, 50).counts(accepting)
    np.testing.assert_allclose(counts, binom.pmf(np.arange(51), 50, p), atol=1e-13)
    sharp = SymmetricState.of_copies(np.array([0.0, 1.0]), 7).counts(np.array([False, True]))
    np.testing.assert_allclose(sharp, np.eye(8)[7], atol=1e-14)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_checks_in_sequence_against_brute_force(k):
    """Pass probabilities of three non-commuting checks on 2^k amplitudes, by dense Kraus operators."""
    psi = random_state(2, 6)
    copies, dense = SymmetricState.of_copies(psi, k), tensor_power(psi, k)
    accepting = np.array([True, False])
    counts = accepted_counts(2, k, accepting)
    for seed, (lower, upper) in enumerate([(-0.3 * k, 1.1 * k), (-0.2, 1.4 * k), (0.1 * k - 0.3, 0.9 * k + 0.5)]):
        unitary = unitary_group.rvs(2, random_state=seed)
        copies, dense = copies.rotated(unitary), tensor_power(unitary, k) @ dense
        check = Check(lower, upper, 0.7)
        # Pr[S + X <= upper and S - X' >= lower], written out.
        passing = np.array(
            [max(0, 1 - np.exp(-(upper - s) / 0.7)) * max(0, 1 - np.exp(-(s - lower) / 0.7)) for s in range(k + 1)]
        )
        np.testing.assert_allclose(check.passing(np.arange(k + 1)), passing, atol=1e-14)
        probability = np.sum(np.abs(dense) ** 2 * passing[counts])
        np.testing.assert_allclose(copies.counts(accepting) @ passing, probability, atol=1e-12)
        dense = dense * np.sqrt(passing[counts]) / np.sqrt(probability)
        copies = copies.filtered(accepting, np.sqrt(passing))
    assert probability < 0.99


def test_commuting_checks_reweight_the_counts_as_bayes_says():
    """Two observables diagonal in one random basis: their joint counts are multinomial until they are reweighted."""
    psi, basis, k = random_state(4, 7), unitary_group.rvs(4, random_state=8), 12
    first, second = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    occupations = np.array([n for n in product(range(k + 1), repeat=4) if sum(n) == k])
    weights = multinomial.pmf(occupations, k, np.abs(basis @ psi) ** 2)
    copies = SymmetricState.of_copies(psi, k).rotated(basis)
    rng = np.random.default_rng(9)
    for accepting in (first, second, first):
        factors = rng.uniform(size=k + 1)
        counts = occupations[:, accepting].sum(axis=1)
        expected = np.bincount(counts, weights, minlength=k + 1)
        np.testing.assert_allclose(copies.counts(accepting), expected, atol=1e-12)
        weights = weights * factors[counts] / np.sum(weights * factors[counts])
        copies = copies.filtered(accepting, np.sqrt(factors)).rotated(basis.conj().T).rotated(basis)


def test_refuses_above_the_limit_with_the_dimension():
    with pytest.raises(StateTooLarge, match=r"k=60 .* d=8 .* 869,648,208, .*backaction='gaussian' or 'idealized'"):
        SymmetricState.of_copies(np.ones(8) / np.sqrt(8), 60)
    with pytest.raises(StateTooLarge, match=r"dimension 2,001, and rotations of up to .* 4,004,001"):
        check_dimension(2000, 2)
    check_dimension(20, 8)
