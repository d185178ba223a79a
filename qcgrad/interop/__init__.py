"""Circuits of other frameworks: OpenQASM, Qiskit, PennyLane, and the circuits that come with qcgrad.

`from_circuit` and `from_qnode` load their framework when they are called, not before.
"""

from .bell import SampledBell as SampledBell
from .bell import bell_circuit as bell_circuit
from .bell import bell_outcomes as bell_outcomes
from .library import LibraryCircuit as LibraryCircuit
from .library import list_circuits as list_circuits
from .library import load_circuit as load_circuit
from .openqasm import Imported as Imported
from .openqasm import QasmError as QasmError
from .openqasm import load_qasm as load_qasm
from .openqasm import parse_qasm as parse_qasm
from .pennylane import from_qnode as from_qnode
from .pennylane import from_tape as from_tape
from .qiskit import from_circuit as from_circuit
from .qiskit import to_circuit as to_circuit
