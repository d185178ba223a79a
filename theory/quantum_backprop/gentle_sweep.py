"""GentleSweep: copies that do not grow with the number of parameters, and where that ends.

Claims (derivations in gentle_sweep.md):

1. The copies for a given RMS error are flat in M on hardware-efficient circuits while the interaction rows
   R = sum_i Omega_ij^2 are small against 1. Deep circuits at fixed n scramble, then the mean of R over the strings is
   M/2^(n+3) and the copies grow as 1 + 2 sqrt(R). On alternating X and Y gates on one qubit R grows as M whatever n.
2. Total gates grow as M (each copy walks the circuit twice), those of the parameter-shift rule as M^2.
3. On HEA(5, 20), M = 300, every component lies within the predicted standard error plus the bias bound, and
   equal RMS error takes at least 30 times fewer copies than the parameter-shift rule, for an observable of one string.
4. The dephasing bias sets in at M/(4 s^2 k) ~ 1.
"""

import math
from dataclasses import dataclass

import numpy as np

import qcgrad as qg
from qcgrad.simulators.multicopy.moments import expectations
from qcgrad.studies.fit import fit_power
from theory.claim import Headline, canvas, run
from theory.quantum_backprop.models import generic_angles, hardware_efficient, one_string
from theory.quantum_backprop.sweep_forms import alternating_form, form_of, row_sums
from theory.statistics import normal, shifted

QUBITS = 8  # of the slopes: R stays small
DEEP_QUBITS = 5  # of the deep circuit: M = 300 parameters on few qubits
TARGET = 0.02  # RMS error at which methods are compared


@dataclass
class Depth:
    """One depth of the hardware-efficient circuit: copies and gates to reach the target, each known to `error`."""

    parameters: int
    error: float
    row_sum: float
    sweep_copies: float
    sweep_gates: float
    shift_copies: float
    shift_gates: float


@dataclass
class Result:
    """What `compute` finds; lengths of the lists agree."""

    depths: list[Depth]
    alternating: list[tuple[int, float]]  # (M, mean R)
    scrambled: list[tuple[int, float]]  # (M, mean R) of deep circuits at fixed n
    deepest: dict[str, float]  # times fewer copies than the parameter-shift rule, and coherent qubits
    worst: float  # largest |error| - bias bound in predicted standard errors on HEA(5, 20)
    deviates: int  # that this is the largest of
    onset: list[tuple[float, float]]  # (M/(4 s^2 k), shrinkage of the components)


def compute(small: bool = False) -> Result:
    """Seconds if small, else about two minutes."""
    # Shallower circuits have large expectation values, whose small variances would tilt the slopes.
    depths = [_depth(count, 4 if small else 30) for count in ((3, 9) if small else (3, 4, 6, 9, 13))]
    scrambled = [_scrambled(count, 2 if small else 10) for count in ((10, 20) if small else (5, 10, 20, 40))]
    lengths = (32, 128) if small else (32, 128, 512)
    alternating = [(length, float(row_sums(alternating_form(length)).mean())) for length in lengths]
    seeds = 2 if small else 20
    deepest = _advantage(seeds)
    return Result(depths, alternating, scrambled, deepest, _worst(seeds), 300 * seeds, _onset(small))


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    parameters = [d.parameters for d in result.depths]
    shift = fit_power(parameters, [d.shift_gates for d in result.depths]).exponent
    sweep = fit_power(parameters, [d.sweep_gates for d in result.depths]).exponent
    copies = fit_power(parameters, [d.sweep_copies for d in result.depths]).exponent
    # What is not chance: large expectation values of shallow circuits tilt slopes. Chance adds 0.06 for 30 draws, and
    # 0.4 for four draws of two depths, where M^0, M and M^2 are still told apart.
    u = np.log(parameters) - np.mean(np.log(parameters))
    chance = normal(3) * np.linalg.norm(u * [d.error for d in result.depths]) / np.sum(u**2)
    assert abs(shift - 2) <= 0.1 + chance, f"gates of the parameter-shift rule grow as M^{shift:.2f}, not M^2"
    assert abs(sweep - 1) <= 0.15 + chance, f"gates of the sweep grow as M^{sweep:.2f}, not M"
    assert abs(copies) <= 0.15 + chance, f"copies of the sweep grow as M^{copies:.2f}, not M^0"
    growth = fit_power(*zip(*result.alternating, strict=True)).exponent
    assert abs(growth - 1) <= 0.1, f"row sums of alternating gates grow as M^{growth:.2f}, not M"
    assert result.worst <= normal(result.deviates), f"a component is {result.worst:.1f} predicted standard errors off"
    parameters, row_sum = result.scrambled[-1]
    expected = parameters / 2 ** (DEEP_QUBITS + 3)
    assert abs(row_sum / expected - 1) <= 0.25, f"mean R is {row_sum:.2f} at M = {parameters}, not {expected:.2f}"
    # 94, known to 8 % from 600 squares of errors.
    advantage = result.deepest["copies"]
    assert advantage >= 30, f"only {advantage:.0f} times fewer copies than the parameter-shift rule"
    small, large = result.onset[0], result.onset[-1]
    assert small[0] < 0.1 < 2 < large[0], "the onset does not show both the unbiased and the biased side"
    assert small[1] < 0.1, f"biased already at M/(4 s^2 k) = {small[0]:.2f}"
    assert large[1] > 0.5, f"still unbiased at M/(4 s^2 k) = {large[0]:.1f}"


