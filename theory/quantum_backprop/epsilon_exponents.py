"""Copies against accuracy: what each kind of method pays for a digit.

Claim (derivation in epsilon_exponents.md). The copies for an RMS error epsilon, at the expectation value where each
method does worst, grow as

- epsilon^-2 for the parameter-shift rule: only shot noise;
- epsilon^-3 for central differences, at the best step for each number of copies: a smaller step has less bias but
  more noise;
- epsilon^-4 for Bell measurements of two copies: they see <P>^2, whose square root is steep at 0.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np

import qcgrad as qg
from qcgrad.queries import Evaluate
from qcgrad.studies.fit import fit_power
from qcgrad.studies.repeat import Recalling, trial_gradients
from theory.claim import Headline, canvas, run
from theory.statistics import key, normal, shifted

EXPECTED = {"parameter shift": -2, "central difference": -3, "Bell measurements": -4}
# Exact errors from 10^3 to 10^6 copies, at the best step: outcomes of the widest steps are no fair coins.
FINITE = {"central difference": -0.11}
STYLES = {
    "parameter shift": ("#D55E00", "o"),
    "central difference": ("#009E73", "D"),
    "Bell measurements": ("#0072B2", "s"),
}
# All three on one qubit: F = <Z> = cos(angle), so F' runs through all sizes, and so does F'''.
CIRCUIT = qg.Circuit(1).ry(0, param=0)
SINES = np.geomspace(0.01, 1, 17)


@dataclass
class Result:
    """For each method, the worst RMS error at each number of copies, and its relative standard error."""

    points: dict[str, list[tuple[int, float, float]]]


def compute(small: bool = False) -> Result:
    """Seconds if small, else about two minutes."""
    found = {}
    for name, worst, decades, trials in (
        ("parameter shift", _shift, (2, 5), 100 if small else 200),
        ("central difference", _difference, (3, 6), 100 if small else 200),
        ("Bell measurements", _bell, (3, 4.5 if small else 6), 50),
    ):
        copies = np.geomspace(10 ** decades[0], 10 ** decades[1], 2 if small else 7).round().astype(int).tolist()
        found[name] = [worst(count, trials) for count in copies]
    return Result(found)


def check(result: Result):
    """Raise AssertionError where an exponent is off."""
    for name, expected in EXPECTED.items():
        found = exponent(result, name).exponent
        # The best of steps that are noisy, the worst of angles and few copies add to what is chance: 0.1, 0.2 and 0.5.
        # If small the means of nine runs are -2.00, -3.20 +- 0.03 and -3.95 +- 0.09, and chance is 0.4, 0.7 and 1.7:
        # of Bell measurements only exponents two apart are told apart.
        expected += FINITE.get(name, 0.0)
        allowed = 0.2 + normal(3) * chance(result, name)
        assert abs(found - expected) < allowed, f"copies of {name} grow as epsilon^{found:.2f}, not {expected:.2f}"


def exponent(result: Result, name: str):
    """Copies as a power of the error."""
    copies, error, _ = zip(*result.points[name], strict=True)
    return fit_power(error, copies)


def chance(result: Result, name: str) -> float:
    """Standard error of that power."""
    copies, _, relative = np.transpose(result.points[name])
    u = np.log(copies) - np.mean(np.log(copies))
    return float(np.linalg.norm(u * relative) / np.sum(u**2)) * EXPECTED[name] ** 2


def headline(result: Result) -> Headline:
    """Powers of epsilon."""
    found = ", ".join(f"{exponent(result, name).exponent:.2f}" for name in result.points)
    expected = ", ".join(f"{EXPECTED[name]:g}" for name in result.points)
    return Headline(f"powers of ε in the copies of {', '.join(result.points)}", expected, found)


def report(result: Result):
    """Lines for the reader."""
    for name, points in result.points.items():
        fit = exponent(result, name)
        yield f"{name}: copies ~ epsilon^{fit.exponent:.2f} +- {chance(result, name):.2f}"
        yield "    " + ", ".join(f"{copies:,}: {error:.2g}" for copies, error, _ in points)


def figure(result: Result, path):
    """Copies against the error."""
    drawing, ((axis,),) = canvas(1, 1, width=5.6, height=4.4)
    for name, points in result.points.items():
        copies, error, _ = np.array(points).T
        colour, marker = STYLES[name]
        fit = exponent(result, name)
        label = rf"{name}: $\epsilon^{{{fit.exponent:.2f}}}$"
        axis.loglog(error, copies, marker, color=colour, label=label)
        axis.loglog(error, fit.at(error), color=colour, linewidth=1)
    axis.set(
        xlabel=r"RMS error $\epsilon$ of the worst expectation value", ylabel="copies", title="The price of a digit"
    )
    axis.legend()
    drawing.savefig(path, dpi=150)


def _shift(copies: int, trials: int) -> tuple[int, float, float]:
    return _two_circuits(copies, trials, np.pi / 2)


def _difference(copies: int, trials: int) -> tuple[int, float, float]:
    """The best of many steps, each judged at the angle where it does worst."""
    return min((_two_circuits(copies, trials, step, step) for step in np.geomspace(0.05, 1.2, 21)), key=lambda p: p[1])


def _two_circuits(copies: int, trials: int, step: float, width: float = 1.0) -> tuple[int, float, float]:
    """(F(angle + step) - F(angle - step)) / (2 width), half of the copies each."""
    program, shots = qg.Expectation(CIRCUIT, "Z").program, copies // 2
    angles = np.arcsin(SINES)
    # Every trial is a setting of its own, so that one query asks for all.
    settings = np.repeat(angles[:, None] + step * np.array([1.0, -1.0]), trials, axis=0).reshape(-1, 1)
    answer = Recalling().answer(Evaluate(program, settings, shots), key(copies))
    values = np.asarray(answer.mean).reshape(len(SINES), trials, 2)
    errors = (values[..., 0] - values[..., 1]) / (2 * width) + SINES[:, None]
    return 2 * shots, *_worst(errors)[1:]


def _bell(copies: int, trials: int) -> tuple[int, float, float]:
    """i<[Z, Y]>/2 = <X> = sin(angle) on a pool of one operator."""
    pool, backend = qg.OperatorPool(CIRCUIT, "0.5*Z", ["Y"]), Recalling()
    # The worst value lies near the noise, where this grid is fine; that it is not at an end is checked.
    sines = np.geomspace(0.3, 1.2, 9) * (100 / copies) ** 0.25
    found = []
    for i, angle in enumerate(np.arcsin(sines)):
        objective, params = pool.at(angle[None])
        gradients = trial_gradients(objective, params, qg.BellShadow(copies), backend, seed=shifted(100 * copies + i))
        found.append([float(gradient[0]) for gradient in islice(gradients, trials)])
    where, *worst = _worst(np.array(found) - sines[:, None])
    assert 0 < where < len(sines) - 1, f"at {copies} copies the worst value lies outside of the grid"
    return copies, *worst


def _worst(errors) -> tuple[int, float, float]:
    """Index, RMS and its relative standard error of the worst angle, from errors (angles, trials)."""
    squares = np.square(errors)
    where = int(np.argmax(squares.mean(axis=1)))
    mean, spread = squares[where].mean(), squares[where].std(ddof=1) / np.sqrt(squares.shape[1])
    return where, float(np.sqrt(mean)), float(spread / mean / 2)


if __name__ == "__main__":
    run(__name__)
