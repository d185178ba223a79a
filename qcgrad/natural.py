"""Natural gradients: gradients measured by how far the state moves."""

import math
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .arguments import check_objective
from .array_types import Gradient, Key, Params
from .backend import AbstractBackend
from .cost import Budget, Cost
from .errors import BackendFailed, BudgetExhausted, NotApplicable
from .estimate import estimate
from .estimator import AbstractEstimator, AbstractPrecision
from .geometry import metric_tensor
from .keys import as_key
from .matrices import MetricMethod
from .matrix_result import MatrixEstimate
from .objective import AbstractObjective
from .result import Estimate, Result


class NaturalGradient(eqx.Module):
    """A natural gradient and what it was made of.

    Attributes:
        direction: structure of `params`; subtract a multiple of it to descend.
        variance: of each component, to first order in the errors of gradient and metric, which are taken to be
            independent entry by entry; NaN where unknown.
        estimate: value and gradient.
        metric: the metric tensor; None where the gradient came to nothing.
        cost: of both.
        result: "ok", or what happened to the gradient or the metric: then the direction is NaN.
        stats: "condition_number" of the regularised metric on the directions that were kept, "rank" of these.
    """

    direction: Gradient
    variance: Gradient
    estimate: Estimate
    metric: MatrixEstimate | None
    cost: Cost = eqx.field(static=True)
    result: Result = eqx.field(static=True)
    stats: dict[str, Any]


def natural_gradient(
    objective: AbstractObjective,
    params: Params,
    estimator: AbstractEstimator,
    metric: MetricMethod,
    backend: AbstractBackend | None = None,
    *,
    tikhonov: float = 1e-4,
    cutoff: float | None = None,
    key: Key | int | None = None,
    budget: Budget | None = None,
    precision: AbstractPrecision | None = None,
    throw: bool = True,
    resume: BackendFailed | None = None,
) -> NaturalGradient:
    r"""The gradient divided by the metric of the states,

    .. math:: d = (g + \lambda 1)^{-1} \nabla F, \qquad \text{or } d = \sum_{\lambda_k > \kappa\lambda_{\max}}
              \frac{v_k v_k^T}{\lambda_k + \lambda} \nabla F \text{ with a cutoff } \kappa .

    g is the Fubini-Study metric, a fourth of the quantum Fisher information.

    Args:
        objective: a scalar `Expectation`.
        params: parameters in the objective's structure.
        estimator: of value and gradient, for example `Adjoint()` or `ParameterShift(shots=1000)`.
        metric: of the metric, for example `TangentMetric()` or `BlockDiagonalMetric(shots=1000)`.
        backend: who answers both, by default the statevector simulator.
        tikhonov: lambda, added to all eigenvalues; 0 or more.
        cutoff: kappa between 0 and 1: the pseudo-inverse on eigenvectors whose eigenvalue is more than this share of
            the largest, solved by `eigh`; noise below it, negative eigenvalues too, is left out. None keeps all, and
            solves by Cholesky.
        key: JAX random key or integer seed, where something is drawn.
        budget: limits on the cost of both; the gradient comes first.
        precision: of every derivative by a coordinate, as in `qcgrad.estimate`, and of every entry of the metric, as in
            `qcgrad.metric_tensor`; each of the two keeps its delta.
        throw, resume: as for `qcgrad.estimate`. A gradient that had been found is not asked again.

    Returns:
        A `NaturalGradient`. Where the cutoff leaves no eigenvector, because the state does not move, it is zero.

    Raises:
        ValueError: regularisation that is negative or no number, a cutoff outside of 0 to 1, a metric that is not
            positive definite with this `tikhonov` and no cutoff; bad parameters, a missing key.
        NotApplicable: several outputs.
        BudgetExhausted, BackendFailed: their `estimate` holds what is known.

    Cost: of the gradient and of the metric; solving takes about N^3 operations, which are not charged.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "X")
        >>> found = qg.natural_gradient(objective, [0.5, 0.1], qg.Adjoint(), qg.TangentMetric(), tikhonov=0.0)
        >>> print(found.direction.round(3), round(found.stats["condition_number"], 2))
        [ 3.493 -0.833] 4.35

    References:
        J. Stokes, J. Izaac, N. Killoran, G. Carleo, "Quantum natural gradient", Quantum 4, 269 (2020),
        arXiv:1909.02108.
    """
    check_objective(objective)
    if objective.is_vector:
        raise NotApplicable("natural_gradient descends one value, but the objective has several outputs: give one")
    _check("tikhonov", tikhonov, math.inf)
    if cutoff is not None:
        _check("cutoff", cutoff, 1.0)
    used = as_key(key)
    keys = (None, None) if used is None else tuple(jax.random.split(used))
    limits: Any = {"precision": precision, "throw": False}
    if resume is not None and getattr(resume, "before", None) is not None:
        slope = _found_before(resume, estimator)
    else:
        slope = estimate(objective, params, estimator, backend, key=keys[0], budget=budget, resume=resume, **limits)
        resume = None
    if str(slope.result) != "ok":
        return _ended(_unknown(slope, None), throw)
    left = None if budget is None else budget.after(slope.cost)
    try:
        found = metric_tensor(objective, params, metric, backend, key=keys[1], budget=left, resume=resume, **limits)
    except BackendFailed as error:
        error.before, error.estimate = (estimator, slope), _unknown(slope, cast(MatrixEstimate, error.estimate))
        raise
    if str(found.result) != "ok":
        return _ended(_unknown(slope, found), throw)
    return _solved(slope, found, float(tikhonov), cutoff)


