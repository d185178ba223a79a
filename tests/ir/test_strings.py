"""Many Pauli strings at once, against dense matrices."""

import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.ir.state_preparation import prepare
from qcgrad.ir.strings import diagonals_of, distinct, expectations, walsh_hadamard
from tests import dense


@pytest.mark.parametrize("n", [0, 1, 3, 6, 7, 9])
def test_walsh_hadamard_is_its_matrix(n):
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(3, 2**n)) + 1j * rng.normal(size=(3, 2**n))
    np.testing.assert_allclose(walsh_hadamard(rows), rows @ hadamard(2**n), atol=1e-11)
    np.testing.assert_allclose(walsh_hadamard(rows[0].real), rows[0].real @ hadamard(2**n), atol=1e-11)


def test_distinct_strings_and_their_places():
    x, z = np.array([3, 0, 3, 1, 3]), np.array([1, 2, 1, 0, 0])
    first, second, position = distinct(x, z)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 2), (1, 0), (3, 0), (3, 1)]
    assert np.array_equal(first[position], x)
    assert np.array_equal(second[position], z)


@pytest.mark.parametrize("together", [1, 16, 1 << 20])
def test_expectations_of_all_strings_for_any_number_of_transforms_together(together, monkeypatch):
    monkeypatch.setattr("qcgrad.ir.strings.CHUNK_AMPLITUDES", together)
    psi = unitary_group.rvs(8, random_state=1)[:, 0]
    x, z = np.random.default_rng(0).permutation(np.stack(np.divmod(np.arange(64), 8)), axis=1)
    words = qg.PauliSum.from_masks(3, x, z, np.ones(64)).words
    exact = [np.vdot(psi, dense.word_matrix(word) @ psi).real for word in words]
    np.testing.assert_allclose(expectations(diagonals_of(psi), 8, x, z), exact, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_any_state_is_prepared_up_to_a_phase(n):
    psi = unitary_group.rvs(2**n, random_state=n)[:, 0]
    circuit = prepare(psi)
    assert circuit.num_gates == 2 ** (n + 1) - 2
    assert abs(np.vdot(psi, dense.state(circuit))) == pytest.approx(1, abs=1e-12)


def test_states_with_vanishing_amplitudes_are_prepared():
    psi = np.zeros(8)
    psi[[1, 6]] = 0.6, -0.8
    assert abs(np.vdot(psi, dense.state(prepare(psi)))) == pytest.approx(1, abs=1e-12)
