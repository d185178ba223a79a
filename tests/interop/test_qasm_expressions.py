"""Expressions of OpenQASM 2 against Qiskit's loader, of version 3 against the reference grammar, on generated ones."""

import math
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcgrad.interop import QasmError, parse_qasm

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
SETTINGS = settings(max_examples=120, deadline=None, derandomize=True)


def angle(program):
    """The angle of the only gate."""
    (gate,) = parse_qasm(program).circuit.gates
    return gate.offset


def program_2(expression):
    return f"{HEAD_2}qreg q[1];\nrz({expression}) q[0];"


def program_3(expression, before=""):
    return f"{HEAD_3}{before}qubit q;\nrz({expression}) q;"


def texts(numbers, binary, prefixes, functions):
    """Expressions as text, with few parentheses, so that precedence decides."""

    def larger(inner):
        return st.one_of(
            st.tuples(inner, st.sampled_from(binary), inner).map(" ".join),
            st.tuples(st.sampled_from(prefixes), inner).map("".join),
            st.tuples(st.sampled_from(functions), inner).map(lambda t: f"{t[0]}({t[1]})"),
            inner.map(lambda t: f"({t})"),
        )

    return st.recursive(st.sampled_from(numbers), larger, max_leaves=8)


NUMBERS_2 = ["1", "2", "3", "0", "0.5", ".25", "3.", "1e1", "2.5E-1", "pi"]
GRAMMAR_2 = (["+", "-", "*", "/", "^", "^"], ["-", "-", "+"], ["sin", "cos", "tan", "exp", "ln", "sqrt"])


def of_qiskit(program):
    """The angle of the one rz that a program of version 2 comes to; None where it has no finite value."""
    from qiskit import qasm2

    try:
        circuit = qasm2.loads(program, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        operation = circuit.data[0].operation
        value = (operation if operation.name == "rz" else operation.definition.data[0].operation).params[0]
    except (qasm2.QASM2ParseError, ArithmeticError, ValueError, TypeError):
        return None
    return float(value) if not isinstance(value, complex) and math.isfinite(value) else None


def check(program, expected):
    """The reader gives this angle, and refuses where there is none."""
    if expected is None:
        with pytest.raises(QasmError):
            parse_qasm(program)
    else:
        assert angle(program) == pytest.approx(expected, rel=1e-13, abs=1e-13)


@SETTINGS
@given(texts(NUMBERS_2, *GRAMMAR_2))
def test_expressions_of_version_2_agree_with_qiskits_loader(text):
    check(program_2(text), of_qiskit(program_2(text)))


@SETTINGS
@given(texts([*NUMBERS_2, "a", "b", "a", "b"], *GRAMMAR_2))
def test_expressions_in_gate_bodies_of_version_2_agree_with_qiskits_loader(text):
    program = f"{HEAD_2}gate g(a, b) x {{ rz({text}) x; }}\nqreg q[1];\ng(0.3, 1.7) q[0];"
    check(program, of_qiskit(program))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2*3^2", 18.0), ("-2^2", -4.0), ("2^3^2", 512.0), ("2^-1", 0.5), ("2^-1*4", 2.0), ("-2^-2", -0.25),
        ("1/2", 0.5), ("7/2/2", 1.75), ("1-2-3", -4.0), ("+2--3", 5.0), ("sqrt(4)^3", 8.0), ("ln(exp(2))", 2.0),
        ("2*pi/4", math.pi / 2), ("asin(1)", math.pi / 2), ("-(1+2)*3", -9.0), ("2,", 2.0),
    ],
)  # fmt: skip
def test_the_power_of_version_2_binds_most_tightly_and_numbers_are_real(text, value):
    assert angle(program_2(text)) == pytest.approx(value, rel=1e-15)
    inside = f"{HEAD_2}gate g x {{ rz({text}) x; }} qreg q[1]; g q[0];"
    assert angle(inside) == pytest.approx(value, rel=1e-15)


NUMBERS_3 = ["1", "2", "3", "7", "0x1F", "0b11", "0o7", "1_000", "0.5", ".5", "2.", "1e1", "pi", "tau", "n", "f"]
CONSTANTS_3 = {"pi": math.pi, "tau": math.tau, "n": 5, "f": 1.5}
DECLARED_3 = "const int n = 5;\nconst float f = 1.5;\n"
BINARY_3 = ["+", "-", "*", "/", "/", "%", "**", "<<", "&", "|", "^"]
FUNCTIONS_3 = ["sin", "cos", "arctan", "exp", "sqrt", "log", "floor", "ceiling", "float", "int", "int[16]", "float[64]"]
ON_INTEGERS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, "**": operator.pow,
}  # fmt: skip
ON_REALS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": math.fmod, "**": math.pow,
}  # fmt: skip


def reference(node):
    """The value of a tree of the reference grammar, by the types of the specification.

    Raises:
        ValueError, ArithmeticError: no value that the specification gives.
    """
    kind = type(node).__name__
    if kind in ("IntegerLiteral", "FloatLiteral"):
        return node.value
    if kind == "Identifier":
        return CONSTANTS_3[node.name]
    if kind == "UnaryExpression":
        return -reference(node.expression)
    if kind == "Cast":
        value = reference(node.argument)
        if type(node.type).__name__ == "FloatType":
            return float(value)
        bits = 64 if node.type.size is None else node.type.size.value
        return limited(int(value), -(2 ** (bits - 1)), 2 ** (bits - 1))
    if kind == "FunctionCall":
        names = {"arctan": math.atan, "ceiling": math.ceil}
        return finite(names.get(node.name.name) or getattr(math, node.name.name), reference(node.arguments[0]))
    return binary(node.op.name, reference(node.lhs), reference(node.rhs))


