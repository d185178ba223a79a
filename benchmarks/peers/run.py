"""Exact gradients side by side with the peers, in one run; prints the table and keeps it as a dated file.

    python benchmarks/peers/run.py            # all cases, 10 to 20 minutes
    python benchmarks/peers/run.py hea20 qaoa # only these

Needs beside qcgrad, in one environment: pennylane-lightning-kokkos, qulacs, tensorcircuit-ng, qsimcirq.
A peer that is not installed is left out, and the table says so. Everything uses two threads.
"""

import os
import sys

for variable in ("OMP_NUM_THREADS", "KOKKOS_NUM_THREADS", "QCGRAD_NUM_THREADS"):
    os.environ.setdefault(variable, "2")
os.environ.setdefault("OMP_PROC_BIND", "false")

import datetime
import platform
import resource
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import contestants as c
import jax
import numpy as np
from models import hardware_efficient, lithium_hydride, maxcut
from timing import Timing, compare

from qcgrad.simulators.statevector import native_library

jax.config.update("jax_enable_x64", True)
RESULTS = Path(__file__).parent / "results"
PEERS = (
    "pennylane",
    "pennylane-lightning",
    "pennylane-lightning-kokkos",
    "qulacs",
    "tensorcircuit-ng",
    "qsimcirq",
    "jax",
)


def main():
    """Run the named cases."""
    wanted = sys.argv[1:] or list(CASES)
    lines = [f"# Exact gradients against peers, {datetime.date.today()}", "", *machine(), "", *HEADER]
    print("\n".join(lines), flush=True)
    for name in wanted:
        for line in CASES[name]():
            lines.append(line)
            print(line, flush=True)
    RESULTS.mkdir(exist_ok=True)
    name = f"{datetime.date.today()}{'' if wanted == list(CASES) else '-' + '-'.join(wanted)}.md"
    (RESULTS / name).write_text("\n".join(lines) + "\n")
    print(f"\nwritten to {RESULTS / name}")


HEADER = ["| case | contestant | first call | median | its time / ours | target |", "|---|---|---|---|---|---|"]


def machine() -> list[str]:
    """The machine and the versions, in words."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = next((line.split(":")[1].strip() for line in cpuinfo.open() if line.startswith("model name")), model)
    found = []
    for package in ("qcgrad", *PEERS):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} (not installed)")
    engine = ", ".join(f"{k}: {v}" for k, v in native_library.describe().items())
    return [
        f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start. {engine}.",
        "",
        ", ".join(found),
    ]


def rows(case: str, timings: list[Timing], target: str) -> list[str]:
    """The table's rows of one case."""
    return [
        f"| {case if i == 0 else ''} | {t.name} | {_seconds(t.first)} | {_seconds(t.median)} | {t.ratio:.2f} | "
        f"{target if i == 0 else ''} |"
        for i, t in enumerate(timings)
    ]


def _seconds(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def installed(makers: dict):
    """The contestants that can be made, checked to give our gradient."""
    made = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except ImportError as error:
            print(f"left out: {name} ({error})", file=sys.stderr)
    reference = None
    for name, call in made.items():
        gradient = np.asarray(call()[1])
        reference = gradient if reference is None else reference
        if not np.allclose(gradient, reference, atol=1e-8):
            raise RuntimeError(f"{name} gives another gradient")
    return {name: makers[name]() for name in made}  # made anew, so that the first call is timed from cold


def hea20():
    model = hardware_efficient(20, 4)
    makers = {
        "qcgrad": lambda: c.qcgrad_gradient(model),
        "lightning.qubit": lambda: c.lightning(model, "lightning.qubit"),
        "lightning.kokkos": lambda: c.lightning(model, "lightning.kokkos"),
        "qulacs": lambda: c.qulacs(model),
    }
    return rows("HEA(20, 4), M = 240, complex128", compare(installed(makers), 5), "best peer >= 12")


def qsim():
    model = hardware_efficient(20, 4)
    contestants = {"qcgrad value+gradient": c.qcgrad_gradient(model, np.float32)}
    contestants["qsim forward run"] = c.qsim_forward(model)
    return rows("HEA(20, 4), complex64", compare(contestants, 9), "ours at most 4 qsim's: ratio >= 0.25")


def hea8():
    model = hardware_efficient(8, 4)
    makers = {
        "qcgrad": lambda: c.qcgrad_gradient(model),
        "tensorcircuit-ng jit": lambda: c.tensorcircuit(model),
        "default.qubit jit": lambda: c.default_qubit(model),
    }
    target = ">= 8; first call <= 1 s"
    return rows("HEA(8, 4), M = 96", compare(installed(makers), 15, repeat=20), target)


def batch():
    model = hardware_efficient(8, 4)
    contestants = {"qcgrad vmap": c.qcgrad_batch(model, 64), "tensorcircuit-ng jit+vmap": c.tensorcircuit(model, 64)}
    return rows("HEA(8, 4), batch of 64", compare(contestants, 15), ">= 8")


def lih():
    model = lithium_hydride()
    makers = {
        "qcgrad": lambda: c.qcgrad_gradient(model),
        "lightning.qubit": lambda: c.lightning(model, "lightning.qubit"),
    }
    case = f"LiH, 12 qubits, {len(model.terms)} terms, UCCSD with {len(model.gates) - 4} Pauli rotations"
    return rows(case, compare(installed(makers), 5), ">= 10")


def qaoa():
    model = maxcut(20, 4)
    makers = {
        "qcgrad": lambda: c.qcgrad_gradient(model),
        "lightning.qubit": lambda: c.lightning(model, "lightning.qubit"),
        "qulacs": lambda: c.qulacs(model),
    }
    return rows(f"QAOA MaxCut p = 4, n = 20, {len(model.terms)} edges", compare(installed(makers), 3), ">= 10")


def ratio():
    lines = []
    for layers in (2, 6, 20, 60):
        model = hardware_efficient(18, layers)
        timings = compare({"value": c.qcgrad_value(model), "value+gradient": c.qcgrad_gradient(model)}, 7)
        lines += rows(f"HEA(18, {layers}), M = {model.num_params}", timings, "<= 4, flat within 20 %")
    return lines


def large():
    """n = 28 in complex64: time and peak memory in units of one state (2 GiB)."""
    model = hardware_efficient(28, 1)
    call = c.qcgrad_gradient(model, np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    timings = compare({"qcgrad": call}, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    held = (peak - before) / (8 * 2**28)
    case = f"HEA(28, 1), complex64: peak {held:.2f} states above {before / 2**30:.2f} GiB"
    return rows(case, timings, "completes; peak <= 2.2 states")


# `large` comes first: the peak memory of a process never falls.
CASES = {
    "large": large,
    "hea20": hea20,
    "qsim": qsim,
    "hea8": hea8,
    "batch": batch,
    "lih": lih,
    "qaoa": qaoa,
    "ratio": ratio,
}

if __name__ == "__main__":
    main()
