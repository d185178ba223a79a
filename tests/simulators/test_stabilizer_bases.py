"""Measurements in stabilizer bases against dense projectors, and the distribution of random bases."""

from itertools import product

import jax
import numpy as np
import pytest
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.ir import pauli
from qcgrad.ir.stabilizers import group_elements
from qcgrad.queries import MeasureBases, RandomizedMeasure, stabilizer_gates
from qcgrad.simulators.statevector import _stabilizer_bases as bases
from tests.dense import word_matrix
from theory.statistics import assert_frequencies, counts, key, rng


def random_state(n):
    return unitary_group.rvs(2**n, random_state=n)[:, 0]


def program(n):
    return qg.Expectation(qg.Circuit(n).h(0).ry(0, param=0), "Z" * n).program


def strings(*words):
    masks = [pauli.masks(word, range(len(word)), len(word)) for word in words]
    return np.array(masks).T


def outcome_probabilities(psi, words):
    """By projecting on the joint eigenspaces of the words."""
    found = []
    for bits in product((0, 1), repeat=len(words)):
        projected = psi
        # Bit i of the index belongs to word i, so the last word's bit is the most significant.
        for word, bit in zip(words, reversed(bits), strict=True):
            projected = (projected + (-1) ** bit * word_matrix(word) @ projected) / 2
        found.append(np.linalg.norm(projected) ** 2)
    return np.array(found)


def test_products_of_generators_with_their_signs():
    words = ["XXI", "ZZX", "IIX"]
    x, z, sign = group_elements(*(m[None] for m in strings(*words)))
    for a in range(8):
        expected = np.eye(8)
        for i, word in enumerate(words):
            if a >> i & 1:
                expected = expected @ word_matrix(word)
        found = sign[0, a] * word_matrix(pauli.word(int(x[0, a]), int(z[0, a]), 3))
        np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "words", [["ZII"], ["XXX", "ZZI"], ["XXI", "ZZI", "IIY"], ["XZI", "ZXZ", "IZX"]], ids=lambda words: "-".join(words)
)
def test_outcomes_follow_the_projectors(words):
    """20 000 outcomes: a shift of 4 % of the probability between halves of them is found."""
    psi, shots = random_state(3), 20_000
    x, z = (m[None] for m in strings(*words))
    found = bases.count(psi, MeasureBases(program(3), np.zeros(1), x, z, np.array([shots])), key(1)).counts
    assert found.shape == (1, 2 ** len(words))
    assert_frequencies(found, outcome_probabilities(psi, words))


def test_an_identity_among_the_strings_gives_bit_zero():
    x, z = np.array([[0, 4]]), np.array([[0, 0]])
    counts = bases.count(
        random_state(3), MeasureBases(program(3), np.zeros(1), x, z, np.array([50])), jax.random.key(0)
    )
    assert counts.counts[0, [1, 3]].sum() == 0
    assert counts.counts.sum() == 50


@pytest.mark.statistical
def test_random_stabilizer_bases_are_bases_and_uniform():
    """n = 2 has 15 stabilizer groups up to signs; a shift of 4 % of the probability between halves is found."""
    x, z = bases.random_stabilizer_bases(2, 15_000, rng(0))
    assert np.all(pauli.commute(x[:, 0], z[:, 0], x[:, 1], z[:, 1]))
    ex, ez, _ = group_elements(x, z)
    keys = np.sort(ex << 2 | ez, axis=1)
    groups, found = np.unique(keys, axis=0, return_counts=True)
    assert len(groups) == 15
    assert np.all(np.diff(groups, axis=1) > 0)
    assert_frequencies(found, np.full(15, 1 / 15))


@pytest.mark.statistical
def test_a_string_is_in_a_random_stabilizer_basis_once_in_two_to_the_n_plus_one():
    n, count = 4, 20_000
    x, z = bases.random_stabilizer_bases(n, count, rng(1))
    ex, ez, _ = group_elements(x, z)
    low, high = counts(count, 1 / (2**n + 1))
    assert low <= np.sum(np.any((ex == 0b1010) & (ez == 0b0110), axis=1)) <= high


@pytest.mark.statistical
def test_random_local_bases_have_one_letter_on_each_qubit():
    x, z = bases.random_local_bases(3, 9000, rng(0))
    assert np.array_equal(x | z, np.tile([4, 2, 1], (9000, 1)))
    letters = (x != 0) + 2 * (z != 0)
    for letter in (1, 2, 3):
        low, high = counts(9000, 1 / 3, 9)
        assert np.all((low <= np.sum(letters == letter, axis=0)) & (np.sum(letters == letter, axis=0) <= high))