def _solved(slope: Estimate, found: MatrixEstimate, tikhonov: float, cutoff: float | None) -> NaturalGradient:
    flat, restore = ravel_pytree(slope.gradient)
    gradient, noise = np.asarray(flat, float), np.asarray(ravel_pytree(slope.variance)[0], float)
    inverse, stats = _inverse(np.asarray(found.matrix, float), tikhonov, cutoff)
    direction = inverse @ gradient
    spread = inverse**2 @ (noise + np.asarray(found.variance, float) @ direction**2)
    ours, spread = (restore(jnp.asarray(part, flat.dtype)) for part in (direction, spread))
    return NaturalGradient(ours, spread, slope, found, slope.cost + found.cost, slope.result, stats)


def _unknown(slope: Estimate, found: MatrixEstimate | None) -> NaturalGradient:
    """What is known where the gradient, or the metric, came to nothing."""
    nothing = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), slope.gradient)
    if found is None:
        return NaturalGradient(nothing, nothing, slope, None, slope.cost, slope.result, {})
    result = Result(str(found.result), f"the metric, with what the gradient left: {found.result.message}")
    return NaturalGradient(nothing, nothing, slope, found, slope.cost + found.cost, result, {})


def _ended(found: NaturalGradient, throw: bool) -> NaturalGradient:
    if throw and str(found.result) == "budget_exhausted":
        raise BudgetExhausted(found.result.message, found)
    return found


def _found_before(resume: BackendFailed, estimator: AbstractEstimator) -> Estimate:
    """The gradient that a call had found when its metric failed."""
    assert resume.before is not None
    method, slope = resume.before
    if not bool(eqx.tree_equal(method, estimator)):
        raise ValueError(
            f"resume is the error of a natural gradient whose gradient {type(method).__name__} found: give the same "
            "estimator, or leave it out"
        )
    return slope


def _inverse(metric, tikhonov, cutoff):
    """The regularised inverse, and what it says of itself."""
    values, vectors = np.linalg.eigh(metric)
    if cutoff is None:
        bottom, top = values[0] + tikhonov, values[-1] + tikhonov
        # Eigenvalues are known up to rounding, of which the last digits of a smaller one would consist.
        if not bottom > len(values) * np.finfo(float).eps * top:
            raise ValueError(
                f"the metric has the eigenvalue {values[0]:.3g}, so with tikhonov={tikhonov:g} it is not positive "
                "definite: give a larger tikhonov, or a cutoff, or more shots"
            )
        factor = np.linalg.inv(np.linalg.cholesky(metric + tikhonov * np.eye(len(metric))))
        return factor.T @ factor, {"condition_number": float(top / bottom), "rank": len(values)}
    kept = values > max(cutoff * values[-1], 0.0)
    if not kept.any():
        return np.zeros_like(metric), {"condition_number": math.nan, "rank": 0}
    values, vectors = values[kept] + tikhonov, vectors[:, kept]
    condition = float(values[-1] / values[0])
    return (vectors / values) @ vectors.T, {"condition_number": condition, "rank": int(kept.sum())}


def _check(name, value, most):
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))
    if not is_number or not 0 <= value < most:
        limits = "a finite number of at least 0" if most == math.inf else f"a number from 0 to below {most:g}"
        raise ValueError(f"{name}={value!r}: give {limits}")
