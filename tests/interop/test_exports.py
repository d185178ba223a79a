"""Circuits leave for OpenQASM 3, Qiskit and PennyLane and come back equal: in every amplitude, by every parameter."""

import numpy as np
import pennylane as qml
import pytest
import qiskit.qasm3
from hypothesis import given, settings
from hypothesis import strategies as st
from pennylane import numpy as pnp
from qiskit.quantum_info import Statevector, random_unitary

import qcgrad as qg
from qcgrad.interop import from_circuit, from_qnode, parse_qasm, to_openqasm3, to_pennylane, to_qiskit
from qcgrad.ir.gates import GATES, Gate, Unitary
from qcgrad.library import list_circuits, load_circuit

QUBITS, PARAMETERS = 4, 3
OBSERVABLES = ["ZIXY", {"XZIZ": 0.7, "IYXI": -1.3, "IIIZ": 0.2}]
POINT = np.array([0.4, -1.1, 2.3])
HAMILTONIANS = ["XX + 0.5*ZZ", "XI + 0.5*ZZ - 0.2*IY", "ZIZ - 0.3*IZZ + 0.1*III", "0.4*YXI + XZY", "0.5*II + 0.5*II"]
MATRICES = [Unitary(random_unitary(2**wires, seed=wires).data) for wires in (1, 2, 3)]


@st.composite
def gates(draw):
    name = draw(st.sampled_from([*sorted(GATES), "pauli_rot", "evolution", "unitary"]))
    detail = None
    if name == "pauli_rot":
        detail = draw(st.text("IXYZ", min_size=1, max_size=QUBITS))
    elif name == "evolution":
        detail = qg.PauliSum(draw(st.sampled_from(HAMILTONIANS)))
    elif name == "unitary":
        detail = draw(st.sampled_from(MATRICES))
    count = GATES[name].num_wires if name in GATES else getattr(detail, "num_qubits", None)
    count = count if count is not None else len(detail) if name == "pauli_rot" else detail.num_wires
    wires = tuple(draw(st.permutations(range(QUBITS)))[:count])
    if name == "unitary" or (name in GATES and not GATES[name].has_angle):
        return Gate(name, wires, detail=detail)
    numbers = st.sampled_from([0.0, 1.0, -1.0, 0.3, -2.5, 1e-7, np.pi / 2])
    scale, offset = draw(numbers.filter(bool)), draw(numbers)
    return Gate(name, wires, draw(st.sampled_from([None, 0, 1, 2])), scale, offset, detail)


@st.composite
def circuits(draw):
    # All parameters are used: frameworks forget those that no gate names.
    used = [Gate("ry", (q,), q, 1.0, 0.2 + q) for q in range(PARAMETERS)]
    return qg.Circuit(QUBITS, [*used, *draw(st.lists(gates(), max_size=12))])


def amplitudes(circuit, params=POINT):
    return np.asarray(qg.Statevector().state(circuit, params))


def by_qiskit(circuit, params=POINT):
    """Amplitudes of a circuit with parameters; products of Pauli rotations take less than matrix exponentials."""
    written_out = circuit.decompose("PauliEvolution").assign_parameters(params.tolist())
    return Statevector(written_out).reverse_qargs().data


