"""The compiled entry points of the JAX path: one for each kind of query."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from . import observe, sample, walk

# Settings simulated side by side, as long as they fit into this many amplitudes.
_BATCH_AMPLITUDES = 1 << 20


def _map_settings(function, inputs, num_qubits):
    settings = jax.tree.leaves(inputs)[0].shape[0]
    batch = max(1, min(settings, _BATCH_AMPLITUDES >> num_qubits))
    return lax.map(function, inputs, batch_size=batch)


@partial(jax.jit, static_argnums=0)
def final_state(num_qubits, rows, angles):
    """(2^n,) state at angles (A,)."""
    return walk.run_rows(walk.initial_state(num_qubits, rows.cosine.dtype), rows, angles)


@partial(jax.jit, static_argnums=0)
def evaluate(num_qubits, rows, terms, angles):
    """(B, K) exact expectation values at angles (B, A)."""
    return _map_settings(
        lambda angles: observe.expectation(final_state(num_qubits, rows, angles), terms), angles, num_qubits
    )


@partial(jax.jit, static_argnums=(0, 1))
def evaluate_sampled(num_qubits, max_shots, rows, bases, angles, shots, key):
    """Means (B, K) and their variances from `shots` (B,) outcomes in each basis."""

    def one(inputs):
        angles, shots, key = inputs
        psi = final_state(num_qubits, rows, angles)
        return sample.sample_expectation(psi, bases, key, max_shots, shots)

    keys = jax.random.split(key, angles.shape[0])
    return _map_settings(one, (angles, shots, keys), num_qubits)


@partial(jax.jit, static_argnums=0)
def adjoint(num_qubits, rows, terms, angles, cotangents):
    """Values (K,) and gradients (C, A) by un-computing."""
    psi = final_state(num_qubits, rows, angles)
    gradient = walk.adjoint_rows(psi, observe.image(psi, terms, cotangents), rows, angles)
    return observe.expectation(psi, terms), gradient


@partial(jax.jit, static_argnums=0)
def reverse(num_qubits, rows, terms, angles, cotangents):
    """Values (K,) and gradients (C, A) by JAX's reverse mode through the whole simulation."""

    def values(angles):
        return observe.expectation(final_state(num_qubits, rows, angles), terms)

    value, pull_back = jax.vjp(values, angles)
    return value, jax.vmap(lambda row: pull_back(row)[0])(jnp.asarray(cotangents, value.dtype))
