"""Matrices that belong to a point: the interface of their methods, and how the driver runs them."""

import abc
from typing import Any, ClassVar, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float
from numpy.typing import DTypeLike

from .arguments import check_limits, check_objective, real_dtype
from .array_types import Key, Params
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .cost import Budget, Cost
from .errors import NotApplicable
from .estimator import AbstractPrecision, OneRoundEstimator, total_cost, unknown
from .objective import AbstractObjective, Point, Reading, point_at
from .queries import AbstractQuery, Access


class Problem(NamedTuple):
    """Where a matrix is asked for.

    Attributes:
        point: the objective and its coordinates.
        directions: (N, A), how the coordinates move with each parameter.
        bends: (A, N, N) second derivatives of the coordinates, or None where all are zero.
    """

    point: Point
    directions: Float[np.ndarray, "N A"]
    bends: Float[np.ndarray, "A N N"] | None = None

    @property
    def program(self) -> Any:
        """The circuit with its observables (`ir.Program`): objectives without one are refused before."""
        return getattr(self.point.objective, "program")  # noqa: B009 - known to be there, not to the type


class MatrixReading(NamedTuple):
    """What a method found, by parameters.

    Attributes:
        matrix, variance: (C, N, N), one matrix for each cotangent of the point; of a metric C = 1. They are rounded to
            the precision of the coordinates by whoever asked.
        bias_bound: the same, None for zero.
        first_order: the gradient by coordinates, of a Hessian.
        stats: numbers and arrays by name.
    """

    matrix: Any
    variance: Any
    bias_bound: Any = None
    first_order: Reading | None = None
    stats: dict[str, Any] = {}


class AbstractMatrixMethod(eqx.Module):
    """A method for Hessians or metric tensors, whose queries are all known in advance: `plan` and `combine`."""

    access: ClassVar[Access]
    """The most access that this method ever asks for."""
    is_random: ClassVar[bool] = False
    """Whether the method draws at random what it asks."""

    @abc.abstractmethod
    def plan(self, problem: Problem, key: Key | None) -> tuple[AbstractQuery, ...]:
        """All queries; a key where `is_random`.

        Raises:
            NotApplicable: the method's rule does not hold for this circuit.
        """

    @abc.abstractmethod
    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> MatrixReading:
        """The matrix from the answers, in the plan's order."""

    def predict(self, objective: AbstractObjective, dtype: DTypeLike | None = None) -> Cost:
        """What the matrix will cost, exactly, without running anything; arguments as for `qcgrad.predict_cost`."""
        check_objective(objective)
        objective = objective.typical()
        point = Point(objective, objective.placeholder(real_dtype(dtype)), np.eye(objective.num_outputs))
        numbers = getattr(objective, "num_parameters", len(point.coordinates))
        problem = Problem(point, np.zeros((numbers, len(point.coordinates))))
        return total_cost(self.plan(problem, jax.random.key(0) if self.is_random else None))

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        """The instance with fewest shots of which every entry, by parameters, is proved to be as precise.

        Args:
            problem: where; all of its matrices count.
            epsilon: with `delta`, the largest error of an entry; without, the largest standard error.
            delta: probability that any entry is further off, at most.

        Returns:
            An instance; where the method is exact, the method itself.

        Raises:
            ValueError: an epsilon that is no positive number, a delta that is not between 0 and 1.
            NotApplicable: no bound is known.
        """
        raise NotApplicable(f"{cls.__name__} states no bound on its errors: choose its options, and look at variances")


class HessianMethod(AbstractMatrixMethod):
    """A method for `qcgrad.hessian`."""


class MetricMethod(AbstractMatrixMethod):
    """A method for `qcgrad.metric_tensor`."""


