r"""Claim: circuits have tangent kernels as networks do, but more parameters alone do not keep the kernel constant.

Four qubits: RY rotations encode an input, L layers of RZ, RY and a chain of CZ follow, P = 8 L angles, f(x) = <Z_0>.
Gradient flow of 1/2 sum |e|^2, e = f - y, from uniform angles, four inputs (derivation in circuit_kernel.md):

1. `ntk.empirical` of the circuit is J J^T of parameter shifts, and the kernel of the same circuit in plain JAX, where
   products with vectors give it too.
2. Theta / (P g) approaches tr(A A'), A = i[M, rho_x] with the observable M pulled back to the data, as L^(-1/2);
   g = d / 4(d^2 - 1), d = 16.
3. exp(-Theta_0 t) e_0 does not become exact with L: its error approaches the distance between this and the flow
   dM/dt = -P g sum_x e_x i[A_x, M], which is where the circuits go, up to an error that falls as L^(-1/2).
4. The drift of the kernel falls in proportion to the residual that is to be learned: that is where training is lazy.
"""

from typing import NamedTuple

import jax
import numpy as np

import qcgrad as qg
from qcgrad import ntk
from theory.claim import Headline, canvas, run
from theory.complex_ntk.circuit_family import family, plain
from theory.complex_ntk.circuit_runs import RECORDS, TIME, data, draw, train
from theory.statistics import student

# Depths of the small version, and exponents between them, of 580 circuits (+- 0.01): with 16 layers the flow's error is
# too large to fall as its first order does. Of four depths from 8 to 512 the exponents are -0.53 and -0.57.
SMALL = (16, 128)
AT_SMALL = {"distance": -0.51, "flow": -0.65}


class Race(NamedTuple):
    """Circuits of one depth, S of them, trained from f_0 to f_0 + scale * r, r fixed.

    Attributes:
        distance: (S,) of Theta_0 / (P g) from tr(A A').
        frozen, flow: (S,) root mean square over time of ||f_t - prediction|| / ||f_0 - y||, with Theta_0 and with the
            flow of M.
        limit: (S,) the same distance between the flow of M and the prediction with tr(A A') at the start.
        drift: (S,) of Theta at the end.
        spectrum, isotropic: (N,) mean eigenvalues of Theta_0 / (P g) and of tr(A A').
        curves: (3, RECORDS + 1) mean ||e_t|| / ||e_0||: measured, frozen kernel, flow.
    """

    distance: np.ndarray
    frozen: np.ndarray
    flow: np.ndarray
    limit: np.ndarray
    drift: np.ndarray
    spectrum: np.ndarray
    isotropic: np.ndarray
    curves: np.ndarray


class Result(NamedTuple):
    """Largest relative difference of equal kernels, mean error of Runge-Kutta steps as `Race.flow`, and the races."""

    identity: float
    integration: float
    by_depth: dict[int, Race]
    by_scale: dict[float, Race]


