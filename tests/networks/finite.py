"""Finite networks by brute force, and data for them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from qcgrad import networks as nn
from theory.statistics import key, student

WIDTH, SEEDS = 128, 64


def data(seed, *shape):
    return jnp.stack([jax.random.normal(jax.random.key(100 * seed + i), shape[1:], complex) for i in range(shape[0])])


def others(*shape):
    """One input of `data(1, ...)` and another one, so that kernels hold large and small entries."""
    return jnp.concatenate([data(1, 1, *shape), data(2, 1, *shape)])


def jacobians(net, params, x, rule=None, channels=None):
    """Derivatives of complex outputs at each input by real parameters of unit variance, (N, outputs, P).

    One output of the last axis, at all positions; where the network ends in Flatten, `channels` were in front of it.
    """
    leaves, tree = jax.tree.flatten(params)
    real = [jnp.stack([leaf.real, leaf.imag]) * 2**0.5 if jnp.iscomplexobj(leaf) else leaf for leaf in leaves]
    flat, unravel = ravel_pytree(real)

    def outputs(flat):
        parts = [
            (part[0] + 1j * part[1]) / 2**0.5 if jnp.iscomplexobj(leaf) else part
            for part, leaf in zip(unravel(flat), leaves, strict=True)
        ]
        f = net.apply(jax.tree.unflatten(tree, parts), x, rule)
        f = f.reshape(len(x), -1, channels or f.shape[-1])[..., 0]
        return jnp.stack([f.real, f.imag])

    jacobian = jax.jacrev(outputs)(flat)
    return jacobian[0] + 1j * jacobian[1]


def empirical(net, params, x1, x2, channels=None, rule=None):
    """Theta, Theta-tilde and the cross kernel of a rule (the holomorphic branch), stacked; means over positions."""
    j1, j2 = jnp.split(jacobians(net, params, jnp.concatenate([x1, x2]), channels=channels), [len(x1)])
    ruled = jacobians(net, params, x2, rule or nn.HolomorphicBranch(), channels)
    pairs = [jnp.einsum("ipk,jpk->ij", j1, other) for other in (j2.conj(), j2, ruled.conj())]
    return jnp.stack(pairs) / j1.shape[1]


def agrees(net, x1, x2, seeds=SEEDS, channels=None, rule=None):
    """Mean over seeds against theory, in Frobenius norm: tolerances are 16 to 28 % of it.

    The expected squared distance is one standard error squared, and a norm deviates most from that if it has one part;
    the bias of finite width, O(1/n), comes on top.
    """
    keys = jax.random.split(key(7), seeds)
    sample = jax.jit(lambda key: empirical(net, net.init(key, x1.shape[1:]), x1, x2, channels, rule))
    samples = np.stack([sample(key) for key in keys])
    k = net.kernel(x1, x2, rule=rule)
    for name, theory, draws in zip(
        ("ntk", "ntk_pseudo", "ntk_rule"),
        (k.ntk, k.ntk_pseudo, k.ntk_rule),
        samples.transpose(1, 0, 2, 3),
        strict=True,
    ):
        error = np.linalg.norm(draws.mean(0) - theory)
        allowed = student(seeds - 1, 3) * np.sqrt(draws.var(0, ddof=1).sum() / seeds)
        assert allowed < 0.5 * np.linalg.norm(k.ntk), name
        # Linear networks without hidden layers have one tangent kernel, up to rounding.
        assert error < allowed + 1e-12 * np.linalg.norm(k.ntk), (name, error, allowed, np.linalg.norm(k.ntk))


def dense(activation, hidden=2, **scales):
    scales = {"sigma_w": 2**0.5, "sigma_b": 0.3} | scales
    layers = [part for _ in range(hidden) for part in (nn.Dense(WIDTH, **scales), activation)]
    return nn.serial(*layers, nn.Dense(1, **scales))


POLYNOMIAL = nn.Polynomial([0.0, 1.0, 0.3])
VECTORS = {
    "split": dense(nn.SplitReLU()),
    "polynomial": dense(POLYNOMIAL, sigma_w=1.0),
    "polynomial in z and conj z": dense(nn.Polynomial([[0, 0.4j], [1.0, 0.2]]), sigma_w=0.8),
    "improper": dense(nn.SplitReLU(), tau=0.6),
    "improper modReLU": dense(nn.ModReLU(-1.0), tau=0.9),
    "improper cardioid": dense(nn.Cardioid(), tau=0.7),
    "improper, complex tau": dense(POLYNOMIAL, sigma_w=1.0, tau=0.4 - 0.5j),
    "improper polynomial in z and conj z": dense(nn.Polynomial([[0, 0.4j], [1.0, 0.2]]), sigma_w=0.8, tau=0.5j),
    "real weights, complex data": dense(nn.SplitReLU(), dtype="real"),
    "proper, then improper": nn.serial(
        nn.Dense(WIDTH, sigma_b=0.5), POLYNOMIAL, nn.Dense(WIDTH, tau=0.7), nn.SplitReLU(), nn.Dense(1, tau=-0.3j)
    ),
    "residual": nn.serial(
        nn.Dense(WIDTH), nn.Residual(nn.serial(nn.SplitReLU(), nn.Dense(WIDTH, sigma_w=1.2))), nn.SplitReLU(),
        nn.Dense(1),
    ),
    "sum": nn.serial(
        nn.Dense(WIDTH),
        nn.SplitReLU(),
        nn.Sum((nn.serial(), nn.Dense(WIDTH, sigma_b=0.2), nn.Dense(WIDTH, tau=0.5))),
        nn.Dense(1),
    ),
    "layer norm": nn.serial(
        nn.Dense(WIDTH), nn.LayerNorm(), nn.SplitReLU(), nn.LayerNorm(center=False), nn.Dense(WIDTH), nn.LayerNorm(),
        POLYNOMIAL, nn.Dense(1),
    ),
    "real readout": nn.serial(dense(nn.SplitReLU()), nn.Readout("real")),
    "real readout, improper": nn.serial(dense(POLYNOMIAL, sigma_w=1.0, tau=0.5j), nn.Readout("real")),
}  # fmt: skip


def convolutional(pool, **weights):
    return nn.serial(
        nn.Conv1D(64, (3,), padding="circular", sigma_b=0.2, **weights),
        nn.SplitReLU(),
        *pool,
        nn.Conv1D(64, (2,), strides=(2,), sigma_w=2**0.5, **weights),
        nn.SplitReLU(),
        nn.GlobalAveragePool() if pool else nn.Flatten(),
        nn.Dense(1, **weights),
    )
