"""The compiled entry points, the same for both engines: one for each kind of query."""

from functools import partial

import jax

from ...precision import in_full_precision
from . import sample


@jax.jit
@in_full_precision
def state(circuit, angles):
    """(2^n,) state at angles (A,)."""
    return circuit.states(angles[None])[0]


@jax.jit
@in_full_precision
def values(circuit, angles):
    """(B, K) exact expectation values at angles (B, A)."""
    return circuit.values(angles)


@jax.jit
@in_full_precision
def sweeps(circuit, angles, cotangents):
    """Values (B, K) and gradients (B, C, A) by un-computing; cotangents (C, K)."""
    return circuit.sweeps(angles, cotangents)


@jax.jit
@in_full_precision
def reverse(circuit, angles, cotangents):
    """Values (K,) and gradients (C, A) at angles (A,) by reverse-mode differentiation."""
    value, pull_back = jax.vjp(lambda angles: circuit.values(angles[None])[0], angles)
    return value, jax.vmap(lambda row: pull_back(row)[0])(cotangents)


@partial(jax.jit, static_argnums=1)
@in_full_precision
def sampled(circuit, max_shots, bases, angles, shots, key):
    """Means (B, K) and their variances from `shots` (B,) outcomes in each basis."""
    keys = jax.random.split(key, angles.shape[0])
    return circuit.sampled(max_shots, bases, sample.not_differentiable(angles), shots, keys)
