"""OpenQASM: values against Qiskit's own reading, expressions, modifiers, refusals with their place."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop import QasmError, load_qasm, parse_qasm
from qcgrad.interop.instructions._angle import as_angle
from qcgrad.interop.instructions._instruction import Instruction
from qcgrad.interop.instructions._matrix import matrix

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def unitary(circuit, params=()):
    """Dense matrix of a circuit, from the definitions of its gates."""
    angles = [g.offset if g.param is None else g.scale * params[g.param] + g.offset for g in circuit.gates]
    gates = [Instruction(g.name, g.wires, as_angle(a), g.detail) for g, a in zip(circuit.gates, angles, strict=True)]
    return matrix(gates, circuit.num_qubits)


def same_up_to_phase(first, second):
    return abs(abs(np.vdot(first, second)) / len(first) - 1) < 1e-12


def gradient(objective, params):
    return np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)


STANDARD = [
    *[f"{g} q[1];" for g in ["x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "id"]],
    *[f"{g}(0.3) q[1];" for g in ["rx", "ry", "rz", "p", "phase", "u1"]],
    *[f"{g} q[2], q[0];" for g in ["cx", "cy", "cz", "ch", "swap", "CX"]],
    *[f"{g}(0.7) q[2], q[0];" for g in ["cp", "crx", "cry", "crz", "cphase"]],
    "ccx q[2], q[0], q[1];",
    "cswap q[2], q[0], q[1];",
    "u2(0.3, 0.5) q[1];",
    "u3(0.3, 0.5, -0.9) q[1];",
    "U(0.3, 0.5, -0.9) q[1];",
    "cu(0.3, 0.5, -0.9, 1.3) q[1], q[2];",
]


def qiskit_operator(circuit):
    """Qiskit's matrix with its qubit 0 as the most significant bit."""
    from qiskit.quantum_info import Operator

    return Operator(circuit.reverse_bits()).data


def scrambled(call):
    """The gate between layers that make every matrix element matter."""
    layer = "".join(f"ry({0.4 + k}) q[{k}]; rz({0.9 - k}) q[{k}];" for k in range(3)) + "cx q[0], q[1]; cx q[1], q[2];"
    return HEAD + "qubit[3] q;" + layer + call + layer


@pytest.mark.parametrize("call", STANDARD)
def test_standard_gates_agree_with_qiskits_own_definitions(call):
    from qiskit import QuantumCircuit
    from qiskit.circuit import library

    gates = {
        "id": library.IGate, "phase": library.PhaseGate, "CX": library.CXGate, "cphase": library.CPhaseGate,
        "U": library.UGate, "u1": library.U1Gate, "u2": library.U2Gate, "u3": library.U3Gate, "sdg": library.SdgGate,
        "tdg": library.TdgGate, "sx": library.SXGate, "p": library.PhaseGate, "cp": library.CPhaseGate,
        "swap": library.SwapGate, "cswap": library.CSwapGate, "ccx": library.CCXGate,
    }  # fmt: skip
    name = call.split("(")[0].split()[0]
    angles = [float(a) for a in call[call.find("(") + 1 : call.find(")")].split(",")] if "(" in call else []
    wires = [int(part[2]) for part in call.split(")")[-1].replace(",", " ").replace(";", " ").split() if "q[" in part]
    circuit = QuantumCircuit(3)
    gate = gates[name] if name in gates else getattr(library, f"{name.upper()}Gate")
    circuit.append(gate(*angles), wires)
    imported = parse_qasm(HEAD + "qubit[3] q;" + call).circuit
    assert same_up_to_phase(unitary(imported), qiskit_operator(circuit))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ctrl @ U(0.3, 0.5, -0.9) q[0], q[1];", "cu(0.3, 0.5, -0.9, 0.15) q[0], q[1];"),
        (
            "ctrl @ u3(0.3, 0.5, -0.9) q[0], q[1];",
            "ctrl @ rz(-0.9) q[0], q[1]; cry(0.3) q[0], q[1]; crz(0.5) q[0], q[1];",
        ),
        ("ctrl @ gphase(0.4) q[1];", "p(0.4) q[1];"),
        ("ctrl(2) @ gphase(0.4) q[1], q[2];", "cp(0.4) q[1], q[2];"),
        ("ctrl(2) @ p(0.4) q[1], q[2], q[0];", "ctrl(3) @ gphase(0.4) q[1], q[2], q[0];"),
        ("ctrl @ ctrl @ x q[1], q[2], q[0];", "ccx q[1], q[2], q[0];"),
        ("negctrl @ x q[1], q[2];", "x q[1]; cx q[1], q[2]; x q[1];"),
        ("inv @ s q[0];", "sdg q[0];"),
        ("inv @ ctrl @ sx q[0], q[2];", "ctrl @ sx q[0], q[2]; ctrl @ x q[0], q[2];"),
        ("pow(3) @ t q[0];", "s q[0]; t q[0];"),
        ("pow(-2) @ rx(0.4) q[0];", "rx(-0.8) q[0];"),
        ("pow(0.5) @ x q[1];", "sx q[1];"),
        ("ctrl @ pow(0.5) @ z q[1], q[0];", "cp(pi/2) q[1], q[0];"),
        ("ctrl @ h q[1], q[0];", "ch q[1], q[0];"),
        ("ctrl @ swap q[1], q[0], q[2];", "cswap q[1], q[0], q[2];"),
        ("ctrl @ sdg q[1], q[2];", "cp(-pi/2) q[1], q[2];"),
        ("h q;", "h q[0]; h q[1]; h q[2];"),
        ("barrier q; rx(2*pi/3 - pi**2) q[-1];", "rx(2.0*3.141592653589793/3 - 9.869604401089358) q[2];"),
    ],
)
def test_modifiers_and_broadcasting(first, second):
    assert same_up_to_phase(*(unitary(parse_qasm(scrambled(text)).circuit) for text in (first, second)))


