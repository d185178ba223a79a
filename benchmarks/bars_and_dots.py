"""Bars and dots with 16 qubits: what a step of training costs by commuting blocks, and by parameter shifts.

    python benchmarks/bars_and_dots.py [--steps 60] [--out benchmarks/results/bars-and-dots-2026-11-28]

Data and model are those of Bowles, Wierichs and Park (arXiv:2306.14962, section 6): 16 pixels, -1 on 8 of them, which
lie side by side (a bar) or on every second place (dots), anywhere on the ring, with Gaussian noise; RY by the pixels,
then one commuting block of all products of X on at most 3 qubits, one parameter for all translations of one, and the
mean of Z.

Circuits and shots are counted by running both methods with shots on a bar and on dots. Variances are those reported,
so that the shots for a standard error follow. The training curve itself uses exact derivatives and Gaussian noise of
the standard error that was asked for: both methods are unbiased, so that at equal standard errors they train alike, and
only the axis of shots differs.
"""

import argparse
import time
from itertools import combinations
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import qcgrad as qg
from qcgrad.library import commuting_generators, translations
from theory.claim import canvas

QUBITS, WEIGHT, BATCH = 16, 3, 10
STANDARD_ERROR = 0.05
METHODS = {"commuting blocks": qg.CommutingBlock, "parameter shift": qg.ParameterShift}


def patterns(count: int, noise: float, rng: np.random.Generator):
    """Data (count, 16) and labels, 1 for bars and 0 for dots."""
    labels, starts = rng.integers(2, size=count), rng.integers(QUBITS, size=count)
    data = np.ones((count, QUBITS))
    for row, (is_bar, start) in enumerate(zip(labels, starts, strict=True)):
        data[row, (start + (1 if is_bar else 2) * np.arange(QUBITS // 2)) % QUBITS] = -1
    return data + noise * rng.normal(size=data.shape), labels


def ansatz() -> qg.Circuit:
    """All products of X on at most 3 qubits; a parameter for each set of translations."""
    found: dict[frozenset[str], qg.PauliSum] = {}
    for weight in range(1, WEIGHT + 1):
        for chosen in combinations(range(QUBITS), weight):
            orbit = translations("".join("X" if q in chosen else "I" for q in range(QUBITS)))
            found.setdefault(frozenset(orbit.words), orbit)
    return commuting_generators(found.values())


def observable() -> qg.PauliSum:
    return qg.PauliSum.from_sparse([("Z", (q,), 1 / QUBITS) for q in range(QUBITS)], QUBITS)


def counted(shots: int, params) -> dict[str, dict[str, float]]:
    """Circuits, copies and variances of both methods, on a bar and on dots."""
    data, labels = patterns(20, 0.3, np.random.default_rng(3))
    rows = [int(np.flatnonzero(labels == label)[0]) for label in (1, 0)]
    found = {}
    for name, make in METHODS.items():
        runs = []
        for key, row in enumerate(rows):
            start = qg.Circuit(QUBITS)
            for qubit, angle in enumerate(data[row]):
                start = start.ry(qubit, float(angle))
            objective = qg.Expectation(start.compose(ansatz()), observable())
            begun = time.perf_counter()
            runs.append(qg.estimate(objective, params, make(shots), key=key))
            print(f"{name}: {time.perf_counter() - begun:.0f} s, {runs[-1].cost}", flush=True)
            assert runs[-1].cost == qg.predict_cost(objective, make(shots))
        variance = float(np.mean([np.mean(run.variance) for run in runs]))
        copies = runs[0].cost.copies
        found[name] = {
            "circuits": runs[0].cost.circuit_runs - 1,  # without the value's
            "copies": copies,
            "error": variance**0.5,
            "needed": copies * variance / STANDARD_ERROR**2,
        }
    return found


def trained(steps: int, rng: np.random.Generator):
    """Test accuracy after each step, with noise of the standard error on the derivatives of every datum."""
    model = qg.Circuit(QUBITS)
    for qubit in range(QUBITS):
        model = model.ry(qubit, param=qubit)
    objective = qg.Expectation(model.compose(ansatz(), first_param=QUBITS), observable())
    f = jax.vmap(qg.as_jax(objective, qg.Adjoint()))
    count = objective.num_parameters - QUBITS
    params, optimizer = jnp.asarray(rng.normal(0, 0.05, count)), optax.adam(0.05)
    state = optimizer.init(params)
    test, truth = patterns(100, 1.0, rng)
    curve = []

    def predict(params, data):
        return f(jnp.concatenate([jnp.asarray(data), jnp.broadcast_to(params, (len(data), count))], axis=1))

    for step in range(steps + 1):
        if step % 5 == 0:
            curve.append((step, float(np.mean((np.asarray(predict(params, test)) > 0) == truth))))
            print(f"step {step}: test accuracy {curve[-1][1]:.2f}", flush=True)
        data, labels = patterns(BATCH, 1.0, rng)
        value, pull = jax.vjp(lambda p, data=data: predict(p, data), params)
        slope = jax.grad(lambda v, y=labels: optax.sigmoid_binary_cross_entropy(6 * v, y).mean())(value)
        # Noise of each datum's derivatives, carried through the loss as the derivatives are.
        noise = STANDARD_ERROR * np.linalg.norm(slope) * rng.normal(size=count)
        updates, state = optimizer.update(pull(slope)[0] + noise, state)
        params = optax.apply_updates(params, updates)
    return curve


def figure(found, curve, path: Path) -> None:
    drawing, axes = canvas(1, 1)
    axis = axes[0, 0]
    for name, row in found.items():
        shots = [step * BATCH * row["needed"] for step, _ in curve]
        axis.plot(shots, [accuracy for _, accuracy in curve], "o-", label=name)
    axis.set(xscale="symlog", xlabel="shots", ylabel="test accuracy", ylim=(0.4, 1.02))
    axis.set_xscale("symlog", linthresh=BATCH * min(row["needed"] for row in found.values()))
    axis.set_title(f"Bars and dots, 16 qubits, standard error {STANDARD_ERROR}")
    axis.legend()
    drawing.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--shots", type=int, default=50, help="of each circuit, where both methods are counted")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/bars-and-dots-2026-11-28"))
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    curve = trained(arguments.steps, np.random.default_rng(0))
    circuit = ansatz()
    found = counted(arguments.shots, np.random.default_rng(1).normal(0, 0.05, circuit.num_parameters))
    block, shift = found.values()
    lines = [
        f"{QUBITS} qubits, {circuit.num_angles} rotations, {circuit.num_parameters} parameters, one block (B = 1), "
        f"and {QUBITS} strings Z of the observable, no two of whose derivatives commute: 2B - 1 = 1 circuit for each.",
        f"`python benchmarks/bars_and_dots.py --shots {arguments.shots}`; errors are root mean squares of all.",
        "",
        f"| method | circuits a datum | standard error at {arguments.shots} shots | shots for {STANDARD_ERROR} |",
        "|---|---|---|---|",
        *(f"| {n} | {r['circuits']:.0f} | {r['error']:.4f} | {r['needed']:,.0f} |" for n, r in found.items()),
        f"| ratio | {shift['circuits'] / block['circuits']:.0f} | | {shift['needed'] / block['needed']:.0f} |",
        "",
        f"Test accuracy by step (batches of {BATCH}): "
        + ", ".join(f"{step}: {value:.2f}" for step, value in curve)
        + ".",
    ]
    print("\n".join(lines))
    arguments.out.with_suffix(".md").write_text("\n".join(lines) + "\n")
    figure(found, curve, arguments.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
