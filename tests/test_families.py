"""Circuit families with backpropagation scaling: what they are made of, and what their figures are."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.library import (
    commuting_blocks,
    commuting_generators,
    expressivity,
    iqp,
    lie_algebra_dimension,
    stabilizer_logical,
    translations,
)
from tests import dense


def words(num_qubits):
    letters = [""]
    for _ in range(num_qubits):
        letters = [word + letter for word in letters for letter in "IXYZ"]
    return letters[1:]


def test_sums_become_rotations_that_share_a_parameter():
    circuit = commuting_generators([qg.PauliSum("XXI - 0.5*IXX"), "XIX"])
    assert [(g.detail, g.wires, g.param, g.scale) for g in circuit.gates] == [
        ("XX", (0, 1), 0, 1.0),
        ("XX", (1, 2), 0, -0.5),
        ("XX", (0, 2), 1, 1.0),
    ]


def test_sums_may_commute_though_their_strings_do_not():
    """XX + YY keeps ZI + IZ, though XX anticommutes with ZI."""
    assert commuting_generators([qg.PauliSum("XX + YY"), qg.PauliSum("ZI + IZ")]).num_parameters == 2
    with pytest.raises(ValueError, match=r"generators\[0\] XX \+ ... and generators\[1\] ZI do not commute"):
        commuting_generators([qg.PauliSum("XX + YY"), "ZI"])


def test_blocks_get_their_gradient_from_two_circuits_each_but_one():
    """2B - 1 = 5 circuits and one for the value, of 6 parameters."""
    start = qg.Circuit(3).h(0).ry(1, 0.4).rz(2, 0.3).h(2)
    circuit = start.compose(commuting_blocks([["XII", "XXX", "XXI"], ["ZII", "ZXX"], ["YII"]]))
    objective = qg.Expectation(circuit, "YZX")
    params = np.random.default_rng(0).normal(size=objective.num_parameters)
    truth = qg.estimate(objective, params, qg.Adjoint())
    found = qg.estimate(objective, params, qg.CommutingBlock())
    np.testing.assert_allclose(found.gradient, truth.gradient, atol=1e-12)
    assert found.cost.circuit_runs <= 2 * 3


@pytest.mark.parametrize("stabilizers", [[], ["ZZI"], ["ZZI", "IZZ"]])
def test_products_of_stabilizers_and_logical_strings(stabilizers):
    """All strings of a block are the logical one times the group, without its signs."""
    logicals = ["XXX", "ZII", "YXX"]
    circuit = stabilizer_logical(stabilizers, logicals)
    size = 2 ** len(stabilizers)
    assert circuit.num_parameters == circuit.num_gates == 3 * size
    for d, logical in enumerate(logicals):
        block = circuit.gates[d * size : (d + 1) * size]
        found = set()
        for gate in block:
            letters = ["I"] * 3
            for wire, letter in zip(gate.wires, gate.detail, strict=True):
                letters[wire] = letter
            found.add("".join(letters))
        assert len(found) == size
        for word in found:
            product = dense.word_matrix(word) @ dense.word_matrix(logical)
            assert all(np.allclose(product @ dense.word_matrix(s), dense.word_matrix(s) @ product) for s in stabilizers)
        assert logical in found


def test_iqp_takes_sets_and_sets_of_sets():
    circuit = iqp(3, [[0], (0, 1), [[1], [2, 0]], np.array([2])])
    assert [(g.wires, g.param) for g in circuit.gates] == [((0,), 0), ((0, 1), 1), ((1,), 2), ((2, 0), 2), ((2,), 3)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: commuting_generators([]), "generators is empty: give at least one"),
        (lambda: commuting_generators("XX"), "generators is 'XX': give a sequence"),
        (lambda: commuting_generators(["XX", "X"]), r"generators\[1\] acts on 1 qubits, and generators\[0\] on 2"),
        (lambda: commuting_generators(["XX", "II"]), r"generators\[1\] holds the identity"),
        (lambda: commuting_generators([{"XI": 1.0, "ZI": 1.0}]), r"generators\[0\] is .* whose strings do not commute"),
        (
            lambda: commuting_blocks([["XX"], ["ZZ", "ZI"]]),
            r"\[0\]\[0\] XX and blocks\[1\]\[1\] ZI do not commute",
        ),
        (
            lambda: commuting_blocks([["XX"], ["ZI", "XI"]]),
            r"\[1\]\[0\] ZI and blocks\[1\]\[1\] XI do not commute",
        ),
        (lambda: commuting_blocks("XX"), "blocks is 'XX': give a sequence of blocks"),
        (lambda: commuting_blocks([["XX"], ["X"]]), r"blocks\[1\] acts on 1 qubits"),
        (
            lambda: stabilizer_logical(["ZZ", "XI"], ["XX"]),
            r"\[0\] ZZ and stabilizers\[1\] XI do not commute",
        ),
        (lambda: stabilizer_logical(["ZZ", "ZZ"], ["XX"]), r"stabilizers\[1\] ZZ is a product of others"),
        (lambda: stabilizer_logical(["ZZ"], ["XI"]), r"logicals\[0\] XI does not commute with stabilizers\[0\] ZZ"),
        (lambda: stabilizer_logical(["ZZ"], ["ZZ"]), r"logicals\[0\] ZZ is a product of stabilizers"),
        (lambda: stabilizer_logical(["ZZ"], [{"XX": 2.0}]), r"logicals\[0\] is .* give a single Pauli word"),
        (lambda: iqp(2, []), "generators is empty: give at least one set"),
        (lambda: iqp(2, [[]]), r"generators\[0\] is \[\]: give the qubits"),
        (lambda: iqp(2, [0]), r"generators\[0\] is 0: give the qubits"),
        (lambda: iqp(2, [[0, 2]]), "gate pauli_rot on qubit 2: the circuit has qubits 0 to 1"),
        (lambda: lie_algebra_dimension([]), "generators is empty"),
        (lambda: lie_algebra_dimension(["XI", "ZI", "IX", "IZ", "ZZ"], limit=10), "has more than 10 dimensions"),
        (
            lambda: expressivity(qg.Circuit(7).rx(0, param=0), "ZIIIIII"),
            "give at most 6 qubits, not 7",
        ),
        (lambda: expressivity(qg.Circuit(1).x(0), "Z"), "the circuit has no parameter"),
    ],
)
def test_what_breaks_the_structure_is_named(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("generators", "dimension"),
    [
        (words(2), 15),
        (["XI", "ZI", "IX", "IZ", "ZZ"], 15),
        (["ZZII", "IZZI", "IIZZ", "XIII", "IXII", "IIXI", "IIIX"], 28),  # so(2n)
        (["XXI", "IXX", "XXX"], 3),
        ([{"XII": 1.0, "IXI": 1.0, "IIX": 1.0}, {"ZII": 1.0, "IZI": 1.0, "IIZ": 1.0}], 3),  # su(2) on all qubits
        # su(4) on spin 3/2, su(2) on the two of spin 1/2, and the traces of the sum of ZZ on them.
        ([{"XII": 1, "IXI": 1, "IIX": 1}, {"ZII": 1, "IZI": 1, "IIZ": 1}, {"ZZI": 1, "IZZ": 1, "ZIZ": 1}], 19),
        ([{"ZZ": 0.0}, "XI"], 1),
    ],
)
def test_lie_algebras_of_known_dimension(generators, dimension):
    assert lie_algebra_dimension([qg.PauliSum(g) for g in generators]) == dimension


def test_words_and_sums_give_the_same_algebra():
    strings = ["XIX", "ZZI", "IYI", "IIZ"]
    as_sums = [qg.PauliSum({strings[0]: 1.0, "ZIZ": 1e-3}) + qg.PauliSum({"ZIZ": -1e-3}), *strings[1:]]
    mixed = [qg.PauliSum(f"{strings[0]} + {strings[0]}"), *strings[1:]]
    assert lie_algebra_dimension(strings) == lie_algebra_dimension(as_sums) == lie_algebra_dimension(mixed)
    # The sum of two that are there anyway adds nothing, and takes the way of sums.
    assert lie_algebra_dimension([*strings, qg.PauliSum("ZZI + IYI")]) == lie_algebra_dimension(strings)


def test_figures_of_a_circuit():
    """Deep: everything on two qubits is measured alone; a stabilizer pairs derivatives, and the bound is reached."""
    general = commuting_blocks([["XI"], ["ZI"], ["IX"], ["IZ"], ["ZZ"]] * 3)
    found = expressivity(general, [(word, 1.0 / (1 + k)) for k, word in enumerate(words(2))])
    assert found.dimension == found.bound == 15
    assert found.efficiency == 1
    paired = expressivity(stabilizer_logical(["ZZ"], ["XX", "ZI", "XX"]), "ZZ + ZI")
    assert (paired.dimension, paired.groups, paired.efficiency, paired.bound, paired.is_exact) == (6, 3, 2.0, 6.0, True)
    nothing = expressivity(qg.Circuit(2).rx(0, param=0), "IZ")
    assert nothing.groups == 0
    assert np.isnan(nothing.efficiency)


def test_translations_of_a_word_come_once_each():
    assert translations("XIXI").words == ("XIXI", "IXIX")
    assert translations("ZZZ").words == ("ZZZ",)
    assert translations("XII").num_terms == 3
