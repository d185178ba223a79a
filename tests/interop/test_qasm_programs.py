"""Constructs of OpenQASM 2 and 3: libraries, names, registers, aliases, loops, conditions, subroutines."""

import math

import numpy as np
import pytest

from qcgrad.interop import QasmError, parse_qasm

from .test_openqasm import qiskit_operator, same_up_to_phase, unitary

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def gates(program):
    return [(g.name, g.wires, g.offset) for g in parse_qasm(program).circuit.gates]


def wires(program):
    return [g.wires for g in parse_qasm(program).circuit.gates]


# Every gate of qelib1.inc, by (qubits, angles).
LIBRARY_2 = {
    (1, 0): "id x y z h s sdg t tdg sx sxdg", (1, 1): "u1 u0 p rx ry rz", (1, 2): "u2", (1, 3): "u3 u U",
    (2, 0): "cx cz cy swap ch csx CX", (2, 1): "crx cry crz cu1 cp rxx rzz", (2, 3): "cu3", (2, 4): "cu",
    (3, 0): "ccx cswap rccx", (4, 0): "rc3x c3x c3sqrtx", (5, 0): "c4x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "qubits", "angles"), [(name, *key) for key, names in LIBRARY_2.items() for name in names.split()]
)
def test_every_gate_of_the_library_of_version_2_is_qiskits(name, qubits, angles):
    from qiskit import qasm2

    arguments = f"({', '.join(str(0.3 + k) for k in range(angles))})" if angles else ""
    order = ["q[1]", "q[0]", "q[3]", "q[2]", "q[4]"][:qubits]
    layer = "".join(f"ry({0.4 + k}) q[{k}]; rz({0.9 - k}) q[{k}];" for k in range(5))
    # u0 is an angle for the reader and a number of waits for Qiskit.
    program = f"{HEAD_2}qreg q[5];{layer}{name}{'(1)' if name == 'u0' else arguments} {', '.join(order)};"
    expected = qasm2.loads(program, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    assert same_up_to_phase(unitary(parse_qasm(program).circuit), qiskit_operator(expected))


@pytest.mark.parametrize("version", ["", "OPENQASM 2.0;", "OPENQASM 2;"])
def test_a_program_that_includes_qelib1_is_version_2(version):
    program = f'{version}// a comment\ninclude "qelib1.inc";\nqreg q[1]; rx(1/2) q[0]; ry(2*3^2) q[0];'
    assert [g.offset for g in parse_qasm(program).circuit.gates] == [0.5, 18.0]


def test_keywords_of_version_3_are_names_in_version_2():
    program = HEAD_2 + "gate let(for) in, def { rx(for) in; cx in, def; } qreg in[2]; qreg input[1]; creg bit[1];"
    assert gates(program + "let(0.3) in[0], in[1]; h input;") == [
        ("rx", (0,), 0.3),
        ("cx", (0, 1), 0.0),
        ("h", (2,), 0.0),
    ]
    with pytest.raises(QasmError, match="'in' is a keyword of OpenQASM 3"):
        parse_qasm(HEAD_3 + "qreg in[2];")


def test_opaque_gates_may_be_declared_and_not_called():
    program = HEAD_2 + "opaque magic(a, b) x, y;\nqreg q[2];\nh q[0];"
    assert gates(program) == [("h", (0,), 0.0)]
    with pytest.raises(QasmError, match="line 6, column 1: gate magic is opaque"):
        parse_qasm(program + "\nmagic(1, 2) q[0], q[1];")


@pytest.mark.parametrize(
    ("head", "file"),
    [("OPENQASM 2.0;", "mine.inc"), ("OPENQASM 2.0;", "stdgates.inc"), ("OPENQASM 3;", "qelib1.inc"), ("", "a/b.inc")],
)
def test_other_files_than_the_standard_ones_are_refused_by_name(head, file):
    with pytest.raises(QasmError, match=f'include "{file}" is not supported'):
        parse_qasm(f'{head}\ninclude "{file}";\nqubit q;')


def test_gates_that_a_file_defines_come_before_the_library():
    mine = "gate h a { x a; } gate rc3x a, b, c, d { cx a, d; }"
    for text in (mine, HEAD_2 + mine):
        program = parse_qasm((HEAD_2 if text is mine else "").replace('include "qelib1.inc";', "") + text +
                             " qreg q[4]; h q[0]; rc3x q[0], q[1], q[2], q[3];")  # fmt: skip
        assert [(g.name, g.wires) for g in program.circuit.gates] == [("x", (0,)), ("cx", (0, 3))]
    with pytest.raises(QasmError, match="line 4, column 1: 'g' is defined twice"):
        parse_qasm(HEAD_2 + "gate g a { x a; }\ngate g a { y a; }\nqreg q[1];")


def test_exports_of_qiskit_with_gates_of_their_own_agree():
    """rzx, ecr, dcx, xx_plus_yy, multi-controlled gates and unitaries, as Qiskit defines them in its exports."""
    from qiskit import QuantumCircuit, qasm2
    from qiskit.circuit.library import C3XGate, ECRGate, QFTGate, RGate, RYYGate, RZXGate, XXPlusYYGate

    circuit = QuantumCircuit(4)
    for k in range(4):
        circuit.u(0.3 + k, 0.7, -0.4 * k, k)
    circuit.append(RZXGate(0.3), [0, 2])
    circuit.append(ECRGate(), [1, 2])
    circuit.append(RYYGate(0.9), [3, 0])
    circuit.append(XXPlusYYGate(0.4, 0.2), [0, 1])
    circuit.append(RGate(0.3, 0.8), [2])
    circuit.append(C3XGate(), [2, 0, 3, 1])
    circuit.append(QFTGate(3), [0, 1, 3])
    circuit.dcx(0, 3)
    circuit.iswap(1, 3)
    circuit.unitary(np.array([[0, 1j], [1, 0]]), [1])
    assert same_up_to_phase(unitary(parse_qasm(qasm2.dumps(circuit)).circuit), qiskit_operator(circuit))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("gate g f { x f[0]; }", "f is one qubit of gate g: write f without an index"),
        ("gate g f { x z; }", "qubit 'z' is not one of the gate's qubits f"),
        ("gate g(t) f { x t; }", "qubit 't' is not one of the gate's qubits f"),
        ("gate g f { rx(f) f; }", "'f' is a qubit, not a number"),
        ("gate g f { rx(u) f; }", "'u' is not defined"),
        ("gate g f { cx f, f; }", "names a qubit twice"),
        ("gate g f { g f; }", "gate 'g' is not defined"),
        ("gate g f { creg c[1]; }", "may hold gate calls only"),
        ("gate g(a, a) f { }", "declares a name twice"),
        ("gate g { }", "gate g has no qubits"),
        ("qreg q[2]; x q[0][0];", "q is a single qubit here, not a register"),
        ("qreg q[2]; cx q, q;", "names a qubit twice"),
        ("qreg q[2]; qreg r[1]; cx q, r;", r"registers of different sizes \[1, 2\]"),
        ("qreg q[2]; rx() q[0];", r"takes 1 qubit\(s\) and 1 angle\(s\), got 1 and 0"),
        ("qreg q[2]; h q[0] q[1];", "syntax error at 'q': expected ';'"),
        ("qreg q[2]; h;", r"got 0 and 0"),
        ("qreg q[0];", "register q has size 0"),
        ("qreg q;", "expected the size of the register"),
        ("qreg q[1.5];", "expected an integer"),
        ("qreg q[2*2];", "expected ']'"),
        ("qreg q[2]; h q[0:1];", "expected ']'"),
        ("qreg q[2]; h q[-1];", "expected an integer"),
        ("qreg 2q;", "expected the name of a register"),
        ("qubit[2] q;", "expected '='|expected a gate"),
        ("qreg q[1]; OPENQASM 2.0;", "stated once"),
        ("/* no end", "this comment has no end"),
    ],
)
def test_refusals_of_version_2_name_what_is_wrong(statement, message):
    with pytest.raises(QasmError, match=message) as caught:
        parse_qasm(HEAD_2 + statement)
    assert caught.value.line == 3


