"""The objective of supervised learning: a loss of a network's outputs on a batch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..cost import Cost
from ..objective import AbstractObjective, as_real
from . import xla


class Loss(AbstractObjective):
    r"""\(L(w) = \ell(\mathrm{apply}(w, x), y)\), one real number.

    Args:
        apply: any JAX function `apply(weights, x)`.
        loss_fn: `loss_fn(outputs, y)`, a real scalar.
        batch: (x, y).
        weights_like: weights that show the structure, needed only to predict a cost before there are any.

    Raises:
        TypeError: weights that are no floating-point arrays, or a loss that is no real scalar.
        ValueError: NaN or infinite weights.

    Example:
        >>> import jax.numpy as jnp, qcgrad as qg
        >>> loss = qg.Loss(lambda w, x: x @ w, lambda out, y: jnp.mean((out - y) ** 2),
        ...                (jnp.eye(2), jnp.ones(2)))
        >>> print(qg.estimate(loss, jnp.zeros(2), qg.Backprop()).gradient)
        [-1. -1.]
    """

    apply: Callable[[Any, Any], Any] = eqx.field(static=True)
    loss_fn: Callable[[Any, Any], Any] = eqx.field(static=True)
    batch: tuple[Any, Any]
    weights_like: Any
    is_vector: bool = eqx.field(static=True)

    def __init__(self, apply, loss_fn, batch, weights_like=None):
        self.apply = apply
        self.loss_fn = loss_fn
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise TypeError("batch: give a pair (x, y)")
        self.batch = jax.tree.map(jnp.asarray, tuple(batch))
        self.weights_like = weights_like
        self.is_vector = False

    def value_and_gradient(self, weights):
        """The loss and its gradient by reverse-mode differentiation, compiled once for each network."""
        return _run(self.apply, self.loss_fn, weights, self.batch)

    @property
    def num_outputs(self):
        return 1

    def check(self, params):
        leaves = jax.tree.leaves(params)
        if not leaves or sum(np.size(leaf) for leaf in leaves) == 0:
            raise ValueError("weights hold zero parameters, so there is nothing to differentiate")
        params = jax.tree.map(_checked_leaf, params)
        shape = jax.eval_shape(xla.forward(self.apply, self.loss_fn), params, self.batch)
        if getattr(shape, "shape", None) != () or jnp.issubdtype(shape.dtype, jnp.complexfloating):
            raise TypeError(f"loss_fn returned {shape}: it must return one real number, state the reduction in it")
        return params

    def coordinates(self, params):
        return params

    def placeholder(self, dtype):
        if self.weights_like is None:
            raise ValueError(
                "predicting the cost of a Loss needs the weights' shapes: give Loss(..., weights_like=weights)"
            )
        return jax.tree.map(_checked_leaf, self.weights_like)

    def to_params(self, params, reading):
        return reading

    def forward_cost(self, weights) -> Cost:
        """Cost of evaluating the loss alone."""
        return xla.analysed_cost(xla.forward, self.apply, self.loss_fn, weights, self.batch)

    def backward_cost(self, weights) -> Cost:
        """Cost of one forward and backward pass."""
        return xla.analysed_cost(xla.backward, self.apply, self.loss_fn, weights, self.batch)


@partial(jax.jit, static_argnums=(0, 1))
def _run(apply, loss_fn, weights, batch):
    return xla.backward(apply, loss_fn)(weights, batch)


def _checked_leaf(leaf):
    dtype = jnp.result_type(leaf)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError(f"weights hold {dtype}: complex weights are not supported, split real and imaginary parts")
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"weights hold dtype {dtype}: give floating-point arrays")
    return jnp.asarray(as_real("weights", leaf))
