"""What coherent methods pay for M derivatives and an error of epsilon.

Claim (derivation in coherent_methods.md). Uses of the preparation and its inverse that are proved to do, on circuits of
M angles, grow as sqrt(M)/epsilon for QuantumGradient and as M/epsilon for AmplitudeEstimation, up to logarithms; copies
of parameter shift as M/epsilon^2. The numbers are counts of the algorithms, none is timed or run.
"""

from dataclasses import dataclass

import numpy as np

import qcgrad as qg
from qcgrad.objective import point_at
from qcgrad.studies.fit import fit_power
from theory.claim import canvas, run

METHODS = {
    "quantum gradient": (qg.QuantumGradient, 0.5, -1.0),
    "amplitude estimation": (qg.AmplitudeEstimation, 1.0, -1.0),
    "parameter shift": (qg.ParameterShift, 1.0, -2.0),
}
DELTA, ANGLES, EPSILON = 0.05, 16, 1e-3


@dataclass
class Result:
    """Copies of each method by number of angles, and by accuracy."""

    by_angles: dict[str, list[tuple[int, int]]]
    by_accuracy: dict[str, list[tuple[float, int]]]


def compute(small: bool = False) -> Result:
    """Seconds."""
    sizes = (4, 128) if small else (4, 8, 16, 32, 64, 128)
    accuracies = (1e-2, 1e-4) if small else tuple(np.geomspace(1e-1, 1e-5, 9))
    return Result(
        {name: [(m, copies(make, m, EPSILON)) for m in sizes] for name, (make, *_) in METHODS.items()},
        {name: [(e, copies(make, ANGLES, e)) for e in accuracies] for name, (make, *_) in METHODS.items()},
    )


def copies(make, angles: int, epsilon: float) -> int:
    """Uses of the preparation on two qubits with that many rotations."""
    circuit = qg.Circuit(2)
    for a in range(angles):
        circuit = (circuit.ry if a % 4 < 2 else circuit.rx)(a % 2, param=a)
        circuit = circuit.cz(0, 1) if a % 2 else circuit
    objective = qg.Expectation(circuit, "ZZ")
    point, _ = point_at(objective, np.full(angles, 0.3))
    return qg.predict_cost(objective, make.for_accuracy(point, epsilon, DELTA)).copies


def check(result: Result):
    """Raise AssertionError where an exponent is off; registers double at once, which two points do not average."""
    for name, (_, in_angles, in_accuracy) in METHODS.items():
        for points, expected in ((result.by_angles, in_angles), (result.by_accuracy, in_accuracy)):
            found = fit_power(*map(np.array, zip(*points[name], strict=True))).exponent
            assert abs(found - expected) < 0.3, f"copies of {name} grow with exponent {found:.2f}, not {expected}"


def report(result: Result):
    """Lines for the reader."""
    for name in METHODS:
        exponents = [
            fit_power(*map(np.array, zip(*points[name], strict=True))).exponent
            for points in (result.by_angles, result.by_accuracy)
        ]
        yield f"{name}: copies ~ M^{exponents[0]:.2f} epsilon^{exponents[1]:.2f}"
        yield "    " + ", ".join(f"{e:.0e}: {c:.2g}" for e, c in result.by_accuracy[name])


def figure(result: Result, path):
    """Copies against M, and against the accuracy."""
    drawing, ((left, right),) = canvas(1, 2)
    for axis, points, label in ((left, result.by_angles, "M"), (right, result.by_accuracy, r"$\epsilon$")):
        for name in METHODS:
            axis.loglog(*zip(*points[name], strict=True), "o-", label=name)
        axis.set(xlabel=label, ylabel="uses of the preparation")
    left.legend()
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__name__)
