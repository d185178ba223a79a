"""QNodes and tapes of PennyLane, which is loaded when a function is called."""

from .importer import from_qnode as from_qnode
from .importer import from_tape as from_tape
