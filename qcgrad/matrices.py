"""Matrices that belong to a point: the interface of their methods, how they are run, and what comes out."""

import abc
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float
from numpy.typing import DTypeLike

from .array_types import Key, Params
from .arrays import is_concrete
from .backend import AbstractBackend, resolve
from .cost import Cost
from .errors import NotApplicable
from .estimate import check_objective, real_dtype, run
from .estimator import OneRoundEstimator, total_cost
from .keys import as_key
from .objective import AbstractObjective, Point, Reading, point_at
from .progress import Run
from .queries import AbstractQuery, Access
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
        return Reading(value, matrix, variance, np.zeros_like(value), off, stats=stats)

    def value_query(self, point: Point) -> AbstractQuery:
        raise NotApplicable(f"{type(self.method).__name__} gives matrices: ask qcgrad.estimate for the value")


def measured(
    objective: AbstractObjective,
    params: Params,
    method: AbstractMatrixMethod,
    backend: AbstractBackend | None,
    key: Key | int | None,
    kind: type[AbstractMatrixMethod],
    asking: type[Asking],
) -> tuple[Run, AbstractObjective, Params, Asking]:
    """Run a method of some kind through the driver: checked, charged, its coordinates those of the objective.

    Raises:
        TypeError: no objective, no method of this kind, or parameters that JAX is tracing.
        NotApplicable: an objective without one circuit.
    """
    check_objective(objective)
    if not isinstance(method, kind):
        advice = "SecondOrderShift()" if kind is HessianMethod else "OverlapShift()"
        raise TypeError(f"method is {method!r}: give a method for this matrix, for example qcgrad.{advice}")
    if not is_concrete((params, key)):
        raise TypeError(
            "params or key are being traced by JAX, and this needs numbers: call it outside jax.jit; of exact methods "
            "jax.hessian(qcgrad.as_jax(objective, qcgrad.Adjoint())) can be traced"
        )
    point, params = point_at(objective, params)
    if not hasattr(getattr(point.objective, "program", None), "on_all"):
        raise NotApplicable(f"{type(point.objective).__name__} has no circuit of one pure state: give an Expectation")
    point = point._replace(coordinates=np.asarray(point.coordinates))
    bends = second_derivatives(point.objective, params) if kind is HessianMethod else None
    asker = asking(method, directions(point.objective, params, point.coordinates), bends)
    found = run(point, asker, resolve(backend, point.objective), as_key(key))
    return found, point.objective, params, asker


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
