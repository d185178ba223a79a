"""An orthogonal layer of 60 qubits and 1770 parameters, trained with shots along random directions.

`python benchmarks/orthogonal_layer.py` writes a table to benchmarks/results/, named by the day. One particle enters a
triangle of beam splitters, which makes every orthogonal matrix of n dimensions, at random angles; minimised is its mean
position at the end, as a share of the way: 0 where it comes out on the first qubit for certain. Values are exact, at
the parameters that a budget of copies leads to. gCANS with the parameter-shift rule, four evaluations an angle, is run
for 20 qubits only: simulating it for 60 takes hours.
"""

import argparse
import datetime
import time
from pathlib import Path

import jax
import numpy as np

import qcgrad as qg
from qcgrad.optimizers import gcans, minimize, quiver

RESULTS = Path(__file__).parent / "results"
SPLITTER = qg.PauliSum({"XY": 0.5, "YX": -0.5})
BACKEND = qg.HammingWeight()
# Qubits, copies, steps along one direction.
CASES = ((20, 100_000, 400), (60, 10_000_000, 200))
SHARES = (0.0, 0.01, 0.1, 0.3, 1.0)


def layer(n: int) -> qg.Expectation:
    """n(n-1)/2 beam splitters between neighbours in a triangle, and the mean position of the particle."""
    circuit, angle = qg.Circuit(n).x(0), 0
    for last in range(n - 1, 0, -1):
        for q in range(last):
            circuit, angle = circuit.evolution(SPLITTER, [q, q + 1], param=angle), angle + 1
    places = np.arange(n) / (n - 1)
    terms = {q * "I" + "Z" + (n - 1 - q) * "I": -place / 2 for q, place in enumerate(places)}
    return qg.Expectation(circuit, terms | {n * "I": places.sum() / 2})


def curvatures(objective, params) -> tuple[float, float]:
    """The mean curvature along random signs over their squared length, and the largest of all, by exact gradients."""
    rng, step = np.random.default_rng(0), 1e-3

    def gradient(at):
        return np.asarray(qg.estimate(objective, at, qg.Adjoint(), BACKEND).gradient)

    def turned(v):
        return (gradient(params + step * v) - gradient(params - step * v)) / (2 * step)

    signs = [rng.choice([-1.0, 1.0], params.size) for _ in range(4)]
    mean = max(abs(v @ turned(v)) / params.size for v in signs)
    v = turned(signs[0])
    for _ in range(8):
        v = turned(v / np.linalg.norm(v))
    return mean, float(np.linalg.norm(v))


def rows(n: int, copies: int, steps: int):
    """Name, copies, exact value, seconds a step: at shares of the copies."""
    objective = layer(n)
    params = np.random.default_rng(1).uniform(0, 2 * np.pi, objective.num_parameters)
    mean, largest = curvatures(objective, params)
    yield f"{objective.num_parameters:,} parameters, mean curvature {mean:.3g}, largest {largest:.3g}", [], [], 0.0
    methods = []
    for v in (1, 8):
        # Twice, since the curvature where one starts is not the largest on the way.
        bound = 2 * ((v + 1) * largest + params.size * mean) / (v + params.size - 1)
        methods.append((f"QUIVER, V = {v}", quiver(None, bound), qg.ForwardGradient(v)))
    if n <= 20:
        methods.append(("gCANS", gcans(0.25 / largest, 2 * largest), qg.ParameterShift()))
    for name, optimizer, method in methods:
        start = time.process_time()
        found = minimize(
            objective, params, optimizer, method, BACKEND, key=0, steps=steps, budget=qg.Budget(copies=copies)
        )
        taken = (time.process_time() - start) / len(found.history)
        spent, at = [], []
        for share in SHARES:
            count = np.searchsorted(found.copies, share * copies, side="right")
            spent.append(int(found.copies[count - 1]) if count else 0)
            at.append(found.history[count].params if count < len(found.history) else found.params)
        values = [float(qg.estimate(objective, each, qg.Adjoint(), BACKEND).value) for each in at]
        print(n, name, len(found.history), spent, np.round(values, 4), f"{taken:.3f} s", flush=True)
        yield name, spent, values, taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--qubits", type=int, nargs="*", default=[n for n, *_ in CASES])
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    day = datetime.date.today().isoformat()
    lines = [
        f"# Orthogonal layers trained along random directions, {day}",
        "",
        "`python benchmarks/orthogonal_layer.py`",
    ]
    for n, copies, steps in CASES:
        if n not in given.qubits:
            continue
        shift = qg.predict_cost(layer(n), qg.ParameterShift(shots=2)).copies
        lines += ["", f"## {n} qubits", ""]
        for name, spent, values, taken in rows(n, copies, steps):
            if not spent:
                lines += [f"{name}; a gradient by shifts of two shots takes {shift:,} copies.", ""]
                lines += ["| method | " + " | ".join(f"{share:.0%}" for share in SHARES) + " | s a step |"]
                lines += ["|---" * (2 + len(SHARES)) + "|"]
                continue
            cells = (f"{value:.3f} ({count:,})" for value, count in zip(values, spent, strict=True))
            lines.append(f"| {name} | " + " | ".join(cells) + f" | {taken:.2f} |")
        (RESULTS / f"orthogonal-layer-{day}.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
