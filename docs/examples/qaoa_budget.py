"""QAOA with a budget of copies and a rule that stops once nothing more is to be had.

Max-cut of a 3-regular graph, 10 qubits, depth 3, from the angles of a linear ramp. Adam takes a fixed number of shots
for each circuit; iCANS reads the variance of every derivative and asks for as many shots as pay. All may spend 3
million copies, and all stop by the same rule: as soon as the last ten steps are certain, at 95 %, to have gained at
most 0.1 edges over the ten before. With few shots nobody can be certain of that.

Measured, three seeds: iCANS ends 0.001 to 0.008 edges from the best cut of depth 3, and two of three runs stop by the
rule, after 1.4 and 1.7 million copies. Adam spends the whole budget and stays where its noise holds it: 0.02 to 0.03
edges away with 100 shots, 0.02 to 0.09 with 30. On the way there none is clearly faster.

    python docs/examples/qaoa_budget.py [--small] [--figure out.png]
"""

from typing import NamedTuple

import jax
import numpy as np
import optax
from _figure import BLUE, GREEN, GREY, ORANGE, canvas, run

import qcgrad as qg
from qcgrad.optimizers import NoImprovement, icans, minimize

jax.config.update("jax_enable_x64", True)

# The curvature at the start. `qcgrad.optimizers.lipschitz_constant` proves a bound, 14,000, that is far from it.
CURVATURE = 50.0


class Run(NamedTuple):
    """Copies spent before each step, edges missing there to the best cut that depth 3 has, and how it ended."""

    copies: np.ndarray
    missing: np.ndarray
    result: str


def main(small: bool = False) -> dict[str, list[Run]]:
    """Runs by optimizer, one for each seed."""
    maxcut = qg.load_circuit("maxcut_regular3_n10_p3")
    ramp = (np.arange(3) + 0.5) / 3
    start = 0.6 * np.concatenate([1 - ramp, -ramp])  # angles of the mixers, then of the cost
    exact = jax.jit(qg.as_jax(maxcut.objective, qg.Adjoint()))
    best = float(exact(descend(exact, start)))
    optimizers = {
        "Adam, 30 shots": (optax.adam(0.05), qg.ParameterShift(shots=30)),
        "Adam, 100 shots": (optax.adam(0.05), qg.ParameterShift(shots=100)),
        "iCANS": (icans(1 / CURVATURE, CURVATURE), qg.ParameterShift()),  # chooses the shots
    }
    if small:
        del optimizers["Adam, 30 shots"]
    budget = qg.Budget(copies=1_000_000 if small else 3_000_000)
    rule = NoImprovement(tolerance=0.1, window=10)
    found = {name: [] for name in optimizers}
    for name, (optimizer, method) in optimizers.items():
        for seed in range(1 if small else 3):
            with qg.Tracker() as spent:
                end = minimize(maxcut.objective, start, optimizer, method, key=seed, budget=budget, rules=[rule])
            missing = np.array([float(exact(step.params)) - best for step in end.history])
            copies = [0, *(charge.total.copies for charge in spent.history[:-1])]
            found[name].append(Run(np.array(copies), missing, str(end.result)))
            print(f"{name:>15}: {missing[-1]:.4f} edges missing after {spent.total.copies:9,} copies; {end.result}")
    return found


def descend(energy, params, steps: int = 300):
    """The minimum next to the start, without noise."""
    optimizer = optax.adam(0.02)
    gradient, state = jax.jit(jax.grad(energy)), optimizer.init(params)
    for _ in range(steps):
        updates, state = optimizer.update(gradient(params), state)
        params = optax.apply_updates(params, updates)
    return params


def figure(found: dict[str, list[Run]], path):
    drawing, (axis,) = canvas(1)
    for (name, runs), colour in zip(found.items(), (ORANGE, GREEN, BLUE)[-len(found) :], strict=True):
        for i, run_ in enumerate(runs):
            axis.semilogy(run_.copies / 1e6, run_.missing, color=colour, linewidth=1, label=None if i else name)
            if run_.result == "ok":
                axis.plot(run_.copies[-1] / 1e6, run_.missing[-1], "o", color=colour)
    axis.plot([], [], "o", color=GREY, label="stopped by the rule")
    axis.set(xlabel="copies spent (millions)", ylabel="edges missing to the best of depth 3")
    axis.set_title("Max-cut, 10 qubits")
    axis.legend(frameon=False, fontsize=8, loc="upper right")
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__file__, main, figure)
