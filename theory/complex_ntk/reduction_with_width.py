r"""Claim: a wide complex network comes as close to a real one as the infinite ones are, and no closer.

Empirical tangent kernels of finite complex networks with `Readout("real")`, against the infinitely wide real network
with the activation sigma_eq (two hidden layers, no biases, critical weights, eight inputs of dimension two and one
norm; derivation in reduction_with_width.md). The distance ||Theta_C - Theta_R|| / ||Theta_R|| off the diagonal

1. falls to zero as width^(-1/2) for split ReLU on complex data, and for split ReLU, modReLU and cardioid on real data;
2. goes to the distance of the infinite networks, not zero, for modReLU, cardioid and zReLU on complex data;
3. does so for zReLU on real data too: zReLU jumps, and backpropagation misses what its jumps do.

These are conditions for the reduction that Tan, Xie, Jiang, Zhou (NeurIPS 2022) state for most activations as widths
grow; no figure of theirs is reproduced.
"""

import warnings
from typing import NamedTuple

import jax
import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.studies.fit import fit_power
from theory.claim import Headline, canvas, run
from theory.complex_ntk.real_limit import activations, distance, equivalent_network, network, normalised, stacked
from theory.statistics import key, student

INPUTS, DIMENSION = 8, 2
REDUCES = {("split ReLU", "real"), ("modReLU", "real"), ("cardioid", "real"), ("split ReLU", "complex")}
SLOPE_TOLERANCE = 0.1


class Approach(NamedTuple):
    """Relative distances of kernels off the diagonal, in units of the real network's kernel.

    Attributes:
        widths: (W,) ascending.
        distance: (W, S) of S finite complex networks of each width, from the infinite real one.
        error: (W, S) of the same networks, from their own limit.
        limit: of that limit from the infinite real network.
    """

    widths: tuple[int, ...]
    distance: np.ndarray
    error: np.ndarray
    limit: float


def compute(small: bool = False) -> dict[tuple[str, str], Approach]:
    """By activation and data. Seconds with the cardioid alone if small, else a minute."""
    draw = np.random.default_rng(0)
    real = draw.normal(size=(INPUTS, DIMENSION))
    data = {"real": normalised(real) + 0j, "complex": normalised(real + 1j * draw.normal(size=(INPUTS, DIMENSION)))}
    widths, seeds = ((32, 256), 32) if small else ((64, 128, 256, 512, 1024), 16)
    found = {}
    for name, activation in (activations() | {"zReLU": nn.ZReLU()}).items():
        if small and name != "cardioid":  # of those that reduce on real data and not on complex ones
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zReLU says that its kernel is that of the almost-everywhere derivative
            # One network sees both data sets: its kernel on their union holds both of its kernels.
            kernels = [_finite(activation, np.concatenate(list(data.values())), width, seeds) for width in widths]
            for i, (kind, x) in enumerate(data.items()):
                own = slice(i * INPUTS, (i + 1) * INPUTS)
                found[name, kind] = _approach(activation, x, widths, [each[:, own, own] for each in kernels])
    return found


def check(result: dict[tuple[str, str], Approach]):
    """Raise AssertionError where a claim fails."""
    for case, found in result.items():
        if case in REDUCES:
            assert found.limit < 1e-3, f"{case}: the infinite network is {found.limit:.1e} away from the real one"
            _check_slope(case, found)
        else:
            _check_plateau(case, found)


def _check_slope(case, found):
    mean = found.distance.mean(axis=1)
    slope = fit_power(found.widths, mean).exponent
    # With few networks the means themselves are uncertain: by 0.2 if small, where constants and 1/width are excluded.
    spread = found.distance.std(axis=1, ddof=1) / mean / np.sqrt(found.distance.shape[1])
    error = np.hypot(spread[0], spread[-1]) / np.log(found.widths[-1] / found.widths[0])
    allowed = SLOPE_TOLERANCE + student(found.distance.shape[1] - 1) * error
    assert abs(slope + 0.5) < allowed, f"{case}: slope {slope:.2f}, not -0.5 +- {allowed:.2f}"


