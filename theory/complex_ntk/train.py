"""Networks and their training by gradient descent in the metric "unit", for the scripts beside it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from qcgrad.studies.complex_tasks.task import circular
from theory.statistics import rng


def train(apply: Callable, params, x, targets, step, steps: int):
    r"""Parameters after `steps` steps of length `step` on \(L = \tfrac12\sum|f - y|^2\); works under `jax.jit`.

    A weight of unit variance is \((\omega_r + i\omega_i)/\sqrt2\) with real parameters of unit variance, so gradient
    flow of these is \(\dot\omega = -\tfrac12(\partial_xL + i\,\partial_yL)\); `jax.grad` gives the conjugate of the
    bracket.

    Args:
        apply: (params, x) -> (N, 1), with the derivatives of a backward rule or its own.
        params: complex arrays, a pytree.
        x, targets: inputs (N, d) and y (N,).
        step: time of one step, traceable.
        steps: their number.
    """

    def loss(params):
        error = apply(params, x)[:, 0] - targets
        return jnp.sum(jnp.real(error * jnp.conj(error))) / 2

    def one(params, _):
        gradient = jax.grad(loss)(params)
        return jax.tree.map(lambda w, g: w - step / 2 * jnp.conj(g), params, gradient), None

    return jax.lax.scan(one, params, None, length=steps)[0]


def draw(net, dimension: int, seeds: int, seed: int):
    """Parameters of `seeds` networks, leaves (seeds, ...): circular Gaussians of unit variance, as `net.init` draws.

    They come from NumPy because compiling `net.init` for every width would take longer than small runs themselves.
    """
    draws = rng(seed)
    shapes = jax.eval_shape(lambda key: net.init(key, (dimension,)), jax.random.key(0))
    return jax.tree.map(lambda leaf: circular(draws, seeds, *leaf.shape), shapes)