def compute(small: bool = False) -> Result:
    """Seconds with two depths if small, else a minute."""
    depths, seeds, steps = (SMALL, 72, 1) if small else ((8, 32, 128, 512), 32, 2)
    scales = (1 / 16, 1 / 4) if small else (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
    by_scale = {scale: _race(depths[0], seeds, scale, steps) for scale in scales}
    (fine, _, y, *_), (coarse, *_) = (train(depths[0], seeds, 1.0, each) for each in (2 * steps, steps))
    integration = np.mean(_root_mean_square(fine - coarse) / np.linalg.norm(fine[:, 0] - y, axis=1))
    by_depth = {depth: _race(depth, seeds, 1.0, steps) for depth in depths}
    return Result(_identity(), float(integration), by_depth, by_scale)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    # Sums of P terms in double precision.
    assert result.identity < 1e-12, f"two ways to one kernel differ by {result.identity:.1e}"
    races, deepest = result.by_depth, list(result.by_depth.values())[-1]
    closest = deepest.flow.mean()
    assert result.integration < closest / 5, f"steps are too long, {result.integration:.1e} of {closest:.1e}"
    for name in ("distance", "flow"):
        slope, error = _exponent({depth: getattr(race, name) for depth, race in races.items()})
        # The first and last layers point somewhere in particular: corrections of relative order 1/L. Chance is 0.24 if
        # small, where neither constants nor 1/L pass.
        expected, tolerance = (AT_SMALL[name], 0.05) if tuple(races) == SMALL else (-0.5, 0.15)
        allowed = tolerance + student(len(deepest.flow) - 1, 2) * error
        assert abs(slope - expected) < allowed, f"{name}: exponent {slope:.2f}, not {expected} +- {allowed:.2f}"
    # 0.66 +- 0.09 if small, of 580 circuits, and 1.4 +- 0.1.
    gap, error = _mean(np.log(deepest.frozen / deepest.flow))
    assert gap > 0, f"the frozen kernel predicts as well as the flow of M, log of the ratio {gap:.2f} +- {error:.2f}"
    # Triangle inequality: the frozen prediction itself moves with Theta_0, as far as the flow's error says.
    away = abs(np.mean(deepest.frozen - deepest.limit))
    assert away < 2 * closest, f"the frozen kernel's error is {away:.3f} away from its limit"
    # The next order of the drift is the residual again, at most half of it here.
    slope, error = _exponent({scale: race.drift for scale, race in list(result.by_scale.items())[:2]})
    assert abs(slope - 1) < 0.15 + student(len(deepest.flow) - 1) * error, f"the drift falls as residual^{slope:.2f}"


def headline(result: Result) -> Headline:
    """The exponent of the kernel's distance."""
    slope, error = _exponent({depth: race.distance for depth, race in result.by_depth.items()})
    return Headline("exponent of L in the distance of the kernel from tr(A A')", "-0.5", f"{slope:.2f} ± {error:.2f}")


def report(result: Result):
    """Lines for the reader."""
    yield f"parameter shifts, adjoint Jacobian, products with vectors: one kernel up to {result.identity:.0e}"
    yield f"error of the Runge-Kutta steps: {result.integration:.0e}"
    yield "L: distance of Theta_0, error of the frozen kernel, its limit, error of the flow of M, drift"
    for depth, race in result.by_depth.items():
        cells = (_mean(each) for each in (race.distance, race.frozen, race.limit, race.flow, race.drift))
        yield f"  {depth:4d}  " + "  ".join(f"{mean:.4f} +- {error:.4f}" for mean, error in cells)
        yield f"        eigenvalues {race.spectrum.round(2)}, of tr(A A') {race.isotropic.round(2)}"
    for name in ("distance", "flow", "frozen"):
        slope, error = _exponent({depth: getattr(race, name) for depth, race in result.by_depth.items()})
        yield f"exponent of {name} in L: {slope:.2f} +- {error:.2f}"
    yield f"residual to learn: drift, error of the frozen kernel (L = {next(iter(result.by_depth))})"
    for scale, race in result.by_scale.items():
        cells = "  ".join(f"{mean:.4f} +- {error:.4f}" for mean, error in (_mean(race.drift), _mean(race.frozen)))
        yield f"  {scale:.4f}  {cells}"


def figure(result: Result, path):
    """Predictions against the depth, residuals of the deepest circuits, drift against the residual."""
    drawing, ((left, middle, right),) = canvas(1, 3)
    depths, races = list(result.by_depth), list(result.by_depth.values())
    for name, label, colour, style in (
        ("distance", r"$\Theta_0/Pg$ from $\mathrm{tr}(AA')$", "#009E73", "^-"),
        ("frozen", r"$e^{-\Theta_0t}e_0$", "#D55E00", "s-"),
        ("limit", "its limit", "#D55E00", "s:"),
        ("flow", "flow of M", "#0072B2", "o-"),
    ):
        means, errors = np.transpose([_mean(getattr(race, name)) for race in races])
        left.errorbar(depths, means, errors, fmt=style, color=colour, label=label, capsize=2, markersize=5)
    left.set(xscale="log", yscale="log", xlabel="layers L", ylabel="error", title="The frozen kernel stays wrong")
    left.set_xticks(depths, [str(depth) for depth in depths])
    left.xaxis.set_minor_formatter("")
    times, (measured, frozen, flow) = np.linspace(0, TIME, RECORDS + 1), races[-1].curves
    middle.semilogy(times, measured, "o", color="black", label="trained circuits")
    middle.semilogy(times, frozen, "--", color="#D55E00", label=r"$e^{-\Theta_0t}e_0$")
    middle.semilogy(times, flow, "-", color="#0072B2", label="flow of M")
    middle.set(xlabel="time, 1/(Pg)", ylabel=r"$\|e_t\|/\|e_0\|$", title=f"Training, {depths[-1]} layers")
    scales = np.array(list(result.by_scale))
    means, errors = np.transpose([_mean(race.drift) for race in result.by_scale.values()])
    right.errorbar(scales, means, errors, fmt="D-", color="#CC79A7", label="circuits", capsize=2)
    right.plot(scales, means[0] * scales / scales[0], ":", color="0.5", label="proportional")
    right.set(xlabel="residual at the start, scale", ylabel="drift of the kernel", xscale="log", yscale="log")
    right.set_title(f"Lazy for small residuals, {depths[0]} layers")
    right.set_xticks(scales, [f"{scale:.3g}" for scale in scales])
    right.xaxis.set_minor_formatter("")
    for axis in (left, middle, right):
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


def _identity() -> float:
    (x, _), params = data(), draw(1, 1)[0]
    shifted = family(1, qg.ParameterShift())
    jacobian = jax.jit(jax.jacrev(shifted))(params, x)
    found = ntk.empirical(family(1, qg.Adjoint()), params, x), ntk.empirical(plain, params, x, method="vector_product")
    return max(ntk.drift(kernel, jacobian @ jacobian.T) for kernel in found)


def _race(layers, seeds, scale, steps) -> Race:
    f, ideal, y, theta, later, isotropic = train(layers, seeds, scale, steps)
    paths = f - y[:, None], _decayed(theta, f[:, 0] - y), ideal - y[:, None], _decayed(isotropic, f[:, 0] - y)
    start = np.linalg.norm(paths[0][:, 0], axis=1)
    errors = (_root_mean_square(paths[i] - paths[j]) / start for i, j in ((0, 1), (0, 2), (2, 3)))
    distance, drift = (
        np.array([ntk.drift(*pair) for pair in zip(*kernels, strict=True)])
        for kernels in ((theta, isotropic), (later, theta))
    )
    spectra = (np.mean(np.linalg.eigvalsh(kernels)[:, ::-1], axis=0) for kernels in (theta, isotropic))
    curves = [np.mean(np.linalg.norm(path, axis=2) / start[:, None], axis=0) for path in paths[:3]]
    return Race(distance, *errors, drift, *spectra, np.array(curves))


def _root_mean_square(path):
    """Of the norm, over time: (S,)."""
    return np.sqrt(np.mean(np.sum(path**2, axis=2), axis=1))


def _decayed(kernels, errors):
    """exp(-K t) e of every circuit at the recorded times, (S, RECORDS + 1, N)."""
    values, vectors = np.linalg.eigh(kernels)
    decay = np.exp(-values[:, None] * np.linspace(0, TIME, RECORDS + 1)[:, None])
    return np.einsum("sij,stj,skj,sk->sti", vectors, decay, vectors, errors)


def _mean(values):
    """Mean over circuits and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _exponent(values):
    """Power of the keys as which means fall, and its standard error."""
    means, errors = np.transpose([_mean(each) for each in values.values()])
    fit, covariance = np.polyfit(np.log(list(values)), np.log(means), 1, w=means / errors, cov="unscaled")
    return fit[0], np.sqrt(covariance[0, 0])


if __name__ == "__main__":
    run(__name__)
