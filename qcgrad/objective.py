"""What is differentiated: the interface that the driver needs of an objective."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
import numpy as np


class Reading(NamedTuple):
    """What an estimator reads off its answers, with respect to the objective's coordinates.

    Attributes:
        value: (K,) outputs of the objective.
        gradient: coordinates with a leading axis C, one row for each cotangent.
        variance: same structure; variance of each gradient component.
        value_variance: (K,).
        bias_bound: same structure as the gradient, bound on |E[estimate] - truth|; None means zero.
        value_bias_bound: (K,), the same for the value; None means zero.
        covariance: (C, A, A) where components that get summed by the chain rule are correlated, else None.
        stats: what else the method found out, by name: numbers and arrays. "degrees_of_freedom" are those of the
            variances; where it is missing, they count as known.
        note: the same in words, for the result's message.
    """

    value: Any
    gradient: Any
    variance: Any
    value_variance: Any
    bias_bound: Any = None
    value_bias_bound: Any = None
    covariance: Any = None
    stats: dict[str, Any] = {}
    note: str = ""


class Point(NamedTuple):
    """Where an estimator works: an objective, its coordinates there, and which outputs to differentiate.

    Attributes:
        objective: what is differentiated.
        coordinates: what the estimator differentiates by (gate angles of a circuit, weights of a network).
        cotangents: (C, K) rows; row c asks for the gradient of sum_k cotangents[c, k] value[k].
    """

    objective: "AbstractObjective"
    coordinates: Any
    cotangents: Any


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

    @abc.abstractmethod
    def check(self, params) -> Any:
        """Validated parameters, or one clear error."""

    def at(self, params) -> "tuple[AbstractObjective, Any]":
        """The objective and parameters that estimators work with; an objective may reduce to a simpler one."""
        return self, params

    def typical(self) -> "AbstractObjective":
        """The objective that `at` gives, at arbitrary parameters: enough to predict a cost."""
        return self

    @abc.abstractmethod
    def coordinates(self, params) -> Any:
        """Coordinates at validated parameters; traceable by JAX."""

    @abc.abstractmethod
    def placeholder(self, dtype) -> Any:
        """Coordinates of the right shape and type with arbitrary values, for predicting a cost."""

    @abc.abstractmethod
    def to_params(self, params, reading: Reading) -> Reading:
        """The reading by the exact chain rule, in the structure of `params` (leading axis C kept)."""

    def outputs(self, values) -> Any:
        """What the user sees of the values (K,); traceable by JAX."""
        return values if self.is_vector else values[0]

    def as_function(self, evaluate: Callable) -> Callable:
        """A function of `params` and `key` as one that is called as the user's own; by default it is."""
        return evaluate


def point_at(objective: AbstractObjective, params: Any) -> tuple[Point, Any]:
    """Where estimators work at these parameters, with all derivatives, and the parameters as its objective takes them.

    Raises:
        ValueError, TypeError: bad parameters.
    """
    objective, params = objective.at(objective.check(params))
    return Point(objective, objective.coordinates(params), np.eye(objective.num_outputs)), params


def is_concrete(tree) -> bool:
    """Whether every array of a pytree has its numbers at hand (is not being traced by JAX)."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def zeros_like(array):
    """Zeros, in NumPy where the numbers are, which compiles nothing."""
    return np.zeros_like(array) if isinstance(array, (np.ndarray, np.generic)) else jnp.zeros_like(array)


def is_finite(array) -> bool:
    """Whether all entries are finite; True while JAX traces them, when nobody can know."""
    # NumPy, because JAX would trace the question itself where constants meet a traced function.
    return not is_concrete(array) or bool(np.isfinite(np.asarray(array)).all())


def as_real(name: str, value) -> Any:
    """A real floating-point array in the precision that `value` asks for, or one clear error.

    Integers are converted; Python numbers take JAX's default precision.

    Raises:
        TypeError: booleans, complex numbers, anything that is no number.
        ValueError: NaN or infinite entries, or float64 while JAX's 64-bit mode is off.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: fill it with numbers first")
    array = value if isinstance(value, (jax.Array, np.ndarray, np.generic)) else _from_python(name, value)
    kind = np.dtype(array.dtype).kind
    if kind == "c":
        raise TypeError(f"{name} has complex dtype {array.dtype}: give real numbers (angles are in radians)")
    if kind not in "fiu":
        # bfloat16 and friends report kind 'V'; they are too coarse for gradients.
        raise TypeError(f"{name} has dtype {array.dtype}: give float32 or float64 numbers")
    if kind == "f" and np.dtype(array.dtype).itemsize > 8:
        raise TypeError(f"{name} has dtype {array.dtype}, which JAX does not know: give float32 or float64 numbers")
    if kind != "f" or array.dtype == np.float16:
        array = array.astype(jax.dtypes.canonicalize_dtype(float))
    if array.dtype == np.float64 and not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise ValueError(
            f"{name} has dtype float64, but JAX's 64-bit mode is off and would round it to float32: call "
            "jax.config.update('jax_enable_x64', True) first, or pass float32 numbers"
        )
    if not is_finite(array):
        bad = np.argwhere(~np.isfinite(np.asarray(array)))[0].tolist()
        raise ValueError(f"{name} holds {np.asarray(array)[tuple(bad)]} at index {bad}: give finite numbers")
    return array


def _from_python(name, value):
    leaves = jax.tree.leaves(value)
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        return jnp.asarray(value)
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind == "O":
        raise TypeError(f"{name} is {type(value).__name__} {value!r}: give an array of real numbers")
    return array.astype(jax.dtypes.canonicalize_dtype(float)) if array.dtype == np.float64 else array
