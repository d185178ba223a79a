"""The loop: estimate, step, until a rule, a budget or a number of steps ends it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ..arguments import check_arguments
from ..array_types import Key, Params
from ..backend import AbstractBackend, resolve
from ..cost import Budget, Cost
from ..errors import BackendFailed, NotApplicable
from ..estimate import estimate, predict_cost
from ..estimator import AbstractEstimator
from ..keys import as_key
from ..objective import AbstractObjective
from ..result import Estimate, Result
from . import _checks as checks
from ._allotment import Allotment
from ._directed import Directed
from ._direction_shots import QuiverState
from ._record import MinimizationFailed, Minimized, Step
from ._shots import shot_state

if TYPE_CHECKING:
    import optax


def minimize(
    objective: AbstractObjective,
    params: Params,
    optimizer: "optax.GradientTransformation",
    estimator: AbstractEstimator,
    backend: AbstractBackend | None = None,
    *,
    key: Key | int | None = None,
    steps: int = 1000,
    budget: Budget | None = None,
    rules: Sequence[Callable[[Sequence[Step]], str]] = (),
    callback: Callable[[Step], Any] | None = None,
    start: Minimized | None = None,
) -> Minimized:
    """Descend by an estimator's gradients, with its exact cost and all that was computed on the way.

    An optimiser that asks for shots (`icans`, `gcans`, `quiver`, also inside `optax.chain`) gets them: before each step
    the estimator is changed to those that the last one asked for. Any other optax optimiser works with the estimator as
    it is.

    Args:
        objective: one value to minimise.
        params: where to start, in the objective's structure.
        optimizer: an optax transformation; it is told `value`, `variance` and `stats` of each estimate.
        estimator: how to differentiate. Its own shots count only where the optimiser asks for none.
        backend: who answers, as for `qcgrad.estimate`.
        key: JAX random key or integer seed; step number k draws with `jax.random.fold_in(key, k)`.
        steps: estimates at most, those of `start` included.
        budget: limits on the whole cost. A step that would exceed them is not begun.
        rules: functions of the history that return why to stop, or ""; see `GradientBelow`, `NoImprovement`.
        callback: is called with every `Step`, for a log.
        start: what an earlier call returned, to go on from; `params` is not looked at then.

    Returns:
        `Minimized`, whatever ended it: also NaN, and Ctrl-C.

    Raises:
        ValueError, TypeError: wrong arguments; an objective with several values.
        NotApplicable: a method without shots where the optimiser asks for them; one that learns from step to step.
        MinimizationFailed: an estimate failed after others had succeeded; it holds what was computed until then.

    Cost: the sum of the estimates' costs. The value is estimated in each step too, with as many shots as the
    derivative that takes most; with `quiver`, as few as it allows.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.optimizers import gcans, lipschitz_constant, minimize
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> size = lipschitz_constant(objective, [1.0])
        >>> found = minimize(objective, [1.0], gcans(0.5 / size, size), qg.ParameterShift(), key=0,
        ...                  budget=qg.Budget(copies=5000))
        >>> str(found.result), found.total.copies <= 5000, bool(found.values[-1] < -0.99)
        ('budget_exhausted', True, True)

    References:
        J. M. Kübler et al., arXiv:1909.09083; A. Gu et al., arXiv:2108.10434.
    """
    run = _Loop(objective, optimizer, estimator, backend, as_key(key), budget)
    steps = checks.count("steps", steps, 0)
    if not isinstance(rules, Sequence) or not all(map(callable, rules)):
        raise TypeError(f"rules is {rules!r}: give a list of rules, for example [GradientBelow(0.1)]")
    if start is not None and not isinstance(start, Minimized):
        raise TypeError(f"start is {start!r}: give what an earlier call of minimize returned")
    params = jax.tree.map(jnp.asarray, objective.check(params if start is None else start.params))
    state = run.optimizer.init(params) if start is None else start.state
    history, total = ([], Cost()) if start is None else (list(start.history), start.total)
    failure = None if start is None else start.failure
    result = Result("steps_exhausted", f"{steps:,} steps were made")
    try:
        while len(history) < steps:
            chosen, told = run.allotted(params, state, len(history))
            if over := run.exceeded(total, chosen, params):
                result = Result("budget_exhausted", over)
                break
            e = estimate(objective, params, chosen, backend, key=run.key_of(len(history)), resume=failure)
            total, failure = total + e.cost, None
            history.append(Step(params, e, total))
            if callback is not None:
                callback(history[-1])
            if str(e.result) != "ok":
                result = e.result
                break
            if reason := next(filter(None, (rule(history) for rule in rules)), ""):
                result = Result("ok", reason)
                break
            params, state = run.step(params, state, e, told)
    except KeyboardInterrupt:
        result = Result("interrupted", f"Ctrl-C after {len(history):,} steps")
    except Exception as error:
        if not history and not isinstance(error, BackendFailed):
            raise
        failed = Result("failed", f"{type(error).__name__}: {error}")
        lost = error if isinstance(error, BackendFailed) else failure
        found = Minimized(params, tuple(history), total, failed, state, lost)
        raise MinimizationFailed(
            f"step {len(history):,} failed with {type(error).__name__}: {error}. The {len(history):,} steps before are "
            "in `minimized`; go on with start=error.minimized",
            found,
        ) from error
    return Minimized(params, tuple(history), total, result, state, failure)


class _Loop:
    """What stays the same from step to step, checked."""

    def __init__(
        self,
        objective: AbstractObjective,
        optimizer: "optax.GradientTransformation",
        estimator: AbstractEstimator,
        backend: AbstractBackend | None,
        key: Key | None,
        budget: Budget | None,
    ):
        check_arguments(objective, estimator)
        resolve(backend, objective)
        if objective.num_outputs != 1 or objective.is_vector:
            raise ValueError(
                f"the objective has {objective.num_outputs} values in a vector: give one with a single value"
            )
        if estimator.stateful:
            raise NotApplicable(f"{type(estimator).__name__} learns from step to step here: call qcgrad.estimate")
        if budget is not None and not isinstance(budget, Budget):
            raise TypeError(f"budget is {budget!r}: give qcgrad.Budget(copies=...) or None")
        if not (callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None))):
            raise TypeError(
                f"optimizer is {optimizer!r}: give an optax optimizer, for example icans(0.1, lipschitz=5.0)"
            )
        import optax

        self.optimizer = optax.with_extra_args_support(optimizer)
        self.objective, self.estimator, self.backend = objective, estimator, backend
        self.key, self.budget = key, budget
        self._allotment: Any = None

    def key_of(self, step: int) -> Key | None:
        """What a step draws with."""
        return None if self.key is None else jax.random.fold_in(self.key, step)

    def allotted(self, params: Params, state: PyTree, step: int) -> tuple[AbstractEstimator, dict[str, Any]]:
        """The estimator of the next step, and what the optimiser is told of it; nothing where it does not ask."""
        asking = shot_state(state)
        if asking is None:
            return self.estimator, {}
        if self._allotment is None:
            allots = Directed if isinstance(asking, QuiverState) else Allotment
            self._allotment = allots(self.objective, self.estimator)
        return self._allotment.chosen(params, asking, self.key_of(step))

    def exceeded(self, total: Cost, estimator: AbstractEstimator, params: Params) -> str:
        """What the next step would exceed, in words; "" where it fits."""
        if self.budget is None:
            return ""
        dtype = jnp.result_type(*jax.tree.leaves(params))
        charged = total + predict_cost(self.objective, estimator, self.backend, dtype=dtype)
        limits = (
            f"{n} {getattr(charged, n):,} > {getattr(self.budget, n):,}" for n in self.budget.exceeded_by(charged)
        )
        over = ", ".join(limits)
        return over and f"the next step would exceed the budget: {over}"

    def step(self, params: Params, state: PyTree, e: Estimate, told: dict[str, Any]) -> tuple[Params, PyTree]:
        """Parameters and the optimiser's state after an estimate."""
        import optax

        told = {"value": e.value, "variance": e.variance, "stats": e.stats, **told}
        updates, state = self.optimizer.update(e.gradient, state, params, **told)
        return optax.apply_updates(params, updates), state
