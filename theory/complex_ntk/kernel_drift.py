r"""Claim: training moves the tangent kernel by n^-1 or n^-3/4, less than the bound n^-1/2; kinks decide which.

Networks of two hidden layers of width n, trained by gradient descent for a fixed time; the drift is
||Theta_t - Theta_0|| / ||Theta_0||, root mean square over networks (derivation in kernel_drift.md):

1. At early times it falls as n^-1 where the derivative of the activation is continuous but for a point (split erf,
   cardioid), and as n^-3/4 where it jumps across a curve (split ReLU, modReLU).
2. There the time tells the same: drift proportional to t without such kinks, close to sqrt(t) with them.
3. When most of the training is done, exponents are still between -1 and -3/4: O(n^-1/2) is a bound, not the size.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.studies.complex_tasks.task import circular
from theory.claim import Headline, canvas, run
from theory.complex_ntk.train import draw, train
from theory.statistics import normal

INPUTS, DIMENSION = 8, 6
TIMES = (2.0**-8, 2.0**-5, 1.0)
SMOOTH, KINKED = -1.0, -0.75
EXPONENTS = {"split erf": SMOOTH, "cardioid": SMOOTH, "split ReLU": KINKED, "modReLU": KINKED}
# A correction of relative size n^-1/2 tilts a line from width 64 to 512 by (64^-1/2 - 512^-1/2) / log 8 = .04: twice
# that. The weaker n^-1 beside n^-3/4, and the logarithm of the cardioid, tilt lines by amounts like this.
SLOPE_TOLERANCE = 0.08


class Scaling(NamedTuple):
    """Drifts of one activation at each of TIMES.

    Attributes:
        drift: (W, len(TIMES)) root mean square over networks.
        error: its relative standard error.
        slope, slope_error: exponent in the width at each time, least squares weighted with `error`.
        growth: exponent in time between the first two times, mean over widths.
        residual: (len(TIMES),) ||f_t - y|| / ||f_0 - y||, mean of the widest networks.
    """

    drift: np.ndarray
    error: np.ndarray
    slope: np.ndarray
    slope_error: np.ndarray
    growth: float
    residual: np.ndarray


class Result(NamedTuple):
    """Widths and, for each activation, how the drift scales."""

    widths: tuple[int, ...]
    scalings: dict[str, Scaling]


def activations():
    """Those of the claim."""
    return {
        "split erf": nn.SplitErf(),
        "cardioid": nn.Cardioid(),
        "split ReLU": nn.SplitReLU(),
        "modReLU": nn.ModReLU(-0.5),
    }


def compute(small: bool = False) -> Result:
    """Seconds with two activations if small, else two minutes."""
    draws = np.random.default_rng(0)
    x, y = circular(draws, INPUTS, DIMENSION), circular(draws, INPUTS)
    # Steps for each stretch between two times: the longest are stable, step * Theta/2 < 2.
    # Narrow networks cost little: more of them, so that no width spoils the slope.
    networks, steps = ({16: 384, 64: 192}, 8) if small else ({64: 128, 128: 64, 256: 32, 512: 16}, 16)
    chosen = {name: activations()[name] for name in (("split erf", "split ReLU") if small else EXPONENTS)}
    widths, found = tuple(networks), {}
    for name, activation in chosen.items():
        found[name] = _scaling(widths, [_drifts(activation, *each, steps, x, y) for each in networks.items()])
    return Result(widths, found)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    for name, found in result.scalings.items():
        expected, early, late = EXPONENTS[name], found.slope[1], found.slope[-1]
        # Chance: 0.05 to 0.1 with all networks, 0.2 to 0.3 if small, where only constants and 1/n^2 are excluded.
        allowed = SLOPE_TOLERANCE + normal(2) * found.slope_error
        assert abs(early - expected) < allowed[1], f"{name}: exponent {early:.2f}, not {expected} +- {allowed[1]:.2f}"
        assert SMOOTH - allowed[-1] < late < KINKED + allowed[-1], f"{name}: exponent {late:.2f} after training"
        # Between -1 and -0.74, with standard errors of 0.03: eight of them.
        assert late < -0.5, f"{name}: {late:.2f} does not tell the drift from its bound"
    # About 0.95 and 0.6, each to 0.03 and better.
    laws = [[found.growth for name, found in result.scalings.items() if EXPONENTS[name] == e] for e in (SMOOTH, KINKED)]
    assert min(laws[0]) > max(laws[1]), f"drifts grow as t to {laws[0]} without kinks, {laws[1]} with them"


def headline(result: Result) -> Headline:
    """Exponents at the early time."""
    measured = ", ".join(f"{found.slope[1]:.2f} ± {found.slope_error[1]:.2f}" for found in result.scalings.values())
    expected = ", ".join(f"{EXPONENTS[name]:g}" for name in result.scalings)
    return Headline(f"exponents of the width in the drift: {', '.join(result.scalings)}", expected, measured)


def report(result: Result):
    """Lines for the reader."""
    yield "drift of Theta at width " + ", ".join(str(width) for width in result.widths) + "; exponent in the width"
    for name, found in result.scalings.items():
        yield f"{name}: t^{found.growth:.2f} between t = {TIMES[0]:.4f} and {TIMES[1]:.4f}"
        for k, time in enumerate(TIMES):
            cells = "  ".join(f"{d:.5f} ({e:.0%})" for d, e in zip(found.drift[:, k], found.error[:, k], strict=True))
            slope = f"{found.slope[k]:.2f} +- {found.slope_error[k]:.2f}"
            yield f"  t = {time:.4f}, residual {found.residual[k]:.2f}: {cells}   {slope}"


def figure(result: Result, path):
    """Drift against the width, early and after training."""
    drawing, (axes,) = canvas(1, 2, height=4.5)
    widths = np.array(result.widths)
    for axis, k, title in zip(axes, (1, 2), ("Early", "Most of the training done"), strict=True):
        looks = zip(("#0072B2", "#009E73", "#D55E00", "#CC79A7"), "o^sD", strict=True)
        for (name, found), (colour, marker) in zip(result.scalings.items(), looks, strict=False):
            label = f"{name}: {found.slope[k]:.2f} ± {found.slope_error[k]:.2f}"
            drift, error = found.drift[:, k], found.drift[:, k] * found.error[:, k]
            axis.errorbar(widths, drift, error, fmt=f"{marker}-", color=colour, label=label, capsize=2, markersize=5)
        top = max(found.drift[0, k] for found in result.scalings.values())
        for exponent, style in ((-0.5, ":"), (-0.75, "--"), (-1.0, "-.")):
            guide = 1.4 * top * (widths / widths[0]) ** exponent
            axis.plot(widths, guide, style, color="0.5", linewidth=1, label=f"exponent {exponent:g}")
        axis.set(xscale="log", yscale="log", xlabel="width n", ylabel=r"$\|\Theta_t - \Theta_0\|/\|\Theta_0\|$")
        axis.set(title=f"{title}, t = {TIMES[k]:.3g}; exponents in n")
        axis.set_xticks(widths, [str(width) for width in widths])
        axis.xaxis.set_minor_formatter("")
        axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    drawing.savefig(path, dpi=150)


def _scaling(widths, runs) -> Scaling:
    squares = [drift**2 for drift, _ in runs]
    means = np.array([each.mean(axis=0) for each in squares])
    spread = np.array([each.std(axis=0, ddof=1) / np.sqrt(len(each)) for each in squares])
    drift, error = np.sqrt(means), spread / means / 2
    fits = [_line(np.log(widths), np.log(drift[:, k]), error[:, k]) for k in range(len(TIMES))]
    slope, slope_error = np.transpose(fits)
    growth = np.mean(np.log(drift[:, 1] / drift[:, 0])) / np.log(TIMES[1] / TIMES[0])
    return Scaling(drift, error, slope, slope_error, float(growth), runs[-1][1].mean(axis=0))


def _line(u, v, error):
    """Slope of v in u and its standard error, for values of known standard errors."""
    coefficients, covariance = np.polyfit(u, v, 1, w=1 / error, cov="unscaled")
    return coefficients[0], np.sqrt(covariance[0, 0])


def _drifts(activation, width, seeds, steps, x, y):
    """Drifts and relative residuals of `seeds` networks at each of TIMES: (seeds, len(TIMES)) both."""
    dense = nn.Dense(width, 2**0.5, 0.1)
    net = nn.serial(dense, activation, dense, activation, nn.Dense(1, 2**0.5, 0.1))

    def observe(params):
        return ntk.empirical(net.apply, params, x), jnp.linalg.norm(net.apply(params, x)[:, 0] - y)

    def stretch(params, duration):
        params = train(net.apply, params, x, y, duration / steps, steps)
        return params, params

    def path(params):
        later = jax.lax.scan(stretch, params, jnp.diff(jnp.array(TIMES), prepend=0))[1]
        joined = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), params, later)
        return jax.lax.map(observe, joined)

    params = draw(net, DIMENSION, seeds, seed=width)
    # One network after the other: of wide ones, few fit into memory side by side.
    kernels, residuals = jax.jit(lambda params: jax.lax.map(path, params))(params)
    drifts = [[ntk.drift(k, first) for k in later] for first, *later in np.asarray(kernels)]
    return np.array(drifts), np.asarray(residuals[:, 1:] / residuals[:, :1])


if __name__ == "__main__":
    run(__name__)
