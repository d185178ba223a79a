"""The objective of a QNode: expectation values, and what the QNode makes of them."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ...array_types import Params, Values
from ...arrays import is_concrete
from ...ir.circuit import Circuit
from ...ir.expectation import Expectation
from ...ir.observable import PauliSum
from ...ir.parameter_map import PureMap
from ...objective import Reading
from ._traced_map import TracedMap
from .arguments import Arguments, detached

_NOTE = "results that are not affine in expectation values have first-order bounds as variances, and an unknown bias"


class QNodeExpectation(Expectation):
    r"""\(g(F_1(\theta), \dots, F_K(\theta))\) with expectation values \(F_k\); called as the QNode is.

    Attributes:
        results: g, where it is not affine (what is affine is part of the observables), else None.
        arguments: how the QNode is called; None for a tape.
    """

    results: TracedMap | None = eqx.field(static=True)
    arguments: Arguments | None = eqx.field(static=True)

    def __init__(
        self,
        circuit: Circuit,
        observables: Sequence[PauliSum],
        parameter_map: PureMap | None,
        example: Params,
        *,
        is_vector: bool,
        results: TracedMap | None,
        arguments: Arguments | None,
    ):
        super().__init__(circuit, observables, parameter_map, example=example)
        self.is_vector = is_vector
        self.results = results
        self.arguments = arguments

    def check(self, params: Params) -> Params:
        return super().check(jax.tree.map(detached, params))

    def outputs(self, values: Values) -> PyTree:
        return super().outputs(values if self.results is None else self.results(values))

    def as_function(self, evaluate: Callable) -> Callable:
        if self.arguments is None:
            return evaluate
        find = self.arguments.params

        @functools.wraps(evaluate)
        def f(*arguments, key=None, **keywords):
            return evaluate(find(arguments, keywords), key)

        return f

    def to_params(self, params: Params, reading: Reading) -> Reading:
        reading = super().to_params(params, reading)
        return reading if self.results is None else _through(self.results, reading)

    def report(self, stats: dict[str, Any]) -> str:
        return _NOTE if stats.get("is_first_order") is True else ""


def _through(results: TracedMap, reading):
    """The chain rule over the outputs; errors to first order, as if correlated in the worst way."""
    values = jnp.asarray(reading.value)
    slope = results.jacobian(values)
    deviations = jax.tree.map(_deviation, (reading.variance, reading.value_variance))
    noise = sum(jnp.sum(d) for d in jax.tree.leaves(deviations))
    is_exact = is_concrete(noise) and not noise
    # d2 of result l by the values k and m; it multiplies errors of the values.
    curvature = jnp.zeros((*slope.shape, len(values))) if is_exact else jax.jacobian(results.jacobian)(values)

    def variance(rows, deviation):
        bends = jnp.einsum("lkm,k...->lm...", curvature.astype(rows.dtype), jnp.asarray(rows))
        return (_weigh(slope, deviation) + _weigh(bends, deviations[1])) ** 2

    def bias(bounds):
        bounds = _weigh(slope, jnp.abs(bounds))
        # What is not affine is biased at every finite number of shots; by how much, nobody knows here.
        unknown = jnp.asarray(results.bends).reshape(-1, *(1,) * (bounds.ndim - 1)) & (noise != 0)
        return jnp.where(unknown, jnp.nan, bounds)

    bounds = jax.tree.map(jnp.zeros_like, reading.gradient) if reading.bias_bound is None else reading.bias_bound
    value_bounds = jnp.zeros_like(values) if reading.value_bias_bound is None else reading.value_bias_bound
    return reading._replace(
        value=results(values),
        gradient=jax.tree.map(lambda rows: jnp.tensordot(slope, jnp.asarray(rows, slope.dtype), 1), reading.gradient),
        variance=jax.tree.map(variance, reading.gradient, deviations[0]),
        value_variance=_weigh(slope, deviations[1]) ** 2,
        bias_bound=jax.tree.map(bias, bounds),
        value_bias_bound=bias(value_bounds),
        covariance=None,
        stats=reading.stats if is_exact else reading.stats | {"is_first_order": True},
    )


def _deviation(variance):
    return jnp.sqrt(jnp.asarray(variance))


def _weigh(weights, deviations):
    """Sums of |weight| * deviation over axis 1 of the weights; an infinite slope does no harm to what is exact."""
    dimensions = max(weights.ndim - 1, deviations.ndim)
    weights = weights.reshape(*weights.shape, *(1,) * (dimensions + 1 - weights.ndim))
    deviations = deviations.reshape(*deviations.shape, *(1,) * (dimensions - deviations.ndim))
    deviations = deviations[None]
    return jnp.where(deviations == 0, 0, jnp.abs(weights) * deviations).sum(1).astype(deviations.dtype)
