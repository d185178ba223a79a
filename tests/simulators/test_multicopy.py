"""Bell sampling and majority votes against the dense state of all copies."""

import jax
import numpy as np
import pytest
from scipy.stats import chi2, unitary_group

import qcgrad as qg
from qcgrad.queries import MajorityVotes
from qcgrad.simulators.multicopy import bell, votes
from tests.dense import word_matrix


def random_state(n):
    return unitary_group.rvs(2**n, random_state=n)[:, 0]


def bell_distribution(psi):
    """(2^n, 2^n) probabilities of (x, z) by projecting psi (x) psi on (1 (x) X^x Z^z)|Phi+>."""
    n = int(np.log2(len(psi)))
    dimension = len(psi)
    two = np.outer(psi, psi)  # first copy, second copy
    out = np.zeros((dimension, dimension))
    index = np.arange(dimension)
    for x in range(dimension):
        for z in range(dimension):
            signs = (-1.0) ** np.bitwise_count(index & z)
            # |Bell_xz> = sum_b (-1)^{b.z} |b>|b + x> / sqrt(2^n)
            out[x, z] = np.abs(np.sum(signs * two[index, index ^ x])) ** 2 / dimension
    assert n <= 4
    return out


@pytest.mark.parametrize("n", [2, 3])
def test_bell_outcomes_follow_the_dense_distribution(n):
    """Chi-squared over all 4^n outcomes, rare ones pooled; significance 1e-4, fixed seed."""
    psi, pairs = random_state(n), 20_000
    exact = bell_distribution(psi).ravel()
    np.testing.assert_allclose(exact.sum(), 1, atol=1e-12)
    x, z = bell.sample(psi, pairs, jax.random.key(4))
    counts = np.bincount(x * 2**n + z, minlength=4**n)
    common = exact * pairs > 8
    observed = np.append(counts[common], counts[~common].sum())
    expected = np.append(exact[common], exact[~common].sum()) * pairs
    used = expected > 0
    assert np.sum((observed - expected)[used] ** 2 / expected[used]) < chi2.isf(1e-4, used.sum() - 1)
    assert counts[exact < 1e-15].sum() == 0


@pytest.mark.parametrize("n", [2, 3])
def test_eigenvalues_of_every_string_average_to_its_squared_expectation(n):
    """E[(-1)^{a.z + b.x + |a & b|}] = <P>^2 for all 4^n strings, exactly under the dense distribution."""
    psi = random_state(n)
    distribution = bell_distribution(psi)
    x, z = np.meshgrid(np.arange(2**n), np.arange(2**n), indexing="ij")
    for a in range(2**n):
        for b in range(2**n):
            parity = np.bitwise_count(a & z) + np.bitwise_count(b & x) + np.bitwise_count(np.int64(a & b))
            mean = np.sum(distribution * (-1.0) ** parity)
            string = qg.PauliSum.from_masks(n, [a], [b], [1.0])
            matrix = word_matrix(string.words[0])
            np.testing.assert_allclose(mean, np.real(psi.conj() @ matrix @ psi) ** 2, atol=1e-12)


def test_samples_are_consistent_with_symmetry():
    """The antisymmetric outcomes (odd |x & z|, the singlets) have probability zero for identical copies."""
    x, z = bell.sample(random_state(3), 5000, jax.random.key(0))
    assert not np.any(np.bitwise_count(x & z) % 2)


def test_all_bits_of_the_key_seed_the_samples():
    psi = random_state(3)
    first, again = (bell.sample(psi, 50, jax.random.key(1)) for _ in range(2))
    other = bell.sample(psi, 50, jax.random.fold_in(jax.random.key(1), 2**31))
    assert np.array_equal(first.z, again.z)
    assert not np.array_equal(first.z, other.z)


def test_walsh_hadamard_is_its_definition():
    rows = np.arange(24.0).reshape(3, 8) ** 2
    index = np.arange(8)
    matrix = (-1.0) ** np.bitwise_count(index[:, None] & index)
    np.testing.assert_allclose(bell.walsh_hadamard(rows), rows @ matrix)


def test_expectations_of_strings():
    psi = random_state(3)
    observable = qg.PauliSum({"XYZ": 1.0, "XZZ": 1.0, "IIY": 1.0, "YYY": 1.0})
    exact = [np.real(psi.conj() @ word_matrix(word) @ psi) for word in observable.words]
    np.testing.assert_allclose(votes.pauli_expectations(psi, observable.x, observable.z), exact, atol=1e-13)


def test_votes_win_as_often_as_the_binomial_says():
    """<Z> = 0.2 with 5 copies: P(most say +1) = 0.683 (binomial, p = 0.6); 4000 votes, five standard errors."""
    program = qg.Expectation(qg.Circuit(1).ry(0, np.arccos(0.2)), "Z").program
    strings = np.zeros(4000, np.int64), np.ones(4000, np.int64)
    query = MajorityVotes(program, np.zeros(0), *strings, np.full(4000, 0.2), 5)
    signs, _ = qg.Statevector().answer(query, jax.random.key(0))
    assert set(signs) == {-1, 1}
    rate = np.mean(signs == 1)
    assert abs(rate - 0.68256) < 5 * np.sqrt(0.68256 * 0.31744 / 4000)


def test_disturbance_is_a_probability_and_vanishes_with_many_copies():
    assert votes.disturbance_bound(np.array([0.1]), 3) == 1.0
    np.testing.assert_allclose(votes.disturbance_bound(np.array([0.5, 1.0]), 100), 4 * np.exp(-12.5), rtol=1e-6)


def test_a_tied_vote_is_decided_by_a_fair_coin():
    """Two copies of |+> vote on Z: half of the votes tie, and still no sign is 0."""
    program = qg.Expectation(qg.Circuit(1).h(0).ry(0, param=0), "Z").program
    x, z = np.zeros(4000, np.int64), np.ones(4000, np.int64)
    prepared = np.array([1, 1]) / np.sqrt(2)
    query = MajorityVotes(program, np.zeros(1), x, z, np.zeros(4000), 2)
    signs = votes.draw(prepared, query, jax.random.key(0)).signs
    assert set(signs.tolist()) == {-1, 1}
    assert abs(signs.mean()) < 5 / np.sqrt(4000)
