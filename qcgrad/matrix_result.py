"""What comes out where a matrix was asked for."""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .cost import Cost
from .progress import Run
from .result import Estimate, Result


class MatrixEstimate(eqx.Module):
    """A matrix by pairs of parameters, how sure its entries are, and what they cost.

    Attributes:
        matrix: (N, N), the parameters raveled in order; a leading axis K for the Hessians of a sequence of observables.
        variance: variance of each entry, same shape; zero where exact, NaN where unknown.
        bias_bound: bound on |E[entry] - truth|, same shape; NaN where none is known.
        cost: what was spent.
        result: "ok" or what happened, with a `message`.
        fidelity: "exact", or what the backend said that its answers idealize.
        first_order: value and gradient from the same evaluations, of a Hessian; else None.
        stats: what else the method found out; its docstring says what.
    """

    matrix: Float[np.ndarray, "*K N N"]
    variance: Float[np.ndarray, "*K N N"]
    bias_bound: Float[np.ndarray, "*K N N"]
    cost: Cost = eqx.field(static=True)
    result: Result = eqx.field(static=True)
    fidelity: str = eqx.field(static=True)
    first_order: Estimate | None = None
    stats: dict[str, Any] = eqx.field(default_factory=dict)

    @property
    def standard_error(self) -> Float[np.ndarray, "*K N N"]:
        """Square root of `variance`."""
        return np.sqrt(self.variance)


def assembled(found: Run, is_vector: bool, first_order: Estimate | None = None) -> MatrixEstimate:
    """What a user sees of a run."""
    reading, result = found.reading, found.result
    bias = np.zeros_like(reading.variance) if reading.bias_bound is None else reading.bias_bound
    parts = [
        np.asarray(part) if is_vector else np.asarray(part)[0] for part in (reading.gradient, reading.variance, bias)
    ]
    if str(result) == "ok" and not np.isfinite(parts[0]).all():
        place = np.argwhere(~np.isfinite(parts[0]))[0].tolist()
        result = Result("not_finite", f"entry {place} of the matrix is {parts[0][tuple(place)]}")
    matrix, variance, bias = parts
    return MatrixEstimate(
        matrix, variance, bias, found.cost, result, found.fidelity, first_order, reading.stats["stats"]
    )
