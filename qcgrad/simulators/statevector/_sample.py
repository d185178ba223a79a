"""Sampling in product bases: exact draws from the outcome distribution of the final state."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float, Int

from ...array_types import Array, Key, Settings, Values
from ...errors import NotApplicable
from ...ir import pauli
from ...ir.program import Program
from ._register import Held, Register
from ._walk import bucket, pauli_image, signs


class Bases(NamedTuple):
    """The G measurement bases of a program, padded to at most T strings each.

    Attributes:
        x, z, b: (G, n) one rotation a + b P a qubit, with a = cos(pi/4), and b = 0 where none is needed.
        supports: (G, T) masks; coefficients: (G, K, T), zero where padded.
        constants: (K,) what identity strings add.
    """

    x: np.ndarray
    z: np.ndarray
    b: np.ndarray
    supports: np.ndarray
    coefficients: np.ndarray
    constants: np.ndarray

    @property
    def states_held(self) -> int:
        """States of memory: the final state, the one being rotated and its image, and K values of each outcome."""
        return 3 + (len(self.constants) + 1) // 2

    @property
    def numbers_per_shot(self) -> int:
        """Numbers of memory for each shot of a setting: a random one, an outcome, and two for each observable."""
        return 2 + 2 * len(self.constants)


def to_bases(program: Program, dtype: np.dtype) -> Bases:
    """Lay out the program's measurement bases in the real precision `dtype`."""
    n, bases = program.num_qubits, program.bases
    longest = bucket(max((len(basis.supports) for basis in bases), default=1), 2)
    index = np.int32 if n <= 30 else np.int64
    count = len(bases)
    x, z = np.zeros((count, n), index), np.zeros((count, n), index)
    b = np.zeros((count, n), np.result_type(dtype, np.complex64))
    supports = np.zeros((count, longest), index)
    coefficients = np.zeros((count, program.num_observables, longest), dtype)
    for g, basis in enumerate(bases):
        for q in range(n):
            bit = pauli.bit(q, n)
            if basis.x & bit:
                # RY(-pi/2) turns X into Z; RX(pi/2) turns Y into Z.
                measures_y = bool(basis.z & bit)
                x[g, q], z[g, q] = bit, 0 if measures_y else bit
                b[g, q] = (-1j if measures_y else 1j) * np.sqrt(0.5)
        supports[g, : len(basis.supports)] = basis.supports
        coefficients[g, :, : len(basis.supports)] = basis.coefficients
    return Bases(x, z, b, supports, coefficients, program.constants.astype(dtype))


def sample_expectation(
    register: Register, psi: Held, bases: Bases, key: Key, max_shots: int, shots: Int[Array, ""]
) -> tuple[Values, Values]:
    """Estimate all observables from `shots` outcomes in each basis.

    Args:
        register: where the amplitudes live.
        psi: the amplitudes held here.
        bases: layout of the measurement.
        key: random key.
        max_shots: static number of draws; the first `shots` of them count.
        shots: how many count, at most `max_shots`.

    Returns:
        mean (K,) and the unbiased variance of the mean (K,), NaN for a single shot.
    """
    count = bases.supports.shape[0]
    if count == 0:
        return bases.constants, jnp.zeros_like(bases.constants)
    used = jnp.arange(max_shots) < shots

    def measure(inputs):
        x, z, b, supports, coefficients, key = inputs
        diagonal = outcome_values(register, supports, coefficients)
        outcomes, is_here = _draw(register, _rotate(register, psi, x, z, b), key, max_shots)
        values = register.total(jnp.where(is_here, diagonal[:, outcomes], 0))
        mean = jnp.sum(values * used[None], axis=1) / shots
        spread = jnp.sum(jnp.square(values - mean[:, None]) * used[None], axis=1)
        # 0/0 = NaN for one shot: a single draw says nothing about its own variance.
        return mean, spread / (shots - 1) / shots

    keys = jax.random.split(key, count)
    arrays = (bases.x, bases.z, bases.b, bases.supports, bases.coefficients, keys)
    mean, variance = lax.map(measure, arrays)
    return mean.sum(axis=0) + bases.constants, variance.sum(axis=0)


@jax.custom_jvp
def not_differentiable(angles: Settings) -> Settings:
    """The angles, marked: JAX would differentiate what is drawn at random to zero without a word."""
    return angles


@not_differentiable.defjvp
def _refuse_derivative(primals, tangents):
    raise NotApplicable(
        "a sampled expectation value has no derivative that JAX could take: differentiate qcgrad.as_jax(objective, "
        "estimator), once, or use an exact method"
    )


def _rotate(register: Register, psi, x, z, b):
    def step(psi, row):
        x, z, b = row
        a = jnp.where(b == 0, 1.0, np.sqrt(0.5)).astype(psi.real.dtype)
        return a * psi + b * pauli_image(register, psi, x, z), None

    return lax.scan(step, psi, (x, z, b))[0]


def outcome_values(
    register: Register, supports: Int[Array, "T"], coefficients: Float[Array, "K T"]
) -> Float[Array, "K outcomes"]:
    """(K, amplitudes): value of every observable's part in this basis for each computational outcome."""
    j = register.indices(supports.dtype)

    def add(total, term):
        support, weight = term
        return total + weight[:, None] * signs(j, support)[None], None

    start = jnp.zeros((coefficients.shape[0], len(j)), coefficients.dtype)
    return lax.scan(add, start, (supports, coefficients.T))[0]


def _draw(register: Register, psi, key, shots):
    """Places (shots,) among the amplitudes held here, by inverting the cumulative distribution, and
    whether each draw falls on this part at all (1, shots); every part sees the same random numbers."""
    cumulative = jnp.cumsum(jnp.square(jnp.abs(psi)))
    ends = register.ends(cumulative[-1])
    uniform = jax.random.uniform(key, (shots,), cumulative.dtype) * ends[-1]
    part = jnp.clip(jnp.searchsorted(ends, uniform, side="right"), 0, len(ends) - 1)
    here = register.position()
    # Rounding must not carry a draw past the last outcome that has a probability.
    most = cumulative[-1] * (1 - jnp.finfo(cumulative.dtype).eps)
    within = jnp.clip(uniform - jnp.where(here > 0, ends[here - 1], 0), 0, most)
    return jnp.searchsorted(cumulative, within, side="right"), (part == here)[None]
