"""Bell sampling and majority votes against the dense state of all copies."""

import jax
import numpy as np
import pytest
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.ir.mixture import Mixture
from qcgrad.queries import BellSample, Ensemble, MajorityVotes
from qcgrad.simulators.multicopy import _bell as bell
from qcgrad.simulators.multicopy import _copies as copies
from qcgrad.simulators.multicopy import votes
from tests.dense import word_matrix
from theory.statistics import assert_frequencies, bernstein, counts, key


def random_state(n):
    return unitary_group.rvs(2**n, random_state=n)[:, 0]


def bell_distribution(psi, phi=None):
    """(2^n, 2^n) probabilities of (x, z) by projecting psi (x) phi on (1 (x) X^x Z^z)|Phi+>."""
    n = int(np.log2(len(psi)))
    dimension = len(psi)
    two = np.outer(psi, psi if phi is None else phi)  # first copy, second copy
    out = np.zeros((dimension, dimension))
    index = np.arange(dimension)
    for x in range(dimension):
        for z in range(dimension):
            signs = (-1.0) ** np.bitwise_count(index & z)
            # |Bell_xz> = sum_b (-1)^{b.z} |b>|b + x> / sqrt(2^n)
            out[x, z] = np.abs(np.sum(signs * two[index, index ^ x])) ** 2 / dimension
    assert n <= 4
    return out


def check_distribution(outcomes, exact):
    """All 4^n outcomes; with 20 000 pairs a shift of 4 % of the probability between halves of them is found."""
    np.testing.assert_allclose(exact.sum(), 1, atol=1e-12)
    assert_frequencies(np.bincount(outcomes.x * len(exact) + outcomes.z, minlength=exact.size), exact)


@pytest.mark.statistical
@pytest.mark.parametrize("n", [2, 3])
def test_bell_outcomes_follow_the_dense_distribution(n):
    psi = random_state(n)
    check_distribution(bell.sample(psi, 20_000, key(4)), bell_distribution(psi))


def random_ensemble(n, members, seed):
    vectors = unitary_group.rvs(2**n, random_state=seed)[:, :members].T
    return Ensemble(np.random.default_rng(seed).dirichlet(np.ones(members)), vectors)


def string_means(state, x, z):
    """<P> of an ensemble by dense matrices."""
    rho = np.einsum("r,ra,rb->ab", state.probabilities, state.vectors, state.vectors.conj())
    n = len(rho).bit_length() - 1
    words = qg.PauliSum.from_masks(n, x, z, np.ones(len(x))).words
    return np.array([np.trace(word_matrix(word) @ rho).real for word in words])


def all_strings(n):
    x, z = np.divmod(np.arange(1, 4**n), 2**n)
    return x, z


@pytest.mark.statistical
def test_pairs_of_mixed_states_follow_the_dense_distribution():
    """Every member of one ensemble meets every member of the other."""
    rho, sigma = random_ensemble(2, 2, 1), random_ensemble(2, 3, 2)
    members = [(p * q, psi, phi) for p, psi in zip(*rho, strict=True) for q, phi in zip(*sigma, strict=True)]
    exact = sum(weight * bell_distribution(psi, phi) for weight, psi, phi in members)
    check_distribution(bell.sample(rho, 20_000, key(1), sigma), exact)


@pytest.mark.statistical
@pytest.mark.parametrize("has_partner", [False, True])
def test_eigenvalues_of_mixed_pairs_average_to_the_product_of_expectations(has_partner):
    """All 63 strings on 3 qubits, 40 000 pairs: each to within 0.035."""
    rho, sigma, pairs = random_ensemble(3, 3, 3), random_ensemble(3, 8, 4), 40_000
    x, z = all_strings(3)
    outcomes = bell.sample(rho, pairs, key(2), sigma if has_partner else None)
    odd = np.bitwise_count(x[:, None] & outcomes.z) + np.bitwise_count(z[:, None] & outcomes.x)
    means = np.mean((-1.0) ** (odd + np.bitwise_count(x & z)[:, None]), axis=1)
    exact = string_means(rho, x, z) * string_means(sigma if has_partner else rho, x, z)
    assert np.all(np.abs(means - exact) < bernstein(1 - exact**2, 2, pairs, 63))
    assert np.max(np.abs(exact)) > 0.05


