"""Any device or simulator that runs a circuit and returns bitstrings."""

from .backend import SampledBell as SampledBell
from .backend import bell_circuit as bell_circuit
from .backend import bell_outcomes as bell_outcomes
