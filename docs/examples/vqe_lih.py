"""The ground state of LiH by VQE: exactly, then with shots. How many copies does chemical accuracy take?

A circuit of all single and double excitations (10 qubits, 24 angles) starts from the Hartree-Fock state and goes down
the gradient, once by the adjoint method and then by the parameter-shift rule with 10, 100 and 1000 shots for each
circuit.

Measured, 30 steps: the exact descent ends 0.05 mHa above the ground state. Noise sets a floor that falls in proportion
to 1/shots: 10 shots stay 6 mHa above, 100 end at 0.7 mHa, and 1000 at 0.08 mHa. Chemical accuracy, 1.6 mHa, takes
8 million copies with 100 shots and ten times as many with 1000, in the same four steps; 10 shots never reach it.

    python docs/examples/vqe_lih.py [--small] [--figure out.png]
"""

from typing import NamedTuple

import jax
import numpy as np
import optax
import scipy.sparse.linalg
from _figure import BLUE, GREEN, GREY, ORANGE, canvas, run

import qcgrad as qg

jax.config.update("jax_enable_x64", True)

CHEMICAL_ACCURACY = 1.6e-3  # hartree, 1 kcal/mol


class Descent(NamedTuple):
    """Copies spent so far and distance from the ground state's energy in hartree, at the start and after each step."""

    copies: list[int]
    error: list[float]


def main(small: bool = False) -> dict[str, Descent]:
    """Descents by the number of shots for each circuit."""
    lih = qg.load_circuit("lih_givens_n10")
    hamiltonian = scipy.sparse.csr_array(lih.objective.program.observables[0].matrix())
    ground = float(scipy.sparse.linalg.eigsh(hamiltonian, k=1, which="SA", v0=np.ones(1024))[0][0])
    methods = {"exact": qg.Adjoint()}
    methods |= {f"{shots} shots": qg.ParameterShift(shots) for shots in ((100,) if small else (10, 100, 1000))}
    found = {}
    for name, method in methods.items():
        found[name] = descend(lih, method, ground, steps=10 if small else 30)
        error, copies = found[name].error[-1], found[name].copies[-1]
        print(f"{name:>10}: {1e3 * error:6.3f} mHa above the ground state after {copies:,} copies")
    return found


def descend(lih, method: qg.AbstractEstimator, ground: float, steps: int) -> Descent:
    """Steepest descent from the Hartree-Fock state."""
    energy = jax.jit(qg.as_jax(lih.objective, qg.Adjoint()))  # what no experiment sees, for the figure
    optimizer = optax.sgd(0.7)
    params = np.zeros(lih.num_parameters)
    state = optimizer.init(params)
    spent, copies, errors = qg.Cost(), [0], [float(energy(params) - ground)]
    for step in range(steps):
        e = qg.estimate(lih.objective, params, method, key=step)
        updates, state = optimizer.update(e.gradient, state)
        params = optax.apply_updates(params, updates)
        spent += e.cost
        copies.append(spent.copies)
        errors.append(float(energy(params) - ground))
    return Descent(copies, errors)


def figure(found: dict[str, Descent], path):
    drawing, (left, right) = canvas(2)
    for (name, descent), colour in zip(found.items(), ("black", ORANGE, BLUE, GREEN), strict=False):
        left.semilogy(descent.error, ".-", color=colour, label=name)
        if descent.copies[-1]:
            right.loglog(descent.copies[1:], descent.error[1:], ".-", color=colour, label=name)
    left.set(xlabel="step", ylabel="energy above the ground state (Ha)", title="LiH, 10 qubits, 24 angles")
    right.set(xlabel="copies spent", ylabel="energy above the ground state (Ha)", title="the same against copies")
    for axis in (left, right):
        axis.axhline(CHEMICAL_ACCURACY, color=GREY, linestyle=":", label="chemical accuracy")
        axis.legend(frameon=False, fontsize=8)
    drawing.savefig(path, dpi=150)


if __name__ == "__main__":
    run(__file__, main, figure)