def test_user_gates_nest_shadow_and_carry_relative_phases():
    text = (
        HEAD
        + """input float[64] a;
        gate mine(t) p, q { rx(t) p; cx p, q; gphase(t/2); }
        gate outer(a, b) x, y { mine(b) y, x; ctrl @ mine(2*a) x, y, z0; }
        qubit[3] q;
        """
    )
    with pytest.raises(QasmError, match="'z0' is not one of the gate's qubits x, y"):
        parse_qasm(text)
    good = text.replace(
        "x, y { mine(b) y, x; ctrl @ mine(2*a) x, y, z0; }", "x, y, z0 { mine(b) y, x; ctrl @ mine(2*a) x, y, z0; }"
    )
    shadowed = parse_qasm(good + "ry(1.0) q; outer(0.3, a) q[0], q[1], q[2];")
    flat = parse_qasm(
        HEAD + "input float a; qubit[3] q; ry(1.0) q; rx(a) q[1]; cx q[1], q[0];"
        "crx(0.6) q[0], q[1]; ccx q[0], q[1], q[2]; p(0.3) q[0];"
    )
    for a in (0.4, -2.0):
        assert same_up_to_phase(unitary(shadowed.circuit, [a]), unitary(flat.circuit, [a]))


def test_definitions_of_native_gates_become_native_only_if_equal():
    body = "gate rzz(t) a, b { cx a, b; rz(%s) b; cx a, b; }"
    text = HEAD + "input float a; qubit[2] q;" + body + "rzz(3*a) q[0], q[1];"
    assert [g.name for g in parse_qasm(text % "t").circuit.gates] == ["rzz"]
    other = parse_qasm(text % "2*t").circuit
    assert [g.name for g in other.gates] == ["cx", "rz", "cx"]
    assert other.gates[1].scale == 6.0
    # s h s is sxdg times a phase, which shows under control.
    phased = parse_qasm(HEAD + "gate sxdg a { s a; h a; s a; } qubit[2] q; h q; ctrl @ sxdg q[0], q[1];").circuit
    plain = parse_qasm(HEAD + "qubit[2] q; h q; cp(pi/2) q[0], q[1]; ch q[0], q[1]; cp(pi/2) q[0], q[1];").circuit
    assert same_up_to_phase(unitary(phased), unitary(plain))


def test_shadowed_library_gates_and_later_definitions():
    text = HEAD + "gate twice(t) a { rx(t) a; rx(t) a; } gate rx(t) a { ry(t) a; } qubit q; twice(0.2) q; rx(0.3) q;"
    assert [(g.name, g.offset) for g in parse_qasm(text).circuit.gates] == [("rx", 0.2), ("rx", 0.2), ("ry", 0.3)]


