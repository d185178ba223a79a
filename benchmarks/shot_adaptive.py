"""Energy reached for copies spent: QUIVER, iCANS, gCANS and Rosalin beside Adam with fixed shots.

`python benchmarks/shot_adaptive.py` writes a table and a figure to benchmarks/results/, named by the day. Each method
runs with several seeds; energies are exact, at the parameters that a budget of copies leads to, and counted is their
distance from the least energy that exact descent from the same start finds. Adam gets the best of its learning rates
and shots for each circuit and each budget, chosen with hindsight. The shot-adaptive methods have no such choice: each
takes half of the step that gains most of exact derivatives, 1/(2L) for iCANS and gCANS and V/(2L(V + P - 1)) for V
directions of P parameters, L being the largest curvature among the Hessians at 30 random points (exact; on hardware one
would guess). Directions are made of parameters.

`--circuits lih_givens_n6 h4_givens_n8 --seeds 3` runs larger molecules.
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
from qcgrad.optimizers import gcans, icans, minimize, quiver

RESULTS = Path(__file__).parent / "results"
# Value of every parameter at the start (None: the library's point), copies, steps.
CASES = {
    "maxcut_regular3_n6_p2": (None, 30_000, 150),
    "tfim_hva_n6_p3": (None, 300_000, 120),
    "h2o": (0.0, 1_000_000, 80),
    "lih_givens_n6": (0.0, 10_000_000, 120),
    "h4_givens_n8": (0.0, 10_000_000, 50),
}
BUDGETS = np.array([10**3, 3 * 10**3, 10**4, 3 * 10**4, 10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7])
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


def water() -> tuple[qg.Expectation, np.ndarray]:
    """H2O, four electrons in three orbitals: Givens rotations, singles and doubles, from PennyLane."""
    import pennylane as qml

    from qcgrad.interop.pennylane import from_qnode

    # Angstrom: 0.958 to each H, 104.5 degrees between them.
    places = np.array([[0.0, 0.0, 0.1173], [0.0, 0.7572, -0.4692], [0.0, -0.7572, -0.4692]])
    molecule = qml.qchem.Molecule(["O", "H", "H"], places, unit="angstrom")
    hamiltonian, n = qml.qchem.molecular_hamiltonian(molecule, active_electrons=4, active_orbitals=3)
    singles, doubles = qml.qchem.excitations(4, n)
    start = qml.qchem.hf_state(4, n)

    @qml.qnode(qml.device("default.qubit", wires=n))
    def energy(x):
        qml.AllSinglesDoubles(x, range(n), hf_state=start, singles=singles, doubles=doubles)
        return qml.expval(hamiltonian)

    params = np.zeros(len(singles) + len(doubles))
    return from_qnode(energy, params), params


def case(name) -> Case:
    start, copies, steps = CASES[name]
    if name == "h2o":
        objective, at = water()
    else:
        entry = load_circuit(name)
        objective, at = entry.objective, np.asarray(entry.params)
    at = at if start is None else np.full(at.shape, start)
    f = qg.as_jax(objective, qg.Adjoint())
    value_and_grad, hessian = jax.jit(jax.value_and_grad(f)), jax.jit(jax.hessian(f))
    # A little off symmetric points, where exact descent would stay.
    off = 1e-3 * np.random.default_rng(0).normal(size=at.shape)

    def exact(t):
        value, gradient = value_and_grad(t)
        return float(value), np.asarray(gradient)

    best = exact_minimize(exact, at + off, jac=True, method="BFGS").fun
    # Points as far from the start as descent goes.
    points = at + np.random.default_rng(1).normal(size=(30, at.size)) * 0.3
    curvature = max(float(np.abs(np.linalg.eigvalsh(hessian(point))).max()) for point in points)
    return Case(name, objective, at, copies, steps, best, curvature, jax.jit(jax.vmap(f)))


def methods(found: Case):
    """Name, group, optimiser, estimator, how many times more steps: those along one direction are short and cheap."""
    curvature, size = found.curvature, found.start.size
    step = 0.5 / curvature
    shift, spread = qg.ParameterShift(), qg.WeightedRandomSampling(2)
    yield "QUIVER, 1 direction", "", quiver(None, curvature), qg.ForwardGradient(1, moving="parameters"), 4
    yield f"QUIVER, {size} directions", "", quiver(None, curvature), qg.ForwardGradient(size, moving="parameters"), 1
    published = quiver(None, curvature, allocation="direction")
    yield "1 direction, as published", "", published, qg.ForwardGradient(1, moving="parameters"), 4
    yield "iCANS1", "", icans(step, curvature), shift, 1
    yield "iCANS2", "", icans(step, curvature, guarded=True), shift, 1
    yield "gCANS", "", gcans(step, curvature), shift, 1
    if len(found.objective.program.bases) > 1:
        yield "Rosalin", "", icans(step, curvature, min_shots=10), spread, 1
    for rate in RATES:
        for shots in SHOTS:
            yield f"{rate:g}, {shots}", "Adam, fixed shots", optax.adam(rate), qg.ParameterShift(shots), 1


def errors(case: Case, optimizer, estimator, steps, seed) -> np.ndarray:
    """Distance from the best energy, of the last step that each budget pays for; NaN where no step fits."""
    found = minimize(
        case.objective,
        case.start,
        optimizer,
        estimator,
        key=seed,
        steps=steps,
        budget=qg.Budget(copies=case.copies),
    )
    # The parameters after the last estimate are its result.
    points = np.stack([np.asarray(step.params) for step in found.history[1:]] + [np.asarray(found.params)])
    last = np.searchsorted(found.copies, BUDGETS, side="right") - 1
    paid = (last >= 0) & (case.copies >= BUDGETS)
    off = np.asarray(case.energies(points[np.where(paid, last, 0)])) - case.best
    return np.where(paid, off, np.nan)


def measured(case: Case, seeds: int) -> dict[str, np.ndarray]:
    """Medians over the seeds at each budget, and their quartiles; of a group, the best of its members."""
    table: dict[str, np.ndarray] = {}
    for name, group, optimizer, estimator, more in methods(case):
        runs = [errors(case, optimizer, estimator, more * case.steps, seed) for seed in range(seeds)]
        found = np.quantile(runs, [0.5, 0.25, 0.75], axis=0)
        label = group or name
        if label in table:
            better = found[0] < np.nan_to_num(table[label][0], nan=np.inf)
            found = np.where(better, found, table[label])
        table[label] = found
        print(f"{case.name:18} {label:24} {name:24}", np.array2string(found[0], precision=4), flush=True)
    return table


def write(tables: dict[str, dict[str, np.ndarray]], cases: list[Case], seeds: int, day: str) -> None:
    lines = [
        f"# Energy reached for copies spent, {day}",
        "",
        f"`python benchmarks/shot_adaptive.py`; median of {seeds} seeds, and quartiles. Energies are exact,",
        "above the least energy that exact descent from the same start finds (Hartree for molecules). Adam has at each",
        f"budget the best of learning rates {' and '.join(map(str, RATES))} and {' or '.join(map(str, SHOTS))} shots,",
        "chosen with hindsight; where steps run out before the budget, the last energy stands.",
    ]
    for found in cases:
        allowed = np.flatnonzero(shown(found, tables))
        lines += [
            "",
            f"## {found.name}",
            "",
            f"{found.start.size} parameters, {found.objective.program.num_angles} angles, "
            f"{max(len(found.objective.program.bases), 1)} measurement bases; L = {found.curvature:.3g}; "
            f"at most {found.steps} steps, four times as many along one direction",
            "",
            "| copies | " + " | ".join(f"{b:,}" for b in BUDGETS[allowed]) + " |",
            "|---" * (1 + len(allowed)) + "|",
        ]
        for name, numbers in tables[found.name].items():
            lines.append(f"| {name} | " + " | ".join(_cell(*column) for column in numbers[:, allowed].T) + " |")
    (RESULTS / f"shot-adaptive-{day}.md").write_text("\n".join(lines) + "\n")


def _cell(middle, low, high) -> str:
    return f"{middle:.2g} ({low:.2g} to {high:.2g})" if np.isfinite(middle) else ""


def shown(case: Case, tables) -> np.ndarray:
    """Which budgets any method has a number for."""
    return np.any([np.isfinite(rows[0]) for rows in tables[case.name].values()], axis=0)


def draw(tables: dict[str, dict[str, np.ndarray]], day: str) -> None:
    figure, axes = plt.subplots(1, len(tables), figsize=(4.4 * len(tables), 4.6), layout="constrained", squeeze=False)
    colours: dict[str, str] = {}
    for ax, (name, rows) in zip(axes[0], tables.items(), strict=True):
        for label, (middle, low, high) in rows.items():
            # The number of directions is that of parameters, and differs from circuit to circuit.
            label = "QUIVER, P directions" if label.endswith("directions") else label
            colour = colours.setdefault(label, f"C{len(colours)}")
            style = "s--" if label.startswith("Adam") else "o-"
            ax.loglog(BUDGETS, middle, style, color=colour, label=label, markersize=4)
            ax.fill_between(BUDGETS, low, high, color=colour, alpha=0.12, linewidth=0)
        ax.set(title=name, xlabel="copies spent", ylabel="energy above the best")
        ax.grid(alpha=0.3)
    handles = {label: line for ax in axes[0] for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(RESULTS / f"shot-adaptive-{day}.png", dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--circuits", nargs="*", default=list(CASES)[:3])
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    day = datetime.date.today().isoformat()
    cases, tables = [], {}
    for name in given.circuits:
        cases.append(case(name))
        tables[name] = measured(cases[-1], given.seeds)
        write(tables, cases, given.seeds, day)
        draw(tables, day)


if __name__ == "__main__":
    main()
