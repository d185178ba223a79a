"""The compiled entry points, the same for both engines: one for each kind of query."""

from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float, Int

from ...array_types import (
    Amplitudes,
    AngleGradient,
    AngleGradients,
    Angles,
    Array,
    Cotangents,
    Expectations,
    Key,
    Settings,
    Shots,
    States,
    Values,
)
from ...precision import in_full_precision
from . import _observe as observe
from . import _sample as sample
from ._register import Held, Register


class Prepared(Protocol):
    """A circuit prepared for an engine; see `ScannedCircuit`."""

    def states(self, angles: Settings) -> States: ...
    def values(self, angles: Settings) -> Expectations: ...
    def sweeps(self, angles: Settings, cotangents: Cotangents) -> tuple[Expectations, AngleGradients]: ...
    def sampled(
        self, max_shots: int, bases: Any, angles: Settings, shots: Shots, key: Key, places: Int[Array, "B"]
    ) -> tuple[Expectations, Expectations]: ...


@jax.jit
@in_full_precision
def state(circuit: Prepared, angles: Angles) -> Amplitudes:
    """(2^n,) state at angles (A,)."""
    return circuit.states(angles[None])[0]


@jax.jit
@in_full_precision
def states(circuit: Prepared, angles: Settings) -> States:
    """(B, 2^n) states at angles (B, A)."""
    return circuit.states(angles)


@jax.jit
@in_full_precision
def values(circuit: Prepared, angles: Settings) -> Expectations:
    """(B, K) exact expectation values at angles (B, A)."""
    return circuit.values(angles)


@jax.jit
@in_full_precision
def sweeps(circuit: Prepared, angles: Settings, cotangents: Cotangents) -> tuple[Expectations, AngleGradients]:
    """Values (B, K) and gradients (B, C, A) by un-computing; cotangents (C, K)."""
    return circuit.sweeps(angles, cotangents)


@jax.jit
@in_full_precision
def reverse(circuit: Prepared, angles: Angles, cotangents: Cotangents) -> tuple[Values, AngleGradient]:
    """Values (K,) and gradients (C, A) at angles (A,) by reverse-mode differentiation."""
    value, pull_back = jax.vjp(lambda angles: circuit.values(angles[None])[0], angles)
    return value, jax.vmap(lambda row: pull_back(row)[0])(cotangents)


@jax.jit
@in_full_precision
def forward(circuit: Prepared, angles: Angles, count: int) -> tuple[Values, Float[Array, "padded K"]]:
    """Values (K,) and their derivatives by the first `count` of the angles, zero by all others, in forward mode."""

    def value(angles):
        return circuit.values(angles[None])[0]

    def derivative(_, i):
        direction = jnp.zeros_like(angles).at[i].set(1)
        along = lax.cond(i < count, lambda: jax.jvp(value, (angles,), (direction,))[1], lambda: jnp.zeros_like(found))
        return None, along

    found = value(angles)
    # One angle after another, so that two states are held; a loop of fixed length can be differentiated itself.
    return found, lax.scan(derivative, None, jnp.arange(len(angles)))[1]


@partial(jax.jit, static_argnums=0)
@in_full_precision
def bras(register: Register, psi: Held, terms: observe.Terms, cotangents: Cotangents) -> Complex[Array, "C amplitudes"]:
    """<psi|O for weighted sums O of the observables, weights (C, K)."""
    return observe.image(register, psi, terms, cotangents).conj()


@partial(jax.jit, static_argnums=1)
@in_full_precision
def sampled(
    circuit: Prepared, max_shots: int, bases: Any, angles: Settings, shots: Shots, key: Key, first: int
) -> tuple[Expectations, Expectations]:
    """Means (B, K) and their variances from `shots` (B,) outcomes in each basis; settings `first` and on of a key."""
    places = first + jax.numpy.arange(angles.shape[0], dtype=np.uint32)
    return circuit.sampled(max_shots, bases, sample.not_differentiable(angles), shots, key, places)


@jax.jit
@in_full_precision
def sampled_shifts(
    circuit: Any, bases: Any, point: Angles, owner: Int[Array, "B"], moved: Float[Array, "B"], shots: Shots, key: Key
) -> tuple[Expectations, Expectations]:
    """The same of a point (A,) and of its shifts, `owner` and `moved` (B,), by the native engine; shots (1 + B,)."""
    point, moved = sample.not_differentiable(point), sample.not_differentiable(moved)
    return bases.sampled_shifts(circuit.data, point, owner, moved, shots, key)
