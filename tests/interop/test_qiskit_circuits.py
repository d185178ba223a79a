"""Circuits as people bring them from Qiskit: registers, measurements, resets, layouts, nested gates."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import AnnotatedOperation, ControlModifier, InverseModifier, Parameter
from qiskit.circuit.library import UnitaryGate, efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector, random_unitary
from qiskit.transpiler import CouplingMap

import qcgrad as qg
from qcgrad.interop import from_circuit

pytestmark = pytest.mark.filterwarnings("ignore")


def started():
    """ry(a) on qubit 0, then a CNOT: <Z0> = <Z1> = cos(a)."""
    first, second = QuantumRegister(1, "left"), QuantumRegister(1, "right")
    circuit = QuantumCircuit(first, second, ClassicalRegister(2, "c"))
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    return circuit


def value(circuit, observable="ZI"):
    return from_circuit(circuit, observable), qg.estimate(from_circuit(circuit, observable), [0.3], qg.Adjoint())


def test_classical_registers_and_final_measurements_are_left_out_with_a_note():
    for measure in (
        lambda c: c.measure([0, 1], [0, 1]),
        lambda c: c.measure_all(),
        lambda c: (c.measure_all(), c.barrier(), c.measure(0, 0)),
        lambda c: c.measure(1, 0),
        # The other qubit goes on: the measurement of this one is still its last operation.
        lambda c: (c.measure(1, 0), c.delay(5, 0), c.id(0)),
    ):
        circuit = started()
        measure(circuit)
        objective, found = value(circuit)
        np.testing.assert_allclose([found.value, found.gradient[0]], [np.cos(0.3), -np.sin(0.3)], atol=1e-12)
        assert "final measurements" in objective.notes[0]
    early = QuantumCircuit(2, 1)
    early.measure(1, 0)
    early.ry(Parameter("a"), 0)
    np.testing.assert_allclose(value(early)[1].value, np.cos(0.3), atol=1e-12)
    assert value(started())[0].notes == ()


def test_fresh_qubits_may_be_reset_and_initialized():
    circuit = QuantumCircuit(2)
    circuit.reset(0)
    circuit.initialize([0.6, 0.8], 1)
    circuit.ry(Parameter("a"), 0)
    objective, found = value(circuit, ["ZI", "IZ"])
    np.testing.assert_allclose(found.value, [np.cos(0.3), 0.36 - 0.64], atol=1e-12)
    assert "2 reset(s) of fresh qubits" in objective.notes[0]
    nested = QuantumCircuit(2)
    nested.append(circuit.to_instruction(), [1, 0])
    np.testing.assert_allclose(value(nested, ["IZ", "ZI"])[1].value, found.value, atol=1e-12)


INSIDE = {
    "measured, then a gate": (lambda c: (c.measure(1, 0), c.x(1)), r"qubit 1 \(right\[0\]\) is measured before gate x"),
    "measured in a subroutine": (lambda c: (c.append(_measuring(), [1], [0]), c.cx(0, 1)), r"right\[0\]"),
    "measured, then reset": (lambda c: (c.measure(1, 0), c.reset(1)), "it is reset"),
    "reset": (lambda c: c.reset(0), r"a reset inside of the circuit: gates act on qubit 0 \(left\[0\]\)"),
    "initialize": (lambda c: c.initialize([1, 0], 0), "a reset inside"),
    "condition": (lambda c: c.if_test((c.clbits[0], 1), QuantumCircuit(1), [0], []), r"control flow \(if_else\)"),
    "loop": (lambda c: c.for_loop(range(3), None, QuantumCircuit(1), [0], []), r"control flow \(for_loop\)"),
    "store": (lambda c: c.store(c.add_var("v", False), True), "a classical variable is stored"),
}


def _measuring():
    inner = QuantumCircuit(1, 1)
    inner.measure(0, 0)
    return inner.to_instruction()


@pytest.mark.parametrize("name", INSIDE)
def test_what_happens_inside_of_a_circuit_is_refused_by_qubit(name):
    build, message = INSIDE[name]
    circuit = started()
    build(circuit)
    with pytest.raises(qg.ImportRefused, match=message):
        from_circuit(circuit, "ZI")


def test_inputs_without_effect_have_gradient_zero():
    a, b = Parameter("a"), Parameter("b")
    for build in (
        lambda c: c.rx(0 * a, 0),
        lambda c: c.rx(a - a, 0),
        lambda c: setattr(c, "global_phase", a),
        lambda c: (c.rz(a, 0), c.ry(0 * b, 0)),
    ):
        circuit = QuantumCircuit(1)
        circuit.x(0)
        build(circuit)
        objective = from_circuit(circuit, "Z")
        found = qg.estimate(objective, np.full(objective.num_parameters, 0.3), qg.Adjoint())
        np.testing.assert_allclose(found.value, -1.0, atol=1e-12)
        assert np.shape(found.gradient) == (len(circuit.parameters),)
        np.testing.assert_allclose(found.gradient, 0.0, atol=1e-12)


def test_transpiled_circuits_take_observables_with_their_layout():
    ansatz = efficient_su2(3, reps=1)
    ansatz.measure_all()
    line = transpile(
        ansatz, coupling_map=CouplingMap.from_line(70), basis_gates=["rz", "sx", "x", "cx"], initial_layout=[61, 4, 5],
        optimization_level=1, seed_transpiler=1,
    )  # fmt: skip
    observable = SparsePauliOp(["XZY", "IZZ"], [1.0, -0.4])
    values = np.linspace(-1, 1, ansatz.num_parameters)
    plain = qg.estimate(from_circuit(ansatz, observable), values, qg.Adjoint())
    small = transpile(
        ansatz, coupling_map=CouplingMap.from_line(5), basis_gates=["rz", "sx", "x", "cx"], initial_layout=[4, 1, 2],
        optimization_level=1, seed_transpiler=1,
    )  # fmt: skip
    # On 70 qubits only those on the way from 61 to 4 are busy; 5 hold all of it.
    for circuit in (small,):
        objective = from_circuit(circuit, observable.apply_layout(circuit.layout))
        found = qg.estimate(objective, values, qg.Adjoint())
        np.testing.assert_allclose(found.value, plain.value, atol=1e-10)
        np.testing.assert_allclose(found.gradient, plain.gradient, atol=1e-9)
        assert "apply_layout" in objective.notes[-1]
    for circuit in (small, line):
        with pytest.raises(qg.ImportRefused, match="apply_layout"):
            from_circuit(circuit, observable)
    assert from_circuit(line, observable.apply_layout(line.layout)).circuit.num_qubits == 70


def test_idle_qubits_of_a_large_device_cost_nothing():
    ansatz = efficient_su2(3, reps=1)
    device = transpile(
        ansatz, coupling_map=CouplingMap.from_line(127), initial_layout=[90, 91, 92], optimization_level=0
    )
    observable = SparsePauliOp(["XZY", "IZZ"], [1.0, -0.4])
    values = np.linspace(-1, 1, ansatz.num_parameters)
    plain = qg.estimate(from_circuit(ansatz, observable), values, qg.Adjoint())
    found = qg.estimate(from_circuit(device, observable.apply_layout(device.layout)), values, qg.Adjoint())
    np.testing.assert_allclose(found.gradient, plain.gradient, atol=1e-10)


@st.composite
def circuits(draw):
    """A circuit of two parameters on two or three registers, with subroutines, annotated gates and resets."""
    a, b = Parameter("a"), Parameter("b")
    sizes = draw(st.lists(st.integers(1, 2), min_size=2, max_size=3))
    circuit = QuantumCircuit(*(QuantumRegister(n, f"q{k}") for k, n in enumerate(sizes)), ClassicalRegister(2, "c"))
    n = circuit.num_qubits
    for q in draw(st.lists(st.integers(0, n - 1), unique=True)):
        circuit.reset(q)
    circuit.ry(a, 0)
    circuit.rx(b, n - 1)
    for _ in range(draw(st.integers(1, 5))):
        first, second = draw(st.permutations(range(n)))[:2]
        kind = draw(
            st.sampled_from(["rotation", "nested", "annotated", "controlled", "unitary", "clifford", "barrier"])
        )
        if kind == "barrier":
            circuit.barrier()
        elif kind == "rotation":
            circuit.rzx(draw(st.sampled_from([a, b * 2, a * b, 0.4])), first, second)
        elif kind == "unitary":
            circuit.append(UnitaryGate(random_unitary(4, seed=draw(st.integers(0, 9)))), [first, second])
        elif kind == "clifford":
            circuit.iswap(first, second)
        else:
            inner = QuantumCircuit(1, name="inner", global_phase=draw(st.sampled_from([0.0, a, 0.3])))
            inner.h(0)
            inner.rx(b, 0)
            gate = inner.to_gate()
            if kind == "nested":
                outer = QuantumCircuit(2)
                outer.append(gate, [1])
                outer.cx(1, 0)
                circuit.append(outer.to_gate().inverse(), [first, second])
            elif kind == "controlled":
                circuit.append(gate.control(1, ctrl_state=draw(st.integers(0, 1))), [first, second])
            else:
                modifiers = draw(st.permutations([InverseModifier(), ControlModifier(1, draw(st.integers(0, 1)))]))
                circuit.append(AnnotatedOperation(gate, list(modifiers)), [first, second])
    return circuit


@given(circuits(), st.booleans(), st.booleans(), st.data())
@settings(max_examples=15)
def test_generated_circuits_agree_with_qiskit(circuit, is_measured, is_transpiled, data):
    n = circuit.num_qubits
    labels = data.draw(st.lists(st.text("IXYZ", min_size=n, max_size=n), min_size=1, max_size=2, unique=True))
    observable = SparsePauliOp(labels, [1.0, -0.4][: len(labels)])
    values = np.array([0.7, -0.4])[: len(circuit.parameters)]
    bare = circuit.copy_empty_like()
    for item in circuit.data:
        if item.operation.name != "reset":
            bare.append(item)

    def exact(point):
        return Statevector(bare.assign_parameters(point)).expectation_value(observable).real

    brought, measured = circuit.copy(), observable
    if is_measured:
        brought.measure_all() if data.draw(st.booleans()) else brought.measure(n - 1, 0)
    if is_transpiled:
        layout = data.draw(st.permutations(range(n + 2)))[:n]
        line = CouplingMap.from_line(n + 2)
        brought = transpile(brought, coupling_map=line, initial_layout=layout, optimization_level=0, seed_transpiler=1)
        measured = observable.apply_layout(brought.layout)
    found = qg.estimate(from_circuit(brought, measured), values, qg.Adjoint())
    np.testing.assert_allclose(found.value, exact(values), atol=1e-10)
    h = 1e-5
    slopes = [(exact(values + h * e) - exact(values - h * e)) / (2 * h) for e in np.eye(len(values))]
    np.testing.assert_allclose(found.gradient, slopes, atol=1e-7)
