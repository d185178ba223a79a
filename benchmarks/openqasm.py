"""Times of reading OpenQASM: `python benchmarks/openqasm.py [GATES]`, with Qiskit's reader of version 2 beside it.

Each line is one program of GATES statements, from its text to a circuit. Real circuits repeat their statements; where
every angle is another number, each is parsed.
"""

import random
import sys
import time

from qiskit import qasm2

from qcgrad.interop import parse_qasm

HEADS = {
    2: 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[20];\n',
    3: 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[20] q;\n',
}


def programs(count):
    """Name to (version, statements)."""
    source = random.Random(0)
    pairs = [tuple(source.sample(range(20), 2)) for _ in range(count)]
    angles = [source.uniform(-3, 3) for _ in range(count)]
    cx = [f"cx q[{a}],q[{b}];" for a, b in pairs]
    rz = [f"rz({t!r}) q[{a}];" for t, (a, _) in zip(angles, pairs, strict=True)]
    u3 = [f"u3({t!r},pi/{a + 1},-{b}*pi/3) q[{a}];" for t, (a, b) in zip(angles, pairs, strict=True)]
    own = [f"g({t!r}) q[{a}],q[{b}];" for t, (a, b) in zip(angles[: count // 4], pairs, strict=False)]
    own = ["gate g(a) x,y { h x; cx x,y; rz(a/2) y; cx x,y; }", *own]
    return {
        "cx, repeated": (2, cx), "rz, all different": (2, rz), "u3, all different": (2, u3),
        "a gate of its own": (2, own), "cx, repeated ": (3, cx), "rz, all different ": (3, rz),
    }  # fmt: skip


def seconds(function, text):
    start = time.process_time()
    function(text)
    return time.process_time() - start


def main(count=171_000):
    print(f"{'program':20s} version  seconds  statements/s  Qiskit's seconds   {count} statements")
    for name, (version, lines) in programs(count).items():
        text = HEADS[version] + "\n".join(lines)
        own = seconds(parse_qasm, text)
        theirs = f"{seconds(qasm2.loads, text):16.2f}" if version == 2 else ""
        print(f"{name:20s} {version:7d} {own:8.2f} {len(lines) / own:13.0f}  {theirs}", flush=True)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
