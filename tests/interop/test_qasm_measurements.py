"""Classical bits, final measurements, resets of fresh qubits are left out with a note; mid-circuit ones are refused."""

import numpy as np
import pytest

from qcgrad.interop import QasmError, parse_qasm

from .test_openqasm import unitary

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
MEASURE = "measure is left out: after the last gate it changes no expectation value, and the observable replaces it"
BITS = "classical bits are left out: nothing reads them"
RESET = "reset is left out: the qubit is still in its initial state"


def gates(program):
    return [(g.name, g.wires) for g in parse_qasm(program).circuit.gates]


@pytest.mark.parametrize(
    "text",
    [
        "qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;",
        "qreg q[2]; creg c[2]; creg unused[7]; reset q; h q[0]; barrier q; cx q[0],q[1]; barrier q[0]; measure q -> c;",
        "qreg q[2]; creg c[1]; reset q[0]; h q[0]; reset q[1]; cx q[0],q[1]; measure q[0]->c[0]; measure q[0]->c[0];",
        "qreg q[2]; creg c[1]; h q[0]; cx q[0],q[1]; measure q[0] -> c[0]; barrier q; id q[1];",
    ],
)
def test_version_2_final_measurements_are_left_out(text):
    assert gates(HEAD_2 + text) == [("h", (0,)), ("cx", (0, 1))]


@pytest.mark.parametrize(
    "text",
    [
        "bit[2] c; qubit[2] q; h q[0]; cx q[0], q[1]; c = measure q;",
        "bit[2] c; qubit[2] q; h q[0]; cx q[0], q[1]; c[0] = measure q[0]; c[1] = measure q[1];",
        "qubit[2] q; h q[0]; cx q[0], q[1]; bit[2] c = measure q;",
        "qubit[2] q; h q[0]; cx q[0], q[1]; bit c = measure q[0]; measure q[1];",
        "qubit[2] q; output bit[2] c; reset q; h q[0]; cx q[0], q[1]; measure q -> c;",
        "qubit[2] q; bit[4] c; h q[0]; cx q[0], q[1]; c[1:2] = measure q;",
        "bit[2] c; h $0; cx $0, $1; c[0] = measure $0; c[1] = measure $1;",
        "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; for int i in [0:1] { c[i] = measure q[i]; }",
    ],
)
def test_version_3_final_measurements_are_left_out(text):
    assert gates(HEAD_3 + text) == [("h", (0,)), ("cx", (0, 1))]


def test_what_is_left_out_is_noted_with_its_line():
    program = parse_qasm(
        HEAD_2 + "qreg q[3];\ncreg c[3];\nreset q;\nh q;\nmeasure q[0] -> c[0];\nmeasure q[1] -> c[1];"
    )
    assert program.notes == (f"line 4: {BITS} (3 times)", f"line 5: {RESET} (3 times)", f"line 7: {MEASURE} (2 times)")
    assert parse_qasm(HEAD_2 + "qreg q[1]; h q[0];").notes == ()


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("qreg q[2]; creg c[2];\nmeasure q[0] -> c[0];\nh q[1];\nx q[0];", "gate x on a qubit that line 4 measures", 6),
        ("qreg q[2]; creg c[2];\nmeasure q -> c;\ncx q[1], q[0];", "gate cx on a qubit that line 4 measures", 5),
        ("qreg q[2]; creg c[2];\nx q[0];\nmeasure q -> c;\nx q[0];", "gate x on a qubit that line 5 measures", 6),
        ("qreg q[2]; creg c[2];\nh q;\nif (c == 1) x q[0];", "if: control flow", 5),
        ("qreg q[2];\nh q[0];\nreset q[0];", "reset of a qubit that has been used", 5),
        ("qreg q[2]; creg c[2];\nmeasure q[0] -> c[0];\nreset q[0];", "reset of a qubit that has been used", 5),
        ("qreg q[2]; creg c[3];\nmeasure q -> c;", r"measure of 2 qubit\(s\) into 3 bit\(s\)", 4),
        ("qreg q[2]; creg c[2];\nmeasure q[0] -> c[2];", r"c\[2\] is out of range", 4),
        ("qreg q[2];\nmeasure q[0] -> c[0];", "classical register 'c' is not declared", 4),
        ("qreg q[2]; creg c[2];\nh c[0];", "'c' is no qubit", 4),
        ("qreg q[1]; creg q[1];", "'q' is declared twice", 3),
    ],
)
def test_mid_circuit_measurements_are_refused_with_their_line(text, message, line):
    with pytest.raises(QasmError, match=message) as caught:
        parse_qasm(HEAD_2 + text)
    assert caught.value.line == line


def test_mid_circuit_measurements_are_refused_before_the_rest_is_read():
    """What follows has a syntax error: it is not looked at any more."""
    rest = "h q[0];\n" * 1000 + "this is no statement"
    with pytest.raises(QasmError, match="line 4, column 1: if"):
        parse_qasm(HEAD_2 + "qreg q[1]; creg c[1];\nif (c == 1) x q[0];\n" + rest)


def test_measured_exports_of_qiskit_load():
    """`measure_all`, registers, and `initialize`, whose definition resets its qubits."""
    from qiskit import QuantumCircuit, qasm2, qasm3
    from qiskit.quantum_info import Statevector

    circuit = QuantumCircuit(3)
    circuit.initialize(np.array([1, 2, -1, 0.5]) / 2.5, [0, 2])
    circuit.rx(0.3, 1)
    circuit.cx(1, 2)
    bare = circuit.decompose(["initialize"])
    bare.data = [i for i in bare.data if i.operation.name != "reset"]
    circuit.measure_all()
    loaded = parse_qasm(qasm2.dumps(circuit))
    assert len(loaded.notes) == 3
    expected = Statevector(bare.reverse_bits()).data
    assert abs(np.vdot(unitary(loaded.circuit)[:, 0], expected)) == pytest.approx(1, abs=1e-12)
    plain = QuantumCircuit(2, 2)
    plain.h(0)
    plain.measure([0, 1], [1, 0])
    assert gates(qasm3.dumps(plain)) == [("h", (0,))]
    again = qasm2.dumps(circuit).replace("creg meas[3];", "creg meas[3];\nx q[0];")
    with pytest.raises(QasmError, match="reset of a qubit that has been used"):
        parse_qasm(again)


def test_exports_of_pennylane_load():
    import pennylane as qml

    gates = [qml.RX(0.3, 0), qml.CNOT([0, 2]), qml.Rot(0.1, -0.2, 0.3, 1), qml.IsingXX(0.7, [1, 2])]
    tape = qml.tape.QuantumScript([*gates, qml.PauliRot(0.4, "XYZ", [0, 1, 2])], [qml.expval(qml.Z(0))])
    loaded = parse_qasm(qml.to_openqasm(tape, wires=[0, 1, 2]))
    expected = qml.matrix(tape, wire_order=[0, 1, 2])[:, 0]
    assert len(loaded.notes) == 2
    assert abs(np.vdot(unitary(loaded.circuit)[:, 0], expected)) == pytest.approx(1, abs=1e-12)
