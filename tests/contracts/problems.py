"""Objectives with known values and gradients for the contract tests."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg
from qcgrad import networks as nn
from qcgrad.library import list_circuits, load_circuit
from tests import dense

MAX_QUBITS = 8


@dataclass(frozen=True, eq=False)
class Problem:
    """Where an objective is differentiated, and what must come out."""

    objective: Any
    params: Any
    value: Any
    gradient: Any


CIRCUITS = [entry.name for entry in list_circuits() if entry.num_qubits <= MAX_QUBITS]
CONTROLLED = ["n_local_n4_crx_crz", "n_local_n5_cry_sca"]
CLIFFORD_STATES = ["efficient_su2_n4_r1", "real_amplitudes_n6_r2_circular", "maxcut_regular2_n4_p1", "iqp_pairs_n6"]
POOLS = [f"pool on {name}" for name in CIRCUITS]
CLIFFORDS = [f"clifford {name}" for name in CLIFFORD_STATES]
COMPLEX_NETWORKS = ["complex perceptron"]
NETWORKS = ["perceptron", "linear", *COMPLEX_NETWORKS]


@cache
def problem(name) -> Problem:
    """By the names in the lists above."""
    if name in COMPLEX_NETWORKS:
        return _complex_network()
    if name in NETWORKS:
        return _network(name)
    if name.startswith("pool on "):
        return _pool(name.removeprefix("pool on "))
    if name.startswith("clifford "):
        return _clifford(name.removeprefix("clifford "))
    entry = load_circuit(name)
    return Problem(entry.objective, entry.params, entry.value, entry.gradient)


def _pool(name):
    """i<[H, P]> for 20 random strings at the library's point; truth -2 Im <H psi|P psi> from the dense state."""
    entry = load_circuit(name)
    rng = np.random.default_rng(len(name))
    words = ["".join(rng.choice(list("IXYZ"), entry.num_qubits)) for _ in range(20)]
    pool = qg.OperatorPool(entry.circuit, entry.observable, words)
    psi = dense.state(entry.circuit, entry.params)
    image = sum(c * dense.apply_word(psi, word) for word, c in entry.terms)
    gradient = np.array([-2 * np.imag(np.vdot(image, dense.apply_word(psi, word))) for word in words])
    return Problem(pool, entry.params, entry.value, gradient)


def _clifford(name):
    """A library circuit at gate angles of a quarter turn each; truth by adjoint differentiation."""
    entry = load_circuit(name)
    turns = np.random.default_rng(len(name)).integers(-1, 3, entry.num_parameters)
    params = turns * np.pi / 2
    if "maxcut" in name:  # its angles are twice and minus its parameters
        params = turns * np.pi / 4
    truth = qg.estimate(entry.objective, params, qg.Adjoint())
    return Problem(entry.objective, params, float(truth.value), np.asarray(truth.gradient))


def perceptron(weights, x):
    return jnp.tanh(x @ weights["inner"]) @ weights["outer"]


def linear(weights, x):
    return x @ weights


def mean_square(outputs, y):
    return jnp.mean((outputs - y) ** 2)


def complex_perceptron(weights, x, rule=None):
    return nn.SplitTanh().apply((), x @ weights["inner"], rule) @ weights["outer"]


def mean_square_modulus(outputs, y):
    return jnp.mean(jnp.abs(outputs - y) ** 2)


def _complex_network():
    """Truth by hand on real and imaginary parts; g = dL/dRe + i dL/dIm."""
    rng = np.random.default_rng(7)
    x, y, inner, outer = (rng.normal(size=(*shape, 2)) @ (1, 1j) for shape in ((5, 3), (5,), (3, 4), (4,)))
    z = x @ inner
    hidden = np.tanh(z.real) + 1j * np.tanh(z.imag)
    error = hidden @ outer - y
    behind = np.outer(2 * error / 5, outer.conj())
    before = behind.real * (1 - hidden.real**2) + 1j * behind.imag * (1 - hidden.imag**2)
    gradient = {"inner": x.conj().T @ before, "outer": hidden.conj().T @ (2 * error / 5)}
    weights = {"inner": inner, "outer": outer}
    loss = qg.Loss(complex_perceptron, mean_square_modulus, (x, y), weights)
    return Problem(loss, jax.tree.map(jnp.asarray, weights), np.mean(np.abs(error) ** 2), gradient)


def _network(name):
    """Truth by hand-written backpropagation in NumPy."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    if name == "linear":
        weights = rng.normal(size=3)
        error = x @ weights - y
        gradient = 2 * x.T @ error / 5
        return Problem(qg.Loss(linear, mean_square, (x, y), weights), jnp.asarray(weights), np.mean(error**2), gradient)
    weights = {"inner": rng.normal(size=(3, 4)), "outer": rng.normal(size=4)}
    hidden = np.tanh(x @ weights["inner"])
    error = hidden @ weights["outer"] - y
    gradient = {
        "inner": x.T @ (2 * error[:, None] / 5 * weights["outer"] * (1 - hidden**2)),
        "outer": hidden.T @ (2 * error / 5),
    }
    loss = qg.Loss(perceptron, mean_square, (x, y), weights)
    return Problem(loss, jax.tree.map(jnp.asarray, weights), np.mean(error**2), gradient)
