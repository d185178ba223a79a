"""The circuits that come with qcgrad: programs, observables, and exact values to compare with."""

from ._circuits import LibraryCircuit as LibraryCircuit
from ._circuits import is_file_name as is_file_name
from ._circuits import list_circuits as list_circuits
from ._circuits import load_circuit as load_circuit
