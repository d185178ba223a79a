"""Shifted evaluations and gentle sweeps on the simulator, in one run; prints the table and keeps it as a dated file.

    python benchmarks/peers/shifts.py

Smallest of several times, each contestant in turn, so that a busy machine disturbs all of them alike. Needs
pennylane-lightning beside qcgrad. Everything uses two threads.
"""

import datetime
import time
import warnings

import contestants as c
import jax
from models import Model, hardware_efficient
from run import RESULTS, machine

import qcgrad as qg

jax.config.update("jax_enable_x64", True)
SHOTS = 1000


def ours(model: Model, estimator):
    """Value and gradient through `estimate`."""
    objective, params = model.objective(), model.params()
    return lambda: qg.estimate(objective, params, estimator, key=0)


def lightning_shifts(model: Model):
    """lightning.qubit's parameter shift with shots."""
    import pennylane as qml
    from pennylane import numpy as pnp

    device = qml.device("lightning.qubit", wires=model.num_qubits)
    qnode = qml.set_shots(qml.QNode(c.pennylane_function(model), device, diff_method="parameter-shift"), SHOTS)
    gradient = qml.grad(qnode)
    params = pnp.array(model.params(), requires_grad=True)
    return lambda: gradient(params)


def smallest(contestants: dict, rounds: int, calls: int = 1) -> list[float]:
    """Seconds of each, its best of some rounds in which all take turns; the first takes `calls` of them in a turn."""
    taken = {name: [] for name in contestants}
    for call in contestants.values():
        call()
    for _ in range(rounds):
        for place, (name, call) in enumerate(contestants.items()):
            for _ in range(1 if place else calls):
                start = time.perf_counter()
                call()
                taken[name].append(time.perf_counter() - start)
    return [min(times) for times in taken.values()]


def main():
    """All three measurements."""
    warnings.simplefilter("ignore")  # 1000 copies are few for a gentle sweep, and it says so
    small, large = hardware_efficient(8, 4), hardware_efficient(16, 4)
    shots, exact = qg.ParameterShift(shots=SHOTS), qg.ParameterShift()
    few = {"ours": ours(small, shots), "lightning.qubit": lightning_shifts(small)}
    shifts, peer = smallest(few, 4, calls=20)
    (sweep,) = smallest({"ours": ours(small, qg.GentleSweep(copies=1000))}, 12)
    many = {"adjoint": c.qcgrad_gradient(large), "exact": ours(large, exact), "shots": ours(large, shots)}
    adjoint, exactly, sampled = smallest(many, 12)
    lines = [
        f"# Shifted evaluations, {datetime.date.today()}",
        "",
        *machine(),
        "",
        "| case | time | against | ratio | target |",
        "|---|---|---|---|---|",
        f"| HEA(8, 4), parameter shift, {SHOTS} shots | {shifts * 1e3:.2f} ms | lightning.qubit {peer * 1e3:.0f} ms "
        f"| {peer / shifts:.0f} | >= 400 |",
        f"| HEA(16, 4), exact parameter shift | {exactly * 1e3:.2f} ms | adjoint, jitted, {adjoint * 1e3:.2f} ms "
        f"| {exactly / adjoint:.1f} | <= 20 |",
        f"| HEA(16, 4), parameter shift, {SHOTS} shots | {sampled * 1e3:.1f} ms | the same "
        f"| {sampled / adjoint:.1f} | <= 40 |",
        f"| HEA(8, 4), GentleSweep(copies=1000) | {sweep * 1e3:.1f} ms | | | <= 40 ms |",
    ]
    print("\n".join(lines))
    (RESULTS / f"shifts-{datetime.date.today()}.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
