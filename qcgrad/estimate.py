"""The one loop: ask the estimator, charge, let the backend answer, tell, until there is nothing to ask."""

from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike

from . import finite
from .array_types import Key, Params, Values
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .cost import Budget, Cost
from .errors import AccessError, BackendFailed, BudgetExhausted, NotApplicable
from .estimator import AbstractEstimator, AbstractPrecision, total_cost, unknown
from .keys import as_key, draw_key
from .objective import AbstractObjective, Point, point_at
from .progress import Progress, Run, answer_of, answered, completed, failure, progress_of
from .queries import AbstractQuery
from .readings import estimate_of
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
    precision: AbstractPrecision | None = None,
    throw: bool = True,
    resume: BackendFailed | None = None,
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
        precision: how precise every derivative has to be: the method then takes the shots that this takes, instead of
            its own (`precision.reached_by(estimator)`, which also predicts what that costs at most).
        throw: raise when the budget runs out; else return what is known, with `result` saying so.
        resume: the error with which a backend failed in this very estimate, all other arguments the same: it goes on
            there, and asks what is missing. The cost is that of the whole estimate, each copy counted once.

    Returns:
        An `Estimate`. Under `jax.jit` and `jax.vmap` too, for every method with `is_traceable`. Numbers that are NaN
        or infinite come back as they are, with the result "not_finite" and a message that says where they arose.

    Raises:
        ValueError, TypeError: bad parameters, a missing key.
        NotApplicable: the method's rule does not hold for this objective.
        AccessError: the backend does not grant the access that the method needs.
        StateTooLarge: the simulation would not fit into memory.
        BudgetExhausted: with `throw=True`; its `estimate` holds what is known.
        BackendFailed: a device or simulator of others failed half-way; its `estimate` holds what is known.

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
    if precision is not None:
        if not isinstance(precision, AbstractPrecision):
            raise TypeError(f"precision is {precision!r}: give qcgrad.Precision(epsilon=..., delta=...) or None")
        estimator = precision.reached_by(estimator)
    if budget is not None and not isinstance(budget, Budget):
        raise TypeError(f"budget is {budget!r}: give qcgrad.Budget(shots=...) or None")
    is_traced = not is_concrete((params, key))
    if is_traced:
        check_traceable(estimator)
    point, params = point_at(objective, params)
    objective = point.objective
    backend = resolve(backend, objective)
    if is_traced and not backend.is_traceable:
        raise NotApplicable(
            f"{type(backend).__name__} cannot be traced by JAX: it runs elsewhere and needs numbers; call "
            "qcgrad.estimate outside jax.jit, jax.vmap and jax.grad, or use qcgrad.as_jax"
        )
    if is_concrete(point.coordinates) and (reason := finite.of_coordinates(objective, point.coordinates)):
        found = Run(unknown(point), Cost(), Result("not_finite", reason))
    else:
        progress = None if resume is None else progress_of(resume, point, estimator)
        try:
            found = run(point, estimator, backend, as_key(key), budget, progress=progress)
        except BackendFailed as error:
            error.estimate = estimate_of(objective, params, estimator, error.progress.found)
            raise
    assembled = estimate_of(objective, params, estimator, found)
    if throw and str(assembled.result) == "budget_exhausted":
        raise BudgetExhausted(assembled.result.message, assembled)
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
    estimator = estimator.on(resolve(backend, objective))
    return estimator.predict(Point(objective, objective.placeholder(real_dtype(dtype)), np.eye(objective.num_outputs)))


def run(
    point: Point,
    estimator: AbstractEstimator,
    backend: AbstractBackend,
    key: Key | None,
    budget: Budget | None = None,
    *,
    start: Any = None,
    progress: Progress | None = None,
) -> Run:
    """The loop itself, on coordinates.

    Args:
        point, estimator, backend, key, budget: as for `estimate`, the point from `point_at`.
        start: the estimator's state before the first round, where it was worked out before.
        progress: where the run goes on, of one that a backend failed in.

    Raises:
        BackendFailed: its `progress` holds the progress, what was found until then, and at which point by which method.
    """
    result, estimator = Result("ok", "all queries were answered"), estimator.on(backend)
    if progress is None:
        key, used = draw_key(key, estimator.is_random)
        progress = Progress(estimator.init(point, used) if start is None else start, key)
    while queries := estimator.ask(progress.state):
        for query in queries:
            _check_access(query, estimator, backend)
        asked = queries if budget is None else affordable(queries, progress.cost, budget)
        is_cut = asked is not queries
        if budget is not None and is_cut:
            result = exhausted(budget, progress.cost, queries, asked)
        if asked:
            try:
                progress = answered(asked, progress, estimator, backend)
            except BackendFailed as error:
                error.progress = failure(error, point, estimator, queries, asked)
                charge(estimator, error.progress.progress.spent, error.progress.found.reading.value)
                raise
            answers = completed(queries, progress.answers) if is_cut else progress.answers
            state = estimator.tell(progress.state, answers)
            progress = progress._replace(state=state, cost=progress.cost + total_cost(asked), answers=())
        if is_cut:
            break
    reading = estimator.read(progress.state)
    charge(estimator, progress.spent, reading.value)
    return progress.run(reading, progress.cost, result)


def run_value(point: Point, estimator: AbstractEstimator, backend: AbstractBackend, key: Key | None) -> Values:
    """The value alone, (K,), checked and charged as everything else."""
    estimator = estimator.on(backend)
    queries, answers = estimator.value_queries(point), []
    for query in queries:
        key, used = (key, key) if len(queries) == 1 else draw_key(key, query.is_random)
        answers.append(ask(query, estimator, backend, used))
    return estimator.value_of(queries, tuple(answers))


def ask(query: AbstractQuery, asker: Any, backend: AbstractBackend, key: Key | None) -> Any:
    """The answer to one question that belongs to no gradient, checked and charged as everything else.

    Args:
        query: the question.
        asker: whose `access` allows it, and whose class the ledgers name.
        backend: who answers.
        key: JAX random key; needed by queries that draw.
    """
    _check_access(query, asker, backend)
    answer = answer_of(query, draw_key(key, query.is_random)[1], asker, backend)
    charge(asker, query.cost(), _value_of(answer))
    return answer


def _value_of(answer):
    """What an answer says of the outputs (K,); nothing where it holds outcomes or states."""
    return answer.mean[0] if hasattr(answer, "mean") else getattr(answer, "value", np.zeros(0))


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


def _check_access(query, estimator, backend):
    for who, granted in (
        (f"estimator {type(estimator).__name__}", estimator.access),
        (f"backend {type(backend).__name__}", backend.access),
    ):
        if query.access > granted:
            raise AccessError(
                f"{type(query).__name__} needs {query.access.name} access, but {who} allows {granted.name} only"
            )
