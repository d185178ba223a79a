r"""Claim: wide networks taught through feedback weights of correlation rho have the kernel sum_l rho^(L-l) Theta_l.

Theta_l is the part of the true tangent kernel that belongs to the weights of layer l of L (derivation in
feedback_kernel.md). Three dense layers, one output, five inputs of dimension six, B = rho W + sqrt(1 - rho^2) W':

1. The cross kernel J J-hat^H of feedback alignment approaches this sum as width^(-1/2): in real networks and in complex
   ones, whose activations have both Wirtinger derivatives.
2. Independent feedback, rho = 0, leaves the last layer alone: hidden layers do not learn in the limit.
3. For rho >= 0 the kernel is positive: every small step lowers a squared loss. For rho < 0 it need not be.
"""

from typing import NamedTuple

import jax
import numpy as np

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.studies.ntk_convergence import Convergence
from theory.claim import Headline, canvas, run
from theory.statistics import key, student

INPUTS, DIMENSION = 5, 6
CORRELATIONS = (0.0, 0.5, -0.8)
SLOPE_TOLERANCE = 0.1


class Attenuated(nn.ActivationRule):
    """All of the derivative, times a number: at infinite width what feedback of this correlation is."""

    share: float

    def branches(self):
        return self.share, self.share

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return self.share * nn.FullWirtinger().pull_back(holomorphic, antiholomorphic, cotangent)


class Case(NamedTuple):
    """One activation and correlation.

    Attributes:
        found: distances from the predicted kernel, by width and network.
        true: distance of the true kernel from the predicted one, over the norm of the latter.
        descent: smallest eigenvalues over the largest: predicted, and of the widest networks (S,).
    """

    found: Convergence
    true: float
    descent: float
    measured: np.ndarray


ACTIVATIONS = {"tanh": nn.Tanh(), "modReLU": nn.ModReLU(-0.5), "split tanh": nn.SplitTanh()}
"""Of real networks, and of complex ones."""


def compute(small: bool = False) -> dict[tuple[str, float], Case]:
    """Seconds if small, else some minutes."""
    draw = np.random.default_rng(0)
    x = (draw.normal(size=(INPUTS, DIMENSION)) + 1j * draw.normal(size=(INPUTS, DIMENSION))) / np.sqrt(2)
    widths, seeds = ((32, 256), 40) if small else ((64, 256, 1024), 40)
    found = {}
    everything = [(name, rho) for name in ACTIVATIONS for rho in CORRELATIONS]
    for name, rho in (("tanh", 0.5), ("modReLU", 0.0)) if small else everything:
        inputs, dtype = (np.sqrt(2) * x.real, "real") if name == "tanh" else (x, "complex")
        found[name, rho] = _case(ACTIVATIONS[name], dtype, inputs, rho, widths, seeds)
    return found


def check(result: dict[tuple[str, float], Case]):
    """Raise AssertionError where a claim fails."""
    for (name, rho), case in result.items():
        label, found = f"{name}, rho = {rho}", case.found
        slope, networks = found.slope.exponent, found.ntk.shape[1]
        # Chance is 0.2 or less with forty networks of each width: neither constants nor 1/n pass.
        allowed = SLOPE_TOLERANCE + student(2 * networks - 2) * found.slope_error
        assert abs(slope + 0.5) < allowed, f"{label}: slope {slope:.2f}, not -0.5 +- {allowed:.2f}"
        # Another kernel would be as far from networks as from this one: the widest are six times nearer than the truth.
        mean, spread = found.ntk[-1].mean(), found.ntk[-1].std(ddof=1) / np.sqrt(networks)
        limit = case.true / 3 - student(networks - 1) * spread
        assert mean < limit, f"{label}: networks are {mean:.3f} away from their limit, the true kernel {case.true:.3f}"
        if rho >= 0:
            assert case.descent > 0, f"{label}: the kernel has an eigenvalue {case.descent:.1e}"


def headline(result: dict[tuple[str, float], Case]) -> Headline:
    """The slope in the width."""
    slopes = [case.found.slope.exponent for case in result.values()]
    return Headline(
        "exponent of the width in the distance from the predicted kernel",
        f"-0.5 ± {SLOPE_TOLERANCE}",
        f"{min(slopes):.2f} to {max(slopes):.2f}",
    )