@pytest.mark.statistical
@pytest.mark.parametrize("ensemble", ["clifford", "local"])
def test_snapshots_of_a_stabilizer_state_never_contradict_it(ensemble):
    """(|00> + |11>)/sqrt2 has XX = ZZ = 1 and YY = -1: where a basis has them, the outcome says so.

    A fifth ("clifford") or a ninth of the 4000 bases have each: 17 and more standard deviations above 100.
    """
    bell = np.array([1, 0, 0, 1]) / np.sqrt(2)
    query = RandomizedMeasure(program(2), np.zeros(1), ensemble, 4000)
    x, z, bits = bases.snapshots(bell, query, (0, 1), key(0))
    ex, ez, sign = group_elements(x, z)
    eigenvalue = sign * (1 - 2 * (np.bitwise_count(np.arange(4) & bits[:, None]) & 1).astype(int))
    for word, expected in (("XX", 1), ("ZZ", 1), ("YY", -1)):
        px, pz = strings(word)
        hit = (ex == px) & (ez == pz)
        assert 100 < hit.sum() < 2000
        assert np.all(eigenvalue[hit] == expected)


def test_bases_cost_rotations_where_they_are_local_and_a_stabilizer_circuit_else():
    x, z = (np.stack(m) for m in zip(strings("XYI", "IIZ"), strings("XXI", "ZZI"), strict=True))
    query = MeasureBases(program(3), np.zeros(1), x, z, np.array([10, 20]))
    assert query.basis_gates.tolist() == [2, stabilizer_gates(3)] == [2, 12]
    assert query.cost() == qg.Cost(30, 30, 2, 30 * 2 + 10 * 2 + 20 * 12, 3)
    shadow = RandomizedMeasure(program(3), np.zeros(1), "local", 7)
    assert shadow.cost() == qg.Cost(7, 7, 7, 7 * (2 + 3), 3)
    assert RandomizedMeasure(program(3), np.zeros(1), "clifford", 7).cost().gates == 7 * (2 + 12)


def test_every_stabilizer_basis_takes_no_more_gates_than_charged():
    """Builds the graph-state circuit for random bases: H where needed, S, CZ on the edges, H everywhere."""
    n = 4
    xs, zs = bases.random_stabilizer_bases(n, 40, np.random.default_rng(3))
    for x, z in zip(xs, zs, strict=True):
        gates = graph_circuit(x.copy(), z.copy(), n)
        assert len(gates) <= stabilizer_gates(n)
        unitary = qg.Circuit(n)
        for name, *wires in gates:
            unitary = getattr(unitary, name)(*wires)
        columns = np.array([apply_circuit(unitary, column) for column in np.eye(2**n)]).T
        for a, b in zip(x, z, strict=True):
            image = columns @ word_matrix(pauli.word(int(a), int(b), n)) @ columns.conj().T
            assert np.abs(image - np.diag(np.diag(image))).max() < 1e-12


def graph_circuit(x, z, n):
    """Gates that make n commuting strings diagonal, by elimination over GF(2)."""
    gates, done = [], []
    for i in range(n):
        if not x[i]:  # a string of Z's only: H on one of its qubits makes an X there
            qubit = next(q for q in range(n) if q not in done and z[i] & pauli.bit(q, n))
            gates.append(("h", qubit))
            bit = pauli.bit(qubit, n)
            swap = (x ^ z) & bit
            x ^= swap
            z ^= swap
        qubit = next(q for q in range(n) if x[i] & pauli.bit(q, n))
        done.append(qubit)
        for other in range(n):
            if other != i and x[other] & pauli.bit(qubit, n):
                x[other] ^= x[i]
                z[other] ^= z[i]
    for i, qubit in enumerate(done):
        if z[i] & pauli.bit(qubit, n):
            gates.append(("sdg", qubit))
        later = [q for q in done[i + 1 :] if z[i] & pauli.bit(q, n)]
        gates += [("cz", qubit, other) for other in later]
    return gates + [("h", q) for q in range(n)]


def apply_circuit(circuit, vector):
    from tests import dense

    tensor = vector.reshape((2,) * circuit.num_qubits).astype(complex)
    for gate in circuit.gates:
        tensor = dense.apply(tensor, dense.gate_matrix(gate, gate.offset), gate.wires)
    return tensor.ravel()
