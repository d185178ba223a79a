r"""Claim: finite complex networks approach their infinite-width tangent kernel as width^(-1/2), for every activation.

Two hidden layers, one complex output, five inputs of dimension six, sigma_w^2 = 2, sigma_b = 0.1 (derivation in
width.md): the relative Frobenius error of the kernel Theta at initialisation falls with slope -0.5 in the logarithm of
the width, and the pseudo-kernel, zero in the limit, falls too.
"""

import warnings

import numpy as np

from qcgrad import networks as nn
from qcgrad.studies.ntk_convergence import Convergence, converge
from theory.claim import Headline, canvas, run
from theory.statistics import shifted, student

INPUTS, DIMENSION = 5, 6
SLOPE_TOLERANCE = 0.1


def activations():
    """The six of the claim."""
    return {
        "split ReLU": nn.SplitReLU(),
        "split erf": nn.SplitErf(),
        "modReLU": nn.ModReLU(-0.5),
        "cardioid": nn.Cardioid(),
        "zReLU": nn.ZReLU(),
        "z + 0.3 z²": nn.Polynomial([0.0, 1.0, 0.3]),
    }


def compute(small: bool = False) -> dict[str, Convergence]:
    """About 15 seconds with two activations if small, else some five minutes."""
    draw = np.random.default_rng(0)
    x = (draw.normal(size=(INPUTS, DIMENSION)) + 1j * draw.normal(size=(INPUTS, DIMENSION))) / np.sqrt(2)
    widths, seeds = ((32, 256), 40) if small else ((64, 256, 1024, 4096), 16)
    found = {}
    for name, activation in activations().items():
        if small and name not in ("split ReLU", "modReLU"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zReLU says that its kernel is that of the almost-everywhere derivative
            found[name] = converge(_maker(activation), x, widths, seeds, shifted(0))
    return found


def check(result: dict[str, Convergence]):
    """Raise AssertionError where a claim fails."""
    for name, found in result.items():
        slope = found.slope.exponent
        # With few networks the mean errors themselves are uncertain, by 0.2 if small: neither constants nor 1/n pass.
        allowed = SLOPE_TOLERANCE + student(2 * found.ntk.shape[1] - 2) * found.slope_error
        assert abs(slope + 0.5) < allowed, f"{name}: slope {slope:.2f}, not -0.5 +- {allowed:.2f}"
        pseudo = found.pseudo.mean(axis=1)
        # It is zero at every width where phi_z or phi_zbar vanishes.
        assert np.max(pseudo) < 1e-9 or np.all(np.diff(pseudo) < 0), (
            f"{name}: the pseudo-kernel does not fall with the width, {pseudo}"
        )


def headline(result: dict[str, Convergence]) -> Headline:
    """Slopes in the width."""
    slopes = [found.slope.exponent for found in result.values()]
    measured = f"{min(slopes):.2f} to {max(slopes):.2f}"
    return Headline("exponent of the width in the distance from the limit", f"-0.5 ± {SLOPE_TOLERANCE}", measured)


def report(result: dict[str, Convergence]):
    """Lines for the reader."""
    widths = next(iter(result.values())).widths
    yield "relative error of Theta (pseudo-kernel) at width " + ", ".join(str(width) for width in widths) + "; slope"
    for name, found in result.items():
        errors, pseudo = found.ntk.mean(axis=1), found.pseudo.mean(axis=1)
        cells = "  ".join(f"{e:.3f} ({p:.3f})" for e, p in zip(errors, pseudo, strict=True))
        yield f"  {name:12s} {cells}  {found.slope.exponent:.2f}"


def figure(result: dict[str, Convergence], path):
    """Errors and pseudo-kernels against the width."""
    drawing, ((left, right),) = canvas(1, 2)
    for (name, found), marker in zip(result.items(), "osD^vX", strict=False):
        left.loglog(found.widths, found.ntk.mean(axis=1), f"{marker}-", label=f"{name}: {found.slope.exponent:.2f}")
        if np.max(found.pseudo) > 1e-9:  # the others have none at any width
            right.loglog(found.widths, found.pseudo.mean(axis=1), f"{marker}-", label=name)
    left.set(xlabel="width", ylabel=r"$\|\Theta_n - \Theta\|/\|\Theta\|$", title="Tangent kernel, slope in the width")
    right.set(xlabel="width", ylabel=r"$\|\tilde\Theta_n\|/\|\Theta\|$", title="Pseudo-kernel, limit 0")
    for axis in (left, right):
        axis.set_xticks(found.widths, [str(width) for width in found.widths])
        axis.xaxis.set_minor_formatter("")
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


def _maker(activation):
    def make(width):
        dense = nn.Dense(width, 2**0.5, 0.1)
        return nn.serial(dense, activation, dense, activation, nn.Dense(1, 2**0.5, 0.1))

    return make


if __name__ == "__main__":
    run(__name__)
