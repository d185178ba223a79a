"""How much sooner a study is done with several workers than in one process, side by side on this machine.

    python benchmarks/studies.py
    python benchmarks/studies.py benchmarks/scaling.toml --workers 2 --repeats 3 --quick

Runs take turns, so that what else the machine does meets all of them, and begin from nothing: no kept result, no kept
compilation. Wall time counts from the start of the command to its end, figures included. The ratio is that of the
fastest runs; on a machine that is not idle, compare the processor seconds, which say what workers cost on top. With as
many workers as processors, the ratio cannot exceed what one process leaves idle.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = "from qcgrad.cli import main; main()"


def run(spec: Path, options: list[str]) -> tuple[float, float]:
    """Seconds of wall time and of processors that one run takes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", PROGRAM, "study", "run", str(spec), "--out", folder, *options]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path, nargs="?", default=Path(__file__).parent / "scaling.toml")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    ways = {
        "one process": [],
        f"{arguments.workers} processes": ["--jobs", str(arguments.workers)],
        f"Dask, {arguments.workers} workers": ["--jobs", str(arguments.workers), "--scheduler", "local"],
    }
    best: dict[str, float] = {}
    print(f"{arguments.spec}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for repeat in range(arguments.repeats):
        for name, options in ways.items():
            wall, cpu = run(arguments.spec, options + ["--quick"] * arguments.quick)
            best[name] = min(wall, best.get(name, wall))
            print(f"run {repeat + 1}, {name}: {wall:.1f} s, {cpu:.1f} s of processors", flush=True)
    first, *others = best
    for name in others:
        print(f"{name}: {best[first] / best[name]:.2f} times faster than {first}")


if __name__ == "__main__":
    main()
