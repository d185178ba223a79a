"""The objective of supervised learning: a loss of a network's outputs on a batch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Float, Inexact, PyTree

from ..array_types import Key
from ..cost import Cost
from ..objective import AbstractObjective, Reading
from . import _xla as xla
from ._convention import Convention
from .leaves import as_array, checked_parameters
from .rules import AbstractRule
from .rules.rule import Apply, LossFunction, Step, Task


class Loss(AbstractObjective):
    r"""\(L(w) = \ell(\mathrm{apply}(w, x), y)\), one real number of real and complex weights.

    The gradient by a complex weight is \(\partial_x L + i\,\partial_y L = 2\,\partial L/\partial\bar w\)
    (`Convention.pytorch`): subtract it to descend. It is the conjugate of what `jax.grad` returns. Real weights have
    real gradients, in the same pytree if need be. Variances and bias bounds are real numbers throughout.

    Args:
        apply: any JAX function `apply(weights, x)`; for backward rules also `apply(weights, x, rule=rule)`.
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

    apply: Apply = eqx.field(static=True)
    loss_fn: LossFunction = eqx.field(static=True)
    batch: tuple[PyTree, PyTree]
    weights_like: PyTree
    is_vector: bool = eqx.field(static=True)
    coordinate_name = "weight"

    def __init__(self, apply: Apply, loss_fn: LossFunction, batch: tuple[PyTree, PyTree], weights_like: PyTree = None):
        self.apply = apply
        self.loss_fn = loss_fn
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise TypeError("batch: give a pair (x, y)")
        self.batch = jax.tree.map(lambda leaf: as_array("batch", leaf), tuple(batch))
        self.weights_like = weights_like
        self.is_vector = False

    def value_and_gradient(
        self, weights: PyTree, rule: AbstractRule | None = None, key: Key | None = None
    ) -> tuple[Float[jax.Array, ""], PyTree]:
        """The loss and its gradient by `step`; a stateful rule is taken as it stands."""
        return self.step(weights, rule, key)[:2]

    def step(self, weights: PyTree, rule: AbstractRule | None = None, key: Key | None = None) -> Step:
        """The loss, in JAX's convention its gradient by a backward pass, and the successor of a stateful rule.

        Compiled once for each network. `key` is a JAX random key, for rules that are random.
        """
        raw = None if key is None else jax.random.key_data(key)
        return xla.backward(self.apply, self.loss_fn, weights, self.batch, rule, raw)

    @property
    def num_outputs(self) -> int:
        return 1

    @property
    def mixes_coordinates(self) -> bool:
        return False

    def check(self, params: PyTree) -> PyTree[Inexact[jax.Array, "..."]]:
        params = checked_parameters("weights", params)
        shape = jax.eval_shape(Task(self.apply, self.loss_fn, self.batch).value, params)
        if getattr(shape, "shape", None) != () or jnp.issubdtype(shape.dtype, jnp.complexfloating):
            raise TypeError(f"loss_fn returned {shape}: it must return one real number, state the reduction in it")
        return params

    def coordinates(self, params: PyTree) -> PyTree:
        return params

    def placeholder(self, dtype: DTypeLike) -> PyTree[Inexact[jax.Array, "..."]]:
        if self.weights_like is None:
            raise ValueError(
                "predicting the cost of a Loss needs the weights' shapes: give Loss(..., weights_like=weights)"
            )
        return checked_parameters("weights", self.weights_like)

    def to_params(self, params: PyTree, reading: Reading) -> Reading:
        # Inside, gradients are JAX's, so that `as_jax` composes with jax.grad; users get the one that descends.
        return reading._replace(gradient=Convention.jax.convert(reading.gradient, Convention.pytorch))

    def forward_cost(self, weights: PyTree) -> Cost:
        """Cost of evaluating the loss alone."""
        return xla.analysed_cost(xla.forward, self.apply, self.loss_fn, weights, self.batch)

    def backward_cost(self, weights: PyTree, rule: AbstractRule | None = None) -> Cost:
        """Cost of one forward and backward pass."""
        key = np.zeros(2, np.uint32) if rule is not None and rule.is_random else None
        return xla.analysed_cost(xla.backward, self.apply, self.loss_fn, weights, self.batch, rule, key)