def binary(sign, left, right):
    if not (isinstance(left, int) and isinstance(right, int)):
        if sign not in ON_REALS:
            raise ValueError("of integers only")
        return finite(ON_REALS[sign], left, right)
    if sign in ("/", "%"):
        if left % right and (left < 0 or right < 0):
            raise ValueError("rounding is left open")
        return left // right if sign == "/" else left % right
    if sign in ("<<", "**") and not 0 <= right <= 64:
        if sign == "**" and right > 0 and abs(left) < 2:
            return left**right
        raise ValueError("out of range")
    return limited(ON_INTEGERS[sign](left, right), -(2**64), 2**64)


def limited(value, low, high):
    if not low <= value < high:
        raise ValueError("too wide")
    return value


def finite(function, *operands):
    value = float(function(*operands))
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


@SETTINGS
@given(texts(NUMBERS_3, BINARY_3, ["-"], FUNCTIONS_3))
def test_expressions_of_version_3_agree_with_the_reference_grammar_and_its_types(text):
    from openqasm3.parser import parse

    program = program_3(text, DECLARED_3)
    try:
        expected = float(reference(parse(program).statements[-1].arguments[0]))
    except (ValueError, ArithmeticError):
        expected = None
    check(program, expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/2", 0.0), ("7/2", 3.0), ("1.0/2", 0.5), ("1/2.0", 0.5), ("float(1)/2", 0.5), ("pi/2", math.pi / 2),
        ("2*7/4", 3.0), ("7/2*2.0", 6.0), ("7 % 4", 3.0), ("2**3**2", 512.0), ("-2**2", -4.0), ("2.0**-1", 0.5),
        ("1 << 3 | 1", 9.0), ("int(2.9) + int[8](-1.5)", 1.0), ("mod(7, 4) + mod(7.5, 4)", 6.5), ("6 ^ 3", 5.0),
    ],
)  # fmt: skip
def test_integers_of_version_3_divide_as_integers(text, value):
    assert angle(program_3(text)) == pytest.approx(value, rel=1e-15)


def test_arguments_of_gates_and_subroutines_have_their_declared_types():
    """The parameter of a gate is an angle: half of 1 is 0.5 there, and 0 where it is an integer."""
    program = f"""{HEAD_3}qubit q; gate g(a) x {{ rx(a/2) x; }} const float c = 1; const int n = 1;
    def f(qubit x, float a, int k) {{ ry(a/2) x; rz(k/2) x; }}
    g(1) q; f(q, 1, 1); p(c/2) q; p(n/2) q; for float t in {{1}} rx(t/2) q; for int t in {{1}} rx(t/2) q;"""
    assert [g.offset for g in parse_qasm(program).circuit.gates] == [0.5, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0]


def test_a_quotient_that_loses_its_remainder_leaves_a_note():
    assert parse_qasm(program_3("1/2")).notes == ("line 4: 1/2 divides integers, which gives 0; the quotient is 1.0/2",)
    assert parse_qasm(program_3("4/2")).notes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1/2", "does not say how the quotient rounds"), ("-7 % 4", "rounds"), ("1/0", "has no value"),
        ("1 % 0", "has no value"), ("2**-1", r"write 2.0 \*\* -1"), ("2**100", "more than 64 bits"),
        ("2**2**2**30", "more than 64 bits"), ("99999999999999999999", "more than 64 bits"), ("1 << 65", "shift by 0"),
        ("1.5 & 1", "no integers"), ("true", "truth value"), ("~1", "~"), ("pow(2, 3)", r"write a \*\* b"),
        ("1e400", "out of range"), ("1__0", "no number"), ("sin(1, 2)", "takes 1 argument"), ("1 2", "expected"),
        ("", "takes 1 qubit.s. and 1 angle"), ("*1", "expected a number"), ("q", "is a qubit"),
        ("sin", "'sin' is not defined"), ("uint(-1.0)", "outside of uint"), ("int[4](9)", "outside of int"),
    ],
)  # fmt: skip
def test_expressions_without_a_value_are_refused(text, message):
    with pytest.raises(QasmError, match=message):
        parse_qasm(program_3(text))


def test_version_2_says_how_it_writes_powers():
    with pytest.raises(QasmError, match=r"line 4, column 5: syntax error at '\*\*'.*a \^ b"):
        parse_qasm(program_2("2**3"))


def test_definitions_are_checked_without_numbers_for_their_parameters():
    """Roots and logarithms in gate bodies: what matters are the numbers of each call."""
    for head, qubits, power in ((HEAD_2, "qreg q[1];", "^"), (HEAD_3, "qubit[1] q;", "**")):
        body = f"rx(sqrt(t)) x; ry(ln(t)) x; rz(t{power}0.5) x; p(acos(t)) x; rx(asin(-t)) x;"
        gate = f"gate g(t) x {{ {body} }} "
        angles = [g.offset for g in parse_qasm(f"{head}{gate}{qubits} g(0.25) q[0];").circuit.gates]
        expected = [0.5, math.log(0.25), 0.5, math.acos(0.25), math.asin(-0.25)]
        assert angles == pytest.approx(expected, rel=1e-15)
        parse_qasm(f"{head}{gate}{qubits} U(0, 0, 0) q[0];")
        with pytest.raises(QasmError, match=r"no finite real value .* \(in gate g\)"):
            parse_qasm(f"{head}{gate}{qubits} g(-0.25) q[0];")
    with pytest.raises(QasmError, match="no finite real value"):
        parse_qasm(f"{HEAD_2}gate g(t) x {{ rx(t + ln(0)) x; }} qreg q[1];")
