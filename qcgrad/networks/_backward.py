"""The layerwise backward pass: each layer sends a signal down and keeps a gradient, as a rule says."""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from ._array_types import Batch, Outputs

if TYPE_CHECKING:
    from .layers.layer import AbstractLayer
    from .rules._layer_rule import LayerRule


@eqx.filter_custom_vjp
def _values(weights_and_inputs, layer, rule):
    del rule
    return layer.apply(*weights_and_inputs)


@_values.def_fwd
def _forward(perturbed, weights_and_inputs, layer, rule):
    del perturbed
    return layer.trace(*weights_and_inputs, rule, ())


@_values.def_bwd
def _backward(kept, cotangent, perturbed, weights_and_inputs, layer, rule):
    del perturbed
    weights, x = weights_and_inputs
    gradient, front = layer.pull(weights, kept, cotangent, rule.told(cotangent), ())
    return _like(weights, gradient), _like(x, front)


def with_rule(layer: "AbstractLayer", params: PyTree, x: Batch, rule: "LayerRule") -> Outputs:
    """`layer.apply(params, x)`, whose derivative is the layerwise pass of a `LayerRule`."""
    return _values((params, x), layer, rule)


def _like(primals, cotangents):
    """Cotangents as JAX expects them: real for real numbers, in their precision."""

    def one(primal, cotangent):
        real = jnp.iscomplexobj(cotangent) and not jnp.iscomplexobj(primal)
        return (cotangent.real if real else cotangent).astype(primal.dtype)

    return jax.tree.map(one, primals, cotangents)
