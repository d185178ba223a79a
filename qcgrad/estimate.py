"""The one loop: ask the estimator, charge, let the backend answer, tell, until there is nothing to ask."""

from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import DTypeLike

from . import finite
from .array_types import Key, Params, Values
from .arrays import is_concrete, zeros_like
from .backend import AbstractBackend, resolve
from .cost import Budget, Cost
from .errors import AccessError, BudgetExhausted, NotApplicable
from .estimator import AbstractEstimator, total_cost, unknown
from .keys import as_key, draw_key
from .objective import AbstractObjective, Point, Reading, point_at
from .queries import EXACT, fidelity_of, together
from .result import Estimate, Result
from .rounds import affordable, exhausted
from .tracker import charge


def estimate(
    objective: AbstractObjective,
    params: Params,
    estimator: AbstractEstimator,
    backend: AbstractBackend | None = None,
    *,
    key: Key | int | None = None,
    budget: Budget | None = None,
    throw: bool = True,
) -> Estimate:
    """Value and gradient of an objective by the given method, with standard errors and exact cost.

    Args:
        objective: what to differentiate, for example `Expectation(circuit, observable)`.
        params: parameters in the objective's structure; angles are in radians. Integers are converted.
        estimator: how, for example `ParameterShift(shots=1000)`.
        backend: who answers; by default the statevector simulator for circuits, XLA for networks.
        key: JAX random key or integer seed; needed by every method that samples.
        budget: limits on the cost, checked before each query; of the first one that is too dear, the part that fits
            is asked where the query can be cut.
        throw: raise when the budget runs out; else return what is known, with `result` saying so.

    Returns:
        An `Estimate`. Under `jax.jit` and `jax.vmap` too, for every method with `is_traceable`. Numbers that are NaN
        or infinite come back as they are, with the result "not_finite" and a message that says where they arose.

    Raises:
        ValueError, TypeError: bad parameters, a missing key.
        NotApplicable: the method's rule does not hold for this objective.
        AccessError: the backend does not grant the access that the method needs.
        StateTooLarge: the simulation would not fit into memory.
        BudgetExhausted: with `throw=True`; its `estimate` holds what is known.

    Cost: the sum of the costs of the queries asked, nothing else.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> circuit = qg.Circuit(1).ry(0, param=0)
        >>> e = qg.estimate(qg.Expectation(circuit, "Z"), [0.5], qg.ParameterShift())
        >>> print(e.gradient, e.cost.circuit_runs, e.result)
        [-0.47942554] 3 ok

    References:
        A. Abbas et al., "On quantum backpropagation, information reuse, and cheating measurement
        collapse", NeurIPS 2023, arXiv:2305.13362.
    """
    check_arguments(objective, estimator)
    if budget is not None and not isinstance(budget, Budget):
        raise TypeError(f"budget is {budget!r}: give qcgrad.Budget(shots=...) or None")
    if not is_concrete((params, key)):
        check_traceable(estimator)
    point, params = point_at(objective, params)
    objective = point.objective
    backend = resolve(backend, objective)
    if is_concrete(point.coordinates) and (reason := finite.of_coordinates(objective, point.coordinates)):
        found = Run(unknown(point), Cost(), Result("not_finite", reason))
    else:
        found = run(point, estimator, backend, as_key(key), budget)
    inner, result = found.reading, found.result
    outer = objective.to_params(params, inner)
    if str(result) == "ok" and is_concrete((inner, outer)):
        result = _checked(objective, inner, outer, result)
    if outer.stats:
        words = result.message, estimator.report(outer.stats), objective.report(outer.stats)
        result = Result(str(result), "; ".join(filter(None, words)))
    assembled = _assemble(objective, outer, found.cost, result, found.fidelity)
    if throw and str(result) == "budget_exhausted":
        raise BudgetExhausted(result.message, assembled)
    return assembled


