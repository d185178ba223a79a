"""Dense simulation of pure states."""

from .backend import Statevector as Statevector