@pytest.mark.statistical
def test_a_mixture_of_circuits_is_prepared_member_by_member():
    """0.75 |0><0| + 0.25 |+><+|: <Z> = 0.75 and <X> = 0.25; 50 000 pairs, to within 0.03."""
    mixture = Mixture([(0.75, qg.Circuit(1)), (0.25, qg.Circuit(1).h(0))])
    found = copies.whole(mixture, np.zeros(0), qg.Statevector().state)
    np.testing.assert_allclose(votes.pauli_expectations(found, np.array([0, 1]), np.array([1, 0])), [0.75, 0.25])
    outcomes = qg.Statevector().answer(BellSample(mixture, np.zeros(0), 50_000), key(0))
    for mask, expected in ((outcomes.x, 0.75**2), (outcomes.z, 0.25**2)):
        assert abs(np.mean(1.0 - 2.0 * mask) - expected) < bernstein(1 - expected**2, 2, 50_000, 2)


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


def test_expectations_of_strings():
    psi = random_state(3)
    observable = qg.PauliSum({"XYZ": 1.0, "XZZ": 1.0, "IIY": 1.0, "YYY": 1.0})
    exact = [np.real(psi.conj() @ word_matrix(word) @ psi) for word in observable.words]
    np.testing.assert_allclose(votes.pauli_expectations(psi, observable.x, observable.z), exact, atol=1e-13)


@pytest.mark.statistical
def test_votes_win_as_often_as_the_binomial_says():
    """<Z> = 0.2 with 5 copies: P(most say +1) = 0.683 (binomial, p = 0.6); 4000 votes, to within 0.045."""
    program = qg.Expectation(qg.Circuit(1).ry(0, np.arccos(0.2)), "Z").program
    strings = np.zeros(4000, np.int64), np.ones(4000, np.int64)
    query = MajorityVotes(program, np.zeros(0), *strings, np.full(4000, 0.2), 5)
    signs = qg.Statevector().answer(query, key(0)).signs
    assert set(signs) == {-1, 1}
    low, high = counts(4000, 0.68256)
    assert low <= np.sum(signs == 1) <= high


def test_votes_one_copy_at_a_time_cost_copies_for_each_string_and_disturb_nothing():
    program = qg.Expectation(qg.Circuit(2).ry(0, 0.4).cx(0, 1), "ZI").program
    strings, floors = (np.array([3, 0]), np.array([0, 2])), np.array([0.3, 0.9])
    shared = MajorityVotes(program, np.zeros(0), *strings, floors, 20)
    alone = MajorityVotes(program, np.zeros(0), *strings, floors, 20, is_shared=False)
    assert (shared.cost().copies, shared.cost().shots, shared.cost().qubits) == (20, 2, 40)
    assert (alone.cost().copies, alone.cost().shots, alone.cost().qubits) == (40, 40, 2)
    assert alone.cost().gates == 40 * 2 + 20 * 3  # two preparation gates, strings of weight 2 and 1
    single = np.exp(-20 * floors**2 / 2)
    found = [votes.draw(random_state(2), query, jax.random.key(0)).failures for query in (shared, alone)]
    np.testing.assert_allclose(found[1], single)
    np.testing.assert_allclose(found[0], np.minimum(1, 4 * np.cumsum(single)))


def test_a_partner_is_charged_in_gates_not_in_copies():
    program = qg.Expectation(qg.Circuit(2).ry(0, 0.4).cx(0, 1), "ZI").program
    query = BellSample(program, np.zeros(0), 100, random_ensemble(2, 4, 0), qg.Cost(flops=7, peak_bytes=9))
    assert query.cost() == qg.Cost(
        copies=100, shots=100, circuit_runs=4, gates=100 * (2 + 6 + 4), qubits=4, flops=7, peak_bytes=9
    )


def test_disturbance_is_a_probability_and_vanishes_with_many_copies():
    assert votes.disturbance_bound(np.array([0.1]), 3) == 1.0
    np.testing.assert_allclose(votes.disturbance_bound(np.array([0.5, 1.0]), 100), 4 * np.exp(-12.5), rtol=1e-6)


@pytest.mark.statistical
def test_a_tied_vote_is_decided_by_a_fair_coin():
    """Two copies of |+> vote on Z: half of the votes tie, and still no sign is 0."""
    program = qg.Expectation(qg.Circuit(1).h(0).ry(0, param=0), "Z").program
    x, z = np.zeros(4000, np.int64), np.ones(4000, np.int64)
    prepared = np.array([1, 1]) / np.sqrt(2)
    query = MajorityVotes(program, np.zeros(1), x, z, np.zeros(4000), 2)
    signs = votes.draw(prepared, query, key(0)).signs
    assert set(signs.tolist()) == {-1, 1}
    low, high = counts(4000, 0.5)
    assert low <= np.sum(signs == 1) <= high
