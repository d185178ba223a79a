"""An existing PennyLane QNode, trained with GentleSweep instead of parameter shifts: one line changes.

The QNode is an Ising chain's energy after PennyLane's StronglyEntanglingLayers, 4 qubits and 48 angles. Its own
parameter-shift rule measures 192 circuits for each gradient. GentleSweep reads all derivatives off a few thousand
copies that are un-computed together. That takes measurements of all of them at once, which are simulated here, and
brings a bias that more copies remove. Both train with PennyLane's Adam.

Measured: 30 parameter-shift steps of 20 shots a circuit take 116,000 copies and end 0.44 above the ground state, and of
2 shots 1.0 above it, after 12,000. GentleSweep is at 0.26 after 60 steps of 1,000 copies, and between 0.24 and 0.32
after 60 of 4,000, by three keys: four times the copies bring nothing more in so few steps. Its copies have four qubits
more, an ancilla and three for a block encoding of the seven strings.

    python docs/examples/qnode_gentle_sweep.py [--small] [--figure out.png]
"""

import warnings
from typing import NamedTuple

import jax
import numpy as np
import pennylane as qml
from _figure import BLUE, GREEN, GREY, ORANGE, PINK, canvas, run

import qcgrad as qg
from qcgrad.interop.pennylane import gradient

jax.config.update("jax_enable_x64", True)

QUBITS, LAYERS = 4, 4
ISING = qml.dot(
    [-1.0] * (2 * QUBITS - 1),
    [qml.Z(q) @ qml.Z(q + 1) for q in range(QUBITS - 1)] + [qml.X(q) for q in range(QUBITS)],
)


class Training(NamedTuple):
    """Copies spent so far and energy above the ground state, at the start and after each step."""

    copies: list[int]
    error: list[float]


def energy(weights):
    qml.StronglyEntanglingLayers(weights, wires=range(QUBITS))
    return qml.expval(ISING)


def main(small: bool = False) -> dict[str, Training]:
    found = {}
    for shots in (2,) if small else (2, 20):
        device = qml.device("lightning.qubit", wires=QUBITS, seed=0)
        circuit = qml.set_shots(qml.QNode(energy, device, diff_method="parameter-shift"), shots)
        with qml.Tracker(device) as counted:
            found[f"parameter shift, {shots} shots"] = train(
                circuit, lambda: counted.totals.get("shots", 0), steps=3 if small else 30
            )
    # Close to a minimum any bias is larger than the gradient, and the warning says so at each step.
    warnings.simplefilter("ignore", qg.BiasWarning)
    for copies in (4000,) if small else (1000, 4000):
        sweep = qg.GentleSweep(copies, pointer_variance=1.0, batches=2)
        method = gradient(sweep, key=0)  # instead of "parameter-shift"
        circuit = qml.QNode(energy, qml.device("lightning.qubit", wires=QUBITS), diff_method=method)
        with qg.Tracker() as spent:
            found[f"GentleSweep, {copies:,} copies"] = train(
                circuit, lambda: spent.total.copies, steps=20 if small else 60
            )
    for name, training in found.items():
        print(f"{name:>27}: {training.error[-1]:.3f} above the ground state after {training.copies[-1]:,} copies")
    return found


def train(circuit, copies, steps: int) -> Training:
    """Adam from near the state |0...0>; `copies()` says what was spent so far."""
    exact = qml.QNode(energy, qml.device("lightning.qubit", wires=QUBITS))
    ground = np.linalg.eigvalsh(qml.matrix(ISING, wire_order=range(QUBITS)))[0]
    shape = qml.StronglyEntanglingLayers.shape(LAYERS, QUBITS)
    weights = qml.numpy.array(np.random.default_rng(0).uniform(0, 0.3, shape), requires_grad=True)
    optimizer, spent, errors = qml.AdamOptimizer(0.1), [0], [float(exact(weights)) - ground]
    for _ in range(steps):
        weights = optimizer.step(circuit, weights)
        spent.append(copies())
        errors.append(float(exact(weights)) - ground)
    return Training(spent, errors)


def figure(found: dict[str, Training], path):
    drawing, (axis,) = canvas(1)
    colours = [PINK, ORANGE, GREEN, BLUE] if len(found) > 2 else [ORANGE, BLUE]
    for (name, training), colour in zip(found.items(), colours, strict=True):
        axis.loglog(training.copies[1:], training.error[1:], ".-", color=colour, label=name)
    start = next(iter(found.values())).error[0]
    axis.axhline(start, color=GREY, linestyle=":", label="start")
    axis.set(xlabel="copies spent", ylabel="energy above the ground state", title="Ising chain, 4 qubits, 48 angles")
    axis.legend(frameon=False, fontsize=8, loc="lower left")
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__file__, main, figure)