def report(result: dict[tuple[str, float], Case]):
    """Lines for the reader."""
    widths = next(iter(result.values())).found.widths
    yield "distance from the predicted kernel at width " + ", ".join(map(str, widths)) + "; slope; smallest eigenvalue"
    for (name, rho), case in result.items():
        errors = "  ".join(f"{error:.3f}" for error in case.found.ntk.mean(axis=1))
        slope = f"{case.found.slope.exponent:.2f} +- {case.found.slope_error:.2f}"
        below = f"{np.mean(case.measured < 0):.0%} of the widest networks below 0"
        yield (
            f"  {name}, rho = {rho}: {errors}  {slope}; {case.descent:.3f} of the largest, {below}; "
            f"{case.true:.2f} from the true kernel"
        )


def figure(result: dict[tuple[str, float], Case], path):
    """Distances against the width, and smallest eigenvalues."""
    drawing, ((left, right),) = canvas(1, 2)
    names = list(dict.fromkeys(name for name, _ in result))
    colours = dict(zip(CORRELATIONS, ("#0072B2", "#009E73", "#D55E00"), strict=True))
    for (name, rho), case in result.items():
        marker = "osD"[names.index(name)]
        label = f"{name}, ρ = {rho:g}: {case.found.slope.exponent:.2f}"
        left.loglog(case.found.widths, case.found.ntk.mean(axis=1), f"{marker}-", color=colours[rho], label=label)
        left.axhline(case.true, color=colours[rho], linestyle=":", linewidth=0.8)
        place = list(result).index((name, rho))
        right.plot(np.full(len(case.measured), place), case.measured, ".", color=colours[rho], alpha=0.4)
        right.plot(place, case.descent, marker, color=colours[rho], markersize=9, markerfacecolor="none")
    widths = next(iter(result.values())).found.widths
    left.set(xlabel="width", ylabel="relative distance", title="From the predicted kernel (dotted: the true one)")
    left.set_xticks(widths, [str(width) for width in widths])
    left.xaxis.set_minor_formatter("")
    left.legend(frameon=False, fontsize=8)
    right.axhline(0, color="black", linewidth=0.8)
    right.set_xticks(range(len(result)), [f"{name}\nρ = {rho:g}" for name, rho in result], fontsize=7)
    right.set(ylabel="smallest eigenvalue / largest", title="Open: infinite width; dots: networks")
    drawing.savefig(path, dpi=150)


def _case(activation, dtype, x, rho, widths, seeds) -> Case:
    kernels = _network(activation, dtype, widths[0]).kernel(x, rule=Attenuated(rho))
    limit, true = np.asarray(kernels.ntk_rule), np.asarray(kernels.ntk)
    distances, descent = np.empty((len(widths), seeds)), np.empty(seeds)
    for w, width in enumerate(widths):
        net = _network(activation, dtype, width)
        for seed in range(seeds):
            weights, other = (net.init(one, (DIMENSION,)) for one in jax.random.split(key(1000 * w + seed)))
            feedback = jax.tree.map(lambda a, b: rho * a + (1 - rho**2) ** 0.5 * b, weights, other)
            theta = np.asarray(ntk.empirical(net.apply, weights, x, rule=nn.FeedbackAlignment(feedback)))
            distances[w, seed] = np.linalg.norm(theta - limit) / np.linalg.norm(limit)
            descent[seed] = _smallest(theta)
    gap = float(np.linalg.norm(true - limit) / np.linalg.norm(limit))
    return Case(Convergence(tuple(widths), distances, 0 * distances), gap, _smallest(limit), descent)


def _smallest(kernel) -> float:
    """Smallest eigenvalue of the Hermitian part over the largest."""
    values = np.linalg.eigvalsh((kernel + kernel.conj().T) / 2)
    return float(values[0] / values[-1])


def _network(activation, dtype, width):
    dense, last = (nn.Dense(size, 2**0.5, 0.1, dtype) for size in (width, 1))
    return nn.serial(dense, activation, dense, activation, last)


if __name__ == "__main__":
    run(__name__)
