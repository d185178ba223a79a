"""Scaling studies: how the cost of a gradient grows with M, fitted, with a verdict.

`Scaling` is the spec; `laws` holds the fits and the rule.
"""

from ._kind import Scaling
from ._parts import CircuitSeries, HardInstance, Network

__all__ = ["CircuitSeries", "HardInstance", "Network", "Scaling"]