class Asking(OneRoundEstimator):
    """A matrix method as what the driver runs; ledgers call it by the class that derives from this one."""

    method: AbstractMatrixMethod
    directions: Any
    bends: Any

    @property
    def access(self) -> Access:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.method.access

    @property
    def is_random(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.method.is_random

    def plan(self, point: Point, key: Key | None) -> tuple[AbstractQuery, ...]:
        return self.method.plan(Problem(point, self.directions, self.bends), key)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Any, ...]) -> Reading:
        found = self.method.combine(Problem(point, self.directions, self.bends), queries, answers)
        first = found.first_order
        value = np.zeros(point.objective.num_outputs) if first is None else first.value
        stats = {"first_order": first, "stats": found.stats}
        dtype = point.coordinates.dtype
        off = None if found.bias_bound is None else found.bias_bound.astype(dtype)
        matrix, variance = found.matrix.astype(dtype), found.variance.astype(dtype)
        value_off = None if first is None else first.value_bias_bound
        return Reading(value, matrix, variance, np.zeros_like(value), off, value_off, stats=stats)

    def nothing_known(self, point: Point) -> Reading:
        rows, outputs = len(self.directions), point.objective.num_outputs
        count = outputs if isinstance(self.method, HessianMethod) else 1
        nan = np.full((count, rows, rows), np.nan, point.coordinates.dtype)
        stats = {"first_order": unknown(point), "stats": {}}
        return Reading(np.full(outputs, np.nan), nan, nan, np.full((count, rows, rows), np.nan), stats=stats)

    def value_query(self, point: Point) -> AbstractQuery:
        raise NotApplicable(f"{type(self.method).__name__} gives matrices: ask qcgrad.estimate for the value")


class Asked(NamedTuple):
    """A matrix that is asked for: where, by what, and who answers."""

    point: Point
    params: Params
    asker: Asking
    backend: AbstractBackend


def asked_for(
    objective: AbstractObjective,
    params: Params,
    method: AbstractMatrixMethod,
    backend: AbstractBackend | None,
    kind: type[AbstractMatrixMethod],
    asking: type[Asking],
    *,
    budget: Budget | None,
    precision: AbstractPrecision | None,
    key: Key | int | None,
) -> Asked:
    """What the driver needs for a method of some kind, its coordinates those of the objective.

    Raises:
        TypeError: no objective, no method of this kind, no limits, or parameters that JAX is tracing.
        NotApplicable: an objective without one circuit; a precision that the method cannot promise.
    """
    check_objective(objective)
    if not isinstance(method, kind):
        advice = "SecondOrderShift()" if kind is HessianMethod else "OverlapShift()"
        raise TypeError(f"method is {method!r}: give a method for this matrix, for example qcgrad.{advice}")
    check_limits(budget, precision)
    if not is_concrete((params, key)):
        traceable = "; jax.hessian(qcgrad.as_jax(objective, qcgrad.Adjoint())) can be traced"
        raise TypeError(
            f"params or key are being traced by JAX, and {asking.__name__} needs numbers: call it outside jax.jit, "
            f"jax.vmap and jax.grad{traceable if kind is HessianMethod else ''}"
        )
    point, params = point_at(objective, params)
    if not hasattr(getattr(point.objective, "program", None), "on_all"):
        raise NotApplicable(f"{type(point.objective).__name__} has no circuit of one pure state: give an Expectation")
    point = point._replace(coordinates=np.asarray(point.coordinates))
    bends = second_derivatives(point.objective, params) if kind is HessianMethod else None
    problem = Problem(point, directions(point.objective, params, point.coordinates), bends)
    if precision is not None:
        method = method.for_accuracy(problem, precision.epsilon, precision.delta)
    return Asked(point, params, asking(method, *problem[1:]), resolve(backend, point.objective))


def directions(objective: AbstractObjective, params: Params, coordinates: Any) -> Float[np.ndarray, "N A"]:
    """How the coordinates move with each parameter, by the objective's own chain rule."""
    rows = np.eye(len(coordinates), dtype=np.asarray(coordinates).dtype)
    nothing = np.zeros(objective.num_outputs, rows.dtype)
    found = objective.to_params(params, Reading(nothing, rows, np.zeros_like(rows), nothing))
    leaves = [np.asarray(leaf).reshape(len(rows), -1) for leaf in jax.tree.leaves(found.gradient)]
    return np.concatenate(leaves, axis=1).T


def second_derivatives(objective: AbstractObjective, params: Params) -> Float[np.ndarray, "A N N"] | None:
    """Second derivatives of the coordinates by the raveled parameters."""
    if objective.is_affine:
        return None
    flat, restore = ravel_pytree(jax.tree.map(jnp.asarray, params))
    return np.asarray(jax.hessian(lambda numbers: objective.coordinates(restore(numbers)))(flat))
