"""Reads folders of OpenQASM files and says, by class, what became of each: `python benchmarks/corpus.py FOLDER ...`.

Each file is read in a process of its own with bounded time and memory. What loads is compared with what Qiskit reads
from the same file: both final states, up to a global phase, with inputs at the same numbers. Final measurements and
resets of fresh qubits may be left out; whether anything else is in a file, Qiskit's circuit tells.

Classes:
    equal: loaded, and all amplitudes agree with Qiskit's to 1e-10.
    refused: for a reason, which is listed: something happens between the gates, or Qiskit cannot read the file either.
    beyond: loaded, but more qubits are busy than --max-qubits; not compared.
    unjudged: loaded, but Qiskit cannot read the file.
    slow: over the time limit.
    mistaken: refused, though Qiskit reads it as a unitary circuit.
    wrong: amplitudes differ, or a file that is not unitary was loaded.
    crashed: any other error, or over the memory limit.

The exit status is 1 where a file is mistaken, wrong or crashed.
"""

import argparse
import collections
import csv
import multiprocessing
import re
import resource
import sys
import warnings
from multiprocessing.connection import wait
from pathlib import Path
from time import monotonic
from typing import NamedTuple

CLASSES = ("equal", "refused", "beyond", "unjudged", "slow", "mistaken", "wrong", "crashed")
FAULTS = ("mistaken", "wrong", "crashed")
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
        return _on_refusal(path, str(error))
    except Exception as error:
        return Verdict("crashed", f"{type(error).__name__}: {error}")
    reference, why = _qiskits(path)
    if reference is None:
        return Verdict("unjudged", why)
    if reason := not_unitary(reference):
        return Verdict("wrong", f"loaded, though it has {reason}")
    return _compared(loaded, reference, limits)


def _on_refusal(path, message) -> Verdict:
    message = re.sub(r"^.*?:\d+:\d+: |^.*\.qasm[^ ]* ", "", message.splitlines()[0])
    reference, why = _qiskits(path)
    if reference is None:
        return Verdict("refused", f"Qiskit cannot read it either ({why})")
    reason = not_unitary(reference)
    return Verdict("refused", reason) if reason else Verdict("mistaken", message)


def _qiskits(path):
    """(Qiskit's circuit, "") or (None, why there is none)."""
    from qiskit import qasm2, qasm3

    text = path.read_text("utf-8", "replace")
    version = re.search(r"^\s*OPENQASM\s+(\d)", text, re.MULTILINE)
    try:
        if version and version[1] == "3":
            return qasm3.loads(text), ""
        known = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
        return qasm2.loads(text, include_path=[path.parent], custom_instructions=known), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"


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


def _child(path, limits, pipe):
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + limits.max_bytes,) * 2)
    warnings.simplefilter("ignore")
    try:
        verdict = judge(path, limits)
    except MemoryError:
        verdict = Verdict("crashed", f"more than {limits.max_bytes:,} bytes")
    except BaseException as error:
        verdict = Verdict("crashed", f"{type(error).__name__}: {error}")
    pipe.send(verdict)


def _address_space() -> int:
    """Bytes of address space that the process has already."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def judge_all(paths: list[Path], limits: Limits, jobs: int, told=lambda path, verdict: None) -> dict[Path, Verdict]:
    """Verdicts on many files, each from a process of its own, `jobs` at a time."""
    context, waiting, running, found = multiprocessing.get_context("fork"), list(reversed(paths)), {}, {}
    while waiting or running:
        while waiting and len(running) < jobs:
            path = waiting.pop()
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(path, limits, theirs))
            process.start()
            theirs.close()
            running[ours] = (path, process, monotonic() + limits.seconds)
        ready = wait(list(running), timeout=0.2)
        for pipe, (path, process, deadline) in list(running.items()):
            if pipe in ready:
                try:
                    found[path] = pipe.recv()
                except EOFError:
                    found[path] = Verdict("crashed", "the process was killed")
            elif monotonic() > deadline:
                process.kill()
                found[path] = Verdict("slow", f"more than {limits.seconds:g} s")
            else:
                continue
            process.join()
            del running[pipe]
            told(path, found[path])
    return found


def report(found: dict[Path, Verdict]) -> str:
    """Counts by class, and the reasons, as Markdown."""
    counts = collections.Counter(verdict.kind for verdict in found.values())
    lines = ["| class | files |", "|---|---|"]
    lines += [f"| {kind} | {counts[kind]} |" for kind in CLASSES if counts[kind]]
    lines += [f"| all | {len(found)} |", ""]
    for kind in ("refused", "unjudged"):
        reasons = collections.Counter(re.sub(r"\d+", "#", v.why) for v in found.values() if v.kind == kind)
        if reasons:
            lines += [f"{kind}:", "", *(f"- {count} × {why}" for why, count in reasons.most_common()), ""]
    for kind in FAULTS:
        listed = [f"- {path}: {verdict.why}" for path, verdict in found.items() if verdict.kind == kind]
        if listed:
            lines += [f"{kind}:", "", *listed, ""]
    return "\n".join(lines)


def main(arguments=None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders (searched in depth) or files")
    parser.add_argument("--max-qubits", type=int, default=Limits().max_qubits, help="compare states up to this size")
    parser.add_argument("--seconds", type=float, default=Limits().seconds, help="time for one file")
    parser.add_argument("--max-bytes", type=int, default=Limits().max_bytes, help="memory for one file")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    parser.add_argument("--csv", type=Path, help="write one line for each file")
    given = parser.parse_args(arguments)
    # Loaded once, before the processes are forked; JAX starts its threads later, in each of them.
    import jax
    import qiskit.quantum_info  # noqa: F401

    import qcgrad.interop  # noqa: F401

    jax.config.update("jax_enable_x64", True)
    paths = [p for folder in given.folders for p in ([folder] if folder.is_file() else sorted(folder.rglob("*.qasm")))]
    limits = Limits(given.max_qubits, given.seconds, given.max_bytes)

    def told(path, verdict):
        print(f"{verdict.kind:9} {path} {verdict.why}", file=sys.stderr)

    found = judge_all(paths, limits, given.jobs, told)
    if given.csv:
        with given.csv.open("w", newline="") as out:
            csv.writer(out).writerows([("file", "class", "why"), *((p, *v) for p, v in found.items())])
    print(report(found))
    return int(any(verdict.kind in FAULTS for verdict in found.values()))


if __name__ == "__main__":
    sys.exit(main())
