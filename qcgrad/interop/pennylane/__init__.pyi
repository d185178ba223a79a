from ._backend import PennyLaneBackend as PennyLaneBackend
from ._exporter import to_pennylane as to_pennylane
from ._gradient import gradient as gradient
from ._importer import from_qnode as from_qnode
from ._importer import from_tape as from_tape
from ._noise import from_pennylane_noise as from_pennylane_noise
from .device._device import StatevectorDevice as StatevectorDevice
