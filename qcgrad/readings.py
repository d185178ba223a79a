"""From what a run read to what a user sees: by parameters, with a result that has looked at the numbers."""

import jax
import numpy as np

from . import finite
from .array_types import Params
from .arrays import is_concrete, zeros_like
from .cost import Cost
from .estimator import AbstractEstimator
from .objective import AbstractObjective, Reading
from .progress import Run
from .result import Estimate, Result


def estimate_of(objective: AbstractObjective, params: Params, estimator: AbstractEstimator, found: Run) -> Estimate:
    """What a user sees of a run.

    Args:
        objective, params: by whose parameters; as the objective takes them.
        estimator: reports its stats.
        found: by coordinates.
    """
    inner, result = found.reading, found.result
    outer = objective.to_params(params, inner)
    if str(result) == "ok" and is_concrete((inner, outer)):
        result = _checked(objective, inner, outer, result)
    if outer.stats:
        words = result.message, estimator.report(outer.stats), objective.report(outer.stats)
        result = Result(str(result), "; ".join(filter(None, words)))
    return _assemble(objective, outer, found.cost, result, found.fidelity)


def _checked(objective, inner: Reading, outer: Reading, result: Result) -> Result:
    """The result, having looked at the numbers."""
    if reason := finite.of_readings(objective, inner, outer):
        return Result("not_finite", reason)
    if any(np.isnan(leaf).any() for leaf in jax.tree.leaves((outer.variance, outer.value_variance))):
        return Result("ok", f"{result.message}; a variance is NaN, not known: that takes two shots or more")
    return result


def _assemble(objective, reading: Reading, cost: Cost, result: Result, fidelity: str) -> Estimate:
    bias, value_bias = reading.bias_bound, reading.value_bias_bound
    if bias is None:
        bias = jax.tree.map(_no_bias, reading.gradient)
    if value_bias is None:
        value_bias = _no_bias(reading.value)
    parts = (reading.value, reading.gradient, reading.variance, reading.value_variance, bias, value_bias)
    if not objective.is_vector:
        parts = jax.tree.map(lambda leaf: leaf[0], parts)
    # device_put compiles nothing, whatever the shape; jnp.asarray may.
    value, gradient, variance, value_variance, bias, value_bias = jax.device_put(parts)
    return Estimate(value, gradient, variance, value_variance, bias, value_bias, cost, result, fidelity, reading.stats)


def _no_bias(numbers):
    """Real zeros of the same shape, also beside infinities and complex numbers."""
    return zeros_like(numbers.real)
