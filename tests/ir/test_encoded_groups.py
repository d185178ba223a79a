"""Block encodings of commuting groups: what they hold, and the weight that it takes."""

import numpy as np
import pytest
from hypothesis import assume, given

import qcgrad as qg
from qcgrad.ir import rows
from qcgrad.ir.encoded_groups import encoded_groups
from tests.strategies import pauli_terms


def encoded(observable):
    return encoded_groups(observable.num_qubits, observable.x, observable.z, observable.coefficients)


@given(pauli_terms(2, max_terms=9))
def test_the_block_is_the_observable_less_its_centre(terms):
    terms.pop("I" * len(next(iter(terms))), None)
    assume(terms)
    observable = qg.PauliSum(terms)
    found = encoded(observable)
    qubits, size = found.encoding.num_qubits, 2**observable.num_qubits
    unitary = rows.run(found.encoding.rows, np.eye(2**qubits)).T
    half = len(unitary) // 2
    np.testing.assert_allclose(unitary @ unitary.conj().T, np.eye(2 * half), atol=1e-12)
    np.testing.assert_allclose(unitary[:half, :half], np.eye(half), atol=1e-12)  # control 0: nothing happens
    block = unitary[half : half + size, half : half + size]
    assert found.encoding.scale <= np.abs(observable.coefficients).sum() + 1e-12
    left = found.encoding.scale * block + found.centre * np.eye(size)
    np.testing.assert_allclose(left, observable.matrix(), atol=1e-12)
    # What a simulator applies in its place.
    states = np.zeros((size, 2 * half), complex)
    states[:, half : half + size] = np.eye(size)
    np.testing.assert_allclose(found.applied.to(states)[:, half : half + size].T, block, atol=1e-12)


@pytest.mark.parametrize(
    ("observable", "scale", "centre", "qubits"),
    [
        ("ZZI + IZZ + ZIZ", 2, 1, 5),  # a triangle: between -1 and 3; the control and a qubit for phases
        ("XX + YY + ZZ", 2, -1, 4),  # between -3 and 1
        ("ZII + 0.5*IZI + 2*IIZ", 3.5, 0, 6),  # independent: nothing to gain, two qubits for three strings
        ("XX + YY + ZZ + 0.5*ZI", 2.5, -1, 5),  # the last string by itself
        ("ZZ", 1, 0, 3),
    ],
)
def test_a_group_weighs_half_its_range(observable, scale, centre, qubits):
    observable = qg.PauliSum(observable)
    found = encoded(observable)
    assert found.encoding.scale == pytest.approx(scale, abs=1e-12)
    assert found.centre == pytest.approx(centre, abs=1e-12)
    assert found.encoding.num_qubits == qubits


def test_groups_on_more_qubits_than_a_word_has_bits():
    few = encoded(qg.PauliSum("XX + YY + ZZ + 0.5*ZI"))
    words = {"XX": 1.0, "YY": 1.0, "ZZ": 1.0, "ZI": 0.5}
    many = encoded(qg.PauliSum({w[0] + "I" * 68 + w[1]: c for w, c in words.items()}))
    assert (many.encoding.scale, many.centre) == (few.encoding.scale, few.centre)
    kept = many.applied.on([0, 3, 72], 73)  # the control, and the qubits that are not idle
    assert (kept.control, kept.x.tolist(), kept.z.tolist()) == (4, [3, 3, 0, 0, 0], [0, 3, 3, 2, 0])


def test_groups_have_no_more_than_eight_independent_strings():
    """Z on each of nine qubits and their product, which no eight of them make: 2^9 rotations are too many."""
    terms = {"".join("Z" if q == k else "I" for q in range(9)): 1.0 for k in range(9)} | {"Z" * 9: 1.0}
    found = encoded(qg.PauliSum(terms))
    assert (found.encoding.scale, found.centre) == (10, 0)
    terms = {word[:8]: weight for word, weight in terms.items() if word[8] == "I"} | {"Z" * 8: -1.0}
    assert encoded(qg.PauliSum(terms)).encoding.scale < 9
