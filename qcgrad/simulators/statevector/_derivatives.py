"""Derivatives that look at amplitudes: by un-computing, in reverse, forwards, and of the state itself."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...array_types import Key
from ...arrays import is_concrete, namespace, to_host
from ...ir import Program
from ...queries import AdjointSweep, ForwardSweeps, ReverseSweep, Sweep, Tangents, TangentSweep
from . import _engines as engines
from . import _forward as forward
from . import _kernels as kernels
from . import _tangents as tangents
from . import _walk as walk
from ._native_circuit import NativeCircuit
from ._room import Room


def adjoint(room: Room, query: AdjointSweep, key: Key | None = None) -> Sweep:
    """One sweep forward and one back for all cotangents, with a constant number of states."""
    part = room.seen(query.program, query.angles.dtype)
    program = part.program
    circuit, angles = room.prepared(program, part.select(query.angles)[None])
    room.check_states(program, query.angles.dtype, circuit.states_held(len(query.cotangents)))
    found = kernels.sweeps(circuit, angles, query.cotangents.astype(angles.dtype))
    value, gradient = to_host(query.angles, found)
    return Sweep(value[0], part.expand(gradient[0, :, : program.num_angles], query.program.num_angles))


def reverse(room: Room, query: ReverseSweep, key: Key | None = None) -> Sweep:
    """Classical backpropagation through the recorded states of the walk."""
    dtype = query.angles.dtype
    part = room.seen(query.program, dtype)
    program = part.program
    angles = engines.padded(part.select(query.angles), engines.padded_angles(program), axis=-1)
    # Only the JAX path can be differentiated step by step.
    circuit = engines.jax_circuit(program, dtype, room.mesh, query.keeps_all)
    room.check_states(program, dtype, circuit.states_recorded(len(query.cotangents)))
    value, gradient = to_host(query.angles, kernels.reverse(circuit, angles, query.cotangents.astype(dtype)))
    return Sweep(value, part.expand(gradient[:, : program.num_angles], query.program.num_angles))


def forwards(room: Room, query: ForwardSweeps, key: Key | None = None) -> Sweep:
    """One run for each angle, with the derivative of the state carried along."""
    dtype = query.angles.dtype
    part = room.seen(query.program, dtype)
    value, rows = _by_angle(room, part.program, part.select(query.angles))
    xp = namespace((rows, query.cotangents))
    return Sweep(value, part.expand(xp.asarray(query.cotangents, dtype) @ rows.T, query.program.num_angles))


def tangent(room: Room, query: TangentSweep, key: Key | None = None) -> Tangents:
    """Derivatives of the state along directions."""
    program: Any = query.program
    part = program.whole
    room.check_states(part.program, query.angles.dtype, tangents.states_held(len(query.directions)))
    return tangents.swept(part.program, part.select(query.angles), part.select(query.directions))


def _by_angle(room: Room, program: Program, angles: Any) -> tuple[Any, Any]:
    """Expectation values (K,), and their derivatives (A, K)."""
    # What is traced may be differentiated again.
    if is_concrete(angles) and room.is_native(program):
        held = forward.states_held(program.num_qubits, angles.dtype.itemsize, program.circuit.op_table.num_ops)
        room.check_states(program, angles.dtype, held)
        return forward.derivatives(program, angles, _states_of_table(program))
    circuit = engines.jax_circuit(program, angles.dtype, room.mesh)
    room.check_states(program, angles.dtype, 2 * circuit.states_held(0))
    padded = engines.padded(angles, engines.padded_angles(program), axis=-1)
    value, rows = to_host(angles, kernels.forward(circuit, padded, program.num_angles))
    return value, rows[: program.num_angles]


def _states_of_table(program: Program) -> Callable[[Any, Any], np.ndarray]:
    """A function to the final states (B, 2^n) of the program's circuit with another table, by the native engine."""

    def run(table, settings):
        count = walk.bucket(settings.shape[1], 64)
        padded = engines.padded(engines.padded(settings, count, axis=1), walk.bucket(len(settings), 1), axis=0)
        circuit = NativeCircuit(program, settings.dtype, count, table)
        return np.asarray(kernels.states(circuit, padded))[: len(settings)]

    return run
