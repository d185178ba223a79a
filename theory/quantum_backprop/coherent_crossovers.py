"""At which accuracy and number of derivatives which family of methods takes the fewest preparations.

Claims (derivation in coherent_crossovers.md), for all M derivatives of a unitary observable within epsilon. The unit is
a preparation of the state, inverses included: a copy where it is measured, a use of it where a circuit goes on.

1. Proved for the worst state, on the all-Pauli hard instance: AmplitudeEstimation overtakes parameter shift at an
   accuracy that does not depend on M, QuantumGradient at one that grows as sqrt(M); it overtakes sweeps, which pay
   sqrt(M)/epsilon^2, at one that does not depend on M.
2. Expected of typical states, on hardware-efficient circuits: sweeps do not pay for M, so QuantumGradient overtakes
   them at an accuracy that falls as 1/sqrt(M).
3. In both, QuantumGradient overtakes AmplitudeEstimation somewhere between 16 and 512 derivatives.

Nothing is run: costs are those that `qcgrad.advise` compares.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import qcgrad as qg
from qcgrad.errors import NotApplicable
from qcgrad.objective import Point, point_at
from qcgrad.studies.fit import fit_power
from qcgrad.studies.hard_instance import hard_instance
from theory.claim import Headline, canvas, run
from theory.quantum_backprop.models import generic_angles, hardware_efficient, one_string

DELTA = 0.05
# Registers double at once: costs are geometric means over an octave of accuracies, which evens that out.
OCTAVE = 4


class Family(NamedTuple):
    """A name, the methods in it, of which the cheapest counts, and a colour."""

    name: str
    methods: tuple[type, ...]
    colour: str


FAMILIES = (
    Family("parameter shift", (qg.ParameterShift,), "#009E73"),
    Family("mutually unbiased bases", (qg.MutuallyUnbiasedBases,), "#F0E442"),
    Family("Bell shadow", (qg.BellShadow,), "#CC79A7"),
    Family("sweep", (qg.GentleSweep, qg.ReadOnceTomography), "#E69F00"),
    Family("amplitude estimation", (qg.AmplitudeEstimation,), "#D55E00"),
    Family("quantum gradient", (qg.QuantumGradient,), "#0072B2"),
)
NAMES = [family.name for family in FAMILIES]
NOTHING = (math.inf, math.nan)
CROSSOVERS = (
    ("quantum gradient", "parameter shift"),
    ("quantum gradient", "mutually unbiased bases"),
    ("quantum gradient", "Bell shadow"),
    ("quantum gradient", "sweep"),
    ("amplitude estimation", "parameter shift"),
    ("amplitude estimation", "sweep"),
)
SLOPES = (
    ("proved", "amplitude estimation", "parameter shift", 0.0),
    ("proved", "quantum gradient", "parameter shift", 0.5),
    ("proved", "quantum gradient", "sweep", 0.0),
    ("expected", "quantum gradient", "sweep", -0.5),
    ("expected", "amplitude estimation", "sweep", -1.0),
)
TITLES = {"proved": "proved, all-Pauli hard instance", "expected": "expected of typical states"}


@dataclass
class Costs:
    """What the families take, NaN where one does not apply.

    Attributes:
        sizes: M.
        accuracies: epsilon, descending.
        copies: preparations (families, sizes, accuracies).
        depths: of them in one circuit, one after another, the same shape.
    """

    sizes: np.ndarray
    accuracies: np.ndarray
    copies: np.ndarray
    depths: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """(sizes, accuracies) preparations of one family."""
        return self.copies[NAMES.index(name)]

    def crossover(self, cheap: str, dear: str) -> np.ndarray:
        """(sizes,) the accuracy below which one family is cheaper than another, interpolated."""
        return np.array([_root(np.log(self.accuracies), row) for row in np.log(self.of(cheap) / self.of(dear))])

    def break_even(self, cheap: str, dear: str) -> np.ndarray:
        """(accuracies,) the number of derivatives above which one family is cheaper than another, interpolated."""
        return np.array([_root(np.log(self.sizes), row) for row in np.log(self.of(cheap) / self.of(dear)).T])

    def winners(self) -> np.ndarray:
        """(sizes, accuracies) index of the cheapest family."""
        return np.nanargmin(self.copies, axis=0)

    def between(self, count: int) -> "Costs":
        """The same on a finer grid: powers between neighbours."""
        from scipy.interpolate import RegularGridInterpolator

        axes = [np.log(self.sizes), -np.log(self.accuracies)]
        finer = [np.linspace(axis[0], axis[-1], count) for axis in axes]
        grid = np.stack(np.meshgrid(*finer, indexing="ij"), axis=-1)
        numbers = np.moveaxis(np.log([self.copies, self.depths]), (0, 1), (2, 3))
        copies, depths = np.exp(np.moveaxis(RegularGridInterpolator(axes, numbers)(grid), (2, 3), (0, 1)))
        return Costs(np.exp(finer[0]), np.exp(-finer[1]), copies, depths)


@dataclass
class Result:
    """What is proved, and what is expected."""

    proved: Costs
    expected: Costs


def compute(small: bool = False) -> Result:
    """Seconds if small, else about two minutes."""
    accuracies = np.geomspace(1.0, 1e-6, 4 if small else 7)
    hard = [hard_instance(n) for n in ((2, 4) if small else (2, 3, 4, 5, 6))]
    layers = (2, 16) if small else (1, 4, 16, 64)
    circuits = [qg.Expectation(hardware_efficient(8, count), one_string(8)) for count in layers]
    return Result(
        _costs([point_at(o, np.zeros(o.num_parameters))[0] for o in hard], accuracies, "for_accuracy"),
        # At angles where no two derivatives are expectations of one common state.
        _costs([point_at(o, generic_angles(o, 0))[0] for o in circuits], accuracies, "expected_for_accuracy"),
    )


def _costs(points: list[Point], accuracies: np.ndarray, how: str) -> Costs:
    spent = [[[_of_family(family, p, e, how) for e in accuracies.tolist()] for p in points] for family in FAMILIES]
    sizes = np.array([len(point.coordinates) for point in points])
    copies, depths = np.moveaxis(np.array(spent), -1, 0)
    return Costs(sizes, accuracies, np.where(np.isinf(copies), np.nan, copies), depths)


def _of_family(family: Family, point: Point, epsilon: float, how: str) -> tuple[float, float]:
    """(copies, depth) of the cheapest method, geometric means over the octave around epsilon."""
    steps = epsilon * 2.0 ** ((np.arange(OCTAVE) + 0.5) / OCTAVE - 0.5)
    return min((_of_method(make, point, steps, how) for make in family.methods), default=NOTHING)


def _of_method(make: type, point: Point, accuracies: np.ndarray, how: str) -> tuple[float, float]:
    try:
        spent = [getattr(make, how)(point, e, DELTA).predict(point) for e in accuracies.tolist()]
    except NotApplicable:
        return NOTHING
    copies, depth = np.exp(np.mean(np.log([(cost.copies, cost.depth) for cost in spent]), axis=0))
    return float(copies), float(depth)


def _root(x, y):
    """Where y, along x, falls through 0 for the last time; at neither end of x: infinite or 0, in the sense of x."""
    is_ascending = x[-1] > x[0]
    above = np.flatnonzero(y > 0)
    if not len(above):
        return 0.0 if is_ascending else math.inf
    i = above[-1]
    if i == len(x) - 1:
        return math.inf if is_ascending else 0.0
    return math.exp(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1]))


def slope(costs: Costs, cheap: str, dear: str) -> float:
    """Exponent of M in the accuracy of a crossover."""
    found = costs.crossover(cheap, dear)
    known = np.isfinite(found) & (found > 0)
    return fit_power(costs.sizes[known], found[known]).exponent


def check(result: Result):
    """Raise AssertionError where a claim fails."""
    for which, cheap, dear, expected in SLOPES:
        found = slope(getattr(result, which), cheap, dear)
        # Logarithms of M from 15 on look like powers of up to 0.2.
        assert abs(found - expected) < 0.25, f"{which}: {cheap} overtakes {dear} at epsilon ~ M^{found:.2f}"
    for costs in (result.proved, result.expected):
        found = costs.break_even("quantum gradient", "amplitude estimation")[costs.accuracies < 0.05]
        assert np.all((found > 16) & (found < 512)), f"quantum gradient overtakes amplitude estimation at M = {found}"


def headline(result: Result) -> Headline:
    """Powers of M in the accuracies at which families overtake each other."""
    found = (f"{slope(getattr(result, which), cheap, dear):.2f}" for which, cheap, dear, _ in SLOPES)
    expected = ", ".join(f"{power:g}" for *_, power in SLOPES)
    return Headline("powers of M in five accuracies of overtaking", f"{expected} (± 0.25)", ", ".join(found))


def report(result: Result):
    """Tables of the cheapest family and of crossovers."""
    for which in ("proved", "expected"):
        costs = getattr(result, which)
        yield f"{TITLES[which]}: the family with the fewest preparations; how many; how many of them in a row"
        every = slice(None, None, max(1, (len(costs.accuracies) - 1) // 6))
        yield "    M \\ epsilon  " + "  ".join(f"{e:^28.0e}" for e in costs.accuracies[every])
        for i, (size, winners) in enumerate(zip(costs.sizes, costs.winners(), strict=True)):
            told = [
                f"{NAMES[w]} {costs.copies[w, i, j]:.0e} {costs.depths[w, i, j]:.0e}" for j, w in enumerate(winners)
            ]
            yield f"    {size:11,}  " + "  ".join(f"{text:^28}" for text in told[every])
        for cheap, dear in CROSSOVERS:
            found = costs.crossover(cheap, dear)
            if np.any(np.isfinite(found) & (found > 0)):
                yield f"    {cheap} takes less than {dear} below epsilon = " + ", ".join(f"{e:.2g}" for e in found)
        found = costs.break_even("quantum gradient", "amplitude estimation")[every]
        yield "    quantum gradient takes less than amplitude estimation above M = " + ", ".join(
            f"{m:.0f}" for m in found
        )
    for which, cheap, dear, expected in SLOPES:
        yield f"{which}: {cheap} overtakes {dear} at M^{slope(getattr(result, which), cheap, dear):.2f} ({expected:g})"


def figure(result: Result, path):
    """The cheapest family by M and accuracy, and what each takes for the most derivatives."""
    from matplotlib.colors import ListedColormap

    drawing, axes = canvas(2, 2, width=6.0)
    colours = ListedColormap([family.colour for family in FAMILIES])
    for (board, curves), which in zip(axes, ("proved", "expected"), strict=True):
        costs = getattr(result, which)
        fine = costs.between(100)
        winners = fine.winners()
        board.pcolormesh(fine.sizes, fine.accuracies, winners.T, cmap=colours, vmin=-0.5, vmax=len(FAMILIES) - 0.5)
        board.set(
            xscale="log", yscale="log", xlabel="M", ylabel=r"$\epsilon$", title=f"fewest preparations, {TITLES[which]}"
        )
        for i, family in enumerate(FAMILIES):
            if i in winners:
                board.plot([], [], "s", color=family.colour, label=family.name)
            if not np.all(np.isnan(costs.copies[i])):
                curves.loglog(
                    costs.accuracies, costs.copies[i, -1], "o-", markersize=3, color=family.colour, label=family.name
                )
        board.legend(fontsize=8, loc="lower left")
        curves.invert_xaxis()
        curves.set(
            xlabel=r"$\epsilon$", ylabel="preparations, inverses included", title=f"{which}, M = {costs.sizes[-1]:,}"
        )
        curves.legend(fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
