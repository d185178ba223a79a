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
    from qcgrad.ir.gates import Unitary

    built = []
    _collect(circuit, range(circuit.num_qubits), {}, built)
    blocks = ((tuple(wires), Unitary(matrix)) for wires, matrix in fused(built))
    return qg.Circuit(circuit.num_qubits, [qg.Gate("unitary", w, None, 1.0, 0.0, u) for w, u in blocks])


def _collect(circuit, wires, known, built):
    """(wires, matrix) of the gates; the first wire is the most significant bit of the matrix index."""
    from qiskit.circuit import Barrier, Delay, Measure, Reset
    from qiskit.quantum_info import Operator

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
            known[key] = Operator(operation).data
        built.append((qubits[::-1], known[key]))


def fused(gates, width=3):
    """The same product with neighbours multiplied out, on at most `width` qubits: a dense matrix of that size takes as
    long for one gate as for many.

    Args:
        gates: (wires, matrix) in order; the first wire is the most significant bit of the matrix index.
        width: qubits of one product.
    """
    # The last product on each qubit; those that are still open act on different qubits, so they commute.
    done, is_open = [], {}
    for wires, matrix in gates:
        touched = list({id(b): b for b in (is_open.get(w) for w in wires) if b is not None}.values())
        if len({*wires, *(w for block in touched for w in block[0])}) > width:
            closed = [block for block in touched if not set(block[0]) <= set(wires)]
            done += closed
            for wire in (w for block in closed for w in block[0]):
                del is_open[wire]
            touched = [block for block in touched if set(block[0]) <= set(wires)]
        block = _times(wires, matrix, touched)
        is_open |= dict.fromkeys(block[0], block)
    return done + list({id(b): b for b in is_open.values()}.values())


def _times(wires, matrix, blocks):
    """(wires, matrix) of disjoint blocks and then a gate."""
    import numpy as np

    joined, product = [], np.eye(1)
    for block_wires, block in blocks:
        joined, product = joined + block_wires, np.kron(product, block)
    fresh = [w for w in wires if w not in joined]
    joined, product = joined + fresh, np.kron(product, np.eye(2 ** len(fresh)))
    axes = [joined.index(w) for w in wires]
    size = len(joined)
    columns = np.moveaxis(product.reshape((2,) * size + (-1,)), axes, range(len(axes)))
    columns = (matrix @ columns.reshape(len(matrix), -1)).reshape((2,) * size + (-1,))
    return joined, np.moveaxis(columns, range(len(axes)), axes).reshape(2**size, 2**size)


def _is_standard(operation) -> bool:
    from qiskit.circuit import ControlledGate

    is_open = isinstance(operation, ControlledGate) and operation.ctrl_state != 2**operation.num_ctrl_qubits - 1
    standard = operation.base_class.__module__.startswith("qiskit.circuit.library.standard_gates")
    return standard and not is_open
