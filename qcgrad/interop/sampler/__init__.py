"""Any device or simulator that runs a circuit and returns bitstrings."""

from ._backend import SampledBackend as SampledBackend
from ._bell import bell_circuit as bell_circuit
from ._bell import bell_outcomes as bell_outcomes
