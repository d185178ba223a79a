"""Values and gradients with noise beside Qiskit Aer's and PennyLane's density matrices: numbers and time, in one run.

    python benchmarks/peers/noise.py      # about half an hour on 2 cores
    python benchmarks/peers/noise.py 6 2  # HEA(6, 2) only

HEA(n, L): rotations RZ RY RZ on every qubit and a ring of CNOTs, L times; sum Z Z + 1/2 sum X. Two-qubit depolarizing
noise (1 %) after each CNOT, amplitude damping (0.2 %) after each rotation. Values at one setting, and exact gradients
by the two-term rule: 2M + 1 settings, handed to each simulator at once (Aer's estimator takes arrays of parameters) or
by its own transform (PennyLane, up to 6 qubits); default.mixed by backpropagation too, up to 8 qubits, beyond which its
recorded states do not fit. All take turns, with two threads. Writes results/noise-DATE.md.
"""

import os
import sys

for variable in ("OMP_NUM_THREADS", "QCGRAD_NUM_THREADS"):
    os.environ.setdefault(variable, "2")

import datetime
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import autograd
import jax
import numpy as np
import pennylane as qml
from models import Model, Rotation, hardware_efficient
from pennylane import numpy as pnp
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel as AerNoise
from qiskit_aer.noise import amplitude_damping_error, depolarizing_error
from qiskit_aer.primitives import EstimatorV2
from timing import compare

import qcgrad as qg
from qcgrad.interop import to_qiskit
from qcgrad.queries import Evaluate

jax.config.update("jax_enable_x64", True)
ERROR, DAMPING = 0.01, 0.002
CASES = [(6, 1), (8, 2), (10, 2)]


Call = Callable[[], tuple[float, np.ndarray]]
Ways = dict[str, Call]


def ours(model: Model) -> tuple[Call, Call]:
    """The value, and the value with the gradient."""
    channels = qg.Depolarizing.mixing(ERROR, 2), qg.AmplitudeDamping(DAMPING)
    noise = qg.NoiseModel().add(channels[0], "cx").add(channels[1], ["rx", "ry", "rz"])
    objective, params = model.objective(), model.params()
    backend = qg.DensityMatrix(noise)

    def value():
        query = Evaluate(objective.program, objective.coordinates(params)[None])
        return float(backend.answer(query, None).mean[0, 0]), np.zeros(0)

    def gradient():
        e = qg.estimate(objective, params, qg.ParameterShift(), backend)
        return float(e.value), np.asarray(e.gradient)

    return value, gradient


def aer(model: Model) -> tuple[Call, Call]:
    """The same."""
    noise = AerNoise()
    noise.add_all_qubit_quantum_error(depolarizing_error(ERROR, 2), "cx")
    noise.add_all_qubit_quantum_error(amplitude_damping_error(DAMPING), ["rx", "ry", "rz"])
    options = {"backend_options": {"method": "density_matrix", "noise_model": noise}, "run_options": {"shots": None}}
    estimator = EstimatorV2(options=options)
    objective, params = model.objective(), model.params()
    circuit = to_qiskit(objective.program.circuit)
    (o,) = objective.program.observables
    observable = SparsePauliOp([w[::-1] for w in o.words], o.coefficients)
    names = sorted(circuit.parameters, key=lambda p: int("".join(filter(str.isdigit, p.name))))
    place = [names.index(p) for p in circuit.parameters]
    shifts = np.pi / 2 * np.eye(len(params))
    settings = np.concatenate([params[None], params + shifts, params - shifts])[:, place]

    def run(settings):
        return estimator.run([(circuit, observable, settings)], precision=0.0).result()[0].data.evs

    def value():
        return float(run(settings[:1])[0]), np.zeros(0)

    def gradient():
        found = run(settings)
        plus, minus = np.split(found[1:], 2)
        return float(found[0]), (plus - minus) / 2

    return value, gradient


def mixed(model: Model, method: str) -> tuple[Call, Call]:
    """The same."""
    kraus = list(qg.Depolarizing.mixing(ERROR, 2).operators)
    factors = [[getattr(qml, c)(w) for c, w in zip(word, wires, strict=True)] for word, wires, _ in model.terms]
    hamiltonian = qml.Hamiltonian([c for _, _, c in model.terms], [qml.prod(*each) for each in factors])

    def build(params):
        for gate in model.gates:
            if isinstance(gate, Rotation):
                {"Y": qml.RY, "Z": qml.RZ}[gate.word](params[gate.param], wires=gate.wires)
                qml.AmplitudeDamping(DAMPING, wires=gate.wires)
            else:
                qml.CNOT(wires=gate.wires)
                qml.QubitChannel(kraus, wires=gate.wires)
        return qml.expval(hamiltonian)

    node = qml.QNode(build, qml.device("default.mixed", wires=model.num_qubits), diff_method=method)
    both = autograd.value_and_grad(node)
    params = pnp.array(model.params(), requires_grad=True)

    def value():
        return float(node(model.params())), np.zeros(0)

    def gradient():
        found, slope = both(params)
        return float(found), np.asarray(slope)

    return value, gradient


def contestants(model: Model) -> dict[str, Ways]:
    """Who takes turns, ourselves first, for the value and for the gradient."""
    n = model.num_qubits
    we, they, others = ours(model), aer(model), mixed(model, "backprop")
    values: Ways = {"qcgrad DensityMatrix": we[0], "Aer density_matrix": they[0], "default.mixed": others[0]}
    gradients: Ways = {
        "qcgrad DensityMatrix, two-term rule": we[1],
        "Aer density_matrix, two-term rule": they[1],
    }
    if n <= 8:
        gradients["default.mixed, backpropagation"] = others[1]
    if n <= 6:
        gradients["default.mixed, its two-term rule"] = mixed(model, "parameter-shift")[1]
    return {"value": values, "value and gradient": gradients}


def compared(start: str, ways: Ways, rounds: int) -> Iterator[str]:
    """Rows of the table."""
    numbers = {name: call() for name, call in ways.items()}
    value, gradient = next(iter(numbers.values()))
    for timing in compare(ways, rounds):
        its = numbers[timing.name]
        off = f"{np.abs(its[1] - gradient).max():.0e}" if len(gradient) else "-"
        yield (
            f"{start}{timing.name} | {timing.first:.2f} s | {timing.median * 1e3:.1f} ms | {timing.ratio:.1f} | "
            f"{abs(its[0] - value):.0e} | {off} |"
        )


def main() -> None:
    """Run the cases, or the one that is named."""
    wanted = [(int(sys.argv[1]), int(sys.argv[2]))] if len(sys.argv) > 2 else CASES
    packages = ("pennylane", "qiskit", "qiskit-aer", "jax")
    lines = [
        f"# Gradients with noise, {datetime.date.today()}",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores; " + ", ".join(f"{p} {version(p)}" for p in packages),
        "",
        "| circuit | what | simulator | first call | median | its time / ours | value off by | gradient off by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for n, layers in wanted:
        model = hardware_efficient(n, layers)
        for what, ways in contestants(model).items():
            # One call of a peer takes minutes beyond.
            rounds = 3 if n <= 8 else 1
            for line in compared(f"| HEA({n}, {layers}), M = {model.num_params} | {what} | ", ways, rounds):
                lines.append(line)
                print(line, flush=True)
    path = Path(__file__).parent / "results" / f"noise-{datetime.date.today()}.md"
    path.write_text("\n".join(lines) + "\n")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
