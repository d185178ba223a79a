"""What a Hadamard test pays for measuring one circuit instead of two.

Claim (derivation in shift_and_hadamard.md). For a Pauli rotation and a Pauli observable, at N shots in all,

- a Hadamard test has the variance (1 - g^2)/N, standard or reversed, and so has a commuting block;
- the shift rule and the direct test have (1 - g^2 - c^2)/N, with c the mean of both shifted values.

So the gap is c^2/N: a Hadamard test is a shift rule that tosses a coin for the sign of every shift.
"""

from dataclasses import dataclass

import jax
import numpy as np

import qcgrad as qg
from theory.claim import Headline, canvas, run
from theory.statistics import key, normal

SHOTS = 32
SHIFTED = {"shift rule": qg.ParameterShift(SHOTS // 2), "direct test": qg.HadamardTest(SHOTS // 2, "direct")}
TESTED = {
    "standard test": qg.HadamardTest(SHOTS),
    "reversed test": qg.HadamardTest(SHOTS, "reversed"),
    "commuting block": qg.CommutingBlock(SHOTS),
}
STYLES = dict(zip({**SHIFTED, **TESTED}, ("#D55E00", "#E69F00", "#0072B2", "#56B4E9", "#009E73"), strict=True))
MARKERS = dict(zip(STYLES, "osD^v", strict=True))
# Both angles: of the rotation about Y that is looked at, and of the tilts about X around it.
CIRCUIT = qg.Circuit(1).rx(0, param=0).ry(0, param=1).rx(0, param=2)
ANGLE = 0.4


@dataclass
class Result:
    """At each tilt: F = sin^2 + cos^2 cos(ANGLE), so g and c; for each method, N times the mean squared error."""

    seeds: int
    tilts: np.ndarray
    spread: dict[str, np.ndarray]

    @property
    def g(self) -> np.ndarray:
        """The derivative."""
        return -np.sin(ANGLE) * np.cos(self.tilts) ** 2

    @property
    def c(self) -> np.ndarray:
        """The mean of both shifted values."""
        return np.sin(self.tilts) ** 2


def compute(small: bool = False) -> Result:
    """Seconds if small, else a minute."""
    seeds = 4_000 if small else 40_000
    tilts = np.linspace(0, 1.3, 3 if small else 9)
    keys = jax.random.split(key(21), (len(tilts), seeds))
    params = np.stack([tilts, np.full_like(tilts, ANGLE), -tilts], axis=1)
    objective = qg.Expectation(CIRCUIT, "Z")
    result = Result(seeds, tilts, {})
    for name, estimator in {**SHIFTED, **TESTED}.items():

        def gradient(params, key, estimator=estimator):
            return qg.estimate(objective, params, estimator, key=key).gradient[1]

        found = jax.jit(jax.vmap(jax.vmap(gradient, (None, 0))))(params, keys)
        result.spread[name] = SHOTS * np.mean((np.asarray(found) - result.g[:, None]) ** 2, axis=1)
    return result


def check(result: Result):
    """Raise AssertionError where a variance or the gap is off."""
    for name, spread in result.spread.items():
        variance, error = expected(result, name)
        # Of 4000 seeds an error of 15 % is missed, of 40000 one of 5 %.
        assert np.all(np.abs(spread - variance) < normal(len(variance)) * error), f"{name}: {spread}, not {variance}"
    gap, error = gap_of(result)
    assert abs(np.mean(gap - result.c**2)) < normal() * error, f"N times the gap is {gap}, not {result.c**2}"
    # 20 standard errors of the small run.
    assert np.mean(gap) > normal() * error


def expected(result: Result, name: str) -> tuple[np.ndarray, np.ndarray]:
    """N times the variance as claimed, and standard errors of its estimate."""
    g, c = result.g, result.c
    # Means of the outcomes, all of +-1: of each half, or of all.
    means = (c + g, c - g) if name in SHIFTED else (g,)
    variance = np.mean([1 - m**2 for m in means], axis=0)
    fourth = np.mean([(1 - m**2) * (6 * m**2 - 2) for m in means], axis=0) / SHOTS
    return variance, np.sqrt((2 * variance**2 + fourth) / result.seeds)


def gap_of(result: Result) -> tuple[np.ndarray, float]:
    """N times the gap of the standard test to the shift rule at each tilt, and the standard error of its mean."""
    (_, one), (_, other) = (expected(result, name) for name in ("standard test", "shift rule"))
    gap = result.spread["standard test"] - result.spread["shift rule"]
    return gap, float(np.sqrt(np.sum(one**2 + other**2)) / len(gap))


def headline(result: Result) -> Headline:
    """The gap over that of the claim."""
    gap, error = gap_of(result)
    mean, claimed = np.mean(gap), np.mean(result.c**2)
    measured = f"{mean / claimed:.3f} ± {error / claimed:.3f}"
    return Headline("gap of the Hadamard test to the shift rule, over c²/N", "1", measured)


def report(result: Result):
    """Lines for the reader."""
    gap, error = gap_of(result)
    off = float(np.mean(gap - result.c**2)) / error
    far = float(np.mean(gap)) / error
    yield f"{result.seeds} seeds: gap of the standard test to the shift rule {far:.0f} standard errors above 0, "
    yield f"    and {off:+.1f} off c^2/N"
    for name, spread in result.spread.items():
        variance, errors = expected(result, name)
        ratios = ", ".join(f"{ratio:.3f}" for ratio in spread / variance)
        worst = np.abs((spread - variance) / errors).max()
        yield f"{name}: measured over claimed {ratios}; {worst:.1f} standard errors at worst"


def figure(result: Result, path):
    """Variances against c, and the gap."""
    drawing, ((left, right),) = canvas(1, 2, width=4.8, height=4.0)
    fine = Result(result.seeds, np.linspace(0, result.tilts.max(), 200), {})
    for name, spread in result.spread.items():
        left.plot(result.c, spread, MARKERS[name], color=STYLES[name], label=name, fillstyle="none")
    for name in ("shift rule", "standard test"):
        left.plot(fine.c, expected(fine, name)[0], color=STYLES[name], linewidth=1)
    left.set(xlabel="c, mean of both shifted values", ylabel="N x variance", title="One circuit, or two")
    left.legend(fontsize=8)
    gap, _ = gap_of(result)
    errors = [
        np.hypot(a, b) for a, b in zip(*(expected(result, n)[1] for n in ("standard test", "shift rule")), strict=True)
    ]
    right.errorbar(result.c, gap, 3 * np.array(errors), fmt="o", color="#0072B2", label="measured, 3 standard errors")
    right.plot(fine.c, fine.c**2, color="#D55E00", linewidth=1, label="$c^2$")
    right.set(xlabel="c", ylabel="N x gap", title="What the coin costs")
    right.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
