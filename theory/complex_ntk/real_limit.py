r"""Does real-valued backpropagation make my complex network a real one? Answered for an activation and data.

Claims, in the limit of infinite width (derivation in real_limit.md; two hidden layers, no biases, inputs of one norm):

1. Split ReLU with a real readout trains exactly as a real ReLU network on (Re x, Im x), for all complex data.
2. On data with a real Gram matrix every activation trains as a real network with the activation sigma_eq of
   `nn.equivalent_real_activation`.
3. On complex data modReLU and cardioid do not: their kernels depend on Im rho, and stay away from that network's.

These are conditions for the reduction that Tan, Xie, Jiang, Zhou (NeurIPS 2022) state for most activations; no figure
of theirs is reproduced. `answer(activation, x)` says it for your own activation and data.
"""

from typing import NamedTuple

import numpy as np

from qcgrad import networks as nn
from theory.claim import Headline, canvas, run

HIDDEN = 2
DEGREE = 400


class Result(NamedTuple):
    """Relative distances between tangent kernels, off the diagonal: (split ReLU to real ReLU), and by activation."""

    split_to_real: float
    on_real_data: dict[str, float]
    on_complex_data: dict[str, float]


def activations():
    """Those of the claims."""
    return {
        "split ReLU": nn.SplitReLU(),
        "modReLU": nn.ModReLU(-0.5),
        "cardioid": nn.Cardioid(),
    }


def compute(small: bool = False) -> Result:
    """Seconds; `small` takes fewer inputs."""
    count = 6 if small else 20
    draw = np.random.default_rng(0)
    real = draw.normal(size=(count, 5))
    complex_data = real + 1j * draw.normal(size=(count, 5))
    x = normalised(complex_data)
    split = nn.serial(network(nn.SplitReLU()), nn.Readout("real")).kernel(x).ntk
    relu = network(nn.ReLU()).kernel(stacked(x)).ntk
    return Result(
        distance(split, relu),
        {name: answer(activation, real) for name, activation in activations().items()},
        {name: answer(activation, complex_data) for name, activation in activations().items()},
    )


def answer(activation, x) -> float:
    r"""\(\|\mathrm{Re}\,\Theta - \Theta_{\mathrm{eq}}\| / \|\Theta_{\mathrm{eq}}\|\) off the diagonal: 0 if real.

    Args:
        activation: a complex activation of `qcgrad.networks`.
        x: inputs (N, d), complex or real; they are brought to one norm.
    """
    x = normalised(np.asarray(x))
    theta = network(activation).kernel(x + 0j).ntk
    return distance(np.real(theta), equivalent_network(activation).kernel(stacked(x)).ntk)


def equivalent_network(activation):
    """The infinitely wide real network with sigma_eq, for `stacked` inputs of `normalised` norm."""
    # Real parts of the Gram matrix are those of (Re x, Im x), whose dimension is twice as large.
    return network(nn.equivalent_real_activation(activation, 1.0, DEGREE), first=2**0.5)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    assert result.split_to_real < 1e-9, f"split ReLU is {result.split_to_real:.1e} away from the real network"
    worst = max(result.on_real_data.values())
    assert worst < 2e-3, f"on real data a kernel is {worst:.1e} away from its real network's"
    for name in ("modReLU", "cardioid"):
        away = result.on_complex_data[name]
        assert away > 10 * worst, f"{name} on complex data is only {away:.1e} away from its real network"


def headline(result: Result) -> Headline:
    """How far kernels are from those of real networks."""
    away = min(result.on_complex_data[name] for name in ("modReLU", "cardioid"))
    measured = f"{result.split_to_real:.0e}; {max(result.on_real_data.values()):.0e}; {away:.2g}"
    quantity = "distance from a real network: split ReLU; others on real data; on complex data"
    return Headline(quantity, "0; 0; not 0", measured)


def report(result: Result):
    """Lines for the reader."""
    yield f"split ReLU, real readout, complex data: {result.split_to_real:.1e} from a real ReLU network on (Re x, Im x)"
    yield "distance from the real network with sigma_eq:     real data   complex data"
    for name in result.on_real_data:
        yield f"  {name:46s} {result.on_real_data[name]:10.1e} {result.on_complex_data[name]:14.1e}"


def figure(result: Result, path):
    """Distances on real and on complex data."""
    drawing, ((axis,),) = canvas(1, 1, width=6)
    names = list(result.on_real_data)
    place = np.arange(len(names))
    axis.bar(place - 0.2, [result.on_real_data[n] for n in names], 0.4, label="real data", color="#0072B2")
    axis.bar(place + 0.2, [result.on_complex_data[n] for n in names], 0.4, label="complex data", color="#D55E00")
    axis.set_yscale("log")
    axis.set_xticks(place, names)
    axis.set(ylabel="distance of the tangent kernels", title=r"From the real network with $\sigma_{\mathrm{eq}}$")
    axis.legend(frameon=False)
    drawing.savefig(path, dpi=150)


def network(activation, width: int = 2, first: float = 1.0):
    """A network whose pre-activations all have variance 1 for inputs of `normalised` norm, real as the activation is.

    Args:
        activation: complex, or real.
        width: of the hidden layers; the infinite network does not depend on it.
        first: standard deviation of the first weights.
    """
    dtype = "real" if activation.is_real else "complex"
    sigma_w = _critical(activation)  # its own: a series is cut, and written for one variance
    later = nn.Dense(width, sigma_w, dtype=dtype)
    between = (activation, later) * (HIDDEN - 1)
    return nn.serial(nn.Dense(width, first, dtype=dtype), *between, activation, nn.Dense(1, sigma_w, dtype=dtype))


def normalised(x):
    """Inputs brought to the norm sqrt(d)."""
    return x * np.sqrt(x.shape[1]) / np.linalg.norm(x, axis=1, keepdims=True)


def stacked(x):
    """(Re x, Im x)."""
    return np.concatenate([np.real(x), np.imag(x)], axis=1)


def distance(kernel, other) -> float:
    """Relative Frobenius distance off the diagonal, where a series cut at finite degree misses the kinks."""
    off = ~np.eye(len(kernel), dtype=bool)
    kernel, other = np.asarray(kernel)[off], np.asarray(other)[off]
    return float(np.linalg.norm(kernel - other) / np.linalg.norm(other))


def _critical(activation) -> float:
    one = np.ones(1)
    return float(np.real(activation.dual(one, one, one if activation.is_real else one + 0j).kappa[0])) ** -0.5


if __name__ == "__main__":
    run(__name__)
