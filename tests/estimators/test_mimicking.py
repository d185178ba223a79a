"""Mimicking states, and the signs that they give, against closed forms."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.estimators.multi_copy import _pauli_statistics as statistics
from qcgrad.estimators.multi_copy.signs._mimicking_state import mimicking_state, most_updates
from qcgrad.ir.state_preparation import prepare
from qcgrad.queries import BellOutcomes, BellSample, MajorityVotes
from qcgrad.studies.hard_instance import hard_instance
from tests.dense import word_matrix
from tests.recorder import Recorder
from theory.statistics import FALSE_ALARM, key, normal

SIGNS = ["votes", "mimicking"]
# A sign that comes from a mimicking state is wrong with probability delta^0.36 at most, if its string is just resolved.
DELTA = FALSE_ALARM**3


def tomography(circuit):
    """All Pauli expectations of a state as one gradient: i<[H, P]> with H = X on an ancilla in |0>, P = Y (x) Q."""
    n = circuit.num_qubits
    words = ["".join(letters) for letters in product("IXYZ", repeat=n)][1:]
    shifted = [qg.Gate(g.name, tuple(1 + w for w in g.wires), None, g.scale, g.offset, g.detail) for g in circuit.gates]
    whole = qg.Circuit(n + 1, shifted)
    # i[X, Y (x) Q] = -2 Z (x) Q, and Z = 1 on the ancilla.
    return words, qg.OperatorPool(whole, "X" + "I" * n, ["Y" + word for word in words])


def expectations(words, circuit, copies, signs):
    """Estimates of <Q>, their allowed errors, and the estimate itself."""
    e = qg.estimate(tomography(circuit)[1], [], qg.BellShadow(copies, signs, DELTA), key=key(0))
    # The slope of the square root between the true and the found square is at most twice that at the found one.
    allowed = 2 * normal(len(words)) * np.sqrt(e.variance) + e.bias_bound + 1e-9
    return -np.asarray(e.gradient) / 2, allowed / 2, e


@pytest.mark.statistical
@pytest.mark.parametrize("signs", SIGNS)
def test_ghz_state(signs):
    """On 3 qubits: ZZ pairs 1, XXX 1, XYY and its permutations -1, all others 0."""
    circuit = qg.Circuit(3).h(0).cx(0, 1).cx(1, 2)
    words = tomography(circuit)[0]
    found, _, _ = expectations(words, circuit, 40_000, signs)
    exact = {"ZZI": 1, "ZIZ": 1, "IZZ": 1, "XXX": 1, "XYY": -1, "YXY": -1, "YYX": -1}
    np.testing.assert_allclose(found, [exact.get(word, 0) for word in words], atol=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize("signs", SIGNS)
def test_product_state(signs):
    """RY(1) on each of 2 qubits: products of sin, 0, cos for X, Y, Z."""
    circuit = qg.Circuit(2).ry(0, 1.0).ry(1, 2.2)
    words = tomography(circuit)[0]
    value = {"I": (1, 1), "X": (np.sin(1.0), np.sin(2.2)), "Y": (0, 0), "Z": (np.cos(1.0), np.cos(2.2))}
    exact = np.array([value[a][0] * value[b][1] for a, b in words])
    found, allowed, _ = expectations(words, circuit, 100_000, signs)
    assert np.all(np.abs(found - exact) <= allowed)
    assert np.all(np.sign(found[np.abs(exact) > 0.5]) == np.sign(exact[np.abs(exact) > 0.5]))


@pytest.mark.statistical
@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("n", [1, 2])
def test_haar_random_state(n, signs):
    psi = unitary_group.rvs(2**n, random_state=n)[:, 0]
    circuit = prepare(psi)
    words = tomography(circuit)[0]
    exact = np.array([np.vdot(psi, word_matrix(word) @ psi).real for word in words])
    found, allowed, _ = expectations(words, circuit, 100_000, signs)
    assert np.all(np.abs(found - exact) <= allowed)
    assert np.all(np.sign(found[np.abs(exact) > 0.5]) == np.sign(exact[np.abs(exact) > 0.5]))


@pytest.mark.statistical
def test_two_copy_measurements_find_all_signs_of_the_hard_instance():
    """Both signs occur among the strings above 0.3; two copies at a time and no idealization."""
    objective, zeros = hard_instance(3), np.zeros(63)
    truth = np.asarray(qg.estimate(objective, zeros, qg.Adjoint()).gradient)
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(objective, zeros, qg.BellShadow(1_000_000, "mimicking", DELTA), recorder, key=key(0))
    large = np.abs(truth) > 0.3
    assert set(np.sign(truth[large])) == {-1, 1}
    assert np.array_equal(np.sign(e.gradient[large]), np.sign(truth[large]))
    assert np.all(np.abs(e.gradient - truth) <= 2 * normal(63) * np.sqrt(e.variance) + e.bias_bound + 1e-9)
    assert (e.fidelity, e.cost.qubits, e.cost.copies) == ("exact", 8, 1_000_000)
    assert "0 of 1" in e.result.message
    assert "not mimicked" in e.result.message
    first, *votes, last = recorder.queries
    assert isinstance(first, BellSample)
    assert last.partner is not None
    assert all(isinstance(query, MajorityVotes) and not query.is_shared for query in votes)
    assert sum(query.copies for query in votes) <= 250_000


def random_signs(n, count, seed):
    rng = np.random.default_rng(seed)
    chosen = 1 + rng.permutation(4**n - 1)[:count]
    return *np.divmod(chosen, 2**n), rng


@pytest.mark.parametrize("epsilon", [0.3, 0.6])
def test_a_real_state_is_mimicked_in_fewer_updates_than_the_bound(epsilon):
    """Signs of a random product state, whose strings reach epsilon/2: matrix multiplicative weights must succeed."""
    n = 3
    directions = np.random.default_rng(5).normal(size=(n, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    x, z = np.divmod(np.arange(1, 4**n), 2**n)
    letters = 2 * ((x[:, None] >> np.arange(n)) & 1) + ((z[:, None] >> np.arange(n)) & 1)
    factors = np.concatenate([np.ones((n, 1)), directions], axis=1)[:, [0, 3, 1, 2]]  # I, Z, X, Y
    exact = np.prod(factors[np.arange(n), letters], axis=1)
    strong = np.flatnonzero(np.abs(exact) >= epsilon / 2)
    strong = strong[np.argsort(-np.abs(exact[strong]))]
    state = mimicking_state(n, x[strong], z[strong], epsilon)
    assert state.limit == most_updates(n, epsilon) == np.ceil(64 * n / epsilon**2) + 1
    while state.wanted is not None:
        state = state.told(state.wanted, int(np.sign(exact[strong][state.wanted])))
    assert 0 < state.updates <= state.limit
    assert np.all(np.abs(state.overlaps) >= epsilon / 4)


def test_overlaps_are_those_of_the_ensemble():
    x, z, rng = random_signs(3, 12, 0)
    state = mimicking_state(3, x, z, 0.5)
    for string in range(12):
        state = state.told(string, int(rng.choice([-1, 1])))
    weights, vectors = state.ensemble()
    np.testing.assert_allclose(weights.sum(), 1)
    words = qg.PauliSum.from_masks(3, x, z, np.ones(12)).words
    rho = np.einsum("r,ra,rb->ab", weights, vectors, vectors.conj())
    np.testing.assert_allclose(state.overlaps, [np.trace(word_matrix(w) @ rho).real for w in words], atol=1e-12)


def test_signs_that_no_state_has_end_at_the_limit():
    """<X>, <Y> and <Z> of one qubit cannot all reach 3.9 / 4: the search stops, it does not hang."""
    state = mimicking_state(1, np.array([1, 1, 0]), np.array([0, 1, 1]), 3.9)
    for string in range(3):
        state = state.told(string, 1)
    assert state.updates == state.limit
    assert state.wanted is None


def test_states_too_large_to_update_are_refused_with_bytes():
    pool = qg.OperatorPool(qg.Circuit(11), "Z" + 10 * "I", ["X" + 10 * "I"])
    with pytest.raises(qg.StateTooLarge, match=r"11 qubits takes 335,544,320 bytes .* use signs='votes'"):
        qg.estimate(pool, [], qg.BellShadow(1000, "mimicking"), key=0)


@pytest.mark.parametrize("copies", [4, 5, 17, 400, 1001])
def test_mimicking_never_uses_more_copies_than_given(copies):
    pool = tomography(qg.Circuit(2).ry(0, 1.0).cx(0, 1))[1]
    e = qg.estimate(pool, [], qg.BellShadow(copies, "mimicking"), key=1)
    assert e.cost.copies <= copies
    predicted = qg.predict_cost(pool, qg.BellShadow(copies, "mimicking"))
    assert all(getattr(e.cost, name) <= getattr(predicted, name) for name in vars(e.cost))


def random_outcomes(pairs, bits, seed):
    rng = np.random.default_rng(seed)
    return BellOutcomes(rng.integers(1 << bits, size=pairs), rng.integers(1 << bits, size=pairs))


@pytest.mark.parametrize(("bits", "strings"), [(3, 64), (5, 900), (30, 40)])
@pytest.mark.parametrize("chunk", [1, 1000, 1 << 20])
def test_mean_eigenvalues_are_their_definition_for_any_chunk(bits, strings, chunk, monkeypatch):
    """Few strings are summed one by one, many by a transform; the sums are of integers, so the same to the last bit."""
    monkeypatch.setattr(statistics, "_CHUNK", chunk)
    outcomes, masks = random_outcomes(200, bits, 0), random_outcomes(strings, bits, 1)
    odd = np.bitwise_count(masks.x[:, None] & outcomes.z) + np.bitwise_count(masks.z[:, None] & outcomes.x)
    exact = np.sum((-1) ** (odd + np.bitwise_count(masks.x & masks.z)[:, None]).astype(int), axis=1)
    assert np.array_equal(statistics.mean_eigenvalues(outcomes, masks.x, masks.z), exact / 200)
