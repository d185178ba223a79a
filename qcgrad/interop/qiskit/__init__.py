"""Circuits from and to Qiskit, which is loaded when a function is called."""

from ._exporter import to_qiskit as to_qiskit
from ._importer import from_circuit as from_circuit
