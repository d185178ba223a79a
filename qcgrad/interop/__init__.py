"""Circuits of other frameworks: OpenQASM, Qiskit, PennyLane; and devices that are any function of a circuit.

`from_circuit` and `from_qnode` load their framework when they are called, not before.
"""

from .pennylane import from_qnode as from_qnode
from .pennylane import from_tape as from_tape
from .qasm import Imported as Imported
from .qasm import QasmError as QasmError
from .qasm import load_qasm as load_qasm
from .qasm import parse_qasm as parse_qasm
from .qiskit import from_circuit as from_circuit
from .qiskit import to_circuit as to_circuit
from .sampler import SampledBell as SampledBell
from .sampler import bell_circuit as bell_circuit
from .sampler import bell_outcomes as bell_outcomes
