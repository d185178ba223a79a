"""Circuits: immutability, parameters, the fluent methods, and refusals that name the gate."""

import math

import numpy as np
import pytest

import qcgrad as qg


def test_methods_return_new_circuits_and_leave_the_old_one():
    one = qg.Circuit(2).h(0)
    two = one.cx(0, 1)
    assert (one.num_gates, two.num_gates) == (1, 2)
    assert one.op_table.num_ops < two.op_table.num_ops


def test_parameters_count_to_the_highest_index_and_angles_count_gates():
    circuit = qg.Circuit(2).ry(0, param=4).rz(1, param=1, scale=2.0, offset=0.1).rx(0, 0.3).cry(0, 1, param=1)
    assert (circuit.num_parameters, circuit.num_angles, circuit.num_gates) == (5, 3, 4)
    index, scale, offset = circuit.angle_map
    assert (index.tolist(), scale.tolist(), offset.tolist()) == ([4, 1, 1], [1.0, 2.0, 1.0], [0.0, 0.1, 0.0])


def test_equal_circuits_compare_and_hash_alike():
    def make(angle):
        return qg.Circuit(2).ry(0, param=0).rx(1, angle).unitary(np.eye(2), [0]).evolution(qg.PauliSum("ZZ"), param=1)

    assert make(0.1) == make(0.1)
    assert hash(make(0.1)) == hash(make(0.1))
    assert make(0.1) != make(0.2)


def test_an_explicit_list_of_gates_is_the_chain():
    assert qg.Circuit(2, [qg.Gate("h", (0,)), qg.Gate("cx", (0, 1))]) == qg.Circuit(2).h(0).cnot(0, 1)


def test_wires_of_a_word_default_to_the_first_qubits():
    circuit = qg.Circuit(3)
    assert circuit.pauli_rot("XY", param=0) == circuit.pauli_rot("XY", [0, 1], param=0)
    assert circuit.pauli_rot("XY", [2, 0], 0.1).gates[0].wires == (2, 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.Circuit(0), "num_qubits=0"),
        (lambda: qg.Circuit(-1), "num_qubits=-1"),
        (lambda: qg.Circuit(2.5), r"num_qubits=2\.5"),
        (lambda: qg.Circuit(True), "num_qubits=True"),
        (lambda: qg.Circuit(100_001), "num_qubits=100001"),
        (lambda: qg.Circuit("two"), "num_qubits='two'"),
        (lambda: qg.Circuit(None), "num_qubits=None"),
        (lambda: qg.Circuit(2).h(2), "gate h on qubit 2.*0 to 1"),
        (lambda: qg.Circuit(2).h(-1), "gate h on qubit -1"),
        (lambda: qg.Circuit(2).h(0.0), r"gate h on qubit 0\.0"),
        (lambda: qg.Circuit(2).cx(1, 1), r"gate cx names a qubit twice: \(1, 1\)"),
        (lambda: qg.Circuit(2).rx(0), "gate rx: give either a fixed angle or param"),
        (lambda: qg.Circuit(2).rx(0, 0.3, param=1), "gate rx: give either a fixed angle or param"),
        (lambda: qg.Circuit(2).rx(0, param=-1), "gate rx has param=-1"),
        (lambda: qg.Circuit(2).rx(0, param=0.0), r"gate rx has param=0\.0"),
        (lambda: qg.Circuit(2).rx(0, param=True), "gate rx has param=True"),
        (lambda: qg.Circuit(2).rx(0, float("nan")), "gate rx has .*nan"),
        (lambda: qg.Circuit(2).rx(0, param=0, scale=float("inf")), "gate rx has scale=inf"),
        (lambda: qg.Circuit(2).pauli_rot("XQ", param=0), "word 'XQ'"),
        (lambda: qg.Circuit(2).pauli_rot("XX", [0], param=0), r"word 'XX' on qubits \(0,\)"),
        (lambda: qg.Circuit(2).evolution(qg.PauliSum("ZZZ"), [0, 1], param=0), "evolution on qubits"),
        (lambda: qg.Circuit(2).unitary(np.eye(4), [0]), r"unitary on qubits \(0,\)"),
        (lambda: qg.Circuit(2).add(qg.Gate("toffoli", (0, 1))), "gate 'toffoli' is not known; the gates are"),
        (lambda: qg.Circuit(2).add(qg.Gate("h", (0, 1))), "gate h acts on 1 qubits"),
        (lambda: qg.Circuit(2).add(qg.Gate("h", (0,), 0)), "gate h takes no parameter, got param=0"),
    ],
)
def test_what_is_no_circuit_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_noncommuting_evolution_too_wide_to_diagonalise_is_refused_when_it_is_added():
    hamiltonian = qg.PauliSum({"Z" * 11: 1.0, "X" + "I" * 10: 1.0})
    with pytest.raises(ValueError, match=r"11 qubits: at most 10"):
        qg.Circuit(11).evolution(hamiltonian, param=0)


