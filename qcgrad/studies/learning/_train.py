"""The loop: batches, the gradient of a rule, a step of an optimiser."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from ... import networks as nn
from ...array_types import Key
from ...networks.layers.layer import AbstractLayer
from ...networks.rules.rule import LossFunction
from ._tasks import Data

if TYPE_CHECKING:
    import optax


class Moment(NamedTuple):
    """Where a training is.

    Attributes:
        step: how many steps were made.
        weights, rule: as they are now; rules that learn are others later.
    """

    step: int
    weights: PyTree
    rule: nn.AbstractRule | None


class Problem(NamedTuple):
    """What is learned, and by which network.

    Attributes:
        network: of layers.
        loss_fn: of outputs and targets, a mean over samples.
        data: with inputs and targets in the form that the network has.
        batch: samples of a step.
    """

    network: AbstractLayer
    loss_fn: LossFunction
    data: Data
    batch: int

    def loss(self, chosen: Any = slice(None), weights: PyTree = None) -> nn.Loss:
        """The loss on some of the examples."""
        return nn.Loss(self.network.apply, self.loss_fn, (self.data.x[chosen], self.data.y[chosen]), weights)

    def outputs(self, weights: PyTree, x: np.ndarray) -> np.ndarray:
        """Of the network for any number of inputs, a batch at a time, so that memory does not grow with them."""
        parts = []
        for start in range(0, len(x), self.batch):
            part = x[start : start + self.batch]
            # Batches of one size are one program.
            filled = np.concatenate([part, np.repeat(part[:1], self.batch - len(part), axis=0)])
            parts.append(np.asarray(_outputs(self.network.apply, weights, filled))[: len(part)])
        return np.concatenate(parts)

    def value(self, weights: PyTree) -> float:
        """The loss on all examples."""
        return float(_value(self.loss_fn, self.outputs(weights, self.data.x), self.data.y))


class Trained(NamedTuple):
    """What a training took.

    Attributes:
        steps: that were made; fewer than asked for where a loss was no finite number any more, after the next one.
        seconds: of a typical step, measured: the median without the first, which compiles.
    """

    steps: int
    seconds: float


def train(
    problem: Problem,
    start: Moment,
    optimizer: "optax.GradientTransformation",
    key: Key,
    looks: dict[int, Callable[[Moment], None]],
) -> Trained:
    """Train to the last of the steps that are looked at.

    Args:
        problem: network, data and loss.
        start: weights and the rule.
        optimizer: of optax; complex weights are pairs of real ones to it.
        key: of batches and of what the rule draws.
        looks: by number of steps, what looks at the training there; one at zero sees the start.

    Returns:
        What it took. Where the loss or a weight is no finite number it stops, and later looks do not happen.
    """
    _, weights, rule = start
    state = _begun(optimizer, weights)
    batches = _batches(len(problem.data.x), problem.batch, key)
    seconds: list[float] = []
    for step in range(max(looks) + 1):
        if step in looks:
            looks[step](Moment(step, weights, rule))
        if step == max(looks):
            break
        drawn = jax.random.fold_in(key, step) if rule is not None and rule.is_random else None
        loss = problem.loss(next(batches))
        began = time.perf_counter()
        value, gradient, successor = loss.step(weights, rule, drawn)
        weights, state, is_finite = _updated(optimizer, gradient, state, weights)
        went_on = bool(is_finite) and bool(jnp.isfinite(value))  # waits for the step
        seconds.append(time.perf_counter() - began)
        rule = rule if successor is None else successor
        if not went_on:
            return Trained(step, _typical(seconds))
    return Trained(max(looks), _typical(seconds))


def squared(outputs: PyTree, y: PyTree) -> Float[jax.Array, ""]:
    r"""\(\tfrac12\sum_o|f_o - y_o|^2\), averaged over samples."""
    return jnp.mean(jnp.sum(jnp.abs(outputs - y) ** 2, axis=-1)) / 2


def cross_entropy(outputs: PyTree, y: PyTree) -> Float[jax.Array, ""]:
    """Of the class that the targets are largest at, averaged over samples."""
    scores = jax.nn.log_softmax(outputs, axis=-1)
    return -jnp.mean(jnp.take_along_axis(scores, jnp.argmax(y, axis=-1)[:, None], axis=-1))


@partial(jax.jit, static_argnums=0)
def _outputs(apply, weights, x):
    return apply(weights, x)


@partial(jax.jit, static_argnums=0)
def _begun(optimizer, weights):
    return nn.complex_optimizer(optimizer).init(weights)


@partial(jax.jit, static_argnums=0)
def _value(loss_fn, outputs, y):
    return loss_fn(outputs, y)


@partial(jax.jit, static_argnums=0)
def _updated(optimizer, gradient, state, weights):
    import optax

    updates, state = nn.complex_optimizer(optimizer).update(gradient, state, weights)
    weights = optax.apply_updates(weights, updates)
    is_finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(weights)]))
    return weights, state, is_finite


def _batches(examples: int, size: int, key: Key) -> Iterator[np.ndarray]:
    """Examples in an order that is drawn anew for each epoch; what is left of one is left out."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())
    while True:
        order = rng.permutation(examples)
        for start in range(0, examples - size + 1, size):
            yield order[start : start + size]


def _typical(seconds: list[float]) -> float:
    return float(np.median(seconds[1:] or seconds or [0.0]))
