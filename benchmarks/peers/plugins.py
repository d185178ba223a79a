"""The same user script with a framework's own gradient methods and with ours: value, time, executions, copies.

    python benchmarks/peers/plugins.py               # about 5 minutes on 2 cores
    python benchmarks/peers/plugins.py qiskit shots  # only these

Everything goes through the framework, as its users call it: `qml.grad` of a QNode, `qml.GradientDescentOptimizer`,
`jax.jit` of a QNode, `BaseEstimatorGradient.run`. All ways of a case take turns in one run, with two threads, so that
ratios hold on a machine that drifts. HEA(n, L): rotations RZ RY RZ on every qubit and a ring of CNOTs, L times;
sum Z Z + 1/2 sum X. Executions are what PennyLane's ledger of the device says of one call; of compiled ones, which
never come back to the device, it hears the tracing. Copies are the larger of its shots and our ledger's copies. Writes
benchmarks/peers/results/plugins-DATE.md.
"""

import os
import sys

for variable in ("OMP_NUM_THREADS", "QCGRAD_NUM_THREADS"):
    os.environ.setdefault(variable, "2")

import datetime
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import autograd
import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
from contestants import pennylane_function
from models import Model, hardware_efficient
from pennylane import numpy as pnp
from qiskit.quantum_info import SparsePauliOp
from timing import compare

import qcgrad as qg
from qcgrad.interop import to_qiskit
from qcgrad.interop.pennylane import gradient
from qcgrad.interop.qiskit import EstimatorGradient
from qcgrad.simulators.statevector import native_library

jax.config.update("jax_enable_x64", True)
PACKAGES = ("pennylane", "pennylane-lightning", "qiskit", "qiskit-aer", "qiskit-algorithms", "jax")
RATE = 0.1


class Way(NamedTuple):
    """One way to do what a case asks.

    Attributes:
        name: as in the table; the first way of a case is the one that ratios refer to.
        call: returns value and gradient.
        device: of PennyLane, whose executions are counted; None where nothing counts them.
    """

    name: str
    call: Callable[[], tuple[Any, Any]]
    device: Any = None


def qnode(model: Model, device: str, method: Any, interface: str = "auto", shots: int | None = None) -> Any:
    made = qml.QNode(pennylane_function(model), qml.device(device, wires=model.num_qubits), interface, method)
    return qml.set_shots(made, shots) if shots else made


def eager(name: str, node: Any, model: Model) -> Way:
    value_and_gradient = autograd.value_and_grad(node)
    params = pnp.array(model.params(), requires_grad=True)
    return Way(name, lambda: value_and_gradient(params), node.device)


def jitted(name: str, node: Any, model: Model) -> Way:
    f, params = jax.jit(jax.value_and_grad(node)), jnp.asarray(model.params())
    return Way(name, lambda: jax.block_until_ready(f(params)), node.device)


def adjoint(layers_of: tuple[int, int]) -> Callable[[], list[Way]]:
    """Exact value and gradient: eager, and compiled."""

    def ways():
        model = hardware_efficient(*layers_of)
        return [
            eager("qcgrad.statevector", qnode(model, "qcgrad.statevector", "best"), model),
            eager("lightning.qubit, adjoint", qnode(model, "lightning.qubit", "adjoint"), model),
            eager(
                "lightning.qubit, gradient(Adjoint())", qnode(model, "lightning.qubit", gradient(qg.Adjoint())), model
            ),
        ]

    return ways


def under_jit(layers_of: tuple[int, int]) -> Callable[[], list[Way]]:
    def ways():
        model = hardware_efficient(*layers_of)
        return [
            jitted("qcgrad.statevector, jax.jit", qnode(model, "qcgrad.statevector", "best", "jax"), model),
            jitted("lightning.qubit, adjoint, jax.jit", qnode(model, "lightning.qubit", "adjoint", "jax"), model),
        ]

    return ways


def training() -> list[Way]:
    """A step of gradient descent by PennyLane's optimizer, from the same point each time."""
    model = hardware_efficient(8, 4)
    optimizer = qml.GradientDescentOptimizer(RATE)
    params = pnp.array(model.params(), requires_grad=True)

    def step(name, device, method):
        node = qnode(model, device, method)

        def call():
            moved, value = optimizer.step_and_cost(node, params)
            return value, (params - moved) / RATE

        return Way(name, call, node.device)

    f = jax.value_and_grad(qnode(model, "qcgrad.statevector", "best", "jax"))

    @jax.jit
    def compiled(params):
        value, slope = f(params)
        return params - RATE * slope, value, slope

    start = jnp.asarray(model.params())
    return [
        step("qcgrad.statevector", "qcgrad.statevector", "best"),
        step("lightning.qubit, adjoint", "lightning.qubit", "adjoint"),
        step("default.qubit, backprop", "default.qubit", "backprop"),
        Way("qcgrad.statevector, jax.jit", lambda: jax.block_until_ready(compiled(start))[1:]),
    ]


def shots() -> list[Way]:
    """A sampled gradient."""
    model = hardware_efficient(8, 4)
    sampled = [
        (
            "gradient(ParameterShift(shots=1000))",
            "qcgrad.statevector",
            gradient(qg.ParameterShift(shots=1000), key=0),
            None,
        ),
        ("qcgrad.statevector, parameter-shift", "qcgrad.statevector", "parameter-shift", 1000),
        ("lightning.qubit, parameter-shift", "lightning.qubit", "parameter-shift", 1000),
        (
            "gradient(GentleSweep(copies=1000))",
            "qcgrad.statevector",
            gradient(qg.GentleSweep(copies=1000), key=0),
            None,
        ),
    ]
    return [eager(name, qnode(model, device, method, shots=n), model) for name, device, method, n in sampled]


