"""Reads folders of OpenQASM files and says, by class, what became of each: `python benchmarks/corpus/run.py FOLDER`.

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

from judge import Limits, Verdict, judge

CLASSES = ("equal", "refused", "beyond", "unjudged", "slow", "mistaken", "wrong", "crashed")
FAULTS = ("mistaken", "wrong", "crashed")


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
