"""Networks trained with Adam in either geometry, in axes of one's choice, for `adam_geometry`."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from qcgrad import networks as nn
from qcgrad.studies.complex_tasks.task import circular
from theory.complex_ntk.train import draw
from theory.statistics import rng

DIMENSION, WIDTH, INPUTS, STEPS = 6, 16, 64, 100
KINDS: tuple[Literal["modulus", "split"], ...] = ("modulus", "split")


def make_network(activation):
    """Two hidden layers without biases."""
    dense = nn.Dense(WIDTH, 2**0.5)
    return nn.serial(dense, activation, dense, activation, nn.Dense(1, 2**0.5))


def make_problems(net, seeds: int, seed: int):
    """Weights, inputs (S, N, d), targets (S, N) of a teacher, and axes: none turned."""
    x = circular(rng(seed), seeds, INPUTS, DIMENSION)
    params, teacher = (draw(net, DIMENSION, seeds, 1000 * seed + k) for k in (1, 2))
    return params, x, _outputs(net, teacher, x), jax.tree.map(np.ones_like, params)


@eqx.filter_jit
def _outputs(net, params, x):
    return jax.vmap(net.apply)(params, x)[..., 0]


def loss(net, params, x, y):
    """mean |f - y|^2 / 2 of inputs (N, d)."""
    return jnp.mean(jnp.abs(net.apply(params, x)[:, 0] - y) ** 2) / 2


def make_runner(net, kind):
    """(rate, *problems) -> losses (S, STEPS + 1) of Adam with first steps of length `rate`; no kind: no conjugate."""

    def one(rate, params, x, y, axes):
        adam = optax.adam(rate / 2**0.5 if kind == "split" else rate)
        optimizer = adam if kind is None else nn.complex_optimizer(adam, kind)
        # A weight is q times its axis, and Adam sees q.
        coordinates = jax.tree.map(lambda w, axis: w * jnp.conj(axis), params, axes)

        def step(state, _):
            q, moments = state
            value, gradient = jax.value_and_grad(lambda q: loss(net, jax.tree.map(jnp.multiply, q, axes), x, y))(q)
            updates, moments = optimizer.update(gradient, moments, q)
            return (optax.apply_updates(q, updates), moments), value

        return jax.lax.scan(step, (coordinates, optimizer.init(coordinates)), length=STEPS + 1)[1]

    losses = jax.jit(lambda rate, *problems: jax.lax.map(lambda each: one(rate, *each), problems))
    # One type of number, one program.
    return lambda rate, *problems: np.asarray(losses(np.float64(rate), *problems))


def phases(params, seed: int):
    """A random phase for each weight."""
    draw = rng(seed)
    return jax.tree.map(lambda leaf: np.exp(2j * np.pi * draw.uniform(size=leaf.shape)), params)


def one_weight() -> float:
    """Largest relative error of the gains with the constant gradient e^{i a}, for angles a."""
    angles = np.linspace(0.1, 6.2, 40)  # none of them on an axis
    gradient, expected, worst = np.exp(1j * angles), (1, np.abs(np.cos(angles)) + np.abs(np.sin(angles))), 0.0
    for kind, gain in zip(KINDS, expected, strict=True):
        optimizer = nn.complex_optimizer(optax.adam(1.0, eps=0.0), kind)
        z = jnp.zeros(len(angles), complex)

        def step(state, _, optimizer=optimizer):
            z, moments = state
            # L = Re(conj(g) z) for each weight: jax.grad returns conj(g).
            updates, moments = optimizer.update(jnp.conj(gradient), moments, z)
            z = jnp.asarray(optax.apply_updates(z, updates))
            return (z, moments), -jnp.real(jnp.conj(gradient) * z)

        _, found = jax.lax.scan(step, (z, optimizer.init(z)), length=STEPS)
        worst = max(worst, float(np.max(np.abs(np.asarray(found) / np.arange(1, STEPS + 1)[:, None] / gain - 1))))
    return worst
