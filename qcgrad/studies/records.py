"""What a cell of a study leaves behind."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from ..cost import Cost
from ..objective import Point

Record = dict[str, Any]
"""Plain data: `M`, `qubits`, `gradient` and `value` (the counters of a `Cost` each), `max_error`, details."""


def costs(gradient: Cost, value: Cost) -> Record:
    """The part of a record that every cell has."""
    return {"gradient": asdict(gradient), "value": asdict(value)}


def value_cost(objective, estimator) -> Cost:
    """What the value alone costs by this method's own query."""
    point = Point(objective, objective.placeholder(np.dtype(np.float64)), np.eye(objective.num_outputs))
    return estimator.value_query(point).cost()


def check_finite(record: Record) -> None:
    """Refuse a record with a number that no fit and no JSON file can hold.

    Raises:
        ArithmeticError: NaN or infinity, with its key.
    """
    for key, number in record.items():
        if isinstance(number, float) and not math.isfinite(number):
            raise ArithmeticError(f"{key} is {number}: the computation did not end in a number")
