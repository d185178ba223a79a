"""Energy reached for copies spent: iCANS, gCANS and Rosalin beside Adam with fixed shots.

`python benchmarks/shot_adaptive.py` writes a table and a figure to benchmarks/results/, named by the day. Each method
runs with several seeds; energies are exact, at the parameters that a budget of copies leads to, and counted is their
distance from the least energy that exact descent from the same start finds. Adam gets the best of its learning rates
and shots for each circuit and each budget, chosen with hindsight. The shot-adaptive methods have no such choice: their
step is 1/L, L being the largest curvature among the Hessians at 30 random points (exact; on hardware one would guess).
"""

import argparse
import datetime
from pathlib import Path
from typing import NamedTuple

import jax
import matplotlib.pyplot as plt
import numpy as np
import optax
from scipy.optimize import minimize as exact_minimize

import qcgrad as qg
from qcgrad.library import load_circuit
from qcgrad.optimizers import gcans, icans, minimize

RESULTS = Path(__file__).parent / "results"
# Name of the circuit, value of every parameter at the start (None: the library's point), copies, steps.
CASES = (
    ("tfim_hva_n6_p3", None, 3_000_000, 250),
    ("lih_givens_n6", 0.0, 10_000_000, 120),
    ("h4_givens_n8", 0.0, 10_000_000, 50),
)
BUDGETS = np.array([10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7])
SEEDS = 3
RATES, SHOTS = (0.01, 0.05), (10, 100)


class Case(NamedTuple):
    """A circuit with what its energies are compared with."""

    name: str
    objective: qg.Expectation
    start: np.ndarray
    copies: int
    steps: int
    best: float
    curvature: float
    energies: object


def case(name, start, copies, steps) -> Case:
    entry = load_circuit(name)
    f = qg.as_jax(entry.objective, qg.Adjoint())
    value_and_grad, hessian = jax.jit(jax.value_and_grad(f)), jax.jit(jax.hessian(f))
    at = np.asarray(entry.params) if start is None else np.full(entry.num_parameters, start)
    # A little off symmetric points, where exact descent would stay.
    off = 1e-3 * np.random.default_rng(0).normal(size=at.shape)

    def exact(t):
        value, gradient = value_and_grad(t)
        return float(value), np.asarray(gradient)

    best = exact_minimize(exact, at + off, jac=True, method="BFGS").fun
    # Points as far from the start as descent goes.
    points = at + np.random.default_rng(1).normal(size=(30, at.size)) * 0.3
    curvature = max(float(np.abs(np.linalg.eigvalsh(hessian(point))).max()) for point in points)
    return Case(name, entry.objective, at, copies, steps, best, curvature, jax.jit(jax.vmap(f)))


def methods(curvature):
    """Name, group, optimiser, estimator."""
    step = 1 / curvature
    shift, spread = qg.ParameterShift(), qg.WeightedRandomSampling(2)
    yield "iCANS1", "", icans(step, curvature), shift
    yield "iCANS2", "", icans(step, curvature, guarded=True), shift
    yield "gCANS", "", gcans(step, curvature), shift
    yield "Rosalin", "", icans(step, curvature, min_shots=10), spread
    yield "gCANS, terms at random", "", gcans(step, curvature, min_shots=10), spread
    for rate in RATES:
        for shots in SHOTS:
            yield f"{rate:g}, {shots}", "Adam, fixed shots", optax.adam(rate), qg.ParameterShift(shots)
            yield f"{rate:g}, {shots}", "Adam, terms at random", optax.adam(rate), qg.WeightedRandomSampling(shots)


def errors(case: Case, optimizer, estimator, seed) -> np.ndarray:
    """Distance from the best energy, of the last step that each budget pays for; NaN where no step fits."""
    found = minimize(
        case.objective,
        case.start,
        optimizer,
        estimator,
        key=seed,
        steps=case.steps,
        budget=qg.Budget(copies=case.copies),
    )
    # The parameters after the last estimate are its result.
    points = np.stack([np.asarray(step.params) for step in found.history[1:]] + [np.asarray(found.params)])
    off = np.asarray(case.energies(points)) - case.best
    last = np.searchsorted(found.copies, BUDGETS, side="right") - 1
    return np.where((last >= 0) & (case.copies >= BUDGETS), off[last], np.nan)


def measured(case: Case) -> dict[str, np.ndarray]:
    """Medians over the seeds at each budget; of a group, the best of its members at that budget."""
    table: dict[str, np.ndarray] = {}
    for name, group, optimizer, estimator in methods(case.curvature):
        found = np.median([errors(case, optimizer, estimator, seed) for seed in range(SEEDS)], axis=0)
        label = group or name
        table[label] = np.fmin(table[label], found) if label in table else found
        print(f"{case.name:18} {label:22} {name:12}", np.array2string(found, precision=5), flush=True)
    return table


def write(tables: dict[str, dict[str, np.ndarray]], cases: list[Case], day: str) -> None:
    lines = [
        f"# Energy reached for copies spent, {day}",
        "",
        f"`python benchmarks/shot_adaptive.py`; median of {SEEDS} seeds. Energies are exact,",
        "above the least energy that exact descent from the same start finds (Hartree for molecules). Adam has at each",
        f"budget the best of learning rates {' and '.join(map(str, RATES))} and {' or '.join(map(str, SHOTS))} shots,",
        "chosen with hindsight; where steps run out before the budget, the last energy stands.",
    ]
    for found in cases:
        allowed = [b for b in BUDGETS if b <= found.copies]
        lines += [
            "",
            f"## {found.name}",
            "",
            f"{found.start.size} parameters, {found.objective.program.num_angles} angles, "
            f"{len(found.objective.program.bases)} measurement bases; L = {found.curvature:.3g}; "
            f"at most {found.steps} steps",
            "",
            "| copies | " + " | ".join(f"{b:,}" for b in allowed) + " |",
            "|---" * (1 + len(allowed)) + "|",
        ]
        for name, row in tables[found.name].items():
            cells = (f"{value:.2g}" if np.isfinite(value) else "" for value in row[: len(allowed)])
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    (RESULTS / f"shot-adaptive-{day}.md").write_text("\n".join(lines) + "\n")


def draw(tables: dict[str, dict[str, np.ndarray]], day: str) -> None:
    figure, axes = plt.subplots(1, len(tables), figsize=(4.4 * len(tables), 4.2), layout="constrained", squeeze=False)
    for ax, (name, rows) in zip(axes[0], tables.items(), strict=True):
        for label, row in rows.items():
            ax.loglog(BUDGETS, row, "s--" if label.startswith("Adam") else "o-", label=label, markersize=4)
        ax.set(title=name, xlabel="copies spent", ylabel="energy above the best")
        ax.grid(alpha=0.3)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(RESULTS / f"shot-adaptive-{day}.png", dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--circuits", nargs="*", default=[name for name, *_ in CASES])
    chosen = parser.parse_args().circuits
    jax.config.update("jax_enable_x64", True)
    day = datetime.date.today().isoformat()
    cases, tables = [], {}
    for row in CASES:
        if row[0] in chosen:
            cases.append(case(*row))
            tables[row[0]] = measured(cases[-1])
            write(tables, cases, day)
            draw(tables, day)


if __name__ == "__main__":
    main()
