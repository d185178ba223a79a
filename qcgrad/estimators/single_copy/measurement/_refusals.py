"""What cannot be measured in groups, or not so."""

import math
import warnings
from typing import Any, Literal, get_args

from ....errors import NotApplicable
from ....estimator import AbstractEstimator, OneRoundEstimator
from ....queries import AbstractQuery, Access, Evaluate
from ..._checks import checked_choice

Allocation = Literal["uniform", "weighted", "optimal"]
"""How the shots of an evaluation are divided."""


def checked_method(estimator: Any, who: AbstractEstimator) -> OneRoundEstimator:
    """A method that can be told how to measure, or one clear error."""
    name = type(who).__name__
    if isinstance(estimator, type) or not isinstance(estimator, AbstractEstimator):
        raise TypeError(f"{name} estimator={estimator!r}: give an estimator, for example qcgrad.ParameterShift()")
    if not isinstance(estimator, OneRoundEstimator) or estimator.access > Access.single_copy:
        raise NotApplicable(
            f"{name} takes single-copy methods that ask all they ask at once, and {type(estimator).__name__} is none: "
            "give for example qcgrad.ParameterShift(shots=1000)"
        )
    return estimator


def check_sums(queries: tuple[AbstractQuery, ...], who: AbstractEstimator) -> None:
    """Refuse methods that ask for no sums of strings."""
    if not any(isinstance(query, Evaluate) for query in queries):
        raise NotApplicable(
            f"{type(who).__name__} divides shots over groups of the strings that are evaluated, but the method asks "
            f"{' and '.join(sorted({type(query).__name__ for query in queries}))}: use it alone"
        )


def checked_allocation(allocation: Any) -> Allocation | tuple[float, ...]:
    if isinstance(allocation, str):
        return checked_choice("allocation", allocation, get_args(Allocation))  # pyright: ignore[reportReturnType]
    try:
        weights = tuple(float(weight) for weight in allocation)
    except (TypeError, ValueError):
        weights = ()
    if not weights or not all(0 <= weight < math.inf for weight in weights) or not sum(weights):
        raise ValueError(
            f"allocation={allocation!r}: give 'uniform', 'weighted', 'optimal', or a weight of at least 0 for each "
            "group"
        )
    if not all(weights):
        warnings.warn("allocation gives some groups no shots: what depends on them will be NaN", stacklevel=3)
    return weights
