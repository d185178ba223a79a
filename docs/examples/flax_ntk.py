"""The tangent kernel of a complex network written in flax, and that of the same architecture at infinite width.

The network is any `flax.nnx` module of complex weights, here three dense layers with modReLU between them, as flax
initializes them. `ntk.empirical` takes it as a function of weights and inputs. Kernels at infinite width belong to
weights of unit variance, w = omega / sqrt(fan-in), so the function takes omega.

Measured: kernels of networks of width 16, 64, 256 and 512 are 47, 26, 17 and 13 % away from the limit (six seeds, good
to a fifth of each), on the way to width^(-1/2). The infinite kernel predicts the distance from the targets along
gradient descent to 2.6 % of its start at width 512, and to 10 % at width 16, whose kernel does not stay what it was.

    python docs/examples/flax_ntk.py [--small] [--figure out.png]
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from _figure import BLUE, GREY, ORANGE, canvas, run
from flax import nnx

from qcgrad import networks as nn
from qcgrad import ntk

jax.config.update("jax_enable_x64", True)

FEATURES, INPUTS, RATE = 6, 12, 0.1


def modrelu(z):
    """max(|z| - 1/2, 0) exp(i arg z)."""
    modulus = jnp.abs(z)
    return z * jnp.maximum(modulus - 0.5, 0) / modulus


class Network(nnx.Module):
    """Complex dense layers of one width, as anyone would write them in flax."""

    def __init__(self, width: int, rngs: nnx.Rngs):
        dense = {"use_bias": False, "param_dtype": complex, "rngs": rngs}
        self.first = nnx.Linear(FEATURES, width, **dense)
        self.second = nnx.Linear(width, width, **dense)
        self.last = nnx.Linear(width, 1, **dense)

    def __call__(self, x):
        return self.last(modrelu(self.second(modrelu(self.first(x)))))[:, 0]


class Result(NamedTuple):
    """What `main` found.

    Attributes:
        distance: by width, (seeds,) |Theta - Theta_infinity| / |Theta_infinity|.
        residual: by width, (steps,) |f - y| of a network in training.
        predicted: by width, (steps,) the same by the infinite kernel from the network's first outputs.
    """

    distance: dict[int, np.ndarray]
    residual: dict[int, np.ndarray]
    predicted: dict[int, np.ndarray]


def main(small: bool = False) -> Result:
    widths, seeds = ((16, 256), 3) if small else ((16, 64, 256, 512), 6)
    x = jax.random.normal(jax.random.key(0), (INPUTS, FEATURES), complex)
    y = jax.random.normal(jax.random.key(1), (INPUTS,), complex)
    hidden = [layer for _ in range(2) for layer in (nn.Dense(widths[-1]), nn.ModReLU(b=-0.5))]
    infinite = nn.serial(*hidden, nn.Dense(1), nn.Readout("complex")).kernel(x).ntk
    distance, residual, predicted = {}, {}, {}
    for width in widths:
        apply, init = functional(width)
        kernels = [ntk.empirical(apply, init(seed), x) for seed in range(seeds)]
        distance[width] = np.array([ntk.drift(kernel, infinite) for kernel in kernels])
        print(f"width {width:4d}: the kernel is {distance[width].mean():.3f} away from its limit")
    for width in (widths[0], widths[-1]):
        apply, init = functional(width)
        outputs = train(apply, init(0), x, y, steps=20 if small else 100)
        flow = ntk.gradient_flow(infinite, y, 2 * RATE * np.arange(len(outputs)), initial=outputs[0])
        residual[width], predicted[width] = (
            np.linalg.norm(np.asarray(each) - np.asarray(y), axis=1) for each in (outputs, flow.train)
        )
        worst = abs(residual[width] - predicted[width]).max() / residual[width][0]
        print(f"width {width:4d}: training differs from what the limit predicts by up to {worst:.3f} of the start")
    return Result(distance, residual, predicted)


def functional(width: int):
    """The network as a function of (omega, x), and a function from seeds to omega."""
    graph, _ = nnx.split(Network(width, nnx.Rngs(0)))

    def apply(omega, x):
        return nnx.merge(graph, jax.tree.map(lambda w: w / len(w) ** 0.5, omega))(x)

    def init(seed):
        return jax.tree.map(lambda w: w * len(w) ** 0.5, nnx.split(Network(width, nnx.Rngs(seed)))[1])

    return apply, init


def train(apply, omega, x, y, steps: int) -> np.ndarray:
    """Gradient descent on |f - y|^2 / 2; outputs (steps + 1, N)."""
    optimizer = nn.complex_optimizer(optax.sgd(RATE))
    state = optimizer.init(omega)

    @jax.jit
    def step(omega, state):
        gradient = jax.grad(lambda w: jnp.sum(jnp.abs(apply(w, x) - y) ** 2) / 2)(omega)
        updates, state = optimizer.update(gradient, state, omega)
        return optax.apply_updates(omega, updates), state

    outputs = [apply(omega, x)]
    for _ in range(steps):
        omega, state = step(omega, state)
        outputs.append(apply(omega, x))
    return np.array(outputs)


def figure(result: Result, path):
    drawing, (left, right) = canvas(2)
    widths = np.array(list(result.distance))
    means = np.array([each.mean() for each in result.distance.values()])
    errors = [each.std(ddof=1) / len(each) ** 0.5 for each in result.distance.values()]
    left.errorbar(widths, means, errors, fmt="o-", color=BLUE, capsize=2, label="flax networks")
    left.plot(widths, means[-1] * (widths[-1] / widths) ** 0.5, ":", color=GREY, label=r"$\propto$ width$^{-1/2}$")
    left.set(xscale="log", yscale="log", xlabel="width", ylabel="distance of the kernel from its limit")
    left.set_xticks(widths, [str(width) for width in widths])
    left.set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
    for axis in (left.xaxis, left.yaxis):
        axis.set_minor_formatter("")
    left.set_title("Kernel at initialization")
    for (width, residual), colour in zip(result.residual.items(), (ORANGE, BLUE), strict=True):
        times = 2 * RATE * np.arange(len(residual))
        right.plot(times, residual, ".", color=colour, label=f"trained, width {width}")
        right.plot(times, result.predicted[width], "-", color=colour, label="predicted by the infinite kernel")
    right.set(xlabel="time, steps x 2 rate", ylabel="distance from the targets", title="Training")
    for axis in (left, right):
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__file__, main, figure)
