"""Measurement bases prepared for the native engine, which runs a circuit once and measures it in all of them.

The bases travel as bytes beside the circuit's (layout in `native/blob.h`). Outcomes are drawn where they are used, by a
generator that is a function of a key, the setting, the basis and the number of the draw, so results depend on the key
alone: not on threads, nor on what else is asked. From the same key the JAX path draws other numbers: making them there,
one by one, and handing them over took most of the time of a sampled gradient.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Float, Int, UInt8

from ...array_types import Angles, Array, Expectations, Key, Settings, Shots
from ...ir.program import Program
from . import native_library
from ._native_circuit import packed, refuse_batched_circuits

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

    states_held: ClassVar[int] = 2
    """States of memory: the final state, and the same in one basis."""

    @property
    def numbers_per_shot(self) -> int:
        """Numbers of memory for each shot of a setting: each is drawn, counted, and forgotten."""
        return 0

    def states_of_shifts(self, num_qubits: int) -> int:
        """The same as `states_held` where settings are shifts of a point."""
        library: Any = native_library.load()
        return library.qcgrad_shift_states(num_qubits) + self.num_bases

    def sampled(
        self, circuit: UInt8[Array, "bytes"], angles: Settings, shots: Shots, key: Key, places: Int[Array, "B"]
    ) -> tuple[Expectations, Expectations]:
        """As `ScannedCircuit.sampled`; `circuit` is the packed circuit."""
        if self.num_bases == 0:
            return self._constant(angles, angles.shape[0])
        run = _sampled(len(self.constants))
        mean, variance = run(circuit, self.data, angles, self._by_basis(shots), _streams(key, places))
        return mean + self.constants[None], variance

    def sampled_shifts(
        self,
        circuit: UInt8[Array, "bytes"],
        point: Angles,
        owner: Int[Array, "B"],
        moved: Float[Array, "B"],
        shots: Shots,
        key: Key,
    ) -> tuple[Expectations, Expectations]:
        """As `_kernels.sampled_shifts`."""
        settings = 1 + len(owner)
        if self.num_bases == 0:
            return self._constant(point, settings)
        streams = _streams(key, jnp.arange(settings, dtype=np.uint32))
        inputs = (point[None], moved[None], self._by_basis(shots)[None], streams[None])
        mean, variance = _sampled_shifts(len(self.constants))(circuit, self.data, owner, *inputs)
        return mean[0] + self.constants[None], variance[0]

    def _constant(self, angles, settings):
        mean = jnp.broadcast_to(jnp.asarray(self.constants, angles.dtype)[None], (settings, len(self.constants)))
        return mean, jnp.zeros_like(mean)

    def _by_basis(self, shots):
        return jnp.broadcast_to(shots[:, None], (len(shots), self.num_bases))


def _streams(key, places):
    """(B, 3) words: two of the key, and which setting."""
    words = jax.random.bits(key, (2,), np.uint32)
    return jnp.concatenate([jnp.broadcast_to(words[None], (len(places), 2)), places[:, None]], axis=1)


def _sampled(num_observables):
    """Means and variances (B, K) at angles (B, A), from shots (B, G) and streams (B, 3)."""

    @custom_vmap
    def run(circuit, bases, angles, shots, streams):
        shape = jax.ShapeDtypeStruct((angles.shape[0], num_observables), angles.dtype)
        return tuple(jax.ffi.ffi_call("qcgrad_sample", (shape, shape))(circuit, bases, angles, shots, streams))

    @run.def_vmap
    def batched(size, is_batched, circuit, bases, *settings):
        refuse_batched_circuits(is_batched[0] or is_batched[1])
        found = run(circuit, bases, *_flattened(size, is_batched[2:], settings))
        return tuple(part.reshape(size, -1, num_observables) for part in found), (True, True)

    return run


def _sampled_shifts(num_observables):
    """Means and variances (V, 1 + B, K) at V points (V, A) and their shifts: owner (B,) and moved (V, B)."""

    @custom_vmap
    def run(circuit, bases, owner, points, moved, shots, streams):
        shape = jax.ShapeDtypeStruct((points.shape[0], 1 + len(owner), num_observables), points.dtype)
        call = jax.ffi.ffi_call("qcgrad_sample_shifted", (shape, shape))
        return tuple(call(circuit, bases, points, owner, moved, shots, streams))

    @run.def_vmap
    def batched(size, is_batched, circuit, bases, owner, *points):
        refuse_batched_circuits(any(is_batched[:3]))
        found = run(circuit, bases, owner, *_flattened(size, is_batched[3:], points))
        return tuple(part.reshape(size, -1, *part.shape[1:]) for part in found), (True, True)

    return run


def _flattened(size, is_batched, inputs):
    """Inputs of a batch of calls as those of one call."""
    every = [
        part if flag else jnp.broadcast_to(part, (size, *part.shape))
        for part, flag in zip(inputs, is_batched, strict=True)
    ]
    return [part.reshape(-1, *part.shape[2:]) for part in every]


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
