"""Expectation values and images of Pauli sums, four strings of one X mask at a time.

All strings with the same X mask permute the amplitudes in the same way, so they share one gather; only
their signs differ. Strings are padded to chunks of four within each mask.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex

from ...array_types import Array, Cotangents, Values
from ...ir.program import Program
from ._register import Held, Register
from ._walk import bucket, signs

_CHUNK = 4


class Terms(NamedTuple):
    """The strings of a program in Q chunks.

    Attributes:
        x: (Q,) masks; z: (Q, 4) masks.
        phase: (Q, 4) factors (-i)^{|x & z|}, zero where padded.
        coefficients: (K, Q, 4) real.
    """

    x: np.ndarray
    z: np.ndarray
    phase: np.ndarray
    coefficients: np.ndarray


def to_terms(program: Program, dtype: np.dtype) -> Terms:
    """Group the program's strings by X mask and pad, in the real precision `dtype`."""
    x, z, coefficients = program.terms
    order = np.argsort(x, kind="stable")
    chunks: list[np.ndarray] = []
    for mask in np.unique(x):
        members = order[x[order] == mask]
        chunks += [members[i : i + _CHUNK] for i in range(0, len(members), _CHUNK)]
    size = bucket(len(chunks), 16)
    index = np.int32 if program.num_qubits <= 30 else np.int64
    terms = Terms(
        np.zeros(size, index),
        np.zeros((size, _CHUNK), index),
        np.zeros((size, _CHUNK), np.result_type(dtype, np.complex64)),
        np.zeros((program.num_observables, size, _CHUNK), dtype),
    )
    for q, members in enumerate(chunks):
        fill = slice(0, len(members))
        terms.x[q] = x[members[0]]
        terms.z[q, fill] = z[members]
        terms.phase[q, fill] = np.array([1, -1j, -1, 1j])[np.bitwise_count(x[members] & z[members]) % 4]
        terms.coefficients[:, q, fill] = coefficients[:, members]
    return terms


def expectation(register: Register, psi: Held, terms: Terms) -> Values:
    """(K,) values of all observables in a state."""
    j = register.indices(terms.x.dtype)

    # Derivatives work each chunk out again from the state, instead of keeping what all of them made of it.
    @jax.checkpoint
    def per_chunk(_, chunk):
        x, z, phase = chunk
        overlap = jnp.conj(psi) * register.flip(psi, x)
        values = jax.vmap(lambda z, phase: jnp.real(phase * jnp.sum(signs(j, z) * overlap)))(z, phase)
        return None, values

    _, values = lax.scan(per_chunk, None, (terms.x, terms.z, terms.phase))
    return jnp.tensordot(terms.coefficients, register.total(values), axes=2)


def image(register: Register, psi: Held, terms: Terms, cotangents: Cotangents) -> Complex[Array, "C held"]:
    """(C, amplitudes): sum_k cotangents[c, k] O_k |psi> for every row c."""
    j = register.indices(terms.x.dtype)
    weights = jnp.einsum("ck,kqt->qct", cotangents, terms.coefficients) * terms.phase[:, None]

    def add_chunk(total, chunk):
        x, z, weight = chunk
        diagonal = sum(weight[:, t, None] * signs(j, z[t])[None] for t in range(_CHUNK))
        return total + diagonal * register.flip(psi, x)[None], None

    start = jnp.zeros((weights.shape[1], psi.shape[0]), psi.dtype)
    return lax.scan(add_chunk, start, (terms.x, terms.z, weights))[0]
