"""What coherent methods pay for M derivatives and an error of epsilon.

Claim (derivation in coherent_methods.md). Uses of the preparation and its inverse that are proved to do grow as

- sqrt(M)/epsilon for QuantumGradient, times ln(M/delta) sqrt(l) ln(l) with l = ln(sqrt(M)/epsilon^3);
- M/epsilon for AmplitudeEstimation, times ln(M/delta);
- M/epsilon^2 for parameter shift (copies), times ln(2M/delta).

In reach the logarithms pass for powers of M: the slope of QuantumGradient is nearer to 0.6 than to 1/2, and falls so
slowly that it is 0.53 where M has eighteen digits. The numbers are counts of the algorithms, none is timed or run.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import qcgrad as qg
from qcgrad.estimators.coherent._amplitude_estimation import fewest_uses
from qcgrad.estimators.coherent._quantum_gradient import fewest_walks
from qcgrad.objective import point_at
from qcgrad.studies.fit import PowerFit, fit_power
from theory.claim import Headline, canvas, run

DELTA, ANGLES, EPSILON = 0.05, 64, 1e-3
# Registers double at once: costs are geometric means over an octave of accuracies, which evens that out.
OCTAVE = 4
IN_REACH = (4, 4096)
# Runs are 1, 3 or 5 for fewer angles, too few to follow a logarithm.
MANY = 2**8


class Law(NamedTuple):
    """What a method is expected to take: M^of_angles epsilon^of_accuracy, times `logarithms` of both."""

    estimator: type
    copies: Callable[[int, float], int]
    of_angles: float
    of_accuracy: float
    logarithms: Callable
    colour: str


def _gradient_copies(angles: int, epsilon: float) -> int:
    best = fewest_walks(angles, 1, min(epsilon / 4, 0.25), DELTA)
    assert best is not None
    # Eight uses for a quarter of the walks, and the value by phase estimation.
    return 8 * best.walks + 2 * (2**best.qubits - 1) * best.repetitions


def _estimation_copies(angles: int, epsilon: float) -> int:
    best = fewest_uses(angles + 1, epsilon, DELTA)
    assert best is not None
    return best[0]


def _shift_copies(angles: int, epsilon: float) -> int:
    return (2 * angles + 1) * math.ceil(math.log(2 * angles / DELTA) / epsilon**2)


def _evolution(angles, epsilon):
    # With N = 8 / epsilon, twice what a derivative's range over epsilon is.
    suppressed = np.log(64 * np.pi * np.sqrt(angles) * (8 / epsilon) ** 3)
    return np.log(angles / DELTA) * np.sqrt(suppressed) * np.log(suppressed)


LAWS = {
    "quantum gradient": Law(qg.QuantumGradient, _gradient_copies, 0.5, -1, _evolution, "#0072B2"),
    "amplitude estimation": Law(
        qg.AmplitudeEstimation, _estimation_copies, 1, -1, lambda m, e: np.log(m / DELTA) + 0 * e, "#D55E00"
    ),
    "parameter shift": Law(
        qg.ParameterShift, _shift_copies, 1, -2, lambda m, e: np.log(2 * m / DELTA) + 0 * e, "#009E73"
    ),
}


@dataclass
class Result:
    """Copies of each method.

    Attributes:
        by_angles: (M, copies) at EPSILON, for M from 4 to 2^60.
        by_accuracy: (epsilon, copies) of ANGLES angles.
        counted: (method, M, epsilon, copies by the formulas of this script, copies that `predict_cost` says).
    """

    by_angles: dict[str, np.ndarray]
    by_accuracy: dict[str, np.ndarray]
    counted: list[tuple[str, int, float, int, int]]


def compute(small: bool = False) -> Result:
    """Seconds."""
    sizes = 2.0 ** np.arange(2, 61, 6 if small else 2)
    accuracies = np.geomspace(1e-1, 1e-7, 5 if small else 13)
    circuits = [(8, 0.1), (32, 1e-3)] if small else [(m, e) for m in (4, 64, 1024) for e in (0.3, 1e-3, 1e-6)]
    return Result(
        {name: np.array([(m, _mean(law, m, EPSILON)) for m in sizes]) for name, law in LAWS.items()},
        {name: np.array([(e, _mean(law, ANGLES, e)) for e in accuracies]) for name, law in LAWS.items()},
        [
            (name, m, e, law.copies(m, e), predicted(law.estimator, m, e))
            for name, law in LAWS.items()
            for m, e in circuits
        ],
    )


def _mean(law: Law, angles: float, epsilon: float) -> float:
    """Geometric mean over the octave around epsilon."""
    steps = (np.arange(OCTAVE) + 0.5) / OCTAVE - 0.5
    return float(np.exp(np.mean([math.log(law.copies(int(angles), epsilon * 2.0**step)) for step in steps])))


def predicted(make: type, angles: int, epsilon: float) -> int:
    """What the library says of two qubits with that many rotations."""
    circuit = qg.Circuit(2, [gate for a in range(angles) for gate in _layer(a)])
    objective = qg.Expectation(circuit, "ZZ")
    point, _ = point_at(objective, np.full(angles, 0.3))
    return qg.predict_cost(objective, make.for_accuracy(point, epsilon, DELTA)).copies


def _layer(a: int) -> list[qg.Gate]:
    turn = qg.Gate("ry" if a % 4 < 2 else "rx", (a % 2,), a)
    return [turn, qg.Gate("cz", (0, 1))] if a % 2 else [turn]


def bare(points: np.ndarray) -> PowerFit:
    """A power alone."""
    return fit_power(*points.T)


def with_logarithms(name: str, points: np.ndarray, is_accuracy: bool = False) -> PowerFit:
    """The power that is left where logarithms are divided out."""
    x, copies = points.T
    logarithms = LAWS[name].logarithms
    return fit_power(x, copies / (logarithms(ANGLES, x) if is_accuracy else logarithms(x, EPSILON)))


def in_reach(points: np.ndarray) -> np.ndarray:
    """Those with as many angles as circuits have."""
    return points[(points[:, 0] >= IN_REACH[0]) & (points[:, 0] <= IN_REACH[1])]


def slopes(points: np.ndarray) -> np.ndarray:
    """(M, slope of ln copies) between points that are 2^6 apart."""
    step = round(6 / math.log2(points[1, 0] / points[0, 0]))
    x, y = np.log(points).T
    return np.column_stack([np.exp((x[step:] + x[:-step]) / 2), (y[step:] - y[:-step]) / (x[step:] - x[:-step])])


def expected_slopes(name: str, points: np.ndarray) -> np.ndarray:
    """The same of the law."""
    law = LAWS[name]
    return slopes(
        np.column_stack([points[:, 0], points[:, 0] ** law.of_angles * law.logarithms(points[:, 0], EPSILON)])
    )


def check(result: Result):
    """Raise AssertionError where an exponent is off."""
    for name, angles, epsilon, ours, theirs in result.counted:
        assert ours == theirs, f"{name}: {ours} copies, M = {angles}, epsilon = {epsilon}, but {theirs} are predicted"
    for name, law in LAWS.items():
        angles, accuracy = result.by_angles[name], result.by_accuracy[name]
        for fit, expected in (
            (with_logarithms(name, angles), law.of_angles),
            (with_logarithms(name, accuracy, is_accuracy=True), law.of_accuracy),
        ):
            # What the leading logarithms leave out, and what an octave does not even out.
            assert abs(fit.exponent - expected) < 0.02, f"{name}: {fit.exponent:.3f} beside logarithms, not {expected}"
        many = angles[angles[:, 0] >= MANY]
        found, wanted = slopes(many)[:, 1], expected_slopes(name, many)[:, 1]
        assert np.max(np.abs(found - wanted)) < 0.05, f"{name}: slopes {found.round(2)} in M, not {wanted.round(2)}"
        alone, beside = bare(angles), with_logarithms(name, angles)
        assert beside.standard_error < alone.standard_error / 2, f"{name}: a bare power fits M as well as logarithms do"


def headline(result: Result) -> Headline:
    """Powers of M beside logarithms."""
    fits = ", ".join(f"{with_logarithms(name, result.by_angles[name]).exponent:.3f}" for name in LAWS)
    expected = ", ".join(f"{law.of_angles:g}" for law in LAWS.values())
    return Headline(f"powers of M in the copies of {', '.join(LAWS)}, beside logarithms", f"{expected} (± 0.02)", fits)


def report(result: Result):
    """Lines for the reader."""
    for name in LAWS:
        angles, accuracy = result.by_angles[name], result.by_accuracy[name]
        yield (
            f"{name}: as bare powers M^{bare(in_reach(angles)).exponent:.3f} for M = {IN_REACH[0]} ... {IN_REACH[1]} "
            f"and epsilon^{bare(accuracy).exponent:.3f}"
        )
        fits = with_logarithms(name, angles), with_logarithms(name, accuracy, is_accuracy=True)
        yield "    beside logarithms M^{:.3f} +- {:.3f} for M = 4 ... 2^60, epsilon^{:.3f} +- {:.3f}".format(
            *(number for fit in fits for number in (fit.exponent, fit.standard_error))
        )
        pairs = zip(slopes(angles), expected_slopes(name, angles)[:, 1], strict=True)
        told = [f"2^{math.log2(m):.0f}: {slope:.3f} ({wanted:.3f})" for (m, slope), wanted in pairs]
        yield "    slopes in M (by the law): " + ", ".join(told[:: max(1, len(told) // 6)])


def figure(result: Result, path):
    """Copies against M and against the accuracy, and the slope in M."""
    drawing, ((left, middle, right),) = canvas(1, 3)
    for name, law in LAWS.items():
        angles, accuracy = result.by_angles[name], result.by_accuracy[name]
        reach = in_reach(angles)
        fit = bare(reach)
        left.loglog(*reach.T, "o", color=law.colour, label=f"{name}: $M^{{{fit.exponent:.2f}}}$ in reach")
        left.loglog(reach[:, 0], fit.at(reach[:, 0]), color=law.colour, linewidth=1)
        found = slopes(angles)
        middle.semilogx(*found.T, "o", color=law.colour, markersize=4)
        middle.semilogx(found[:, 0], expected_slopes(name, angles)[:, 1], color=law.colour, linewidth=1)
        middle.axhline(law.of_angles, color=law.colour, linestyle=":", linewidth=1)
        fit = bare(accuracy)
        label = rf"{name}: $\epsilon^{{{fit.exponent:.2f}}}$"
        right.loglog(*accuracy.T, "o-", color=law.colour, linewidth=1, label=label)
    left.set(xlabel="M", ylabel="preparations, inverses included", title=rf"$\epsilon$ = {EPSILON:g}")
    middle.set(xlabel="M", ylabel="slope of ln copies in ln M", title="lines: the law with its logarithms")
    right.set(xlabel=r"$\epsilon$", ylabel="preparations, inverses included", title=f"M = {ANGLES}")
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
