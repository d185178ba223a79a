"""Whether an estimator keeps what every estimator promises."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from ..arguments import check_arguments
from ..array_types import Key
from ..backend import AbstractBackend, resolve
from ..catalogue import described
from ..cost import Cost
from ..errors import NotApplicable
from ..estimate import estimate, predict_cost, run
from ..estimator import AbstractEstimator
from ..estimators import Adjoint, Backprop
from ..keys import as_key
from ..networks import Loss
from ..objective import point_at
from ..queries import AbstractQuery, Access
from ._cases import Case, circuits, commuting, in_float32, network, pool, wrong_numbers

# What the instances of `for_accuracy` are asked for: eight of them, of which one in 10^4 fails by chance.
_EPSILON, _DELTA = 0.5, 1e-5


def check_estimator(estimator: AbstractEstimator, key: Key | int = 0) -> tuple[str, ...]:
    """Let an estimator differentiate circuits and a network that show the usual mistakes, and look at all it promises.

    - Value and gradient are right within 12 reported standard errors and the reported bias bound.
    - Gradient, variance and bias bound have the structure and precision of the parameters; nothing is negative or NaN.
    - The cost counted is that of the queries asked; the one predicted is equal, or above it for adaptive methods.
    - It asks for the access that it declares, and for a key if and only if something is drawn; the same key gives the
      same numbers.
    - A method that says it is traceable gives the same numbers under `jax.jit`.
    - Its class can be described: every option has a line in the docstring (see `qcgrad.catalogue`).
    - Where `for_accuracy` gives an instance, that is as accurate as it says.

    Args:
        estimator: what to check, with settings that make its errors small against 1.
        key: JAX random key or integer seed.

    Returns:
        What the objectives it differentiates test, at least one; all others it refuses by `NotApplicable`.

    Raises:
        AssertionError: a promise that is not kept, with the numbers and what to look at.

    Cost: three or four estimates of eight small objectives.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.testing import check_estimator
        >>> jax.config.update("jax_enable_x64", True)
        >>> len(check_estimator(qg.ParameterShift(shots=10_000)))
        7
    """
    (case, *_), draws = circuits(), as_key(key)
    check_arguments(case.objective, estimator)
    name = type(estimator).__name__
    for option in described(type(estimator)).options:
        assert option.help, f"{name}: the docstring's section Args says nothing of {option.name}"
    done, asked = [], []
    for case in _cases(done):
        writing = _Writing(resolve(None, case.objective.typical()))
        try:
            found = estimate(case.objective, case.params, estimator, writing, key=draws)
        except NotApplicable:
            continue
        for complaint in _complaints(case, estimator, found, writing.queries, draws):
            raise AssertionError(f"{name}: {complaint}")
        if complaint := _broken_promise(case, type(estimator), draws):
            raise AssertionError(f"{name}: {complaint}")
        done.append(case.hint)
        asked += writing.queries
    assert done, f"{name} refuses every objective: there is nothing that it differentiates"
    most = max(query.access for query in asked)
    assert most == estimator.access, f"{name} declares {estimator.access.name} access, but asks for {most.name} at most"
    return tuple(done)


def _cases(done: list[str]) -> Iterator[Case]:
    yield from (*circuits(), in_float32(circuits()[1]), pool(), network())
    if not done:
        yield commuting()


class _Writing(AbstractBackend):
    """Passes queries on and keeps them."""

    def __init__(self, inner: AbstractBackend):
        self.inner, self.queries = inner, []

    @property
    def access(self) -> Access:
        return self.inner.access

    @property
    def sums_shifts(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.sums_shifts

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        self.queries.append(query)
        return self.inner.answer(query, key)


def _complaints(case: Case, estimator: AbstractEstimator, found, queries, key):
    """What is wrong with an estimate, one sentence each."""
    if wrong := wrong_numbers(case, found):
        yield wrong
    gradient, shape = np.asarray(found.gradient), np.shape(found.gradient)
    for what, part in (("variance", found.variance), ("bias_bound", found.bias_bound)):
        if np.shape(part) != shape or np.asarray(part).dtype != gradient.dtype:
            yield f"{what} has shape {np.shape(part)} and dtype {part.dtype}, the gradient {shape} and {gradient.dtype}"
        if not np.all(np.asarray(part) >= 0):
            yield f"{what} is negative or NaN: {np.asarray(part).tolist()}. What is tested: {case.hint}"
    if gradient.dtype != case.params.dtype:
        yield f"the gradient has dtype {gradient.dtype}, the parameters {case.params.dtype}"
    if found.cost != (counted := sum((query.cost() for query in queries), Cost())):
        yield f"the cost is {found.cost}, that of the queries {counted}"
    predicted = predict_cost(case.objective, estimator, dtype=case.params.dtype)
    over = [n for n in vars(found.cost) if getattr(found.cost, n) > getattr(predicted, n)]
    if over or (estimator.is_traceable and found.cost != predicted):
        yield f"predict says {predicted}, and {found.cost} was spent. What is tested: {case.hint}"
    is_random = estimator.is_random or any(query.is_random for query in queries)
    again = estimate(case.objective, case.params, estimator, key=key if is_random else None)
    if not np.array_equal(again.gradient, gradient, equal_nan=True):
        yield f"the same key gives other numbers: {gradient.tolist()}, then {np.asarray(again.gradient).tolist()}"
    if is_random and not _misses_key(case, estimator):
        yield "without a key it draws all the same: draw nothing in it, or set is_random and take the key of init"
    if estimator.is_traceable and case.objective.typical() is case.objective:
        traced = jax.jit(lambda p: estimate(case.objective, p, estimator, key=key).gradient)(case.params)
        rounding = 1e-4 if gradient.dtype == np.float32 else 1e-9
        if not np.allclose(traced, gradient, rtol=0, atol=rounding):
            yield f"under jax.jit it gives {np.asarray(traced).tolist()}, and {gradient.tolist()} without"


def _misses_key(case: Case, estimator: AbstractEstimator) -> bool:
    try:
        estimate(case.objective, case.params, estimator)
    except ValueError as error:
        return "key is missing" in str(error)
    return False


def _broken_promise(case: Case, make: type[AbstractEstimator], key: Key | None) -> str:
    """How the instance for an accuracy misses it, in words; empty where it does not, or there is none."""
    point, _ = point_at(case.objective, case.params)
    try:
        accurate = make.for_accuracy(point, _EPSILON, _DELTA)
    except NotApplicable:
        return ""
    if not isinstance(accurate, make):
        return f"for_accuracy returns {accurate!r}: return an instance of the class"
    exact = Backprop() if isinstance(point.objective, Loss) else Adjoint()
    found, truth = (run(point, one, resolve(None, point.objective), key)[0].gradient for one in (accurate, exact))
    error = max(float(np.max(np.abs(a - b))) for a, b in zip(*map(jax.tree.leaves, (found, truth)), strict=True))
    if error <= _EPSILON:
        return ""
    return (
        f"for_accuracy(epsilon={_EPSILON}, delta={_DELTA}) gives {accurate!r}, and a derivative by a coordinate is "
        f"off by {error:.3g}. What is tested: {case.hint}"
    )
