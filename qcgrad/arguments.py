"""What no estimate can be made of, refused by name before anything is asked."""

from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike

from .backend import AbstractBackend
from .cost import Budget
from .errors import AccessError, NotApplicable
from .estimator import AbstractEstimator, AbstractPrecision
from .objective import AbstractObjective
from .queries import AbstractQuery


def real_dtype(dtype: DTypeLike | None) -> np.dtype:
    """The floating-point type that parameters of this type would have."""
    try:
        found = np.dtype(dtype or float)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.float32, np.float64):
        raise ValueError(f"dtype={dtype!r}: give float32 or float64")
    return jax.dtypes.canonicalize_dtype(found)


def check_objective(objective: object) -> None:
    """Refuse what is no objective, by name."""
    if not isinstance(objective, AbstractObjective):
        raise TypeError(
            f"objective is {objective!r}: give an objective, for example qcgrad.Expectation(circuit, observable)"
        )


def check_arguments(objective: object, estimator: object) -> None:
    """Refuse what is no objective or no estimator, by name."""
    check_objective(objective)
    if isinstance(estimator, type) or not isinstance(estimator, AbstractEstimator):
        raise TypeError(f"estimator is {estimator!r}: give an estimator object, for example qcgrad.ParameterShift()")


def check_traceable(estimator: AbstractEstimator) -> None:
    """Refuse, by name, to trace a method that JAX cannot trace."""
    if not estimator.is_traceable:
        raise NotApplicable(
            f"{type(estimator).__name__} cannot be traced by JAX: what it asks depends on answers, or on the numbers "
            "of the angles; call qcgrad.estimate outside jax.jit, jax.vmap and jax.grad, or use qcgrad.as_jax"
        )


def check_limits(budget: object, precision: object) -> None:
    """Refuse what is no budget or no precision, by name; None is none of either."""
    if precision is not None and not isinstance(precision, AbstractPrecision):
        raise TypeError(f"precision is {precision!r}: give qcgrad.Precision(epsilon=..., delta=...) or None")
    if budget is not None and not isinstance(budget, Budget):
        raise TypeError(f"budget is {budget!r}: give qcgrad.Budget(shots=...) or None")


def check_access(query: AbstractQuery, asker: Any, backend: AbstractBackend) -> None:
    """Refuse a question that needs more access than who asks declares, or who answers grants."""
    for who, granted in (
        (f"estimator {type(asker).__name__}", asker.access),
        (f"backend {type(backend).__name__}", backend.access),
    ):
        if query.access > granted:
            raise AccessError(
                f"{type(query).__name__} needs {query.access.name} access, but {who} allows {granted.name} only"
            )
