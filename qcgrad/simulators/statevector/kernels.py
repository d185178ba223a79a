"""The compiled entry points, the same for both engines: one for each kind of query."""

from functools import partial

import jax

from . import sample
from .scanned import map_settings


@jax.jit
def states(circuit, angles):
    """(B, 2^n) states at angles (B, A)."""
    return circuit.states(angles)


@jax.jit
def values(circuit, angles):
    """(B, K) exact expectation values at angles (B, A)."""
    return circuit.values(angles)


@jax.jit
def sweeps(circuit, angles, cotangents):
    """Values (B, K) and gradients (B, C, A) by un-computing; cotangents (C, K)."""
    return circuit.sweeps(angles, cotangents)


@jax.jit
def reverse(circuit, angles, cotangents):
    """Values (K,) and gradients (C, A) at angles (A,) by reverse-mode differentiation."""
    return circuit.reverse(angles, cotangents)


@partial(jax.jit, static_argnums=1)
def sampled(circuit, max_shots, bases, angles, shots, key):
    """Means (B, K) and their variances from `shots` (B,) outcomes in each basis."""

    def one(inputs):
        angles, shots, key = inputs
        return sample.sample_expectation(circuit.states(angles[None])[0], bases, key, max_shots, shots)

    keys = jax.random.split(key, angles.shape[0])
    angles = sample.not_differentiable(angles)
    return map_settings(one, (angles, shots, keys), max(2**circuit.num_qubits, max_shots))
