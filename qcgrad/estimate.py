"""The one loop: ask the estimator, charge, let the backend answer, tell, until there is nothing to ask."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from . import finite
from .arguments import check_access, check_arguments, check_limits, check_traceable, real_dtype
from .array_types import Key, Params, Values
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .cost import Budget, Cost
from .errors import BackendFailed, BudgetExhausted, NotApplicable
from .estimator import AbstractEstimator, AbstractPrecision, total_cost
from .keys import as_key, draw_key
from .objective import AbstractObjective, Point, point_at
from .progress import Progress, Run, answer_of, answered, completed, failure, progress_of
from .queries import AbstractQuery, value_in
from .readings import estimate_of
from .result import Estimate, Result
from .rounds import affordable, exhausted
from .tracker import charge

_Seen = TypeVar("_Seen", bound=Any)


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
    check_limits(budget, precision)
    if precision is not None:
        estimator = precision.reached_by(estimator)
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

    def seen(found: Run) -> Estimate:
        return estimate_of(objective, params, estimator, found)

    return driven(point, estimator, backend, as_key(key), seen, budget=budget, throw=throw, resume=resume)


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


def driven(
    point: Point,
    estimator: AbstractEstimator,
    backend: AbstractBackend,
    key: Key | None,
    seen: Callable[[Run], _Seen],
    *,
    budget: Budget | None = None,
    throw: bool = True,
    resume: BackendFailed | None = None,
) -> _Seen:
    """What a user sees of a run, also where it ends early: `estimate` and all that goes by its rules.

    Args:
        point, estimator, backend, key, budget, throw, resume: as for `estimate`, checked.
        seen: what a user sees of what was found; it has a `result`.

    Raises:
        BudgetExhausted, BackendFailed: as `estimate`; their `estimate` is what `seen` makes of what is known.
    """
    coordinates = point.coordinates
    if is_concrete(coordinates) and (reason := finite.of_coordinates(point.objective, coordinates)):
        return seen(Run(estimator.nothing_known(point), Cost(), Result("not_finite", reason)))
    progress = None if resume is None else progress_of(resume, point, estimator)
    try:
        found = seen(run(point, estimator, backend, key, budget, progress=progress))
    except BackendFailed as error:
        error.estimate = seen(error.progress.found)
        raise
    if throw and str(found.result) == "budget_exhausted":
        raise BudgetExhausted(found.result.message, found)
    return found


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
            check_access(query, estimator, backend)
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
    check_access(query, asker, backend)
    answer = answer_of(query, draw_key(key, query.is_random)[1], asker, backend)
    charge(asker, query.cost(), value_in(answer))
    return answer
