"""What is drawn from trajectories, in JAX: outcomes of all qubits, and means of observables."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float, Int

from ...array_types import Array, Expectations, Key, Keys, Settings, Shots
from ...ir.noise.noisy_circuit import NoisyCircuit
from ...ir.program import Program
from ...precision import in_full_precision
from ..statevector import _sample as sample
from ..statevector._register import WholeRegister
from ._drawn import DrawnErrors
from ._jumps import Jumps
from ._layout import measuring_turns
from ._native_jumps import NativeJumps

Unravelling = DrawnErrors | NativeJumps | Jumps
"""A noisy circuit that gives states of trajectories."""

# Amplitudes of trajectories that are held side by side.
CHUNK_AMPLITUDES = 1 << 20


class Reading(eqx.Module):
    """How the outcomes of a program's G bases are read.

    Attributes:
        turns: (G, 2n) of the qubits before they are read.
        flips: (n, 2) probability that qubit q is written down wrongly where its outcome was 0, or 1.
        bases: strings and coefficients of each basis.
    """

    turns: np.ndarray
    flips: np.ndarray
    bases: sample.Bases

    def __init__(self, program: Program, circuit: NoisyCircuit, dtype: np.dtype):
        n = program.num_qubits
        self.bases = sample.to_bases(program, dtype)
        turns = [measuring_turns(basis.x, basis.z, n) for basis in program.bases]
        self.turns = np.array(turns, dtype).reshape(-1, 2 * n)
        self.flips = flip_probabilities(circuit).astype(dtype)


class Draws(NamedTuple):
    """How much is drawn of every setting and basis, the same for all: static.

    Attributes:
        trajectories: T, of which each setting uses some.
        outcomes: of each trajectory, of which each uses some.
        chunk: trajectories that are simulated side by side; it divides T.
    """

    trajectories: int
    outcomes: int
    chunk: int


def flip_probabilities(circuit: NoisyCircuit) -> Float[np.ndarray, "n 2"]:
    """Probability that each qubit is written down wrongly where its outcome was 0, or 1."""
    return np.array([[0, 0] if e is None else e.confusion[[0, 1], [1, 0]] for e in circuit.readout], float)


@partial(jax.jit, static_argnums=2)
@in_full_precision
def sampled(
    circuit: Unravelling,
    reading: Reading,
    draws: Draws,
    angles: Settings,
    shots: Shots,
    trajectories: Shots,
    key: Key,
) -> tuple[Expectations, Expectations]:
    """Means (B, K) and their variances from `shots` (B,) outcomes of so many trajectories in each basis.

    The mean is that of the trajectories' means, which are independent; outcomes of one trajectory are not.
    """
    constants = reading.bases.constants

    def of_basis(angles, shots, used, key, turns, supports, coefficients):
        outcomes = sample.outcome_values(WholeRegister(len(reading.flips)), supports, coefficients)
        # As even as possible: the first ones get one shot more.
        each = shots // used + (jnp.arange(draws.trajectories) < shots % used)

        def of_chunk(inputs):
            keys, each = inputs
            found = _outcomes(circuit, reading.flips, draws.outcomes, angles, turns, keys)
            counts = jnp.arange(draws.outcomes)[None] < each[:, None]
            return jnp.sum(outcomes[:, found] * counts[None], axis=2) / jnp.maximum(each, 1)[None]

        chunks = (draws.trajectories // draws.chunk, draws.chunk)
        keys = jax.random.split(key, draws.trajectories).reshape(chunks)
        means = jnp.moveaxis(lax.map(of_chunk, (keys, each.reshape(chunks))), 1, 0).reshape(len(constants), -1)
        return _mean_and_variance(means, used)

    def of_setting(inputs):
        angles, shots, used, key = inputs
        keys = jax.random.split(key, len(reading.turns))
        bases = (keys, reading.turns, reading.bases.supports, reading.bases.coefficients)
        mean, variance = lax.map(lambda basis: of_basis(angles, shots, used, *basis), bases)
        return mean.sum(axis=0) + constants, variance.sum(axis=0)

    keys = jax.random.split(key, angles.shape[0])
    return lax.map(of_setting, (sample.not_differentiable(angles), shots, trajectories, keys))


@jax.jit
@in_full_precision
def outcomes(
    circuit: Unravelling,
    flips: Float[Array, "n 2"],
    angles: Float[Array, "A"],
    turns: Float[Array, "N 2n"],
    keys: Keys,
) -> Int[Array, "N"]:
    """One outcome of all qubits from each of N trajectories, each turned in its own way before it is read."""
    return _outcomes(circuit, flips, 1, angles, turns, keys)[:, 0]


@jax.jit
@in_full_precision
def states(circuit: Unravelling, angles: Float[Array, "A"], keys: Keys) -> Complex[Array, "N 2**n"]:
    """Final states of N trajectories."""
    turns = jnp.zeros((len(keys), 2 * circuit.num_qubits), angles.dtype)
    return circuit.states(jnp.broadcast_to(angles, (len(keys), len(angles))), turns, keys)


def _outcomes(circuit, flips, count, angles, turns, keys):
    """(N, count) outcomes as they are written down."""
    n = len(keys)
    keys = jax.vmap(lambda key: jax.random.split(key, 3))(keys)
    settings = jnp.broadcast_to(angles[None], (n, len(angles)))
    psi = circuit.states(settings, jnp.broadcast_to(turns, (n, turns.shape[-1])), keys[:, 0])
    cumulative = jnp.cumsum(jnp.square(jnp.abs(psi)), axis=1)
    uniform = jax.vmap(lambda key: jax.random.uniform(key, (count,), cumulative.dtype))(keys[:, 1])
    # Rounding must not carry a draw past the last outcome that has a probability.
    most = cumulative[:, -1:] * (1 - jnp.finfo(cumulative.dtype).eps)
    drawn = jax.vmap(partial(jnp.searchsorted, side="right"))(cumulative, jnp.minimum(uniform * most, most))
    return _misread(drawn, flips, keys[:, 2])


def _misread(outcomes, flips, keys):
    flips = jnp.asarray(flips)
    qubits = len(flips)
    places = jnp.arange(qubits)[::-1].astype(outcomes.dtype)
    bits = (outcomes[..., None] >> places[None, None]) & 1
    uniform = jax.vmap(lambda key: jax.random.uniform(key, bits.shape[1:], flips.dtype))(keys)
    wrong = uniform < flips[jnp.arange(qubits)[None, None], bits]
    return outcomes ^ jnp.sum(wrong.astype(outcomes.dtype) << places[None, None], axis=-1, dtype=outcomes.dtype)


def _mean_and_variance(means, used):
    """Of the first `used` trajectories' means (K, T); 0/0 = NaN for a single one."""
    is_used = (jnp.arange(means.shape[1]) < used)[None]
    mean = jnp.sum(means * is_used, axis=1) / used
    return mean, jnp.sum(jnp.square(means - mean[:, None]) * is_used, axis=1) / (used - 1) / used