def test_numpy_integers_are_wires_and_parameters():
    circuit = qg.Circuit(np.int64(2)).ry(np.int32(1), param=np.int64(0))
    assert circuit == qg.Circuit(2).ry(1, param=0)


def test_diagram_shows_wires_controls_angles_and_crossings():
    circuit = qg.Circuit(3).h(0).cx(0, 2).rz(1, param=0, scale=2.0, offset=-0.5).ccx(0, 1, 2).p(2, 0.25)
    assert str(circuit) == "\n".join(
        [
            "q0: ─H─●────────────────●──────────",
            "       │                │",
            "q1: ───┼─RZ(2·θ0 - 0.5)─●──────────",
            "       │                │",
            "q2: ───X────────────────X─P(0.25)──",
        ]
    )


def test_diagram_names_every_kind_of_gate():
    circuit = (
        qg.Circuit(2).evolution(qg.PauliSum("ZZ"), param=3).unitary(np.eye(2), [0]).pauli_rot("IY", param=1, scale=-1.0)
    )
    text = str(circuit.swap(0, 1).crx(0, 1, 0.5).add(qg.Gate("gphase", (), None, 1.0, 0.3)))
    for symbol in ("EXP(θ3)", "─U─", "RY(-θ1)", "─x─", "RX(0.5)"):
        assert symbol in text


def test_diagram_folds_long_circuits():
    circuit = qg.Circuit(2)
    for k in range(60):
        circuit = circuit.ry(k % 2, param=k)
    blocks = str(circuit).split("\n\n")
    assert len(blocks) > 1
    assert all(len(line) <= 120 for block in blocks for line in block.splitlines())
    assert sum(block.count("RY(") for block in blocks) == 60


def test_an_empty_circuit_has_a_diagram():
    assert str(qg.Circuit(2)).splitlines()[::2] == ["q0: ──", "q1: ──"]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (qg.Gate("x", (True,)), "gate x on qubit True"),
        (qg.Gate("cx", (1, 3)), "gate cx on qubit 3"),
        (qg.Gate("cx", (1, 1)), "names a qubit twice"),
        (qg.Gate("x", (0, 1)), "gate x acts on 1 qubits"),
        (qg.Gate("rx", (0,), None, 1.0, math.nan), "offset=nan"),
        (qg.Gate("rx", (0,), 0, math.inf), "scale=inf"),
        (qg.Gate("rx", (0,), -1), "param=-1"),
        (qg.Gate("rx", (0,), True), "param=True"),
        (qg.Gate("x", (0,), 1), "takes no parameter"),
        (qg.Gate("pauli_rot", (0, 1), detail="X"), "pauli_rot with word 'X'"),
        (qg.Gate("no gate", (0,)), "'no gate' is not known"),
        ("x", "gates holds 'x'"),
    ],
)
def test_a_gate_among_many_is_checked_like_one_alone(gate, message):
    """Long circuits are checked by what their gates do not share."""
    wires, last = (1,), (0, 1)
    many = [qg.Gate("x", wires), *(qg.Gate("rx", wires, k, 0.5, 0.1 * k) for k in range(200)), qg.Gate("cx", last)]
    assert qg.Circuit(3, many).num_gates == 202
    for gates in ([gate], [*many, gate], [gate, *many], [*many, gate, *many, gate]):
        with pytest.raises((ValueError, TypeError), match=message):
            qg.Circuit(3, gates)
