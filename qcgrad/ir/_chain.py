"""The chain rule for readings: from the circuit's angles to its parameters, and on to the user's."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..array_types import Array, Params
from ..arrays import add_at, is_concrete, namespace
from ..objective import Reading
from .parameter_map import PureMap, pull_back


def affine(
    reading: Reading,
    source: Int[np.ndarray, "E"],
    target: Int[np.ndarray, "E"],
    weight: Float[np.ndarray, "E"],
    size: int,
) -> Reading:
    """The chain rule through y[source] = sum of weight * x[target] over entries; x has `size` numbers.

    A row of y may have several entries, an entry of x several rows. Components of the reading are
    independent, or have the covariance that it holds.
    """

    def gather(rows, *factors):
        xp = namespace(rows)
        rows = xp.asarray(rows)
        with np.errstate(over="ignore"):
            weighted: Any = math.prod((factor.astype(rows.dtype)[None] for factor in factors), start=rows[:, source])
        return add_at(xp.zeros((size, len(rows)), rows.dtype), target, weighted.T).T

    covariance = reading.covariance
    if covariance is None:
        # Factor by factor: the square of a large weight would overflow, and turn exact zeros into NaN.
        variance = gather(reading.variance, weight, weight)
    else:
        chain = np.zeros((covariance.shape[-1], size))
        chain[source, target] = weight
        xp = namespace(covariance)
        chain = chain.astype(covariance.dtype)
        covariance = xp.einsum("ap,cab,bq->cpq", chain, covariance, chain)
        variance = xp.maximum(xp.einsum("cpp->cp", covariance), 0)
    bias = None if reading.bias_bound is None else gather(reading.bias_bound, np.abs(weight))
    gradient = gather(reading.gradient, weight)
    return reading._replace(gradient=gradient, variance=variance, bias_bound=bias, covariance=covariance)


def general(reading: Reading, parameter_map: Callable[[Params], Array], params: Params) -> Reading:
    """The chain rule through any JAX-traceable map at `params`."""
    params = jax.tree.map(jnp.asarray, params)
    is_pure = isinstance(parameter_map, PureMap)
    pulled = parameter_map.pull_back if is_pure else lambda p, rows: pull_back(parameter_map, p, rows)
    gradient = pulled(params, reading.gradient)
    if _is_exact(reading):
        # The squares of the Jacobian are what costs memory; here nobody needs them.
        return reading._replace(gradient=gradient, variance=jax.tree.map(jnp.zeros_like, gradient), bias_bound=None)
    jacobian = (parameter_map.jacobian if is_pure else jax.jacobian(parameter_map))(params)

    def through(rows, transform):
        return jax.tree.map(lambda j: jnp.tensordot(jnp.asarray(rows, j.dtype), transform(j), axes=1), jacobian)

    if reading.covariance is None:
        variance = through(reading.variance, jnp.square)
    else:
        variance = jax.tree.map(
            lambda j: jnp.maximum(jnp.einsum("a...,cab,b...->c...", j, jnp.asarray(reading.covariance, j.dtype), j), 0),
            jacobian,
        )
    bias = None if reading.bias_bound is None else through(reading.bias_bound, jnp.abs)
    return reading._replace(gradient=gradient, variance=variance, bias_bound=bias)


def _is_exact(reading: Reading) -> bool:
    errors = [reading.variance, reading.bias_bound, reading.covariance]
    return is_concrete(errors) and not any(np.any(np.asarray(e)) for e in errors if e is not None)
