"""Circuits from and to Qiskit, which is loaded when a function is called."""

from ._backend import QiskitBackend as QiskitBackend
from ._exporter import to_circuit as to_circuit
from ._importer import from_circuit as from_circuit
