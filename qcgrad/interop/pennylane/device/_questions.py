"""What a tape asks, as one run of the driver: questions, and who asks them."""

from typing import Any

import equinox as eqx
import numpy as np

from ....array_types import Key
from ....backend import AbstractBackend
from ....cost import Cost
from ....estimate import run
from ....estimator import OneRoundEstimator, total_cost
from ....objective import Point, Reading
from ....queries import AbstractQuery, Access, Means


class Execution(OneRoundEstimator):
    """The questions of a tape's measurements; ledgers name it, and its value is that of the expectation values.

    Attributes:
        queries: what is asked.
    """

    access = Access.white_box
    queries: tuple[AbstractQuery, ...] = eqx.field(static=True)

    def plan(self, point: Point, key: Key | None) -> tuple[AbstractQuery, ...]:
        return self.queries

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        values = [answer.mean.ravel() for answer in answers if isinstance(answer, Means)]
        return Reading(np.concatenate(values or [np.zeros(0)]), None, None, None, stats={"answers": answers})

    def value_query(self, point: Point) -> AbstractQuery:
        return self.queries[0]

    def predict(self, point: Point) -> Cost:
        return total_cost(self.queries)


def answered(queries: list[AbstractQuery], backend: AbstractBackend, key: Key | None) -> tuple[Any, ...]:
    """The answers, checked and charged as everything else."""
    if not queries:
        return ()
    nothing: Any = None
    point = Point(nothing, np.zeros(0), np.zeros((0, 0)))
    return run(point, Execution(tuple(queries)), backend, key).reading.stats["answers"]
