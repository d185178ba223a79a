"""Pauli sums: words and masks, parsing, arithmetic, dense matrices, refusals."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcgrad as qg
from tests.dense import observable_matrix, word_matrix
from tests.strategies import pauli_terms, words


def test_qubit_0_is_the_first_letter_and_the_most_significant_bit():
    observable = qg.PauliSum({"XYZ": 1.0, "IIX": 2.0})
    assert observable.x.tolist() == [0b110, 0b001]
    assert observable.z.tolist() == [0b011, 0b000]
    assert observable.words == ("XYZ", "IIX")


@given(st.integers(1, 4).flatmap(pauli_terms))
def test_matrix_is_the_sum_of_kronecker_products(terms):
    np.testing.assert_allclose(qg.PauliSum(terms).matrix(), observable_matrix(terms), atol=1e-14)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("ZZI + 0.5*IXI", {"ZZI": 1.0, "IXI": 0.5}),
        ("-ZZ", {"ZZ": -1.0}),
        ("  2 ZX-1.5e-3*XX ", {"ZX": 2.0, "XX": -1.5e-3}),
        ("Z + Z", {"Z": 2.0}),
        ("3.*X - .5Y", {"X": 3.0, "Y": -0.5}),
    ],
)
def test_text_is_parsed(text, terms):
    assert qg.PauliSum(text) == qg.PauliSum(terms)


@given(st.integers(1, 4).flatmap(lambda n: pauli_terms(n, 5)))
def test_repr_of_up_to_six_terms_reads_back_as_itself(terms):
    observable = qg.PauliSum(terms)
    assert eval(repr(observable), {"PauliSum": qg.PauliSum}) == observable


@pytest.mark.parametrize("text", ["ZZ +", "ZZ XX", "ZZ * 2", "2", "+ + Z", "ZZ, XX", "zz", "1.2.3*Z"])
def test_unreadable_text_is_refused_with_the_text(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        qg.PauliSum(text)


def test_pairs_masks_and_sparse_terms_build_the_same_sum():
    observable = qg.PauliSum([("ZIZ", 0.5), ("IYI", -1.0)])
    assert observable == qg.PauliSum({"ZIZ": 0.5, "IYI": -1.0})
    assert observable == qg.PauliSum.from_masks(3, [0, 0b010], [0b101, 0b010], [0.5, -1.0])
    assert observable == qg.PauliSum.from_sparse([("ZZ", (0, 2), 0.5), ("Y", (1,), -1.0)], 3)


def test_sparse_letters_follow_the_order_of_their_qubits():
    assert qg.PauliSum.from_sparse([("XZ", (2, 0), 1.0)], 3).words == ("ZIX",)


def test_repeated_words_add_up_in_order_of_first_appearance():
    observable = qg.PauliSum([("ZI", 1.0), ("IX", 2.0), ("ZI", 0.5)])
    assert observable.words == ("ZI", "IX")
    assert observable.coefficients.tolist() == [1.5, 2.0]


@given(st.integers(1, 3).flatmap(lambda n: st.tuples(pauli_terms(n), pauli_terms(n))), st.floats(-3, 3))
def test_arithmetic_is_the_matrices_arithmetic(pair, factor):
    a, b = map(qg.PauliSum, pair)
    for combined, matrix in (
        (a + b, a.matrix() + b.matrix()),
        (a - b, a.matrix() - b.matrix()),
        (-a, -a.matrix()),
        (a * factor, a.matrix() * factor),
        (factor * a, a.matrix() * factor),
    ):
        np.testing.assert_allclose(combined.matrix(), matrix, atol=1e-13)


@given(st.integers(1, 3).flatmap(pauli_terms))
def test_is_commuting_says_whether_all_words_commute(terms):
    matrices = [word_matrix(word) for word in terms]
    commute = all(np.allclose(a @ b, b @ a) for a in matrices for b in matrices)
    assert qg.PauliSum(terms).is_commuting == commute


def test_support_and_compression_drop_idle_qubits():
    observable = qg.PauliSum({"IZIXI": 1.0, "IYIII": 2.0})
    assert observable.support == (1, 3)
    assert observable.compressed() == qg.PauliSum({"ZX": 1.0, "YI": 2.0})


def test_equal_sums_hash_alike_and_numbers_are_read_only():
    a, b = qg.PauliSum("Z + 2*X"), qg.PauliSum({"Z": 1.0, "X": 2.0})
    assert hash(a) == hash(b)
    assert a != qg.PauliSum("Z + 3*X")
    with pytest.raises(ValueError, match="read-only"):
        a.coefficients[0] = 5.0


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "no terms"),
        ([], "no terms"),
        ("", "no terms"),
        ({"ZZ": 1.0, "Z": 1.0}, r"different lengths \[1, 2\]"),
        ({"ZQ": 1.0}, "letter 'Q'"),
        ({"Z": 1j}, r"1j is complex.*Hermitian"),
        ({"Z": float("nan")}, "nan.*finite"),
        ({"Z": float("inf")}, "inf.*finite"),
        ({"": 1.0}, "0 qubits"),
        ({"Z" * 100_001: 1.0}, "100001 qubits"),
    ],
)
def test_what_is_no_observable_is_refused_by_name(terms, message):
    with pytest.raises(ValueError, match=message):
        qg.PauliSum(terms)


def test_sums_on_different_numbers_of_qubits_do_not_add():
    with pytest.raises(ValueError, match="1 and 2 qubits"):
        qg.PauliSum("Z") + qg.PauliSum("ZZ")


def test_a_complex_coefficient_without_imaginary_part_is_real():
    assert qg.PauliSum({"Z": 2 + 0j}) == qg.PauliSum({"Z": 2.0})


@given(words(4))
def test_a_word_survives_the_way_through_masks(word):
    assert qg.PauliSum({word: 1.0}).words == (word,)
