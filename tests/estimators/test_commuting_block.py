"""Commuting blocks: found, counted, and refused by the gate that breaks them."""

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir import pauli

STABILIZERS = ["IIII", "XXXX", "ZZZZ", "YYYY"]
LOGICALS = {"X": "XIXI", "Z": "ZZII", "Y": "YZXI"}


def product(one, other):
    (ax, az), (bx, bz) = (pauli.masks(word, range(4), 4) for word in (one, other))
    return pauli.word(ax ^ bx, az ^ bz, 4)


def blocks(letters, between=lambda circuit: circuit):
    """A block for each letter: its logical string times each stabilizer, from a state that is no stabilizer state."""
    circuit, count = qg.Circuit(4).h(0).ry(1, 0.3).cx(0, 2).t(3).ry(3, 0.4), 0
    for letter in letters:
        for stabilizer in STABILIZERS:
            circuit = circuit.pauli_rot(product(stabilizer, LOGICALS[letter]), param=count)
            count += 1
        circuit = between(circuit)
    return circuit, np.random.default_rng(count).normal(size=count)


def check(objective, params, estimator):
    """Number of circuits beside the value's, if all derivatives are right."""
    exact = qg.estimate(objective, params, estimator)
    np.testing.assert_allclose(exact.gradient, qg.estimate(objective, params, qg.Adjoint()).gradient, atol=1e-13)
    return exact.cost.circuit_runs - 1


@pytest.mark.parametrize(("letters", "circuits"), [("X", 1), ("XZ", 3), ("XZX", 5), ("XZXZ", 7)])
def test_two_circuits_a_block_but_for_the_last(letters, circuits):
    """The observable's string commutes with half of each block; 4 parameters each."""
    circuit, params = blocks(letters)
    objective = qg.Expectation(circuit, "ZIII")
    assert check(objective, params, qg.CommutingBlock()) == circuits
    assert check(objective, params, qg.CommutingBlock(together=True)) == len(letters)


def test_strings_of_the_observable_share_circuits_where_what_they_measure_commutes():
    """(P H)(P' H') commutes where H and H' do, and P does with H' what P' does with H: not for half of each block."""
    circuit, params = blocks("XZ")
    pair = qg.Expectation(circuit, ["0.3*ZIII + IIII", "ZIII - 2.0*IZII"])
    assert check(pair, params, qg.CommutingBlock()) == 3
    assert check(qg.Expectation(circuit, "ZIII + XIII"), params, qg.CommutingBlock()) == 6
    diagonal = qg.Circuit(2).h(0).h(1).rz(0, param=0).rzz(0, 1, param=1).h(0).h(1)
    assert check(qg.Expectation(diagonal, "ZI + ZZ + IZ"), np.array([0.3, 0.5]), qg.CommutingBlock()) == 2


def test_generators_are_followed_through_clifford_gates():
    """Between the blocks anything Clifford: what comes behind is another code, with as many circuits."""

    def entangle(circuit):
        return circuit.cx(0, 1).h(2).s(3).swap(1, 2).cz(0, 3).rzz(0, 2, np.pi / 2)

    # The second block's logicals and stabilizers, through these gates.
    circuit, params = blocks("X", entangle)
    back = entangle(qg.Circuit(4)).inverse()
    again, _ = blocks("Z")
    for gate in back.gates:
        circuit = circuit.add(gate)
    second = qg.Circuit(4, [g for g in again.gates if g.param is not None])
    moved = entangle(circuit.compose(second, first_param=4).cx(0, 1))
    objective = qg.Expectation(moved, "ZIII")
    params = np.concatenate([params, params - 0.5])
    assert check(objective, params, qg.CommutingBlock()) == 3


def test_rotations_of_other_kinds_are_members():
    """Controlled rotations and phases, evolutions whose terms commute, fixed rotations and T, one shared parameter."""
    circuit = qg.Circuit(3).h(0).ry(1, 0.4).h(2).crz(0, 1, param=0).cp(1, 2, param=1).p(0, param=0, scale=-1.5).t(2)
    circuit = circuit.evolution(qg.PauliSum("ZZ + 0.5*IZ + II"), (1, 0), param=2).rz(1, 0.3).rxx(0, 1, 0.7)
    circuit = circuit.pauli_rot("XXX", (0, 1, 2), param=3).p(0, 0.2)
    params = np.array([0.3, -0.8, 0.5, 1.1])
    for observable in ("XYZ", "ZII + IXX", ["YII", "III"]):
        check(qg.Expectation(circuit, observable), params, qg.CommutingBlock())


