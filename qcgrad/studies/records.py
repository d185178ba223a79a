"""What a cell of a study leaves behind."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from ..cost import Cost
from ..estimator import AbstractEstimator, total_cost
from ..ir import Expectation
from ..objective import AbstractObjective, Point
from ..queries import Evaluate

Record = dict[str, Any]
"""Plain data: `M`, `qubits`, `gradient` and `value` (the counters of a `Cost` each), `max_error`, details."""


def costs(gradient: Cost, value: Cost) -> Record:
    """The part of a record that every cell has."""
    return {"gradient": asdict(gradient), "value": asdict(value)}


def cost_of_value(objective: AbstractObjective, estimator: AbstractEstimator) -> Cost:
    """What the value alone costs by this method's own query."""
    return total_cost(estimator.value_queries(_somewhere(objective)))


def sampled_value_cost(objective: Expectation, epsilon: float, delta: float) -> Cost:
    r"""What the value alone takes to the same accuracy, measured: \(2\ln(2/\delta)/\epsilon^2\) shots (Hoeffding).

    Epsilon is in units of the norm over the measured bases (see `StudySpec.epsilon`).

    Example:
        >>> import qcgrad as qg
        >>> from qcgrad.studies.records import sampled_value_cost
        >>> sampled_value_cost(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), 0.3, 0.01).shots
        118
    """
    point = _somewhere(objective)
    shots = math.ceil(2 * math.log(2 / delta) / epsilon**2)
    return Evaluate(objective.program, point.coordinates[None], shots).cost()


def _somewhere(objective: AbstractObjective) -> Point:
    return Point(objective, objective.placeholder(np.dtype(np.float64)), np.eye(objective.num_outputs))


def check_finite(record: Record) -> None:
    """Refuse a record with a number that no fit and no JSON file can hold.

    Raises:
        ArithmeticError: NaN or infinity, with its key.
    """
    for key, number in record.items():
        if isinstance(number, float) and not math.isfinite(number):
            raise ArithmeticError(f"{key} is {number}: the computation did not end in a number")
