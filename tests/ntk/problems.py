"""Networks with brute-force Jacobians, for the tests of tangent kernels."""

import jax
import numpy as np

from qcgrad import networks as nn

METHODS = ["structured", "jacobian", "vector_product"]
X = np.random.default_rng(0).normal(size=(5, 3))
Y = np.random.default_rng(1).normal(size=(4, 3))
CX, CY = X + 1j * X[::-1], Y - 0.3j * Y[::-1]


def network(outputs, is_complex, readout="complex"):
    kind = "complex" if is_complex else "real"
    activation = nn.SplitReLU() if is_complex else nn.ReLU()
    layers = [
        nn.Dense(6, sigma_w=1.4, sigma_b=0.3, dtype=kind),
        activation,
        nn.Dense(4, sigma_w=1.2, dtype=kind),
        activation,
        nn.Dense(outputs, sigma_b=0.1, dtype=kind),
    ]
    if readout != "complex":
        layers.append(nn.Readout(readout))
    net = nn.serial(*layers)
    return net, net.init(jax.random.key(outputs), (3,))


def brute_force(apply, params, x, metric="unit"):
    """G (N, O, reals): derivatives by every real parameter of the metric, one direction at a time."""
    leaves, structure = jax.tree.flatten(params)
    scale = 2**-0.5 if metric == "unit" else 1.0
    steps = []
    for k, leaf in enumerate(leaves):
        directions = [scale, 1j * scale] if np.iscomplexobj(leaf) else [1.0]
        for direction in directions:
            for index in np.ndindex(leaf.shape):
                step = [np.zeros(other.shape, other.dtype) for other in leaves]
                step[k][index] = direction
                steps.append(step)
    stacked = structure.unflatten([np.stack(parts) for parts in zip(*steps, strict=True)])
    _, along = jax.linearize(lambda p: apply(p, x), params)
    moved = jax.vmap(along)(stacked).reshape(len(steps), len(x), -1)
    return np.moveaxis(np.asarray(moved), 0, -1)


def gram(a, b):
    return np.einsum("nop,mqp->nmoq", a, b)