REGISTERS = [
    ("h q[0:2];", [0, 1, 2]), ("h q[:2];", [0, 1, 2]), ("h q[3:];", [3, 4]), ("h q[0:2:4];", [0, 2, 4]),
    ("h q[1:2:4];", [1, 3]), ("h q[4:-2:0];", [4, 2, 0]), ("h q[-1:-1:0];", [4, 3, 2, 1, 0]), ("h q[-2:-1];", [3, 4]),
    ("h q[0:-2];", [0, 1, 2, 3]), ("h q[{0, 3, 1}];", [0, 3, 1]), ("h q[{n, -1}];", [2, 4]), ("h q[-1];", [4]),
    ("h q[n + 1];", [3]), ("h q[1:4][1];", [2]), ("h q[1:4][{0, 2}];", [1, 3]),
    ("let a = q[1:2]; h a; h a[1];", [1, 2, 2]), ("let a = q[3:4] ++ r; h a[-1]; h a;", [6, 3, 4, 5, 6]),
    ("let a = r ++ q[{4, 0}] ++ q[1]; h a;", [5, 6, 4, 0, 1]), ("let a = q[1]; h a;", [1]),
    ("let a = r; let b = a ++ q[0:1]; h b[1:2];", [6, 0]),
    ("for int i in [0:2] { h q[i]; }", [0, 1, 2]), ("for uint i in [4:-2:0] h q[i];", [4, 2, 0]),
    ("for int i in {3, 1} { h q[i]; x q[i + 1]; }", [3, 4, 1, 2]), ("for int i in [2:1] { h q[i]; }", []),
    ("for int i in [0:1] { for int j in [i:2] { h q[i + j]; } }", [0, 1, 2, 2, 3]),
    ("for int i in [0:n] { if (i % 2 == 0) h q[i]; else { x q[4]; } }", [0, 4, 2]),
    ("const bool yes = n == 2; if (yes && !(n < 2) || false) { h q[0]; } else { h q[1]; }", [0]),
    ("if (n > 2) h q[0];", []), ("{ h q[0]; { h q[1]; } }", [0, 1]), (";; h q[0];;", [0]),
    ("def f(qubit a) { h a; } f(q[3]); f(r[0]);", [3, 5]),
    ("def f(qubit[n] a, qubit b) { h a; h b; } f(q[1:2], r[0]);", [1, 2, 5]),
    ("def f(qubit[2] a) { h a[1]; } def g(qubit[3] a) { f(a[1:2]); f(a[{2, 0}]); } g(q[2:4]);", [4, 2]),
    ("def f(qubit[5] a, int k) { for int i in [0:k] { h a[i]; } } f(q, 1); f(q, n);", [0, 1, 0, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REGISTERS)
def test_qubits_that_a_statement_of_version_3_names(text, expected):
    assert wires(HEAD_3 + "const int n = 2; qubit[5] q; qubit[2] r;" + text) == [(w,) for w in expected]


def test_loop_variables_constants_and_arguments_enter_angles():
    program = parse_qasm(
        HEAD_3
        + """const uint[8] n = 3; const float[64] c = pi/n; const angle d = tau/4; input float[64] t;
        qubit[2] q;
        def layer(qubit[2] a, float s, float scale, int k) { rx(s*scale + k) a[0]; ry(s) a[1]; }
        for int k in [1:2] { rz(k*c) q[0]; rz(k/2.0) q[1]; }
        for float x in {0.5, 2} { p(x*d) q[0]; }
        layer(q, t, 0.5, 2);
        """
    )
    plain = [(g.name, g.wires, g.offset) for g in program.circuit.gates[:6]]
    angles = [math.pi / 3, 0.5, 2 * math.pi / 3, 1.0, math.pi / 4, math.pi]
    assert [angle for _, _, angle in plain] == pytest.approx(angles, rel=1e-15)
    first, second = program.circuit.gates[6:]
    assert (first.name, first.param, first.scale, first.offset) == ("rx", 0, 0.5, 2.0)
    assert (second.name, second.param, second.scale, second.offset) == ("ry", 0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("h q[1:5];", r"q\[5\] is out of range"), ("h q[3:1];", "selects nothing"), ("h q[0:0:2];", "step 0"),
        ("h q[::2];", "a range is start:stop or start:step:stop"), ("h q[0:2:];", "a range is"),
        ("h q[{1, 1}];", "names a qubit twice"), ("h q[0, 1];", "one index, range or set"), ("h q[1.0];", "integer"),
        ("h q[t];", "integer"), ("let a = q ++ q[0];", "names a qubit twice"), ("let q = r;", "'q' is declared twice"),
        ("h a;", "'a' is not declared: the qubits here are q, r"), ("for int i in [0:] { }", "needs both ends"),
        ("for int i in [0:t] { }", "integer"), ("for float i in {t} { }", "input"), ("if (t > 0) h q;", "of an input"),
        ("if (t) h q;", "if: a condition on an input"), ("for int i in {0.5} h q;", "is 0.5: give an integer"),
        ("def f(qubit a) { f(a); } f(q[0]);", "nested more than 100"), ("def f(bit a) { }", "of type bit"),
        ("def f(qubit a) { } f(q);", r"argument a takes 1 qubit\(s\), got 5"),
        ("def f(qubit a) { } f(1);", "takes qubits"),
        ("def f(qubit a) { } f();", r"takes 1 argument\(s\), got 0"), ("def f(qubit a) { } f q[0];", "is a subroutine"),
        ("def f(int k) { } f(t);", "input"), ("h q[0];\ngate g a { h q[0]; }", "not one of the gate's qubits"),
        ("const int k = 2.5;", "give an integer"), ("const int[4] k = 9;", r"outside of int\[4\]"),
        ("const uint k = -1;", "outside of uint"), ("const bit k = 1;", "of type bit"), ("const int k = t;", "input"),
        ("const int[65] k = 1;", "size from 1 to 64"), ("if (true) { qubit z; }", "outside of blocks only"),
        ("float x = 1.0;", "classical variable"), ("x = 3;", "assignment"), ("end;", "end"), ("pragma a b", "pragma"),
        ("switch (1) { }", "switch"), ("return;", "return"), ("box { h q; }", "box"), ("h q", "ends too early"),
        ("let = q;", "expected the name of an alias"), ("ctrl @ if q;", "expected a gate after its modifiers"),
        ("ctrl(0) @ x q[0], q[1];", "positive number of controls"), ("pow(t) @ x q[0];", "pow"),
        ("ctrl(9) @ x q[0], q[1];", "take 9 control qubits, got 2"), ("h $0;", "physical qubit"),
    ],
)  # fmt: skip
def test_refusals_of_version_3_name_what_is_wrong(text, message):
    with pytest.raises(QasmError, match=message) as caught:
        parse_qasm(HEAD_3 + "input float t; qubit[5] q; qubit[2] r;" + text)
    assert caught.value.line >= 3


def test_annotations_are_ignored_as_the_specification_allows():
    assert wires(HEAD_3 + "qubit[2] q;\n@mine.fast 1 2; 3\nh q[1];\n  @other\nh q[0];") == [(1,), (0,)]


def test_physical_qubits_are_the_circuits_by_their_number():
    program = parse_qasm(HEAD_3 + "barrier $2, $4; rz(0.3) $2; cx $2, $0; def f(qubit a) { x a; } f($1);")
    assert program.circuit.num_qubits == 5
    assert [g.wires for g in program.circuit.gates] == [(2,), (2, 0), (1,)]


def test_transpiled_exports_of_qiskit_to_version_3_load():
    from qiskit import QuantumCircuit, qasm3, transpile
    from qiskit.transpiler import CouplingMap

    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.rzz(0.3, 1, 2)
    circuit.ry(-0.7, 1)
    options = {"basis_gates": ["rz", "sx", "x", "cx"], "coupling_map": CouplingMap.from_line(5), "seed_transpiler": 1}
    made = transpile(circuit, initial_layout=[4, 1, 3], optimization_level=1, **options)
    text = qasm3.dumps(made)
    assert "$4" in text
    assert same_up_to_phase(unitary(parse_qasm(text).circuit), qiskit_operator(made))
    made.measure_all()
    assert len(parse_qasm(qasm3.dumps(made)).notes) == 2