def predict_cost(
    objective: AbstractObjective,
    estimator: AbstractEstimator,
    backend: AbstractBackend | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Cost:
    """What `estimate` would cost, without running anything.

    Args:
        objective, estimator, backend: as for `estimate`.
        dtype: floating-point type of the parameters, which decides how many bytes an amplitude takes; by
            default JAX's.

    Returns:
        Exactly the counted cost for methods with `is_traceable`, an upper bound for adaptive ones
        (whose questions depend on answers).

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "IZ")
        >>> qg.predict_cost(objective, qg.ParameterShift(shots=100)).shots  # (1 + 2 + 4) x 100
        700
    """
    check_arguments(objective, estimator)
    objective = objective.typical()
    resolve(backend, objective)
    return estimator.predict(Point(objective, objective.placeholder(_real(dtype)), np.eye(objective.num_outputs)))


class Run(NamedTuple):
    """What came out of the loop, on coordinates."""

    reading: Reading
    cost: Cost
    result: Result
    fidelity: str = EXACT


def run(
    point: Point,
    estimator: AbstractEstimator,
    backend: AbstractBackend,
    key: Key | None,
    budget: Budget | None = None,
    *,
    start: Any = None,
) -> Run:
    """The loop itself, on coordinates.

    Args:
        point, estimator, backend, key, budget: as for `estimate`, the point from `point_at`.
        start: the estimator's state before the first round, where it was worked out before.
    """
    cost, fidelities = Cost(), []
    result = Result("ok", "all queries were answered")
    key, used = draw_key(key, estimator.is_random)
    state = estimator.init(point, used) if start is None else start
    while queries := estimator.ask(state):
        for query in queries:
            _check_access(query, estimator, backend)
        asked = queries if budget is None else affordable(queries, cost, budget)
        is_cut = asked is not queries
        if budget is not None and is_cut:
            result = exhausted(budget, cost, queries, asked)
        if asked:
            answers = []
            for query in asked:
                key, used = draw_key(key, query.is_random)
                answers.append(backend.answer(query, used))
            fidelities += map(fidelity_of, answers)
            cost += total_cost(asked)
            if is_cut:
                left = [*answers, *[None] * (len(queries) - len(asked))]
                answers = [query.completed(answer) for query, answer in zip(queries, left, strict=True)]
            state = estimator.tell(state, tuple(answers))
        if is_cut:
            break
    reading = estimator.read(state)
    charge(estimator, cost, reading.value)
    return Run(reading, cost, result, together(fidelities))


def run_value(point: Point, estimator: AbstractEstimator, backend: AbstractBackend, key: Key | None) -> Values:
    """The value alone, (K,), checked and charged as everything else."""
    query = estimator.value_query(point)
    _check_access(query, estimator, backend)
    answer = backend.answer(query, draw_key(key, query.is_random)[1])
    value = answer.mean[0] if hasattr(answer, "mean") else answer.value
    charge(estimator, query.cost(), value)
    return value


def _real(dtype) -> np.dtype:
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


def _check_access(query, estimator, backend):
    for who, granted in (
        (f"estimator {type(estimator).__name__}", estimator.access),
        (f"backend {type(backend).__name__}", backend.access),
    ):
        if query.access > granted:
            raise AccessError(
                f"{type(query).__name__} needs {query.access.name} access, but {who} allows {granted.name} only"
            )


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
    # device_put compiles nothing, whatever the shape; jnp.asarray may. Traced ones go one by one, since jax.vmap may
    # have put their batch on different axes.
    parts = jax.device_put(parts) if is_concrete(parts) else jax.tree.map(jax.device_put, parts)
    value, gradient, variance, value_variance, bias, value_bias = parts
    return Estimate(value, gradient, variance, value_variance, bias, value_bias, cost, result, fidelity, reading.stats)


def _no_bias(numbers):
    """Real zeros of the same shape, also beside infinities and complex numbers."""
    return zeros_like(numbers.real)
