"""Whether a method has backpropagation scaling on a circuit: how its predicted overhead grows as the circuit does."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..cost import Cost
from ..errors import QcgradError
from ..estimator import AbstractEstimator
from ..estimators.accuracy import hoeffding, log_of
from ..ir import Circuit, Expectation
from ..objective import Point
from ..queries import Evaluate

# How often the circuit stands behind itself.
_REPEATS = (1, 2, 4)

# Logarithms of M look like powers of about 0.15 over this range, and square roots are powers of 0.5.
_MOST = 0.3


class Growth(NamedTuple):
    """How the cost of a gradient, over that of the value alone, grows with the number of parameterised gates M.

    Attributes:
        time: exponent of M in the ratio of gates, or of FLOPs for methods that simulate.
        memory: exponent of M in the ratio of qubits held at a time, or of bytes.
    """

    time: float
    memory: float

    @property
    def is_backpropagation(self) -> bool:
        """Whether neither grows faster than logarithms do."""
        return max(self.time, self.memory) < _MOST


def growth(make: type[AbstractEstimator], point: Point, epsilon: float, delta: float) -> Growth | None:
    """The growth for the circuit once, twice and four times in a row; None where that is no circuit, or not known.

    Gates of a repeated circuit have angles of their own, the same ones over again. The value is evaluated to the same
    epsilon and delta as the derivatives.
    """
    if not isinstance(point.objective, Expectation) or not len(point.coordinates):
        return None
    sizes, times, memories = [], [], []
    for count in _REPEATS:
        repeated = _repeated(point, count)
        try:
            spent = make.for_accuracy(repeated, epsilon, delta).predict(repeated)
        except QcgradError:
            return None
        alone = _of_value(repeated, epsilon, delta, samples=spent.copies > 0)
        sizes.append(len(repeated.coordinates))
        times.append((spent.gates / alone.gates) if spent.copies else spent.flops / alone.flops)
        memories.append(spent.qubits / alone.qubits if spent.copies else spent.peak_bytes / alone.peak_bytes)
    return Growth(_exponent(sizes, times), _exponent(sizes, memories))


def _repeated(point, count) -> Point:
    program, gates, fresh = point.objective.program, [], 0
    for _ in range(count):
        for gate in program.circuit.gates:
            is_free = gate.param is not None
            gates.append(replace(gate, param=fresh, scale=1.0, offset=0.0) if is_free else gate)
            fresh += is_free
    repeated = Expectation(Circuit(program.num_qubits, gates), list(program.observables))
    return Point(repeated, np.tile(np.asarray(point.coordinates), count), point.cotangents)


def _of_value(point, epsilon, delta, samples) -> Cost:
    program = point.objective.program
    ranges = [np.abs(basis.coefficients).sum(axis=1) for basis in program.bases]
    spread = np.square(ranges).sum(axis=0) if ranges else np.zeros(1)
    shots = max(1, int(hoeffding(spread, log_of(program.num_observables, delta), epsilon))) if samples else None
    found = Evaluate(program, point.coordinates[None], shots).cost()
    # Constants are evaluated by running nothing.
    return replace(found, gates=max(found.gates, 1), flops=max(found.flops, 1), qubits=max(found.qubits, 1))


def _exponent(sizes, ratios) -> float:
    if min(ratios) <= 0:
        return 0.0
    return float(np.polyfit(np.log(sizes), np.log(ratios), 1)[0])