def test_affine_angles_stay_data():
    program = parse_qasm(HEAD + "input float[64] a; input angle b; const float c = pi/4; qubit[2] q;"
                         "rx(-(2*a - c)/4 + 1) q[0]; ry(b) q[1]; rz(a - a + 0.5) q[0];")  # fmt: skip
    assert program.parameter_names == ("a", "b")
    assert program.parameter_map is None
    first, second, third = program.circuit.gates
    assert (first.param, first.scale) == (0, -0.5)
    assert first.offset == pytest.approx(np.pi / 16 + 1, abs=1e-15)
    assert (second.param, second.scale, second.offset) == (1, 1.0, 0.0)
    assert (third.param, third.offset) == (None, 0.5)


EXPRESSIONS = {
    "a*b": lambda a, b, c: a * b,
    "a + 2*b - c": lambda a, b, c: a + 2 * b - c,
    "sin(a)*exp(-b)/sqrt(c)": lambda a, b, c: jnp.sin(a) * jnp.exp(-b) / jnp.sqrt(c),
    "2*a**3 + c**b": lambda a, b, c: 2 * a**3 + c**b,
    "arccos(a/3) + cos(b)*tan(c) - log(c)": lambda a, b, c: jnp.arccos(a / 3) + jnp.cos(b) * jnp.tan(c) - jnp.log(c),
    "1/(a + c)": lambda a, b, c: 1 / (a + c),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_nonlinear_angles_by_the_exact_chain_rule(text):
    program = parse_qasm(
        HEAD + "input float a; input float b; input float c; qubit[2] q; h q;"
        f"rx({text}) q[0]; u3({text}, a, b*c) q[1]; cx q[0], q[1]; ry(0.5*({text}) + 1) q[0]; rz(c) q[1];"
    )
    objective = program.expectation({"ZX": 1.0, "YI": 0.3})
    f = EXPRESSIONS[text]

    def chained(t):
        a, b, c = t
        e = f(a, b, c)
        return jnp.stack([e, a, b * c, e, c])

    plain = qg.Circuit(2).h(0).h(1).rx(0, param=0).rz(1, param=2).ry(1, param=3).rz(1, param=1)
    plain = plain.cx(0, 1).ry(0, param=0, scale=0.5, offset=1.0).rz(1, param=4)
    expected = qg.Expectation(plain, {"ZX": 1.0, "YI": 0.3}, chained, example=np.zeros(3))
    point = np.array([0.4, -0.7, 1.3])
    np.testing.assert_allclose(gradient(objective, point), gradient(expected, point), atol=1e-12)
    # Traceable: the same gradient inside of jit.
    inside = jax.jit(lambda p: qg.estimate(objective, p, qg.ParameterShift()).gradient)(jnp.asarray(point))
    np.testing.assert_allclose(inside, gradient(expected, point), atol=1e-10)


def test_sharing_is_by_name_never_by_value():
    program = parse_qasm(HEAD + "input float a; input float b; qubit q; rx(a) q; ry(b) q; rx(a) q;")
    assert [g.param for g in program.circuit.gates] == [0, 1, 0]
    assert gradient(program.expectation("Z"), [0.3, 0.3]).shape == (2,)


def test_an_unused_input_has_gradient_zero():
    program = parse_qasm(HEAD + "input float a; input float b; qubit q; rx(a) q;")
    np.testing.assert_allclose(gradient(program.expectation("Z"), [0.3, 0.4]), [-np.sin(0.3), 0.0], atol=1e-15)


def test_several_registers_count_on():
    program = parse_qasm(HEAD + "qubit[2] a; qubit b; qubit[2] c; cx a[1], c[0]; cx a, c; x b;")
    assert [g.wires for g in program.circuit.gates] == [(1, 3), (0, 3), (1, 4), (2,)]


def test_version_2():
    text = """OPENQASM 2.0;
    include "qelib1.inc";
    gate mine(a, b) p, q { u3(a, b^2, ln(2)) p; cx p, q; }
    qreg q[2];
    h q;
    mine(pi/3, 0.5) q[0], q[1];
    cu1(0.3) q[0], q[1];
    cu3(0.3, 0.2, 0.1) q[1], q[0];
    """
    from qiskit import qasm2

    expected = qiskit_operator(qasm2.loads(text.replace("^", "**").replace("b**2", "b*b")))
    assert same_up_to_phase(unitary(parse_qasm(text).circuit), expected)


REFUSED = [
    ("qubit q; measure q;\nx q;", "gate x on a qubit that line 3 measures", 4, 1),
    ("qubit q; x q;\n  reset q;", "reset of a qubit that has been used", 4, 3),
    ("qubit q;\nwhile (true) { x q; }", "while", 4, 1),
    ("qubit q; bit c;\nif (c) { x q; }", "'c' is a classical bit", 4, 1),
    ("qubit q; bit[2] c;\nif (c[0] == 1) { x q; }", "'c' is a classical bit", 4, 1),
    ("qubit q;\nint k = 3;", "classical variable", 4, 1),
    ("qubit q;\ndelay[10ns] q;", "delay", 4, 1),
    ("def f(qubit q) -> bit { return measure q; }\nqubit q;", "def f returns a value", 3, 1),
    ("qubit q;\nfoo q;", "gate 'foo' is not defined", 4, 1),
    ("qubit q;\nrx(b) q;", "'b' is not defined", 4, 1),
    ("qubit q;\nrx(1, 2) q;", "takes 1 qubit.s. and 1 angle", 4, 1),
    ("qubit[2] q;\ncx q[0], q[0];", "names a qubit twice", 4, 1),
    ("qubit[2] q;\nx q[2];", "out of range", 4, 1),
    ("qubit q;\nx r;", "register 'r' is not declared", 4, 1),
    ("qubit q;\nx $0;", "physical qubit", 4, 1),
    ("input int n;\nqubit q;", "input float", 3, 1),
    ("qubit q;\nrx(1/0.0) q;", "no finite real value", 4, 1),
    ("qubit q;\nrx(sqrt(-1.0)) q;", "no finite real value", 4, 1),
    ("qubit q;\nrx(foo(1.0)) q;", "function 'foo'", 4, 1),
    ("qubit q;\npow(0.3) @ h q;", "fractional power", 4, 1),
    ("gate bad a {\n  foo a;\n}\nqubit q;", "gate 'foo' is not defined", 4, 3),
    ("qubit q;\nx q", "ends too early|syntax", 5, 1),
    ("qubit q;\nx q $$;", "syntax error", 4, 5),
    ('include "other.inc";\nqubit q;', "other.inc", 3, 1),
]


@pytest.mark.parametrize(("text", "message", "line", "column"), REFUSED)
def test_refusals_name_the_construct_and_its_place(text, message, line, column):
    with pytest.raises(QasmError, match=message) as caught:
        parse_qasm(HEAD + text + "\n", "mine.qasm")
    assert (caught.value.source, caught.value.line, caught.value.column) == ("mine.qasm", line, column)
    assert f"mine.qasm, line {line}, column {column}: " in str(caught.value)
    assert isinstance(caught.value, qg.ImportRefused)


def test_errors_and_programs_copy_and_pickle():
    """Process pools need it."""
    for duplicate in (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        error = duplicate(QasmError("wrong", "mine.qasm", 3, 4))
        assert (error.message, error.source, error.line, error.column) == ("wrong", "mine.qasm", 3, 4)
        assert str(error) == "mine.qasm, line 3, column 4: wrong"
        program = parse_qasm(HEAD + "input float a; qubit q; bit c; rx(sin(a)) q; c = measure q;")
        assert duplicate(program) == program


def test_unreadable_files(tmp_path):
    with pytest.raises(QasmError, match="cannot be read"):
        load_qasm(tmp_path / "missing.qasm")
    with pytest.raises(QasmError, match="cannot be read"):
        load_qasm(tmp_path)
    with pytest.raises(QasmError, match=r"cannot be read.*for a program's text, not a path, call parse_qasm"):
        load_qasm("OPENQASM 3.0; qubit q; " + 1000 * "x q;")
    path = tmp_path / "bad.qasm"
    path.write_bytes(b"OPENQASM 3.0;\nqubit q; \xff\xfe\n")
    with pytest.raises(QasmError, match=r"bad.qasm, line 2, column 10: .*UTF-8"):
        load_qasm(path)
    path.write_text(" \n")
    with pytest.raises(QasmError, match="line 1, column 1: the program is empty"):
        load_qasm(path)
    path.write_text("OPENQASM 3.0;\n")
    with pytest.raises(QasmError, match="no qubits"):
        load_qasm(path)
    path.write_text("OPENQASM 4.0;\nqubit q;\n")
    with pytest.raises(QasmError, match="version 4"):
        load_qasm(path)
