"""How precise a gradient has to be."""

from dataclasses import dataclass

from ....estimator import AbstractEstimator, AbstractPrecision
from ...accuracy import checked_accuracy
from ._adaptive_shots import AdaptiveShots
from ._measured import Measured


@dataclass(frozen=True)
class Precision(AbstractPrecision):
    """How precise every derivative has to be, for `estimate(..., precision=...)`, which then takes what that takes.

    For `qcgrad.hessian` and `qcgrad.metric_tensor` it is about every entry of the matrix, by parameters.

    Attributes:
        epsilon: with `delta`, the largest error; without, the largest standard error, of a derivative by a coordinate
            (by the angle of a gate), in units of the outputs over those of the coordinate.
        delta: probability with which any derivative may be further off than epsilon, by proved bounds.

    Raises:
        ValueError: an epsilon that is no positive number, a delta that is not between 0 and 1.

    Example:
        >>> from qcgrad import Precision
        >>> Precision(epsilon=0.0)
        Traceback (most recent call last):
        ...
        ValueError: epsilon=0.0: give a positive number
    """

    epsilon: float
    delta: float | None = None

    def __post_init__(self) -> None:
        checked_accuracy(self.epsilon, 0.5 if self.delta is None else self.delta)

    def reached_by(self, estimator: AbstractEstimator) -> AdaptiveShots:
        if isinstance(estimator, Measured):
            return AdaptiveShots(estimator.estimator, self.epsilon, self.delta, estimator.grouping)
        return AdaptiveShots(estimator, self.epsilon, self.delta)
