"""Quantum jumps by the native engine.

Every channel has the same random number as in JAX. What it chooses with it may be another operator where channels on
different qubits come in another order, since each looks at what the others left; the distribution is the same.
"""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Complex, Float

from ...array_types import Array, Keys
from ...ir import pauli
from ...ir.gates import Gate
from ...ir.noise.noisy_circuit import GateStep, NoisyCircuit
from ..density._blocks import LETTERS, Pair, blocks, within
from ..statevector import _walk as walk
from ..statevector import native_library
from ..statevector._native_circuit import packed, refuse_batched_circuits
from ._jumps import drawn_uniforms
from ._layout import padded_angles

_MAGIC = 0x31504D554A4751


class NativeJumps(eqx.Module):
    """A noisy circuit with any channels on two qubits at most, packed; methods as `Jumps`.

    Attributes:
        num_uniforms: random numbers that a trajectory takes.
        data: layout in native/trajectories.h.
        order: where each angle comes from, among gate angles and then those in front of a measurement.
    """

    num_qubits: int = eqx.field(static=True)
    num_uniforms: int = eqx.field(static=True)
    data: np.ndarray
    order: np.ndarray

    def __init__(self, circuit: NoisyCircuit, found: list[Pair], width: int):
        n, count = circuit.num_qubits, circuit.num_angles
        self.num_qubits = n
        matrices = sum(item.operators is not None for pair in found for item in pair.items)
        self.num_uniforms = walk.bucket(matrices, 16)
        self.data = _pack(found, width, n, count + 2 * n, matrices)
        order = np.concatenate([np.arange(count), padded_angles(circuit) + np.arange(2 * n)])
        self.order = np.pad(order, (0, walk.bucket(len(order)) - len(order)))

    def states(self, gates: Float[Array, "N A"], turns: Float[Array, "N 2n"], keys: Keys) -> Complex[Array, "N 2**n"]:
        """Final states of N trajectories at padded gate angles, turned to be measured."""
        angles = jnp.concatenate([gates, turns], axis=1)[:, self.order]
        uniforms = jax.vmap(lambda key: drawn_uniforms(key, self.num_uniforms, angles.dtype))(keys)
        return _states(self.num_qubits)(self.data, angles, uniforms)


def native_jumps(circuit: NoisyCircuit) -> NativeJumps | None:
    """The circuit for the native engine; None where it was not built, devices are no CPUs, or it is left to JAX."""
    if jax.default_backend() != "cpu":
        return None
    if native_library.load() is None:
        native_library.warn_of_absence()
        return None
    turned = (GateStep(Gate(name, (q,), param=0)) for q in range(circuit.num_qubits) for name in ("ry", "rx"))
    found = blocks(replace(circuit, steps=(*circuit.steps, *turned)), is_read=False)
    return None if found is None else NativeJumps(circuit, *found)


def _states(num_qubits):
    @custom_vmap
    def run(data, angles, uniforms):
        shape = (angles.shape[0], 2**num_qubits)
        dtype = jnp.result_type(angles.dtype, jnp.complex64)
        return jax.ffi.ffi_call("qcgrad_jumps", jax.ShapeDtypeStruct(shape, dtype))(data, angles, uniforms)

    @run.def_vmap
    def batched(size, is_batched, data, angles, uniforms):
        refuse_batched_circuits(is_batched[0])
        whole = [
            each if is_here else jnp.broadcast_to(each[None], (size, *each.shape))
            for each, is_here in zip((angles, uniforms), is_batched[1:], strict=True)
        ]
        found = run(data, *(each.reshape(-1, each.shape[-1]) for each in whole))
        return found.reshape(size, -1, 2**num_qubits), True

    return run


def _pack(found: list[Pair], width: int, num_qubits: int, num_angles: int, matrices: int) -> np.ndarray:
    rows, operators, digits, ends = [], [], [], [0]
    for pair in found:
        digits += [-1, -1] if pair.is_string else [width - 1 - wire for wire in pair.wires]
        wires = tuple(range(width)) if pair.is_string else pair.wires
        for item in pair.items:
            for turn in item.turns:
                word = "".join(LETTERS[letter] for letter in turn.letters.values())
                x, z = pauli.masks(word, [wires.index(wire) for wire in turn.letters], len(wires))
                rows.append((x, z, turn.slot, 0, 0, 0, 1, turn.scale, turn.offset))
            if item.operators is not None:
                kraus = within(item.operators, item.wires, pair.wires)
                rows.append((0, 0, -1, sum(map(len, operators)), len(kraus), item.place, int(item.is_fixed), 0.0, 0.0))
                operators.append(kraus)
        ends.append(len(rows))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    whole = np.concatenate([np.zeros((0, 4, 4)), *operators]).astype(np.complex128)
    header = [_MAGIC, width, num_qubits, len(found), len(rows), num_angles, len(whole), matrices]
    return packed(
        *(np.array(column, np.int64) for column in (header, digits, ends, *columns[:7])),
        *(np.array(column, np.float64) for column in columns[7:]),
        whole,
    )
