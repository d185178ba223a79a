"""Any device or simulator that runs a circuit and returns bitstrings."""

from ._backend import SampledBell as SampledBell
from ._backend import bell_circuit as bell_circuit
from ._backend import bell_outcomes as bell_outcomes
