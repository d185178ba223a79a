"""A family of circuits, once for the library and once written with matrices, for `circuit_kernel`."""

import jax
import jax.numpy as jnp
import numpy as np

import qcgrad as qg

QUBITS = 4
DIMENSION = 2**QUBITS
BITS = (np.arange(DIMENSION)[:, None] >> np.arange(QUBITS)[::-1]) & 1  # of basis states; qubit 0 is the first


def family(layers: int, estimator):
    """f(params, x) of inputs (N, 4), with the derivatives of the estimator."""
    circuit = qg.Circuit(QUBITS)
    for q in range(QUBITS):
        circuit = circuit.ry(q, param=q)
    for start in range(QUBITS, QUBITS * (2 * layers + 1), 2 * QUBITS):
        for q in range(QUBITS):
            circuit = circuit.rz(q, param=start + q).ry(q, param=start + QUBITS + q)
        # A chain: on a ring all generators keep odd weight, and generate so(16) instead of su(16).
        for q in range(QUBITS - 1):
            circuit = circuit.cz(q, q + 1)
    f = qg.as_jax(qg.Expectation(circuit, "Z" + "I" * (QUBITS - 1)), estimator)
    return jax.vmap(lambda params, x: f(jnp.concatenate([x, params])), in_axes=(None, 0))


def plain(params, x):
    """The same function, written in JAX with matrices."""
    psi = encoded(x)
    return jnp.einsum("na,ab,nb->n", psi, pulled_back(params), psi).real


def pulled_back(params):
    """M = V^H Z_0 V of the layers V, (16, 16)."""
    signs = (-1.0) ** np.sum(BITS[:, 1:] * BITS[:, :-1], axis=1)

    def layer(unitary, angles):
        phases = jnp.exp(1j * (BITS - 0.5) @ angles[0])
        return signs[:, None] * (_rotation(angles[1]) @ (phases[:, None] * unitary)), None

    v, _ = jax.lax.scan(layer, jnp.eye(DIMENSION) + 0j, params.reshape(-1, 2, QUBITS))
    return v.conj().T @ ((1 - 2 * BITS[:, :1]) * v)


def encoded(x):
    """Encoded states (N, 16); they are real."""
    return jax.vmap(lambda one: _rotation(one)[:, 0])(x)


def commutators(m, psi):
    """i[M, rho_x], (N, 16, 16)."""
    rho = jnp.einsum("na,nb->nab", psi, psi)
    return 1j * (m @ rho - rho @ m)


def _rotation(angles):
    """RY of each qubit."""
    whole = jnp.ones((1, 1))
    for angle in angles:
        c, s = jnp.cos(angle / 2), jnp.sin(angle / 2)
        whole = jnp.kron(whole, jnp.array([[c, -s], [s, c]]))
    return whole
