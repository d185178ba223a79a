"""ADAPT-VQE whose pool of 120 operators is judged by Bell measurements on a noisy simulator of Qiskit Aer.

A Heisenberg chain of 4 qubits starts from the Neel state; each round appends the operator of the pool with the largest
gradient and optimizes all angles. All 120 gradients come from the same copies: `BellShadow` measures two copies at a
time, on 8 qubits, on an Aer sampler whose CNOTs depolarize 0.5 %; `LocalShadow` measures one copy at a time on the same
sampler, for comparison. Angles are optimized exactly, so that only the choice of operators differs.

TODO measured

    python docs/examples/adapt_vqe_pool.py [--small] [--figure out.png]
"""

import itertools
from typing import NamedTuple

import jax
import numpy as np
from _figure import BLUE, GREY, ORANGE, canvas, run
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_aer.primitives import SamplerV2
from scipy.optimize import minimize

import qcgrad as qg
from qcgrad.interop import QiskitBackend

jax.config.update("jax_enable_x64", True)

QUBITS = 4
# A real Hamiltonian and state have gradients only for words with an odd number of Ys.
POOL = [word for word in map("".join, itertools.product("IXYZ", repeat=QUBITS)) if word.count("Y") % 2]
METHODS = {
    "exact": lambda copies: qg.Adjoint(),
    "BellShadow": lambda copies: qg.BellShadow(copies, "mimicking"),
    "LocalShadow": lambda copies: qg.LocalShadow(copies),
}
COPIES = 2000  # for each round


class Result(NamedTuple):
    """What `main` found.

    Attributes:
        energy: by method, energies above the ground state after each operator.
        error: by method and copies, the largest error of the 120 gradients of a state of three operators.
        largest: the largest of these gradients.
    """

    energy: dict[str, list[float]]
    error: dict[str, dict[int, float]]
    largest: float


def main(small: bool = False) -> Result:
    hamiltonian = heisenberg_chain()
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(0.005, 2), ["cx"])
    aer = QiskitBackend(SamplerV2(seed=1, options={"backend_options": {"noise_model": noise}}))
    backends = {"exact": qg.Statevector(), "BellShadow": aer, "LocalShadow": aer}
    if small:
        del backends["LocalShadow"]
    energy = {}
    for name, backend in backends.items():
        energy[name], _, _ = adapt(hamiltonian, METHODS[name](COPIES), backend, rounds=2 if small else 5)
        print(f"{name:>11}: {' '.join(f'{each:.3f}' for each in energy[name])} above the ground state")
    _, circuit, params = adapt(hamiltonian, qg.Adjoint(), qg.Statevector(), rounds=3)
    pool = qg.OperatorPool(circuit, hamiltonian, POOL)
    exact = qg.estimate(pool, params, qg.Adjoint()).gradient
    error: dict[str, dict[int, float]] = {name: {} for name in backends if name != "exact"}
    for copies in (COPIES,) if small else (500, 2000, 8000):
        for name in error:
            e = qg.estimate(pool, params, METHODS[name](copies), backends[name], key=copies)
            error[name][e.cost.copies] = float(abs(e.gradient - exact).max())
            print(f"{name:>11}: {e.cost.copies:,} copies, all gradients within {error[name][e.cost.copies]:.3f}")
    return Result(energy, error, float(abs(exact).max()))


def heisenberg_chain() -> qg.PauliSum:
    """XX + YY + ZZ on each bond."""
    return qg.PauliSum.from_sparse([(a + a, (q, q + 1), 1.0) for q in range(QUBITS - 1) for a in "XYZ"], QUBITS)


def adapt(hamiltonian: qg.PauliSum, method: qg.AbstractEstimator, backend: qg.AbstractBackend, rounds: int):
    """Energies above the ground state after each round, the circuit, and its angles."""
    ground = np.linalg.eigvalsh(hamiltonian.matrix())[0]
    circuit, params, errors = qg.Circuit(QUBITS).x(1).x(3), np.zeros(0), []
    for step in range(rounds):
        pool = qg.OperatorPool(circuit, hamiltonian, POOL)
        gradient = qg.estimate(pool, params, method, backend, key=step).gradient
        circuit = circuit.pauli_rot(POOL[int(abs(gradient).argmax())], param=step)
        energy = jax.jit(jax.value_and_grad(qg.as_jax(qg.Expectation(circuit, hamiltonian), qg.Adjoint())))
        found = minimize(lambda p, energy=energy: [np.asarray(part) for part in energy(p)], [*params, 0.1], jac=True)
        params = found.x
        errors.append(float(found.fun) - ground)
    return errors, circuit, params


def figure(result: Result, path):
    drawing, (left, right) = canvas(2)
    colours = {"exact": "black", "BellShadow": BLUE, "LocalShadow": ORANGE}
    markers = {"exact": "o-", "BellShadow": "s--", "LocalShadow": "^:"}
    for name, error in result.error.items():
        left.loglog(list(error), list(error.values()), markers[name], color=colours[name], label=f"{name}, noisy Aer")
    left.axhline(result.largest, color=GREY, linestyle=":", label="the largest gradient")
    left.set(xlabel="copies spent", ylabel="largest error of 120 gradients", title="All gradients from the same copies")
    for name, energy in result.energy.items():
        label = name if name == "exact" else f"{name}, {COPIES:,} copies a round"
        right.plot(range(1, len(energy) + 1), energy, markers[name], color=colours[name], label=label)
    right.set(xlabel="operators", ylabel="energy above the ground state", title="Heisenberg chain, 4 qubits")
    right.set_xticks(range(1, 1 + max(map(len, result.energy.values()))))
    for axis in (left, right):
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__file__, main, figure)
