r"""Claim: with depth, the holomorphic-branch rule leaves the true gradient behind, and split activations forget phases.

Two inputs of correlation rho = (1 + i)/2, no biases, critical weights, infinite width (derivation in depth.md):

1. ||Theta_h - Theta|| / ||Theta|| grows with the depth L: it is .11 (split ReLU) and .07 (modReLU) behind one hidden
   layer, and .74 and .84 behind sixteen.
2. Split ReLU halves the imaginary part of the correlation in every layer, so it turns complex data into real ones;
   modReLU keeps its argument exactly.
"""

from typing import NamedTuple

import numpy as np

from qcgrad import networks as nn
from theory.claim import Headline, canvas, run

RHO = 0.5 + 0.5j
DEPTHS = (1, 2, 4, 8, 16)
BIAS = -0.5  # of modReLU


class Result(NamedTuple):
    """For each activation and each depth: distance of the rule's kernel, and the correlation behind the last layer."""

    distance: dict[str, np.ndarray]
    correlation: dict[str, np.ndarray]


def compute(small: bool = False) -> Result:
    """A few seconds either way; `small` leaves out the deepest network."""
    depths = DEPTHS[:-1] if small else DEPTHS
    distance, correlation = {}, {}
    for name, activation in (("split ReLU", nn.SplitReLU()), ("modReLU", nn.ModReLU(BIAS))):
        found = [_kernels(activation, depth) for depth in depths]
        distance[name] = np.array([each[0] for each in found])
        correlation[name] = np.array([each[1] for each in found])
    return Result(distance, correlation)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    for name, expected in (
        ("split ReLU", (0.113, 0.212, 0.366, 0.562, 0.742)),
        ("modReLU", (0.068, 0.140, 0.289, 0.546, 0.838)),
    ):
        found = result.distance[name]
        off = np.abs(found - expected[: len(found)])
        assert np.max(off) < 6e-4, f"{name}: distances {found} instead of {expected}"
    halved = RHO.imag / 2.0 ** np.array(DEPTHS)
    imaginary = result.correlation["split ReLU"].imag
    assert np.allclose(imaginary, halved[: len(imaginary)], atol=1e-9), f"Im rho is {imaginary}, not {halved}"
    arguments = np.angle(result.correlation["modReLU"])
    assert np.allclose(arguments, np.angle(RHO), atol=1e-7), f"modReLU turned the phase to {arguments}"


def headline(result: Result) -> Headline:
    """Distances behind the deepest networks."""
    measured = ", ".join(f"{distance[-1]:.3f}" for distance in result.distance.values())
    deepest = DEPTHS[len(result.distance["modReLU"]) - 1]
    quantity = f"distance of the branch rule's kernel behind {deepest} layers, {', '.join(result.distance)}"
    return Headline(quantity, "grows with the depth", measured)


def report(result: Result):
    """Lines for the reader."""
    for name, distance in result.distance.items():
        rows = zip(DEPTHS, distance, result.correlation[name], strict=False)
        yield f"{name}: L, ||Theta_h - Theta||/||Theta||, rho behind the last layer"
        yield from (f"  {depth:3d}  {d:.3f}  {rho:.4f}" for depth, d, rho in rows)


def figure(result: Result, path):
    """Distance of the rule's kernel, and what is left of the phase."""
    drawing, ((left, right),) = canvas(1, 2)
    for (name, distance), colour, marker in zip(result.distance.items(), ("#0072B2", "#D55E00"), "os", strict=True):
        depths = DEPTHS[: len(distance)]
        left.semilogx(depths, distance, f"{marker}-", base=2, color=colour, label=name)
        right.semilogx(depths, np.angle(result.correlation[name]), f"{marker}-", base=2, color=colour, label=name)
    left.set(xlabel="hidden layers L", ylabel=r"$\|\Theta_h - \Theta\|/\|\Theta\|$", title="Holomorphic branch only")
    right.set(xlabel="hidden layers L", ylabel=r"$\arg\rho$ (radians)", title="Phase of the correlation")
    for axis in (left, right):
        axis.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axis.legend(frameon=False)
    drawing.savefig(path, dpi=150)


def _kernels(activation, depth):
    """(distance of the kernels, correlation) for two inputs whose pre-activations have variance 1 in every layer."""
    one = np.ones(1)
    # Critical: sigma_w^2 E|phi(u)|^2 = 1 at variance 1, so that the variance stays.
    energy = float(np.real(activation.dual(one, one, one + 0j).kappa[0]))
    sigma_w = energy**-0.5
    x = np.array([[1, 0], [np.conj(RHO), np.sqrt(1 - abs(RHO) ** 2)]]) * np.sqrt(2) / sigma_w
    hidden = [layer for _ in range(depth) for layer in (nn.Dense(2, sigma_w), activation)]
    kernel = nn.serial(*hidden, nn.Dense(1, sigma_w)).kernel(x)
    theta, branch, nngp = (np.asarray(k) for k in (kernel.ntk, kernel.ntk_rule, kernel.nngp))
    correlation = nngp[0, 1] / np.sqrt(nngp[0, 0].real * nngp[1, 1].real)
    return np.linalg.norm(branch - theta) / np.linalg.norm(theta), correlation


if __name__ == "__main__":
    run(__name__)
