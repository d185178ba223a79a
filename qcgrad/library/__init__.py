"""The circuits that come with qcgrad: programs, observables, and exact values to compare with."""

from .circuits import LibraryCircuit as LibraryCircuit
from .circuits import is_file_name as is_file_name
from .circuits import list_circuits as list_circuits
from .circuits import load_circuit as load_circuit
