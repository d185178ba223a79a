"""Calls read in parts against the rule for whole statements: the same statement, or left to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcgrad.interop import QasmError, parse_qasm
from qcgrad.interop.qasm import _parser as parser
from qcgrad.interop.qasm._calls import call_by_parts
from qcgrad.interop.qasm._cursor import Cursor, SyntaxFault
from qcgrad.interop.qasm._importer import _read
from qcgrad.interop.qasm._language import LANGUAGES
from qcgrad.interop.qasm._source import tokens
from qcgrad.interop.qasm._statements import Refusal, statement

SETTINGS = settings(max_examples=400, deadline=None, derandomize=True)
HEADS = {
    2: 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ngate g(a, b) x { u3(a, -b, a/3) x; }\n',
    3: 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float t;\nqubit[3] q;\ngate g(a, b) x { u3(a, -b, a/3) x; }\n',
}
NAMES = ["rz", "u3", "g", "p", " rz", "\ncp ", "cu3", "pow", "if", "rz g", "\u03b1", "", "ctrl", "gphase", '"rz']
ARGUMENTS = [
    "0.5", "-0.25", " 1.5e-3", "1e2", "-.5E1 ", "3.", "1", "-2", "0", "0.0", "-0.0", "1_0.5", "0x1", "1.5.2", "1e999",
    "--1.", "+.5", "- 0.5", "1e", ".", "inf", "nan", "1/2", "pi/4", "-3*pi/3", "2^3", "2**3", "t", "2*t", "a[1", "1]",
    "true", "{1", "0.1 0.2", "", "'", '"', "\u0663.5", "pi", "\x00",
]  # fmt: skip
OPERANDS = [
    " q[0];", " q[1], q[2];", " q;", " q[0],q[0];", "q[1]", " q[0:1];", " q[1],;", ";", " q[3];", " r[0];",
    " q[0] q[1];", " q[-1];", "\nq[\t2 ];", " @ q[0];", "[5ns] q[0];", ' "q";',
]  # fmt: skip
PIECES = st.builds(
    lambda name, arguments, tail: f"{name}({','.join(arguments)}){tail}",
    st.sampled_from(NAMES),
    st.lists(st.one_of(st.sampled_from(ARGUMENTS), st.floats().map(repr)), max_size=4),
    st.sampled_from(OPERANDS),
)
SOUND = [
    "h q;",
    "barrier q;",
    "rz(0.5) q[0];",
    "u3(0.1,0.0,pi/3) q[1];",
    "rz(-pi) q[2];",
    "g(1.5,pi) q[0];",
    "rz(2) q;",
]
VERSIONS = st.sampled_from([2, 3])


def by_the_grammar(piece, version):
    try:
        return statement(Cursor(tokens(piece), LANGUAGES[version]))
    except (SyntaxFault, Refusal):
        return None


@SETTINGS
@given(PIECES, VERSIONS)
def test_a_call_in_parts_is_the_call_of_the_grammar(piece, version):
    found = call_by_parts(piece, version)
    # By their text, as 1 equals 1.0 and True.
    assert found is None or repr(found) == repr(by_the_grammar(piece, version))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "piece", ["rz(0.5) q[0];", "\nu3(-0.1, pi/4,-3*pi/3) q[1];", "cp(1e-3) q[0], q[1];", "rz( .5E1 ) q;",
              "g(2.,0.3) q[0];"],
)  # fmt: skip
def test_what_programs_are_full_of_is_read_in_parts(piece, version):
    found = call_by_parts(piece, version)
    assert found is not None
    assert repr(found) == repr(by_the_grammar(piece, version))


def outcome(text):
    try:
        read = _read(text, "program")  # not from the memory of programs
    except QasmError as error:
        return str(error)
    return repr((read.circuit.gates, read.parameter_names, read.parameter_map, read.notes))


@SETTINGS
@given(st.lists(st.one_of(PIECES, *[st.sampled_from(SOUND)] * 8), min_size=1, max_size=6), VERSIONS)
def test_programs_read_in_parts_give_the_same_gates_and_the_same_refusals(pieces, version):
    text = HEADS[version] + "".join(piece + "\n" for piece in pieces)
    found = outcome(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "call_by_parts", lambda piece, version: None)
        expected = outcome(text)
    assert found == expected


def test_declarations_between_calls_change_what_their_parts_mean():
    """A part is remembered, what it stands for only until the next declaration."""
    lines = "rz(a) q[0]; u3(0.1, a/2, 1) q[0];"
    read = parse_qasm(f"OPENQASM 3.0; qubit[2] q; for int i in [1:2] {{ rz(i) q[0]; }} const float b = 2; rz(b) q[0];"
                      f"const float a = 0.5; {lines} gate rz(x) y {{ rx(2*x) y; }} {lines}")  # fmt: skip
    names = [gate.name for gate in read.circuit.gates]
    assert names[:4] == ["rz"] * 4
    assert names.count("rx") == 1
    with pytest.raises(QasmError, match="'a' is not defined here"):
        parse_qasm(f"OPENQASM 3.0; qubit[2] q; {{ const float a = 1; {lines} }} {lines}")


def test_a_quotient_of_integers_is_noted_as_often_as_it_occurs():
    read = parse_qasm("OPENQASM 3.0; qubit[3] q; rz(1/2) q[0]; rz(1/2) q[1]; rz(1/2) q[2];")
    assert read.notes[0].endswith("(3 times)")