def test_single_generators_one_after_the_other_are_blocks():
    """Alternating axes on one qubit: M blocks, a circuit each, as many as Hadamard tests take."""
    circuit = qg.Circuit(1).h(0)
    for k in range(5):
        circuit = circuit.rz(0, param=k) if k % 2 else circuit.ry(0, param=k)
    assert check(qg.Expectation(circuit, "Z"), np.linspace(0.1, 1, 5), qg.CommutingBlock()) == 5


def test_derivatives_known_to_be_zero_are_not_measured():
    """All of the last block commutes with the observable; a gate outside of the light cone is left out, even if odd."""
    circuit = qg.Circuit(3).ry(0, param=0).rz(0, param=1).rz(0, param=2).ch(1, 2).rx(2, param=3)
    objective = qg.Expectation(circuit, "ZII")
    assert check(objective, np.array([0.3, 0.4, 0.5, 0.6]), qg.CommutingBlock()) == 1
    found = qg.estimate(objective, np.array([0.3, 0.4, 0.5, 0.6]), qg.CommutingBlock(10), key=0)
    assert found.variance[1:].tolist() == [0, 0, 0]


def test_hundreds_of_qubits_are_no_hindrance():
    circuit = qg.Circuit(100)
    for k, pair in enumerate([(0, 70), (0, 99), (70, 99)]):
        circuit = circuit.rxx(*pair, param=k)
    objective = qg.Expectation(circuit, "Y" + 69 * "I" + "Z" + 29 * "I")
    assert check(objective, np.array([0.3, 0.5, -0.2]), qg.CommutingBlock()) == 1


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (
            qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1).rz(0, param=2).rz(1, param=3),
            r"no commuting blocks: rz on qubits \(0,\) \(parameterised gate 2\) anticommutes with the generator of "
            r"ry on qubits \(0,\) \(parameterised gate 0\) and commutes with that of ry on qubits \(1,\) ",
        ),
        (
            qg.Circuit(2).rz(0, param=0).rz(1, param=1).rx(1, 0.3),
            r"rx on qubits \(1,\) \(gate 2 of the circuit\) anticommutes with the generator of rz on qubits \(1,\)",
        ),
        (
            qg.Circuit(2).ry(0, param=0).ch(0, 1).rz(1, param=1),
            r"does not apply: gate ch on qubits \(0, 1\) is neither Clifford nor made of rotations that commute",
        ),
        (
            qg.Circuit(2).evolution(qg.PauliSum("XX + ZI"), (0, 1), param=0),
            r"gate evolution on qubits \(0, 1\) is neither Clifford nor made of rotations that commute",
        ),
        (
            qg.Circuit(2).crz(0, 1, param=0).rx(0, param=1),
            r"rx on qubits \(0,\) \(parameterised gate 1\) anticommutes with the generator of crz",
        ),
    ],
)
def test_what_breaks_the_blocks_is_named(circuit, message):
    objective = qg.Expectation(circuit, "XY")
    params = np.zeros(circuit.num_parameters)
    for question in (qg.estimate, lambda o, p, e: qg.predict_cost(o, e)):
        with pytest.raises(qg.NotApplicable, match=message):
            question(objective, params, qg.CommutingBlock())


def test_copies_are_those_of_the_paper():
    """(2B - 1) 2 log(2M/delta)/epsilon^2, or B times where both kinds of a block are measured together."""
    circuit, params = blocks("XZX")
    point, _ = qg.objective.point_at(qg.Expectation(circuit, "ZIII"), params)
    each = int(np.ceil(2 * np.log(2 * 12 / 0.05) / 0.1**2))
    assert qg.CommutingBlock(2).for_point(point, 0.1, 0.05).shots == each
    best = qg.CommutingBlock.for_accuracy(point, 0.1, 0.05)
    assert best == qg.CommutingBlock(each, together=True)
    assert qg.predict_cost(point.objective, best).circuit_runs == 3 + 1
