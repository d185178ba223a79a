"""Writing circuits as OpenQASM 3 text."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pennylane as qml
from qiskit import QuantumCircuit, QuantumRegister, qasm3

from .case import Template

HEADER = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
GREEK = {"θ": "theta", "β": "beta", "γ": "gamma", "φ": "phi"}
GATES = {
    "PauliX": "x", "PauliY": "y", "PauliZ": "z", "Hadamard": "h",
    "S": "s", "Adjoint(S)": "sdg", "SX": "sx",
    "CNOT": "cx", "CZ": "cz", "SWAP": "swap",
    "RX": "rx", "RY": "ry", "RZ": "rz", "PhaseShift": "p",
    "CRX": "crx", "CRY": "cry", "CRZ": "crz",
}  # fmt: skip
"""PennyLane's names of the gates that a template is decomposed to."""


def to_qasm(circuit: QuantumCircuit | Template) -> str:
    """The circuit as OpenQASM 3, up to a global phase."""
    if isinstance(circuit, Template):
        return from_pennylane(circuit)
    return from_qiskit(circuit)


def from_qiskit(circuit: QuantumCircuit) -> str:
    """Qiskit's own export, on one register ``q``, with plain ASCII names."""
    single = QuantumCircuit(QuantumRegister(circuit.num_qubits, "q"))
    single.compose(circuit, inplace=True)
    single.global_phase = 0
    lines = qasm3.dumps(single).splitlines()
    text = "\n".join(line for line in lines if not line.strip().startswith("gphase"))
    text = re.sub(r"\b_([^\W\d_]+)_(\d+)_(?!\w)", _plain_name, text)
    return text.strip() + "\n"


def _plain_name(match: re.Match[str]) -> str:
    """``_θ_3_``, as Qiskit writes element 3 of a vector, becomes ``theta_3``."""
    letters = match.group(1)
    return f"{GREEK.get(letters, letters)}_{match.group(2)}"


def from_pennylane(template: Template) -> str:
    """The template's decomposition by PennyLane, gate by gate.

    PennyLane decomposes circuits with numbers in them, not symbols. The angles are affine in
    the parameters, so decompositions at a point and one step along each axis give them.
    """
    base = np.random.default_rng(7).uniform(0.3, 0.9, len(template.parameters))
    origin = decomposed(template, base)
    steps = [decomposed(template, base + e) for e in np.eye(len(base))]
    if any([o.name for o in s] != [o.name for o in origin] for s in steps):
        raise ValueError("the decomposition depends on the values of the parameters")
    lines = [f"input float[64] {name};" for name in template.parameters]
    lines.append(f"qubit[{template.qubits}] q;")
    for i, operation in enumerate(origin):
        slopes = [_angle(s[i]) - _angle(operation) for s in steps]
        lines.append(_statement(operation, slopes, base, template.parameters))
    return HEADER + "\n".join(lines) + "\n"


def decomposed(template: Template, params: np.ndarray) -> list[Any]:
    """The template's operations at ``params``, as gates of ``GATES``."""
    with qml.queuing.AnnotatedQueue() as queue:
        template.apply(params)
    tape = qml.tape.QuantumScript.from_queue(queue)
    allowed = set(GATES) | {"GlobalPhase", "Identity"}
    (flat,), _ = qml.transforms.decompose(tape, gate_set=allowed)
    return [o for o in flat.operations if o.name not in ("GlobalPhase", "Identity")]


def _angle(operation: Any) -> float:
    return float(operation.parameters[0]) if operation.parameters else 0.0


def _statement(operation: Any, slopes: list[float], base: np.ndarray, names: list[str]) -> str:
    """One gate call."""
    wires = ", ".join(f"q[{w}]" for w in operation.wires)
    gate = GATES[operation.name]
    if not operation.parameters:
        return f"{gate} {wires};"
    used = [(_snap(b), k) for k, b in enumerate(slopes) if abs(b) > 1e-13]
    constant = _angle(operation) - sum(b * base[k] for b, k in used)
    words = [_product(b, names[k]) for b, k in used]
    if abs(constant) > 1e-13:
        words.append(_multiple_of_pi(constant))
    return f"{gate}({' + '.join(words) or '0'}) {wires};"


def _snap(value: float) -> float:
    """Remove rounding error from a multiple of 1/64."""
    near = round(value * 64) / 64
    return near if abs(value - near) < 1e-13 else value


def _product(factor: float, name: str) -> str:
    if factor in (1, -1):
        return name if factor == 1 else f"-{name}"
    number = repr(int(factor) if factor == int(factor) else float(factor))
    return f"{number}*{name}"


def _multiple_of_pi(value: float) -> str:
    ratio = Fraction(value / np.pi).limit_denominator(16)
    if abs(float(ratio) * np.pi - value) > 1e-13:
        return repr(float(value))
    sign = "-" if ratio < 0 else ""
    top = "pi" if abs(ratio.numerator) == 1 else f"{abs(ratio.numerator)}*pi"
    return sign + top + (f"/{ratio.denominator}" if ratio.denominator > 1 else "")
