"""Simulators: backends that answer queries from a state that they hold in memory."""

from .statevector import Statevector as Statevector
from .statevector.native_library import set_num_threads as set_num_threads
from .weight import HammingWeight as HammingWeight
