"""What became of one OpenQASM file: read here and by Qiskit, and compared."""

import re
from pathlib import Path
from typing import NamedTuple

TOLERANCE = 1e-10


class Limits(NamedTuple):
    """What one file may take."""

    max_qubits: int = 20
    seconds: float = 120.0
    max_bytes: int = 4 << 30


class Verdict(NamedTuple):
    """What became of a file, with the reason or the largest difference."""

    kind: str
    why: str = ""


def judge(path: Path, limits: Limits) -> Verdict:
    """The verdict on one file, in this process."""
    from qcgrad.interop import QasmError, load_qasm

    try:
        loaded = load_qasm(path)
    except QasmError as error:
        return _on_refusal(path, _first_line(error))
    except Exception as error:
        return Verdict("crashed", f"{type(error).__name__}: {error}")
    reference, why = _qiskits(path)
    if reference is None:
        return Verdict("unjudged", why)
    if reason := not_unitary(reference):
        return Verdict("wrong", f"loaded, though it has {reason}")
    return _compared(loaded, reference, limits)


def _on_refusal(path, message) -> Verdict:
    message = re.sub(r"^.*?line \d+, column \d+: ", "", message)
    reference, why = _qiskits(path)
    if reference is None:
        return Verdict("refused", f"{message}; Qiskit does not read it either ({why})")
    reason = not_unitary(reference)
    return Verdict("refused", reason) if reason else Verdict("mistaken", message)


def _qiskits(path):
    """(Qiskit's circuit, "") or (None, why there is none)."""
    from qiskit import qasm2, qasm3

    text = path.read_text("utf-8", "replace")
    version = re.search(r"^\s*OPENQASM\s+(\d)", text, re.MULTILINE)
    is_third = version[1] == "3" if version else "qelib1.inc" not in text
    try:
        if is_third:
            return qasm3.loads(text), ""
        known = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
        return qasm2.loads(text, include_path=[path.parent], custom_instructions=known), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error) -> str:
    return (str(error).splitlines() or ["no message"])[0][:160]


def not_unitary(circuit) -> str:
    """What of a Qiskit circuit is neither a gate nor at an end, in words; "" if nothing is."""
    from qiskit.circuit import Barrier, ControlFlowOp, Delay, Gate, Measure, Reset, Store

    used, measured = set(), set()
    for item in circuit.data:
        operation, qubits = item.operation, set(item.qubits)
        if isinstance(operation, (Barrier, Delay)):
            continue
        if isinstance(operation, (ControlFlowOp, Store)):
            return "a condition or a loop" if isinstance(operation, ControlFlowOp) else "a classical variable"
        if isinstance(operation, Measure):
            measured |= qubits
            continue
        if qubits & measured:
            return "a measurement inside"
        if isinstance(operation, Reset):
            if qubits & used:
                return "a reset inside"
            continue
        if not isinstance(operation, Gate):
            return f"the operation {operation.name}"
        if operation.definition is None and not _has_matrix(operation):
            return "an opaque gate"
        used |= qubits
    return ""


def _has_matrix(operation) -> bool:
    try:
        operation.to_matrix()
    except Exception:
        return False
    return True


def _compared(loaded, reference, limits) -> Verdict:
    import numpy as np

    import qcgrad as qg
    from qcgrad.ir import Program

    n = loaded.circuit.num_qubits
    if n != reference.num_qubits:
        return Verdict("wrong", f"{n} qubits, Qiskit has {reference.num_qubits}")
    inputs = 0.3 + 0.1 * np.arange(len(loaded.parameter_names))
    mapped = inputs if loaded.parameter_map is None else np.asarray(loaded.parameter_map(inputs))
    index, scale, offset = loaded.circuit.angle_map
    angles = mapped[index] * scale + offset
    identity = [qg.PauliSum("I" * n)]
    ours = Program(loaded.circuit, identity).busy
    if len(ours.qubits) > limits.max_qubits:
        return Verdict("beyond", f"{len(ours.qubits)} of {n} qubits are busy")
    by_name = {p: inputs[loaded.parameter_names.index(p.name)] for p in reference.parameters}
    theirs = Program(_as_matrices(reference.assign_parameters(by_name)), identity)
    # Qubits on which one of the two has no gate count for both.
    theirs = theirs.on(range(theirs.num_gates), sorted({*ours.qubits, *theirs.busy.qubits}))
    ours = Program(loaded.circuit, identity).on(
        [i for i, gate in enumerate(loaded.circuit.gates) if gate.wires], theirs.qubits
    )
    backend = qg.Statevector(max_bytes=limits.max_bytes)
    psi, phi = (
        np.asarray(backend.state(part.program, part.select(values)))
        for part, values in ((ours, angles), (theirs, np.zeros(0)))
    )
    overlap = np.vdot(phi, psi)
    difference = float(np.abs(psi - overlap / max(abs(overlap), 1e-9) * phi).max())
    return Verdict("equal" if difference < TOLERANCE else "wrong", f"{difference:.1e}")


def _as_matrices(circuit):
    """Qiskit's circuit with its own matrix of every gate, so that no table of gates of ours is used."""
    import qcgrad as qg

    built = []
    _collect(circuit, range(circuit.num_qubits), {}, built)
    return qg.Circuit(circuit.num_qubits, built)


def _collect(circuit, wires, known, built):
    from qiskit.circuit import Barrier, Delay, Measure, Reset
    from qiskit.quantum_info import Operator

    import qcgrad as qg
    from qcgrad.ir.gates import Unitary

    place = dict(zip(circuit.qubits, wires, strict=True))
    for item in circuit.data:
        operation, qubits = item.operation, [place[q] for q in item.qubits]
        if isinstance(operation, (Barrier, Delay, Measure, Reset)) or not qubits:
            continue
        if len(qubits) > 3:
            _collect(operation.definition, qubits, known, built)
            continue
        key = (operation.name, tuple(map(float, operation.params))) if _is_standard(operation) else None
        if key is None or key not in known:
            known[key] = Unitary(Operator(operation).data)
        built.append(qg.Gate("unitary", tuple(qubits[::-1]), None, 1.0, 0.0, known[key]))


def _is_standard(operation) -> bool:
    from qiskit.circuit import ControlledGate

    is_open = isinstance(operation, ControlledGate) and operation.ctrl_state != 2**operation.num_ctrl_qubits - 1
    standard = operation.base_class.__module__.startswith("qiskit.circuit.library.standard_gates")
    return standard and not is_open