def headline(result: Result) -> Headline:
    """Powers of M in copies and gates."""
    rows = ((d.parameters, d.sweep_copies, d.sweep_gates, d.shift_gates) for d in result.depths)
    parameters, *others = zip(*rows, strict=True)
    found = ", ".join(f"{fit_power(parameters, cost).exponent:.2f}" for cost in others)
    return Headline("powers of M: copies and gates of the sweep, gates of the shift rule", "0, 1, 2", found)


def report(result: Result):
    """Lines for the reader."""
    yield f"copies and gates to RMS error {TARGET}, observable ZZ on HEA({QUBITS}, L):"
    yield "    M   mean R   sweep copies   shift copies   sweep gates   shift gates"
    for d in result.depths:
        yield (
            f"{d.parameters:5d} {d.row_sum:8.2f} {d.sweep_copies:14,.0f} {d.shift_copies:14,.0f} "
            f"{d.sweep_gates:13.3g} {d.shift_gates:13.3g}"
        )
    parameters = [d.parameters for d in result.depths]
    for name in ("sweep_copies", "shift_copies", "sweep_gates", "shift_gates"):
        fit = fit_power(parameters, [getattr(d, name) for d in result.depths])
        yield f"{name.replace('_', ' ')}: M^{fit.exponent:.2f} +- {fit.standard_error:.2f}"
    yield "alternating gates on one qubit, mean R: " + ", ".join(f"M = {m}: {r:.1f}" for m, r in result.alternating)
    yield f"deep HEA({DEEP_QUBITS}, L), mean R: " + ", ".join(f"M = {m}: {r:.2f}" for m, r in result.scrambled)
    yield (
        f"HEA({DEEP_QUBITS}, 20), M = 300: {result.deepest['copies']:.0f} times fewer copies than the shift rule at "
        f"equal RMS error, for {result.deepest['qubits']:,.0f} coherent qubits instead of {DEEP_QUBITS}"
    )
    yield f"worst component: {result.worst:.2f} predicted standard errors beyond the bias bound"
    yield "bias onset, M/(4 s^2 k): shrinkage " + ", ".join(f"{x:.2f}: {y:.2f}" for x, y in result.onset)


def figure(result: Result, path):
    """Copies, gates, row sums, bias."""
    drawing, ((copies, gates), (row_sums, onset)) = canvas(2, 2)
    parameters = [d.parameters for d in result.depths]
    for axis, what in ((copies, "copies"), (gates, "gates")):
        for method, colour, marker in (("shift", "#D55E00", "o"), ("sweep", "#0072B2", "s")):
            y = [getattr(d, f"{method}_{what}") for d in result.depths]
            fit = fit_power(parameters, y)
            name = {"shift": "parameter shift", "sweep": "GentleSweep"}[method]
            axis.loglog(parameters, y, marker, color=colour, label=f"{name}: $M^{{{fit.exponent:.2f}}}$")
            axis.loglog(parameters, fit.at(parameters), color=colour, linewidth=1)
        axis.set(xlabel="parameters M", ylabel=f"{what} to RMS error {TARGET}", title=f"HEA({QUBITS}, L), one string")
        axis.legend()
    row_sums.loglog(parameters, [d.row_sum for d in result.depths], "s-", color="#0072B2", label=f"HEA({QUBITS}, L)")
    row_sums.loglog(*zip(*result.scrambled, strict=True), "^-", color="#009E73", label=f"HEA({DEEP_QUBITS}, L)")
    deep = [m for m, _ in result.scrambled]
    limit = [m / 2 ** (DEEP_QUBITS + 3) for m in deep]
    row_sums.loglog(deep, limit, "--", color="#009E73", linewidth=1, label=f"scrambled: $M/2^{{{DEEP_QUBITS + 3}}}$")
    row_sums.loglog(*zip(*result.alternating, strict=True), "o-", color="#CC79A7", label="X, Y in turn on one qubit")
    row_sums.set(xlabel="parameters M", ylabel=r"mean of $\sum_i\Omega_{ij}^2$", title="Interaction of the strings")
    row_sums.xaxis.set_minor_formatter("")
    row_sums.set_ylim(top=300)  # room for the legend
    row_sums.legend()
    x, y = zip(*result.onset, strict=True)
    onset.semilogx(x, y, "s", color="#0072B2", label="measured")
    grid = np.geomspace(min(x), max(x), 100)
    onset.semilogx(grid, 1 - _mean_factor(grid), color="#0072B2", linewidth=1, label="half of the strings anticommute")
    onset.axvline(1, color="grey", linewidth=0.8)
    onset.set(xlabel=r"$M/(4 s^2 k)$", ylabel="shrinkage of the components", title="Dephasing bias")
    onset.legend()
    drawing.savefig(path, dpi=150)


