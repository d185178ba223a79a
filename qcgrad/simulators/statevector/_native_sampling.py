"""Measurement bases prepared for the native engine, which runs a circuit once and measures it in all of them.

The bases travel as bytes beside the circuit's (layout in `native/blob.h`). JAX draws the random numbers, the same as
on the JAX path, so results depend on the key alone.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import UInt8

from ...array_types import Array, Expectations, Keys, Settings, Shots
from ...ir.program import Program
from ._native_circuit import packed, refuse_batched_circuits
from .scanned import map_settings

_MAGIC = 0x31534142474351


class NativeBases(eqx.Module):
    """The measurement bases of a program, packed for the native engine."""

    num_bases: int = eqx.field(static=True)
    data: np.ndarray
    constants: np.ndarray

    def __init__(self, program: Program, dtype: np.dtype):
        self.num_bases = len(program.bases)
        self.data = _pack(program)
        self.constants = program.constants.astype(dtype)

    @property
    def states_held(self) -> int:
        """States of memory: the final state, and the same in one basis."""
        return 2

    @property
    def numbers_per_shot(self) -> int:
        """Numbers of memory for each shot of a setting: one for each basis, and the random bits it is made of."""
        return 2 * self.num_bases

    def sampled(
        self, circuit: UInt8[Array, "bytes"], max_shots: int, angles: Settings, shots: Shots, keys: Keys
    ) -> tuple[Expectations, Expectations]:
        """As `ScannedCircuit.sampled`; `circuit` is the packed circuit."""
        constants = jnp.asarray(self.constants)[None]
        if self.num_bases == 0:
            mean = jnp.broadcast_to(constants, (angles.shape[0], constants.shape[1]))
            return mean, jnp.zeros_like(mean)
        run = _sampled(constants.shape[1])

        def one(inputs):
            angles, shots, key = inputs
            keys = jax.random.split(key, self.num_bases)
            uniforms = jax.vmap(lambda key: jax.random.uniform(key, (max_shots,), angles.dtype))(keys)
            mean, variance = run(circuit, self.data, angles[None], uniforms[None], shots[None])
            return mean[0], variance[0]

        mean, variance = map_settings(one, (angles, shots, keys), self.numbers_per_shot * max_shots)
        return mean + constants, variance


def _sampled(num_observables):
    """Means and variances (B, K) at angles (B, A), from uniforms (B, G, S) of which `shots` (B,) count."""

    @custom_vmap
    def run(circuit, bases, angles, uniforms, shots):
        shape = jax.ShapeDtypeStruct((angles.shape[0], num_observables), angles.dtype)
        return tuple(jax.ffi.ffi_call("qcgrad_sample", (shape, shape))(circuit, bases, angles, uniforms, shots))

    @run.def_vmap
    def batched(size, is_batched, circuit, bases, *settings):
        refuse_batched_circuits(is_batched[0] or is_batched[1])
        every = [
            setting if flag else jnp.broadcast_to(setting, (size, *setting.shape))
            for setting, flag in zip(settings, is_batched[2:], strict=True)
        ]
        found = run(circuit, bases, *(setting.reshape(-1, *setting.shape[2:]) for setting in every))
        return tuple(part.reshape(size, -1, num_observables) for part in found), (True, True)

    return run


def _pack(program: Program) -> np.ndarray:
    supports, coefficients, counts = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for basis in program.bases:
        used = basis.coefficients != 0
        supports.append(basis.supports[np.nonzero(used)[1]])
        coefficients.append(basis.coefficients[used])
        counts.append(used.sum(axis=1))
    support = np.concatenate(supports)
    return packed(
        np.array([_MAGIC, len(program.bases), program.num_observables, len(support)], np.int64),
        *(np.array([getattr(basis, letter) for basis in program.bases], np.int64) for letter in "xz"),
        support.astype(np.int64),
        np.concatenate(coefficients),
        np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64),
    )
