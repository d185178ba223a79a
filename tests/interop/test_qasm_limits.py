"""Small programs that ask for much, and damaged ones: a circuit or a `QasmError`, in bounded time and memory."""

import random
import resource

import pytest

from qcgrad.interop import QasmError, load_qasm, parse_qasm
from qcgrad.interop.qasm.limits import MAX_GATES, MAX_QUBITS

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def doubling(levels, body="{0} a; {0} a;", parameters=""):
    names = ["h", *(f"g{k}" for k in range(levels))]
    return "\n".join(f"gate {names[k + 1]}{parameters} a {{ {body.format(names[k])} }}" for k in range(levels)) + "\n"


LARGE = {
    "declared qubits": (HEAD_2 + "qreg q[1000000000];", f"size 1000000000: a program may have at most {MAX_QUBITS}"),
    "all declared qubits": (HEAD_2 + "qreg a[99999]; qreg b[99999];", "100000 qubits .99999 are declared before"),
    "a size beyond integers": (HEAD_3 + "qubit[99999999999999999999999] q;", "more than 64 bits"),
    "physical qubits": (HEAD_3 + "h $1000000000;", "physical qubit .1000000000: a program may have at most"),
    "nested definitions": (HEAD_2 + doubling(40) + "qreg q[1]; g39 q[0];", f"g39 expands to more than {MAX_GATES}"),
    "a definition called often": (
        HEAD_2 + doubling(16) + "qreg q[1];" + "g15 q[0];" * 1000, "gate g15 expands to more than",
    ),
    "empty nested definitions": (
        HEAD_3 + "gate h a { } " + doubling(40) + "qubit q; g39 q;", f"expands to more than {MAX_GATES} gates",
    ),
    "a chain of definitions": (HEAD_2 + doubling(3000, "{0} a;") + "qreg q[1];", "more than 100 levels deep"),
    "nested subroutines": (
        HEAD_3 + "def f0(qubit a) { } "
        + "".join(f"def f{k}(qubit a) {{ f{k-1}(a); f{k-1}(a); }} " for k in range(1, 40))
       
        + "qubit q; f39(q);", "subroutine f39 expands to more than",
    ),
    "a loop": (HEAD_3 + "qubit q; for int i in [0:1000000000000] { h q; }", "a loop expands to more than"),
    "an empty loop in a loop": (
        HEAD_3 + "qubit q; for int i in [1:1000000] { for int j in [1:1000000] { } }", "a loop expands to more than",
    ),
    "registers in a loop": (HEAD_3 + "qubit[50] q; for int i in [0:999999] { h q; }", "expands to more than"),
    "a power": (HEAD_3 + "qubit q; pow(1000000000) @ h q;", "expands to more than"),
    "powers of powers": (HEAD_3 + "qubit q; pow(1000) @ pow(1000) @ pow(1000) @ h q;", "expands to more than"),
    "powers in definitions": (HEAD_3 + doubling(9, "pow(1000) @ {0} a;") + "qubit q; g8 q;", "expands to more than"),
    "controls": (
        HEAD_3 + f"qubit[40] q; ctrl(39) @ h {', '.join(f'q[{k}]' for k in range(40))};", "expands to more than",
    ),
    "an integer": (HEAD_3 + "qubit q; rx(2**2**2**30) q;", "more than 64 bits"),
    "digits": (HEAD_3 + f"qubit q; rx({'9' * 100_000}) q;", "out of range"),
    "parentheses": (HEAD_3 + f"qubit q; rx({'(' * 50_000}1{')' * 50_000}) q;", "nested more than 100 levels"),
    "signs": (HEAD_2 + f"qreg q[1]; rx({'-' * 50_000}1) q[0];", "nested more than 100 levels"),
    "powers in exponents": (HEAD_2 + f"qreg q[1]; rx({'1^' * 50_000}1) q[0];", "nested more than 100 levels"),
    "functions": (HEAD_2 + f"qreg q[1]; rx({'sin(' * 50_000}1{')' * 50_000}) q[0];", "nested more than 100 levels"),
    "blocks": (HEAD_3 + "qubit q; " + "{" * 50_000, "nested more than 100 levels"),
    "conditions": (HEAD_3 + "qubit q; " + "if (true) " * 50_000 + "h q;", "nested more than 100 levels"),
    "a product of inputs": (
        HEAD_3 + "input float t; qubit q; gate g0(t) a { rx(t) a; } "
        + "".join(f"gate g{k}(t) a {{ g{k-1}(t*t + sin(t)) a; }} " for k in range(1, 60)) + "g59(t) q;",
        "more than 200 operations",
    ),
    "a sum of products": (
        HEAD_3 + "input float a; input float b; qubit q;"
        + f"rx({' + '.join(f'a*(b + {k})' for k in range(5000))}) q;",
        "more than 200 operations",
    ),
    "comments without an end": (HEAD_2 + "/* " * 100_000, "this comment has no end"),
    "quotes": (HEAD_2 + '"' * 100_001, "syntax error"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_before_it_is_made(name):
    program, message = LARGE[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(QasmError, match=message):
        parse_qasm(program)
    # In KiB. Without a limit these take GiB, or never end.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


def test_what_is_long_but_not_large_loads():
    assert parse_qasm(HEAD_2 + f"qreg q[1]; rx({'+'.join(['1'] * 20_000)}) q[0];").circuit.gates[0].offset == 20_000
    assert parse_qasm(HEAD_3 + "qubit q; pow(2**40) @ rx(2.0**-40) q;").circuit.gates[0].offset == 1.0
    assert parse_qasm(HEAD_2 + doubling(10) + "qreg q[1]; g9 q[0];").circuit.num_gates == 1024
    nested = f"rx({'(' * 45}1{')' * 45}) q[0];"
    assert parse_qasm(HEAD_2 + "qreg q[1];" + nested).circuit.num_gates == 1
    assert parse_qasm(HEAD_2 + "creg c[1000000000]; qreg q[1]; h q[0];").circuit.num_gates == 1
    assert (
        parse_qasm(HEAD_3 + "input float t; qubit q; rx(" + " + ".join(["t*t"] * 5000) + ") q;").circuit.num_gates == 1
    )


def test_a_file_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("qcgrad.interop.qasm._importer.MAX_BYTES", 1000)
    path = tmp_path / "long.qasm"
    path.write_text(HEAD_2 + "qreg q[1];" + "h q[0];" * 1000)
    with pytest.raises(QasmError, match="more than 1000 bytes"):
        load_qasm(path)


def test_a_long_program_takes_little_more_memory_than_its_gates():
    """The text is 0.5 MB; tokens and statements of all of it at once would be 30."""
    import tracemalloc

    lines = [f"cx q[{k % 17}],q[{k % 19 + 17}];\n" for k in range(30_000)]
    program = HEAD_2 + "qreg q[40];\n" + "".join(lines)
    tracemalloc.start()
    try:
        circuit = parse_qasm(program).circuit
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert circuit.num_gates == 30_000
    assert peak < 8e6


SAMPLES = [
    HEAD_2 + "gate g(a, b) x, y { rx(a*2^b/3) x; cx x, y; barrier x; u3(a, -b, pi/2) y; }\nopaque o(t) z;\n"
    "qreg q[3];\ncreg c[3];\nreset q;\nh q;\ng(0.3, sqrt(2)) q[0], q[2];\n// note\nccx q[0],q[1],q[2]; measure q->c;",
    HEAD_3 + "const int n = 3; input float[64] t; qubit[n] q; bit[n] c;\ngate g(a) x, y { ctrl @ rx(a/2) x, y; }\n"
    "def f(qubit[2] a, int k) { for int i in [0:k] { rz(i*pi/4) a[i]; } }\nlet a = q[0:1] ++ q[{2}];\nf(a[1:2], 1);\n"
    "if (n > 2) { g(t) q[0], q[1]; } else x q;\ninv @ pow(2) @ s q[2]; /* end */ c = measure q;\n",
]  # fmt: skip
INSERTED = [
    *"(){}[];,:@+-*/^%$\"'!~<>=&|#.0123456789 \n\t",
    "gate ", "for ", "qreg ", "ctrl @ ", "1e999", "9999999999", "2**", "//", "/*", "*/", "measure ", "\x00", "é", "π",
]  # fmt: skip


def damaged(text, random):
    """The text with a few deletions, insertions, swaps of pieces and cuts."""
    for _ in range(random.randrange(1, 4)):
        at, to = sorted(random.randrange(len(text) + 1) for _ in range(2))
        kind = random.randrange(5)
        if kind == 0:
            text = text[:at] + text[min(to, at + 5) :]
        elif kind == 1:
            text = text[:at] + random.choice(INSERTED) * random.randrange(1, 4) + text[at:]
        elif kind == 2:
            text = text[:at] + text[at:to][:30] * 2 + text[at + 30 :]
        elif kind == 3:
            text = text[:at]
        else:
            text = text[to:] + text[at:to] + text[:at]
    return text


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_damaged_programs_load_or_are_refused(sample):
    source = random.Random(sample)
    refused = placed = 0
    for _ in range(1500):
        text = damaged(SAMPLES[sample], source)
        try:
            parse_qasm(text)
        except QasmError as error:
            refused += 1
            placed += error.line is not None
    assert 500 < refused < 1500
    assert placed == refused
