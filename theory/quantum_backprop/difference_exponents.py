"""Copies against accuracy of the two ways to differentiate a circuit by evaluations: rules, and differences.

Claim (derivation in difference_exponents.md). Runs of `ParameterShift` and of `FiniteDifference` with the step that it
chooses itself, at the angle where each does worst, have RMS errors epsilon that take

- epsilon^-2 copies by the parameter-shift rule, which is unbiased,
- epsilon^-3 copies by central differences of order 2, whose best step shrinks as the sixth root of the shots.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np

import qcgrad as qg
from qcgrad.studies.fit import fit_power
from qcgrad.studies.repeat import trial_gradients
from theory.claim import Headline, canvas, run
from theory.statistics import normal, shifted

EXPECTED = {"parameter shift": (-2, 0.1), "central difference": (-3, 0.15)}
STYLES = {"parameter shift": ("#D55E00", "o"), "central difference": ("#009E73", "D")}
OBJECTIVE = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
# Where each does worst: at 0 outcomes of the rule are fair coins, at pi/2 the third derivative is largest.
ANGLES = {"parameter shift": 0.0, "central difference": np.pi / 2}


@dataclass
class Result:
    """For each method: copies of the derivative, RMS errors, and their relative standard errors."""

    points: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def compute(small: bool = False) -> Result:
    """Seconds if small, else half a minute."""
    trials, ladder = (200, (1000, 31_623)) if small else (1000, (10_000, 31_623, 100_000, 316_228, 1_000_000))
    return Result(
        {
            "parameter shift": _errors(
                ANGLES["parameter shift"], lambda shots: qg.ParameterShift(shots), ladder, trials
            ),
            "central difference": _errors(
                ANGLES["central difference"], lambda shots: qg.FiniteDifference(shots=shots), ladder, trials
            ),
        }
    )


def check(result: Result):
    """Raise AssertionError where an exponent is off."""
    for name, (expected, margin) in EXPECTED.items():
        found = fit_power(*reversed(result.points[name][:2])).exponent
        allowed = margin + normal(2) * chance(result, name)
        assert abs(found - expected) < allowed, f"copies of {name} grow as epsilon^{found:.3f}, not {expected}"


def chance(result: Result, name: str) -> float:
    """Standard error of the exponent."""
    copies, _, relative = result.points[name]
    u = np.log(copies) - np.mean(np.log(copies))
    return float(np.linalg.norm(u * relative) / np.sum(u**2)) * EXPECTED[name][0] ** 2


def headline(result: Result) -> Headline:
    """Powers of epsilon."""
    found = [f"{fit_power(errors, copies).exponent:.2f}" for copies, errors, _ in result.points.values()]
    expected = [f"{-abs(EXPECTED[name][0]):g}" for name in result.points]
    return Headline(f"powers of ε in the copies of {', '.join(result.points)}", ", ".join(expected), ", ".join(found))


def report(result: Result):
    """Lines for the reader."""
    for name, (copies, errors, _) in result.points.items():
        fit = fit_power(errors, copies)
        yield f"{name}: copies ~ epsilon^{fit.exponent:.3f} +- {chance(result, name):.3f}"
        yield "    " + ", ".join(f"{int(n):,}: {e:.3g}" for n, e in zip(copies, errors, strict=True))


def figure(result: Result, path):
    """Copies against the error."""
    drawing, ((axis,),) = canvas(1, 1, width=5.6, height=4.4)
    for name, (copies, errors, _) in result.points.items():
        colour, marker = STYLES[name]
        fit = fit_power(errors, copies)
        axis.loglog(errors, copies, marker, color=colour, label=rf"{name}: $\epsilon^{{{fit.exponent:.2f}}}$")
        axis.loglog(errors, fit.at(errors), color=colour, linewidth=1)
    axis.set(xlabel=r"RMS error $\epsilon$ of the derivative", ylabel="copies", title="A rule and a difference")
    axis.legend()
    drawing.savefig(path, dpi=150)


def _errors(angle, make, ladder, trials):
    copies, errors, relative = [], [], []
    for shots in ladder:
        method = make(shots)
        drawn = trial_gradients(OBJECTIVE, np.array([angle]), method, qg.Statevector(), seed=shifted(shots))
        found = np.array([float(gradient[0]) for gradient in islice(drawn, trials)])
        squares = np.square(found + np.sin(angle))
        copies.append(2 * shots)
        errors.append(np.sqrt(squares.mean()))
        relative.append(squares.std(ddof=1) / np.sqrt(trials) / squares.mean() / 2)
    return np.array(copies), np.array(errors), np.array(relative)


if __name__ == "__main__":
    run(__name__)
