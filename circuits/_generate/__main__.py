"""Make the circuits of this folder again, with the libraries that they come from.

    cd circuits
    python -m _generate                 # make and check all files
    python -m _generate NAME [NAME...]  # only these
    python -m _generate --check         # only check the files that are there

Needs, in an environment of its own (none of it is needed to use the circuits):
qiskit==2.6.2, qiskit-algorithms==0.4.0, qiskit-nature==0.8.0, qiskit-qasm3-import==0.6.0,
mqt.bench==2.3.0, pennylane==0.45.1, openqasm3[parser]==1.0.1, networkx, numpy.
"""

import argparse
from pathlib import Path

from . import catalogue, export, files

FOLDER = Path(__file__).resolve().parent.parent


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(prog="python -m _generate", description="Generate and check the circuits.")
    parser.add_argument("names", nargs="*", help="circuits to make (default: all)")
    parser.add_argument("--check", action="store_true", help="do not write, only check")
    arguments = parser.parse_args()
    wanted = set(arguments.names)
    if not arguments.check:
        for case in catalogue.cases():
            if not wanted or case.name in wanted:
                files.write(case, export.to_qasm(case.circuit), FOLDER)
    for path in sorted(FOLDER.glob("*/*.toml")):
        if not wanted or path.stem in wanted:
            print(files.check(path), flush=True)


if __name__ == "__main__":
    main()