def in_qiskit() -> list[Way]:
    """Qiskit's gradients, and ours in their place."""
    from qiskit.primitives import StatevectorEstimator
    from qiskit_aer.primitives import EstimatorV2
    from qiskit_algorithms.gradients import ParamShiftEstimatorGradient, ReverseEstimatorGradient

    model = hardware_efficient(8, 4)
    objective = model.objective()
    circuit = to_qiskit(objective.circuit)
    measured = objective.program.observables[0]
    terms = [(word[::-1], c) for word, c in zip(measured.words, measured.coefficients, strict=True)]
    observable, params = SparsePauliOp.from_list(terms), model.params()

    def way(name, method):
        return Way(name, lambda: (None, method.run([circuit], [observable], [params]).result().gradients[0]))

    return [
        way("EstimatorGradient(Adjoint())", EstimatorGradient(qg.Adjoint())),
        way("ReverseEstimatorGradient", ReverseEstimatorGradient()),
        way("EstimatorGradient(ParameterShift())", EstimatorGradient(qg.ParameterShift())),
        way("ParamShiftEstimatorGradient(StatevectorEstimator)", ParamShiftEstimatorGradient(StatevectorEstimator())),
        way("ParamShiftEstimatorGradient(Aer)", ParamShiftEstimatorGradient(EstimatorV2())),
        way("EstimatorGradient(ParameterShift(shots=1000))", EstimatorGradient(qg.ParameterShift(shots=1000), key=0)),
    ]


CASES: dict[str, tuple[str, Callable[[], list[Way]], int, int]] = {
    # name -> (title, ways, rounds, calls in a round)
    "hea8": ("HEA(8, 4), value and gradient", adjoint((8, 4)), 9, 3),
    "hea16": ("HEA(16, 4), value and gradient", adjoint((16, 4)), 7, 1),
    "jit8": ("HEA(8, 4), compiled", under_jit((8, 4)), 9, 5),
    "jit16": ("HEA(16, 4), compiled", under_jit((16, 4)), 9, 2),
    "training": ("HEA(8, 4), training step", training, 9, 3),
    "shots": ("HEA(8, 4), sampled gradient", shots, 3, 1),
    "qiskit": ("HEA(8, 4), Qiskit", in_qiskit, 3, 1),
}
# What PennyLane's ledgers call executions of a tape, alone or with its derivatives.
COUNTED = {
    "simulations": "runs",
    "executions": "runs",
    "derivative_batches": "derivatives",
    "execute_and_derivative_batches": "derivatives",
    "vjp_batches": "vjps",
}
HEADER = [
    "| case | way | value | largest error of the gradient | median | its time / ours | executions | copies |",
    "|---|---|---|---|---|---|---|---|",
]


def lines_of(title: str, ways: list[Way], rounds: int, repeat: int) -> list[str]:
    """Rows of the table."""
    exact = np.asarray(ways[0].call()[1]) if "sampled" not in title else None
    if exact is None:
        model = hardware_efficient(8, 4)
        exact = np.asarray(qg.estimate(model.objective(), model.params(), qg.Adjoint()).gradient)
    rows = []
    timings = compare({way.name: way.call for way in ways}, rounds, repeat)
    for way, timing in zip(ways, timings, strict=True):
        value, slope, executions, copies = counted(way)
        error = f"{np.abs(np.asarray(slope) - exact).max():.1e}"
        shown = "" if value is None else f"{float(value):.6f}"
        rows.append(
            f"| {title} | {way.name} | {shown} | {error} | {1000 * timing.median:.3g} ms | {timing.ratio:.3g} | "
            f"{executions} | {copies} |"
        )
    return rows


def counted(way: Way) -> tuple[Any, Any, str, str]:
    """One call more, with PennyLane's and our ledgers open."""
    with qg.Tracker() as spent:
        if way.device is None:
            value, slope = way.call()
            executions = ""
        else:
            with qml.Tracker(way.device) as tracker:
                value, slope = way.call()
            totals = tracker.totals
            found = {label: totals[name] for name, label in COUNTED.items() if name in totals}
            executions = ", ".join(f"{count:g} {label}" for label, count in found.items())
            shots = totals.get("shots", 0)
    own = spent.total.copies
    foreign = shots if way.device is not None else 0
    return value, slope, executions, f"{max(own, foreign):g}"


def main() -> None:
    """Run the named cases."""
    wanted = sys.argv[1:] or list(CASES)
    engine = native_library.instruction_sets(native_library.load())[-1] if native_library.load() else "no native engine"
    lines = [
        f"# Gradients through the frameworks, {datetime.date.today()}",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, {engine}; " + ", ".join(f"{p} {version(p)}" for p in PACKAGES),
        "",
        *HEADER,
    ]
    print("\n".join(lines), flush=True)
    for name in wanted:
        title, make, rounds, repeat = CASES[name]
        for line in lines_of(title, make(), rounds, repeat):
            lines.append(line)
            print(line, flush=True)
    suffix = "" if wanted == list(CASES) else "-" + "-".join(wanted)
    path = Path(__file__).parent / "results" / f"plugins-{datetime.date.today()}{suffix}.md"
    path.write_text("\n".join(lines) + "\n")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
