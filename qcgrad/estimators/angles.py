"""What every circuit estimator starts with."""

from ..errors import NotApplicable
from ..ir import Expectation, Program
from ..objective import Point


def gate_angles(point: Point, estimator) -> Program:
    """The program whose gate angles are the point's coordinates, or a refusal by name."""
    if not isinstance(point.objective, Expectation):
        raise NotApplicable(
            f"{type(estimator).__name__} differentiates expectation values of circuits, but the objective is a "
            f"{type(point.objective).__name__}: give qcgrad.Expectation(circuit, observable)"
        )
    return point.objective.program
