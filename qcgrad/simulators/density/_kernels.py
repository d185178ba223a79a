r"""Density matrices and outcome distributions in JAX; nothing is compiled for a circuit of its own.

Reading qubit q in a basis is a POVM of two elements, errors of reading included, and the probability of outcome b is
\(\mathrm{tr}(\bigotimes_q M_q^{b_q} \rho)\). Exact expectation values are means of the very distribution that shots are
drawn from.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float, PyTree

from ...array_types import Angles, Array, Expectations, Key, Settings, Shots
from ...ir import pauli
from ...ir.noise.noisy_circuit import NoisyCircuit
from ...ir.program import Program
from ...precision import in_full_precision
from ..statevector import _sample as sample
from ..statevector import _sweep as sweep
from ..statevector._register import WholeRegister
from ..statevector.scanned import map_settings
from ._doubled import doubled

# Rows and columns of two qubits: what a noisy gate on two of them acts on.
_BLOCK_QUBITS = 4

_LETTERS = {
    (0, 0): np.diag([1, -1]),
    (0, 1): np.diag([1, -1]),
    (1, 0): np.array([[0, 1], [1, 0]]),
    (1, 1): np.array([[0, -1j], [1j, 0]]),
}

STATES_HELD = 4
"""Density matrices that are held at a time: one, its image, the same rearranged, and what is traced out of it."""


class DensityCircuit(eqx.Module):
    """A noisy circuit on n qubits as steps on 2n."""

    register: WholeRegister = eqx.field(static=True)
    steps: sweep.Steps

    def __init__(self, circuit: NoisyCircuit, dtype: np.dtype):
        self.register = WholeRegister(2 * circuit.num_qubits)
        self.steps = sweep.to_steps(doubled(circuit), self.register, np.dtype(dtype), _BLOCK_QUBITS)

    @property
    def numbers(self) -> int:
        """How many numbers one density matrix takes."""
        return 2**self.register.num_qubits

    def final(self, angles: Angles) -> Complex[Array, "4**n"]:
        """The density matrix at angles (A,), row by row."""
        return sweep.run(self.register, self.steps, sweep.at_angles(self.steps, angles))


class Reading(eqx.Module):
    """How the outcomes of a program's G bases are read.

    Attributes:
        elements: (n, G, 2, 2, 2) transposed POVM elements of each qubit for outcomes 0 and 1.
        bases: strings and coefficients of each basis.
    """

    elements: np.ndarray
    bases: sample.Bases

    def __init__(self, program: Program, circuit: NoisyCircuit, dtype: np.dtype):
        self.bases = sample.to_bases(program, dtype)
        n, count = program.num_qubits, len(program.bases)
        elements = np.zeros((n, count, 2, 2, 2), np.result_type(dtype, np.complex64))
        for q in range(n):
            bit, error = pauli.bit(q, n), circuit.readout[q]
            confusion = np.eye(2) if error is None else error.confusion
            for g, basis in enumerate(program.bases):
                letter = _LETTERS[int(bool(basis.x & bit)), int(bool(basis.z & bit))]
                projectors = np.array([np.eye(2) + letter, np.eye(2) - letter]) / 2
                elements[q, g] = np.einsum("ij,iab->jba", confusion, projectors)
        self.elements = elements

    def outcomes(self, basis: "_Basis") -> Float[Array, "K 2**n"]:
        """What each outcome of a basis adds to the observables."""
        return sample.outcome_values(WholeRegister(len(self.elements)), basis.supports, basis.coefficients)

    def map(self, function: Callable[..., PyTree], *columns: Array) -> PyTree:
        """The function of each basis, and of what belongs to it in each column, one after another."""
        elements = jnp.moveaxis(jnp.asarray(self.elements), 1, 0)
        bases = _Basis(elements, jnp.asarray(self.bases.supports), jnp.asarray(self.bases.coefficients))
        return lax.map(lambda row: function(*row), (bases, *columns))


class _Basis(NamedTuple):
    """One of them: elements (n, 2, 2, 2), supports (T,), coefficients (K, T)."""

    elements: Any
    supports: Any
    coefficients: Any


@jax.jit
@in_full_precision
def matrix(circuit: DensityCircuit, angles: Angles) -> Complex[Array, "4**n"]:
    """The density matrix at angles (A,), row by row."""
    return circuit.final(angles)


@jax.jit
@in_full_precision
def values(circuit: DensityCircuit, reading: Reading, angles: Settings) -> Expectations:
    """(B, K) expectation values."""

    def one(angles):
        rho = circuit.final(angles)
        exact = reading.map(lambda basis: reading.outcomes(basis) @ distribution(rho, basis.elements))
        return exact.sum(axis=0) + reading.bases.constants

    return map_settings(one, angles, circuit.numbers)


@partial(jax.jit, static_argnums=3)
@in_full_precision
def sampled(
    circuit: DensityCircuit, angles: Settings, reading: Reading, max_shots: int, shots: Shots, key: Key
) -> tuple[Expectations, Expectations, Expectations]:
    """Means (B, K), their variances, and the exact values, from `shots` (B,) outcomes in each basis."""

    def one(inputs):
        angles, shots, key = inputs
        rho = circuit.final(angles)
        found = reading.map(lambda basis: distribution(rho, basis.elements))
        return _measured(reading, found, max_shots, shots, key)

    keys = jax.random.split(key, angles.shape[0])
    inputs = (sample.not_differentiable(angles), shots, keys)
    return map_settings(one, inputs, max(circuit.numbers, max_shots))


@partial(jax.jit, static_argnums=2)
@in_full_precision
def drawn(
    distributions: Float[Array, "B G 2**n"], reading: Reading, max_shots: int, shots: Shots, key: Key
) -> tuple[Expectations, Expectations, Expectations]:
    """The same from the distributions themselves."""

    def one(inputs):
        found, shots, key = inputs
        return _measured(reading, found, max_shots, shots, key)

    inputs = (distributions, shots, jax.random.split(key, distributions.shape[0]))
    return map_settings(one, inputs, max(distributions[0].size, max_shots))


def _measured(reading, distributions, max_shots, shots, key):
    """Means, variances and exact values of one setting from its distributions in all bases."""

    def measure(basis, p, key):
        outcomes = reading.outcomes(basis)
        uniform = jax.random.uniform(key, (max_shots,), p.dtype)
        return *_statistics(outcomes[:, _drawn(p, uniform)], shots), outcomes @ p

    keys = jax.random.split(key, len(reading.bases.supports))
    mean, variance, exact = jax.tree.map(lambda part: part.sum(axis=0), reading.map(measure, distributions, keys))
    constants = reading.bases.constants
    return mean + constants, variance, exact + constants


def distribution(rho: Complex[Array, "4**n"], elements: Complex[Array, "n 2 2 2"]) -> Float[Array, "2**n"]:
    """Probabilities of all outcomes, one qubit traced out after another."""
    side, found = 2 ** len(elements), 1
    for element in elements:
        side //= 2
        parts = rho.reshape(found, 2, side, 2, side)
        rho, found = jnp.einsum("brc,frxcy->fbxy", element, parts).ravel(), 2 * found
    # Rounding must not make a probability negative.
    return jnp.maximum(jnp.real(rho), 0)


def _drawn(p, uniform):
    """Outcomes by inverting the cumulative distribution."""
    cumulative = jnp.cumsum(p)
    # Rounding must not carry a draw past the last outcome that has a probability.
    most = cumulative[-1] * (1 - jnp.finfo(p.dtype).eps)
    return jnp.searchsorted(cumulative, jnp.minimum(uniform * cumulative[-1], most), side="right")


def _statistics(values, shots):
    """Mean and unbiased variance of the mean of the first `shots` columns, NaN for a single one."""
    used = (jnp.arange(values.shape[1]) < shots)[None]
    mean = jnp.sum(values * used, axis=1) / shots
    return mean, jnp.sum(jnp.square(values - mean[:, None]) * used, axis=1) / (shots - 1) / shots
