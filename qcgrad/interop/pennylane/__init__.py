"""QNodes and tapes of PennyLane, which is loaded when a function is called."""

from ._backend import PennyLaneBackend as PennyLaneBackend
from ._importer import from_qnode as from_qnode
from ._importer import from_tape as from_tape
