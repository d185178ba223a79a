"""Simulators: backends that answer queries from a state that they hold in memory."""

from .statevector import Statevector as Statevector
