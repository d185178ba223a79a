"""The hard instance is what its docstring derives."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.program import Program
from qcgrad.studies.hard_instance import TILT, all_pauli_words, hard_instance, preparation_gates


def gradient(n, seed=0):
    return np.asarray(qg.estimate(hard_instance(n, seed), np.zeros(4**n - 1), qg.Adjoint()).gradient)


@pytest.mark.parametrize("n", [2, 3])
def test_components_are_minus_the_pauli_expectations(n):
    gates = preparation_gates(n, 5, TILT)
    program = Program(qg.Circuit(n + 1, gates), [qg.PauliSum("Z" * (n + 1))])
    phi = np.asarray(qg.Statevector().state(program, np.zeros(0)))[: 2**n]  # ancilla in |0>
    assert np.linalg.norm(phi) == pytest.approx(1)
    expected = [-np.vdot(phi, qg.PauliSum(word).matrix() @ phi).real for word in all_pauli_words(n)]
    np.testing.assert_allclose(gradient(n, seed=5), expected, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_values_are_spread_and_the_same_at_every_size(n):
    found = gradient(n)
    c, s = np.cos(TILT), np.sin(TILT)
    sizes, counts = np.unique(np.round(np.abs(found[np.abs(found) > 1e-9]), 9), return_counts=True)
    families = {1.0: 1, c: 2, s: 2, c * c: 1, c * s: 2, s * s: 1}
    expected = {round(size, 9): 2 ** (n - 2) * k - int(size == 1.0) for size, k in families.items()}
    assert dict(zip(sizes.tolist(), counts.tolist(), strict=True)) == {k: v for k, v in expected.items() if v}
    assert min(np.sum(found > 0.3), np.sum(found < -0.3)) >= 1  # zeros, or one sign, are far off


def test_seed_scrambles():
    assert not np.allclose(gradient(2, 0), gradient(2, 1))


def test_one_qubit_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        hard_instance(1)
