"""What is differentiated: the interface that the driver needs of an objective."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import PyTree

from .array_types import Coordinates, Params, Values


class Reading(NamedTuple):
    """What an estimator reads off its answers, with respect to the objective's coordinates.

    Attributes:
        value: (K,) outputs of the objective.
        gradient: coordinates with a leading axis C, one row for each cotangent.
        variance: same structure; variance of each gradient component. Of a cotangent that weights several outputs, what
            comes of `Means` takes these for independent, since it holds no covariances between observables that share
            a basis; methods that see outcomes (sweeps, shadows, Bell measurements) count them.
        value_variance: (K,).
        bias_bound: same structure as the gradient, bound on |E[estimate] - truth|; None means zero.
        value_bias_bound: (K,), the same for the value; None means zero.
        covariance: (C, A, A) where components that get summed by the chain rule are correlated, else None.
        stats: what else the method found out, by name: numbers and arrays. "degrees_of_freedom" are those of the
            variances; where it is missing, they count as known. `report` of whoever wrote them says them in words.
    """

    value: Any
    gradient: Any
    variance: Any
    value_variance: Any
    bias_bound: Any = None
    value_bias_bound: Any = None
    covariance: Any = None
    stats: dict[str, Any] = {}


class Point(NamedTuple):
    """Where an estimator works: an objective, its coordinates there, and which outputs to differentiate.

    Attributes:
        objective: what is differentiated.
        coordinates: what the estimator differentiates by (gate angles of a circuit, weights of a network).
        cotangents: (C, K) rows; row c asks for the gradient of sum_k cotangents[c, k] value[k].
        params: the user's parameters that the coordinates belong to; None where nobody knows them.
    """

    objective: "AbstractObjective"
    coordinates: Any
    cotangents: Any
    params: Any = None


class AbstractObjective(eqx.Module):
    """A function of parameters with K real outputs.

    An objective maps the user's parameters to *coordinates*, estimators work on coordinates alone, and
    the objective carries their reading back by the exact chain rule. So an estimator never sees how a
    user wrote the parameters, and the classical map between the two may be any JAX-traceable function.
    """

    is_vector: eqx.AbstractVar[bool]
    """Whether results keep the axis of the K outputs; a scalar objective drops it."""
    coordinate_name: ClassVar[str] = "coordinate"
    """What messages call a coordinate."""

    @property
    @abc.abstractmethod
    def num_outputs(self) -> int:
        """K."""

    @property
    def mixes_coordinates(self) -> bool:
        """Whether one parameter drives several coordinates, so that their errors add up with covariances.

        Estimators keep these unless an objective knows that it needs none.
        """
        return True

    @property
    def is_affine(self) -> bool:
        """Whether the coordinates are affine in the parameters, so that no second derivative of the map counts."""
        return False

    @abc.abstractmethod
    def check(self, params: Params) -> Params:
        """Validated parameters, or one clear error."""

    def at(self, params: Params) -> "tuple[AbstractObjective, Params]":
        """The objective and parameters that estimators work with; an objective may reduce to a simpler one."""
        return self, params

    def typical(self) -> "AbstractObjective":
        """The objective that `at` gives, at arbitrary parameters: enough to predict a cost."""
        return self

    @abc.abstractmethod
    def coordinates(self, params: Params) -> Coordinates:
        """Coordinates at validated parameters; traceable by JAX."""

    @abc.abstractmethod
    def placeholder(self, dtype: np.dtype) -> Coordinates:
        """Coordinates of the right shape and type with arbitrary values, for predicting a cost."""

    @abc.abstractmethod
    def to_params(self, params: Params, reading: Reading) -> Reading:
        """The reading by the exact chain rule, in the structure of `params` (leading axis C kept)."""

    def report(self, stats: dict[str, Any]) -> str:
        """What the result's message says of the stats that `to_params` added; "" for nothing."""
        return ""

    def outputs(self, values: Values) -> PyTree:
        """What the user sees of the values (K,); traceable by JAX."""
        return values if self.is_vector else values[0]

    def as_function(self, evaluate: Callable) -> Callable:
        """A function of `params` and `key` as one that is called as the user's own; by default it is."""
        return evaluate


def point_at(objective: AbstractObjective, params: Params) -> tuple[Point, Params]:
    """Where estimators work at these parameters, with all derivatives, and the parameters as its objective takes them.

    Raises:
        ValueError, TypeError: bad parameters.
    """
    objective, params = objective.at(objective.check(params))
    return Point(objective, objective.coordinates(params), np.eye(objective.num_outputs), params), params
