"""Circuits, gates and observables: what is simulated, measured and differentiated."""

from ._operator_pool import OperatorPool as OperatorPool
from .circuit import Circuit as Circuit
from .expectation import Expectation as Expectation
from .gates import Gate as Gate
from .mixture import Mixture as Mixture
from .observable import PauliSum as PauliSum
from .program import Program as Program