def assert_same_objective(found, circuit):
    """Values and derivatives by all parameters."""
    expected = qg.estimate(qg.Expectation(circuit, OBSERVABLES), POINT, qg.Adjoint())
    got = qg.estimate(found, POINT, qg.Adjoint())
    np.testing.assert_allclose(got.value, expected.value, atol=1e-10)
    np.testing.assert_allclose(got.gradient, expected.gradient, atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(circuits())
def test_openqasm_goes_around(circuit):
    text = to_openqasm3(circuit)
    back = parse_qasm(text)
    assert back.parameter_names == ("theta_0", "theta_1", "theta_2")
    assert_same_objective(back.expectation([qg.PauliSum(o) for o in OBSERVABLES]), circuit)
    # Global phases are written too.
    np.testing.assert_allclose(by_qiskit(qiskit.qasm3.loads(text)), amplitudes(circuit), atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(circuits())
def test_qiskit_goes_around(circuit):
    exported = to_qiskit(circuit)
    np.testing.assert_allclose(by_qiskit(exported), amplitudes(circuit), atol=1e-10)
    assert_same_objective(from_circuit(exported, [qg.PauliSum(o) for o in OBSERVABLES]), circuit)


@settings(max_examples=30, deadline=None)
@given(circuits())
def test_pennylane_goes_around(circuit):
    build = to_pennylane(circuit)
    tape = qml.tape.make_qscript(build)(POINT)
    matrix = qml.matrix(tape, wire_order=range(QUBITS))
    np.testing.assert_allclose(matrix[:, 0], amplitudes(circuit), atol=1e-10)
    objective = qg.Expectation(circuit, OBSERVABLES)
    qnode = qml.QNode(to_pennylane(objective), qml.device("default.qubit", wires=QUBITS))
    assert_same_objective(from_qnode(qnode, POINT), circuit)


@pytest.mark.parametrize("name", [c.name for c in list_circuits()])
def test_circuits_of_the_library_go_around(name):
    entry = load_circuit(name)
    circuit, observable = entry.circuit, qg.PauliSum(entry.terms)
    params = np.random.default_rng(0).uniform(-2, 2, circuit.num_parameters)
    expected = qg.estimate(qg.Expectation(circuit, observable), params, qg.Adjoint())
    qnode = qml.QNode(to_pennylane(qg.Expectation(circuit, observable)), qml.device("default.qubit"))
    returned = (
        parse_qasm(to_openqasm3(circuit)).expectation(observable),
        from_circuit(to_qiskit(circuit), observable),
        from_qnode(qnode, params),
    )
    for found in returned:
        got = qg.estimate(found, params, qg.Adjoint())
        np.testing.assert_allclose(got.value, expected.value, atol=1e-9)
        np.testing.assert_allclose(got.gradient, expected.gradient, atol=1e-9)


def test_names_of_inputs_keep_their_order_where_they_are_sorted():
    circuit = qg.Circuit(1, [Gate("ry", (0,), k, 0.1 * (k + 1)) for k in range(12)])
    read = qiskit.qasm3.loads(to_openqasm3(circuit, "w"))
    assert [p.name for p in read.parameters] == [f"w_{k:02}" for k in range(12)]


def test_parameters_without_a_gate_keep_their_place_in_openqasm():
    circuit = qg.Circuit(1).ry(0, param=0).rz(0, param=2)
    assert parse_qasm(to_openqasm3(circuit)).parameter_names == ("theta_0", "theta_1", "theta_2")


@pytest.mark.parametrize("name", ["", "1a", "a b", "θ", None])
def test_openqasm_refuses_names_that_are_no_identifiers(name):
    with pytest.raises(ValueError, match="name is"):
        to_openqasm3(qg.Circuit(1), name)


def test_openqasm_refuses_what_it_cannot_write_exactly():
    wide = qg.Circuit(4).evolution("XIII + ZZII + IZXZ", param=0)
    with pytest.raises(qg.ImportRefused, match="do not commute on 4 qubits"):
        to_openqasm3(wide)
    params = np.array([0.7])
    np.testing.assert_allclose(by_qiskit(to_qiskit(wide), params), amplitudes(wide, params), atol=1e-10)


def test_openqasm_grows_with_the_number_of_gates():
    texts = [to_openqasm3(qg.Circuit(3, [Gate("rzz", (0, 2), 0)] * count)) for count in (1000, 2000)]
    assert texts[1].count("\n") - texts[0].count("\n") == 1000
    assert texts[1].count("gate rzz") == 1


@pytest.mark.parametrize("export", [to_openqasm3, to_pennylane])
def test_exporters_name_what_they_take(export):
    with pytest.raises(TypeError, match=r"qcgrad\.Circuit"):
        export("h q[0]")


def test_pennylane_functions_keep_wires_and_interfaces():
    objective = qg.Expectation(
        qg.Circuit(2).ry(0, param=0, scale=2.0, offset=0.1).crx(0, 1, param=1), ["ZI", "XY + II"]
    )
    expected = qg.estimate(objective, [0.3, 0.8], qg.Adjoint())
    qnode = qml.QNode(to_pennylane(objective, wires=["b", 7]), qml.device("default.qubit", wires=[7, "b"]))
    params = pnp.array([0.3, 0.8], requires_grad=True)
    np.testing.assert_allclose(qnode(params), expected.value, atol=1e-10)
    slopes = qml.jacobian(lambda p: pnp.stack(qnode(p)))(params)
    np.testing.assert_allclose(slopes, expected.gradient, atol=1e-10)


def test_pennylane_functions_carry_parameter_maps():
    program = """OPENQASM 3.0; include "stdgates.inc";
        input float a; input float b; qubit[1] q; ry(a + 2 * b) q[0]; rx(b) q[0];"""
    objective = parse_qasm(program).expectation("Z")
    expected = qg.estimate(objective, [0.3, 0.8], qg.Adjoint())
    qnode = qml.QNode(to_pennylane(objective), qml.device("default.qubit"))
    slopes = qml.grad(qnode)(pnp.array([0.3, 0.8], requires_grad=True))
    np.testing.assert_allclose(slopes, expected.gradient, atol=1e-10)


@pytest.mark.parametrize("wires", [["a"], ["a", "a"], [0, 1, 2]])
def test_pennylane_refuses_wrong_wires(wires):
    with pytest.raises(ValueError, match="2 different labels"):
        to_pennylane(qg.Circuit(2), wires)


def test_pennylane_refuses_wrong_numbers_of_parameters():
    with pytest.raises(ValueError, match="takes 2 parameters"):
        qml.tape.make_qscript(to_pennylane(qg.Circuit(1).ry(0, param=0).rz(0, param=1)))([0.1])


def test_pennylane_refuses_results_that_a_qnode_processed():
    @qml.qnode(qml.device("default.qubit"))
    def qnode(x):
        qml.RX(x, wires=0)
        return qml.var(qml.Z(0))

    with pytest.raises(qg.ImportRefused, match="processes its expectation values"):
        to_pennylane(from_qnode(qnode, 0.3))