def _depth(layers, draws) -> Depth:
    """Mean squares over draws of the angles: single draws differ by the size of the value."""
    objective = qg.Expectation(hardware_efficient(QUBITS, layers), one_string(QUBITS))
    sweep, shift = qg.GentleSweep(copies=200_000), qg.ParameterShift(shots=2_000)
    costs = [qg.predict_cost(objective, estimator) for estimator in (sweep, shift)]
    points = [generic_angles(objective, seed) for seed in range(draws)]
    squares = [np.mean([_rms(objective, p, estimator, 1) ** 2 for p in points]) for estimator in (sweep, shift)]
    # The squared error falls as one over the copies.
    factors = [square / TARGET**2 for square in squares]
    return Depth(
        objective.num_parameters,
        math.sqrt(2 / (objective.num_parameters * draws)),  # of a mean of squares of normal deviates
        float(np.mean([row_sums(form_of(objective, p)).mean() for p in points[: max(1, draws // 8)]])),
        costs[0].copies * factors[0],
        costs[0].gates * factors[0],
        costs[1].copies * factors[1],
        costs[1].gates * factors[1],
    )


def _scrambled(layers, draws) -> tuple[int, float]:
    objective = qg.Expectation(hardware_efficient(DEEP_QUBITS, layers), one_string(DEEP_QUBITS))
    sums = [row_sums(form_of(objective, generic_angles(objective, seed))).mean() for seed in range(draws)]
    return objective.num_parameters, float(np.mean(sums))


def _advantage(seeds) -> dict[str, float]:
    """The comparison on the deepest circuit; sums of strings have a script of their own."""
    objective = qg.Expectation(hardware_efficient(DEEP_QUBITS, 20), one_string(DEEP_QUBITS))
    params = generic_angles(objective, 0)
    sweep, shift = qg.GentleSweep(copies=200_000), qg.ParameterShift(shots=2_000)
    sweep_rms, shift_rms = (_rms(objective, params, estimator, seeds) for estimator in (sweep, shift))
    costs = [qg.predict_cost(objective, estimator) for estimator in (sweep, shift)]
    return {
        "copies": costs[1].copies * shift_rms**2 / (costs[0].copies * sweep_rms**2),
        "qubits": costs[0].qubits,
    }


def _worst(seeds) -> float:
    """The worst component on the deepest circuit in predicted standard errors."""
    worst = 0.0
    objective = qg.Expectation(hardware_efficient(DEEP_QUBITS, 20), one_string(DEEP_QUBITS))
    params = generic_angles(objective, 0)
    form = form_of(objective, params)
    exact = qg.estimate(objective, params, qg.Adjoint()).gradient
    copies, width = 200_000, 1.0
    # A single batch: the predicted variance needs the exact row sums, which only a simulation knows.
    variance = (1 - np.square(expectations(form)) + width + row_sums(form) / width) / copies
    standard_error = np.sqrt(np.square(form.gradient) @ variance)
    for seed in range(seeds):
        e = qg.estimate(objective, params, qg.GentleSweep(copies, width, batches=1), key=shifted(seed))
        excess = np.abs(e.gradient - exact) - e.bias_bound
        worst = max(worst, float(np.max(excess / standard_error)))
    return worst


def _onset(small: bool):
    """Shrinkage of the components of a deep circuit, all signs together, against M/(4 s^2 k)."""
    objective = qg.Expectation(hardware_efficient(3, 6), one_string(3))
    params = generic_angles(objective, 3)
    exact = np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)
    strings = form_of(objective, params).num_components
    found = []
    for onset in (0.05, 0.4, 3.0) if small else (0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
        width, copies = 1.0, max(1, round(strings / (4 * onset)))
        batches = 20_000 if small else 100_000
        e = qg.estimate(objective, params, qg.GentleSweep(copies * batches, width, batches=batches), key=shifted(7))
        # Least squares of the estimate on the exact gradient.
        found.append((strings / (4 * width * copies), 1 - float(e.gradient @ exact / (exact @ exact))))
    return found


def _mean_factor(onset):
    """Mean over j of exp(-(j/2)/(2 s^2 k)): half of the j strings before string j anticommute with it."""
    return -np.expm1(-onset) / onset


def _rms(objective, params, estimator, seeds) -> float:
    exact = qg.estimate(objective, params, qg.Adjoint()).gradient
    squares = [
        np.mean(np.square(qg.estimate(objective, params, estimator, key=shifted(seed)).gradient - exact))
        for seed in range(seeds)
    ]
    return math.sqrt(np.mean(squares))


if __name__ == "__main__":
    run(__name__)
