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

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad import ntk
from theory.claim import canvas, run
from theory.complex_ntk.circuit_family import DIMENSION, QUBITS, commutators, encoded, family, plain, pulled_back
from theory.statistics import rng, student

INPUTS = 4
# Mean of tr(G A)^2 / tr(A^2) over directions of a generator G of a rotation, tr G = 0, tr G^2 = d/4.
SHARE = DIMENSION / 4 / (DIMENSION**2 - 1)
# In units of 1/(P g): the kernel of one input is 2 (1 - f^2) there. STEPS of Runge-Kutta between two records.
TIME, RECORDS, STEPS = 2.0, 10, 2


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
    """Largest relative difference of equal kernels, error of the Runge-Kutta steps, races by depth and by scale."""

    identity: float
    integration: float
    by_depth: dict[int, Race]
    by_scale: dict[float, Race]


def compute(small: bool = False) -> Result:
    """Some 15 seconds with two depths if small, else a minute."""
    depths, seeds = ((16, 128), 36) if small else ((8, 32, 128, 512), 32)
    by_scale = {
        s: _race(depths[0], seeds, s) for s in ((1 / 16, 1 / 4) if small else (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0))
    }
    fine, coarse = (_train(depths[0], seeds, 1.0, steps)[0] for steps in (2 * STEPS, STEPS))
    by_depth = {depth: _race(depth, seeds, 1.0) for depth in depths}
    return Result(_identity(), float(np.max(np.abs(fine - coarse))), by_depth, by_scale)


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    # Sums of P terms in double precision.
    assert result.identity < 1e-12, f"two ways to one kernel differ by {result.identity:.1e}"
    races, deepest = result.by_depth, list(result.by_depth.values())[-1]
    closest = deepest.flow.mean()
    assert result.integration < closest / 5, f"steps are too long, {result.integration:.1e} of {closest:.1e}"
    for name in ("distance", "flow"):
        slope, error = _exponent({depth: getattr(race, name) for depth, race in races.items()})
        # The first and last layers point somewhere in particular: corrections of relative order 1/L. Chance is 0.3 if
        # small, where neither constants nor 1/L pass.
        assert abs(slope + 0.5) < 0.15 + student(len(deepest.flow) - 1, 2) * error, f"{name}: exponent {slope:.2f}"
    gap, error = _mean(np.log(deepest.frozen / deepest.flow))
    assert gap > 0, f"the frozen kernel predicts as well as the flow of M, log of the ratio {gap:.2f} +- {error:.2f}"
    # Triangle inequality: the frozen prediction itself moves with Theta_0, as far as the flow's error says.
    away = abs(np.mean(deepest.frozen - deepest.limit))
    assert away < 2 * closest, f"the frozen kernel's error is {away:.3f} away from its limit"
    # The next order of the drift is the residual again, at most half of it here.
    slope, error = _exponent({scale: race.drift for scale, race in list(result.by_scale.items())[:2]})
    assert abs(slope - 1) < 0.15 + student(len(deepest.flow) - 1) * error, f"the drift falls as residual^{slope:.2f}"


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


def _data():
    """Inputs and the direction of the residual."""
    draw = np.random.default_rng(0)
    return jnp.asarray(draw.uniform(-np.pi, np.pi, (INPUTS, QUBITS))), jnp.asarray(draw.uniform(-1, 1, INPUTS))


def _draw(layers, seeds):
    return rng(layers).uniform(-np.pi, np.pi, (seeds, 2 * QUBITS * layers))


def _identity() -> float:
    (x, _), params = _data(), _draw(1, 1)[0]
    shifted = family(1, qg.ParameterShift())
    jacobian = jax.jit(jax.jacrev(shifted))(params, x)
    found = ntk.empirical(family(1, qg.Adjoint()), params, x), ntk.empirical(plain, params, x, method="vector_product")
    return max(ntk.drift(kernel, jacobian @ jacobian.T) for kernel in found)


@functools.cache  # compiled once for all scales and steps
def _training(layers):
    """(params, scale, steps) -> outputs of circuits and of the flow of M, targets, kernels / (P g), tr(A A')."""
    x, residual = _data()
    f, psi, unit = family(layers, qg.Adjoint()), encoded(x), 2 * QUBITS * layers * SHARE

    def outputs(m):
        return jnp.einsum("na,ab,nb->n", psi, m, psi).real

    def one(params, scale, steps):
        targets = f(params, x) + scale * residual

        def angles(params):
            values, pull = jax.vjp(lambda p: f(p, x), params)
            return -pull(values - targets)[0] / unit

        def observable(m):
            a = commutators(m, psi)
            return -1j * jnp.einsum("n,nab->ab", outputs(m) - targets, a @ m - m @ a)

        path, m = _integrated(angles, params, steps), pulled_back(params)
        a = commutators(m, psi)
        isotropic = jnp.einsum("nab,mba->nm", a, a).real
        kernels = [ntk.empirical(f, p, x, method="jacobian") / unit for p in (params, path[-1])]
        flow = jax.vmap(outputs)(_integrated(observable, m, steps))
        return jax.lax.map(lambda p: f(p, x), path), flow, targets, *kernels, isotropic

    return jax.jit(lambda params, scale, steps: jax.lax.map(lambda each: one(each, scale, steps), params))


def _train(layers, seeds, scale, steps=STEPS):
    return [np.asarray(each) for each in _training(layers)(_draw(layers, seeds), scale, steps)]


def _integrated(velocity, state, steps):
    """States at RECORDS + 1 times, by the classical Runge-Kutta method."""
    h = TIME / RECORDS / steps

    def step(_, state):
        k1 = velocity(state)
        k2 = velocity(state + h / 2 * k1)
        k3 = velocity(state + h / 2 * k2)
        return state + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(state + h * k3))

    def record(state, _):
        state = jax.lax.fori_loop(0, steps, step, state)
        return state, state

    return jnp.concatenate([state[None], jax.lax.scan(record, state, length=RECORDS)[1]])


def _race(layers, seeds, scale) -> Race:
    times = np.linspace(0, TIME, RECORDS + 1)
    rows, spectra, curves = [], [], []
    for f, ideal, y, theta, later, isotropic in zip(*_train(layers, seeds, scale), strict=True):
        frozen, limit = (np.asarray(ntk.gradient_flow(k, y, times, initial=f[0]).train) for k in (theta, isotropic))
        start = np.linalg.norm(f[0] - y)
        pairs = ((f, frozen), (f, ideal), (ideal, limit))
        errors = [np.sqrt(np.mean(np.sum((a - b) ** 2, axis=1))) / start for a, b in pairs]
        rows.append((ntk.drift(theta, isotropic), *errors, ntk.drift(later, theta)))
        spectra.append([np.asarray(ntk.eigenvalues(k)) for k in (theta, isotropic)])
        curves.append([np.linalg.norm(path - y, axis=1) / start for path in (f, frozen, ideal)])
    distance, frozen, flow, limit, drift = np.transpose(rows)
    spectrum, isotropic = np.mean(spectra, axis=0)
    return Race(distance, frozen, flow, limit, drift, spectrum, isotropic, np.mean(curves, axis=0))


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
