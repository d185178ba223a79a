"""A circuit prepared for the native engine: XLA custom calls that take the circuit as data.

A circuit travels as one array of bytes (layout in `native/blob.h`), padded to a few lengths, so a new
circuit of about the same size compiles nothing. `jax.vmap` adds to the batch axis instead of looping.
"""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Int, UInt8

from ...array_types import AngleGradients, Array, Cotangents, Expectations, Key, Settings, Shots, States
from ...errors import NotApplicable
from ...ir.op_table import MATRIX, OpTable
from ...ir.program import Program

if TYPE_CHECKING:  # bases are packed as circuits are
    from ._native_sampling import NativeBases

MAGIC = 0x31444152474351
# Few sizes, so that circuits rarely need a compilation of their own; padding costs next to nothing.
_SMALLEST_BLOB = 1 << 14


class NativeCircuit(eqx.Module):
    """A program packed for the native engine; methods as `ScannedCircuit`."""

    num_qubits: int = eqx.field(static=True)
    num_observables: int = eqx.field(static=True)
    data: np.ndarray

    def __init__(self, program: Program, dtype: np.dtype, num_angles: int, table: OpTable | None = None):
        """`table` takes the place of the circuit's own, where other angles drive it."""
        del dtype  # the angles bring their precision along
        self.num_qubits = program.num_qubits
        self.num_observables = program.num_observables
        self.data = _pack(program, program.circuit.op_table if table is None else table, num_angles)

    @staticmethod
    def states_held(rows: int) -> int:
        """States of memory that a query with `rows` cotangents holds; they are swept one after another."""
        return 2 if rows else 1

    def states(self, angles: Settings) -> States:
        """(B, 2^n) final states."""
        return _states(self.num_qubits)(self.data, angles)

    def values(self, angles: Settings) -> Expectations:
        """(B, K) expectation values; JAX differentiates them by the adjoint method."""
        return _values(self.num_observables)(self.data, angles)

    def sweeps(self, angles: Settings, cotangents: Cotangents) -> tuple[Expectations, AngleGradients]:
        """Values (B, K) and gradients (B, C, A) for cotangents (C, K)."""
        return _first_order(self.data, angles, cotangents[None])

    def sampled(
        self, max_shots: int, bases: "NativeBases", angles: Settings, shots: Shots, key: Key, places: Int[Array, "B"]
    ) -> tuple[Expectations, Expectations]:
        """As `ScannedCircuit.sampled`, in the `NativeBases`."""
        del max_shots  # nothing is drawn in vain
        return bases.sampled(self.data, angles, shots, key, places)


def _states(num_qubits):
    @custom_vmap
    def run(data, angles):
        shape = (angles.shape[0], 2**num_qubits)
        dtype = jnp.result_type(angles.dtype, jnp.complex64)
        return jax.ffi.ffi_call("qcgrad_state", jax.ShapeDtypeStruct(shape, dtype))(data, angles)

    @run.def_vmap
    def batched(size, is_batched, data, angles):
        refuse_batched_circuits(is_batched[0])
        return run(data, angles.reshape(-1, angles.shape[-1])).reshape(size, -1, 2**num_qubits), True

    return run


def _values(num_observables):
    @custom_vmap
    def run(data, angles):
        shape = jax.ShapeDtypeStruct((angles.shape[0], num_observables), angles.dtype)
        return jax.ffi.ffi_call("qcgrad_value", shape)(data, angles, single=_single(angles.dtype))

    @run.def_vmap
    def batched(size, is_batched, data, angles):
        refuse_batched_circuits(is_batched[0])
        return run(data, angles.reshape(-1, angles.shape[-1])).reshape(size, -1, num_observables), True

    @jax.custom_vjp
    def differentiable(data, angles):
        return run(data, angles)

    def forward(data, angles):
        return run(data, angles), (data, angles)

    def backward(residual, cotangents):
        data, angles = residual
        _, gradient = _sweeps(data, angles, cotangents[:, None])
        return None, gradient[:, 0]

    differentiable.defvjp(forward, backward)
    return differentiable


@custom_vmap
def _sweeps(data, angles, cotangents):
    """Values (B, K) and gradients (B, C, A); cotangents (B or 1, C, K)."""
    batch, (rows, outputs) = angles.shape[0], cotangents.shape[1:]
    shapes = (
        jax.ShapeDtypeStruct((batch, outputs), angles.dtype),
        jax.ShapeDtypeStruct((batch, rows, angles.shape[1]), angles.dtype),
    )
    return jax.ffi.ffi_call("qcgrad_value_and_vjp", shapes)(data, angles, cotangents, single=_single(angles.dtype))


@_sweeps.def_vmap
def _batched_sweeps(size, is_batched, data, angles, cotangents):
    refuse_batched_circuits(is_batched[0])
    if not is_batched[1]:
        angles = jnp.broadcast_to(angles, (size, *angles.shape))
    if is_batched[2] or cotangents.shape[0] > 1:
        # One set of cotangents for each setting of each batch entry.
        cotangents = cotangents if is_batched[2] else cotangents[None]
        cotangents = jnp.broadcast_to(cotangents, (size, angles.shape[1], *cotangents.shape[2:]))
        cotangents = cotangents.reshape(-1, *cotangents.shape[2:])
    value, gradient = _sweeps(data, angles.reshape(-1, angles.shape[-1]), cotangents)
    split = angles.shape[:2]
    return (value.reshape(*split, *value.shape[1:]), gradient.reshape(*split, *gradient.shape[1:])), (True, True)


@jax.custom_jvp
def _first_order(data, angles, cotangents):
    return _sweeps(data, angles, cotangents)


@_first_order.defjvp
def _refuse_derivative(primals, tangents):
    raise NotApplicable(
        "the native engine gives first derivatives only: for higher ones use qcgrad.Statevector(engine='jax')"
    )


def _single(dtype) -> np.int32:
    return np.int32(np.dtype(dtype) == np.float32)


def refuse_batched_circuits(is_batched: bool) -> None:
    """A vmap rule cannot split a call over several circuits."""
    if is_batched:
        raise ValueError("a batch of different circuits in one call is not supported: loop over them")


def _pack(program: Program, table: OpTable, num_angles: int) -> np.ndarray:
    x, z, coefficients = program.terms
    used = coefficients != 0
    counts = used.sum(axis=1)
    term = np.nonzero(used)[1]
    has_matrices = table.matrix_wires > 0
    header = [MAGIC, program.num_qubits, table.num_ops, num_angles, table.matrix_wires]
    header += [table.matrices.size if has_matrices else 0, len(counts), len(term)]
    return packed(
        np.array(header, np.int64),
        *(column.astype(np.int32) for column in (table.kind, table.kappa, table.slot, table.wires)),
        *(column.astype(np.int64) for column in (table.x, table.z, table.controls)),
        np.where(table.kind == MATRIX, table.matrix * 4**table.matrix_wires, 0).astype(np.int64),
        table.scale,
        table.offset,
        table.matrices if has_matrices else np.zeros(0),
        x[term],
        z[term],
        coefficients[used],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


def packed(*parts: np.ndarray) -> UInt8[np.ndarray, "bytes"]:
    """Arrays one after the other as bytes, each at a multiple of 8, padded to one of a few lengths."""
    raw = b"".join(_aligned(np.ascontiguousarray(part).tobytes()) for part in parts)
    length = _SMALLEST_BLOB
    while length < len(raw):
        length *= 4
    return np.frombuffer(raw.ljust(length, b"\0"), np.uint8)


def _aligned(raw: bytes) -> bytes:
    return raw + b"\0" * (-len(raw) % 8)
