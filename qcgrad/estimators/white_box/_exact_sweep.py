"""What the exact methods on a simulator share: the value alone, and that they are exact."""

from typing import Any, Self

from ...estimator import OneRoundEstimator, exact
from ...objective import Point, Reading
from ...queries import Access, Evaluate, Sweep
from .._programs import program_at
from ..accuracy import checked_accuracy


class ExactSweep(OneRoundEstimator):
    """A method that asks one sweep, whose answer holds value and gradient up to rounding; `plan` says which."""

    access = Access.white_box
    pays_in = "gates"

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Sweep]) -> Reading:
        return exact(*answers[0])

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The method itself: it is exact up to rounding."""
        checked_accuracy(epsilon, delta)
        program_at(point, cls)
        return cls()