def _check_plateau(case, found):
    assert found.limit > 0.05, f"{case}: the infinite network is only {found.limit:.1e} away from the real one"
    # Kernels scatter about their limit, so squares add up on average: distance^2 = limit^2 + error^2.
    beyond = found.distance[-1] ** 2 - found.error[-1] ** 2 - found.limit**2
    # Chance, and the bias of the mean kernel, of order 1/width.
    allowed = student(len(beyond) - 1) * beyond.std(ddof=1) / np.sqrt(len(beyond)) + 2 * found.limit / found.widths[-1]
    assert abs(beyond.mean()) < allowed, f"{case}: squares are off by {beyond.mean():.1e}, not within {allowed:.1e}"


def headline(result: dict[tuple[str, str], Approach]) -> Headline:
    """Slopes of those that become real."""
    reduced = [found for case, found in result.items() if case in REDUCES]
    slopes = [fit_power(found.widths, found.distance.mean(axis=1)).exponent for found in reduced]
    measured = f"{min(slopes):.2f} to {max(slopes):.2f}"
    return Headline("exponents of the width where networks become real", f"-0.5 ± {SLOPE_TOLERANCE}", measured)


def report(result: dict[tuple[str, str], Approach]):
    """Lines for the reader."""
    widths = next(iter(result.values())).widths
    yield "distance from the real network at width " + ", ".join(map(str, widths)) + ", infinity; slope"
    for case, found in result.items():
        mean = found.distance.mean(axis=1)
        slope = f"{fit_power(found.widths, mean).exponent:.2f}" if case in REDUCES else ""
        cells = "  ".join(f"{d:.3f}" for d in mean)
        yield f"  {case[0]:10s} on {case[1]:7s} data  {cells}  {found.limit:8.1e}  {slope}"


def figure(result: dict[tuple[str, str], Approach], path):
    """Distances against the width, with those of the infinite networks as dashed lines."""
    drawing, ((left, right),) = canvas(1, 2)
    style = {"split ReLU": ("#0072B2", "o"), "modReLU": ("#D55E00", "s")}
    style |= {"cardioid": ("#009E73", "D"), "zReLU": ("#CC79A7", "^")}
    for (name, kind), found in result.items():
        axis = left if kind == "real" else right
        colour, marker = style[name]
        axis.loglog(found.widths, found.distance.mean(axis=1), f"{marker}-", color=colour, label=name)
        if (name, kind) not in REDUCES:
            axis.axhline(found.limit, color=colour, linestyle="--", linewidth=1)
    for axis, kind in ((left, "Real"), (right, "Complex")):
        axis.set(xlabel="width", title=f"{kind} data (dashed: infinite width)", ylim=(0.045, 0.9))
        axis.set_ylabel(r"$\|\Theta_C - \Theta_R\|/\|\Theta_R\|$")
        axis.set_xticks(found.widths, [str(width) for width in found.widths])
        ticks = (0.05, 0.1, 0.2, 0.5)
        axis.set_yticks(ticks, [str(tick) for tick in ticks])
        axis.xaxis.set_minor_formatter("")
        axis.yaxis.set_minor_formatter("")
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


def _finite(activation, x, width, seeds):
    """Twice the kernels (S, N, N) of complex networks with a real readout, which halves them."""
    net = nn.serial(network(activation, width), nn.Readout("real"))
    keys = jax.random.split(key(0), seeds)
    return np.stack([2 * ntk.empirical(net.apply, net.init(key, x.shape[1:]), x) for key in keys])


def _approach(activation, x, widths, kernels) -> Approach:
    real = np.asarray(equivalent_network(activation).kernel(stacked(x)).ntk)
    limit = np.real(network(activation).kernel(x).ntk)
    away = np.array([[distance(k, real) for k in each] for each in kernels])
    error = np.array([[distance(k - limit + real, real) for k in each] for each in kernels])
    return Approach(widths, away, error, distance(limit, real))


if __name__ == "__main__":
    run(__name__)
