"""Writes MQT Bench's circuits as OpenQASM files, to be read by corpus.py: `python benchmarks/mqt_bench.py FOLDER`."""

import argparse
import inspect
import sys
from pathlib import Path

SIZES = (3, 5)


def export(folder: Path, sizes: tuple[int, ...]) -> list[str]:
    """Every benchmark at every level as OpenQASM 2 and 3.

    Returns:
        What could not be written, with Qiskit's or MQT Bench's reason.
    """
    from mqt.bench import BenchmarkLevel, get_benchmark
    from mqt.bench.benchmarks import get_available_benchmark_names
    from mqt.bench.targets import get_target_for_gateset

    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in get_available_benchmark_names():
        for size in sizes:
            for level in (BenchmarkLevel.ALG, BenchmarkLevel.INDEP, BenchmarkLevel.NATIVEGATES):
                stem = f"{name}_n{size}_{level.name.lower()}"
                native = level is BenchmarkLevel.NATIVEGATES
                target = get_target_for_gateset("ibm_heron", size) if native else None
                try:
                    circuit = get_benchmark(name, level, size, target=target)
                except Exception as error:  # sizes that a benchmark does not have
                    failed.append(f"{stem}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
                    continue
                failed += _write(circuit, folder / stem)
    return failed


def _write(circuit, path: Path) -> list[str]:
    from qiskit import qasm2, qasm3

    failed = []
    for version, dump in (("2", qasm2.dumps), ("3", qasm3.dumps)):
        try:
            path.with_name(f"{path.name}.v{version}.qasm").write_text(dump(circuit))
        except Exception as error:  # Qiskit cannot write every gate
            failed.append(f"{path.name}, OpenQASM {version}: {str(error).splitlines()[0]}")
    return failed


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of qubits")
    given = parser.parse_args()
    for line in export(given.folder, tuple(given.sizes)):
        print(f"not written: {line}", file=sys.stderr)
    print(f"{len(list(given.folder.glob('*.qasm')))} files in {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
