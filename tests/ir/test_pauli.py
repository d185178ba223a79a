"""Symplectic algebra of Pauli strings against dense matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcgrad.ir import pauli
from qcgrad.ir.observable import qubit_wise_groups
from tests.dense import word_matrix
from tests.strategies import words

PAIRS = st.integers(1, 4).flatmap(lambda n: st.tuples(words(n), words(n)))


def masks(word):
    return pauli.masks(word, range(len(word)), len(word))


@given(PAIRS)
def test_product_is_i_to_the_power_times_the_string(pair):
    a, b = pair
    x, z, power = pauli.product(*masks(a), *masks(b))
    image = word_matrix(pauli.word(int(x), int(z), len(a)))
    np.testing.assert_allclose(word_matrix(a) @ word_matrix(b), 1j ** int(power) * image, atol=1e-14)


@given(PAIRS)
def test_commute_agrees_with_the_matrices(pair):
    a, b = (word_matrix(word) for word in pair)
    assert bool(pauli.commute(*masks(pair[0]), *masks(pair[1]))) == np.allclose(a @ b, b @ a)


def test_product_broadcasts_over_arrays():
    x, z, power = pauli.product(np.array([1, 0, 1]), np.array([0, 1, 1]), 0, 1)
    # XZ = -iY, ZZ = 1, YZ = iX
    assert (x.tolist(), z.tolist(), power.tolist()) == ([1, 0, 1], [1, 0, 0], [3, 0, 1])


def test_masks_place_letters_on_their_wires():
    assert pauli.masks("XZ", (2, 0), 3) == (0b001, 0b100)


def test_an_unknown_letter_is_named():
    with pytest.raises(ValueError, match="'XA' has the letter 'A'"):
        pauli.masks("XA", (0, 1), 2)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(words(n), min_size=1, max_size=12, unique=True)))
def test_qubit_wise_groups_cover_every_string_once_and_agree_on_each_qubit(strings):
    columns = np.array([masks(word) for word in strings])
    groups = qubit_wise_groups(columns[:, 0], columns[:, 1])
    members = sorted(int(t) for group in groups for t in group)
    assert members == [t for t, word in enumerate(strings) if set(word) != {"I"}]
    for group in groups:
        for qubit in range(len(strings[0])):
            assert len({strings[t][qubit] for t in group} - {"I"}) <= 1


def test_qubit_wise_groups_put_what_commutes_qubit_by_qubit_together():
    columns = np.array([masks(word) for word in ["ZI", "IZ", "ZZ", "XX", "YY"]])
    groups = qubit_wise_groups(columns[:, 0], columns[:, 1])
    # XX and YY commute with each other and with ZZ, but not qubit by qubit.
    assert sorted(group.tolist() for group in groups) == [[0, 1, 2], [3], [4]]
