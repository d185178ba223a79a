"""Simulators: backends that answer queries from a state that they hold in memory."""

from .density import DensityMatrix as DensityMatrix
from .statevector import Statevector as Statevector
from .statevector.native_library import set_num_threads as set_num_threads
from .trajectories import Trajectories as Trajectories
from .weight import HammingWeight as HammingWeight
