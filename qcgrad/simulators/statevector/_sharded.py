"""States spread over the devices of a mesh, of one process or of several: the JAX path inside `jax.shard_map`."""

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Int

from ...array_types import AngleGradients, Array, Cotangents, Expectations, Key, Settings, Shots, States
from ...arrays import is_concrete
from ...ir.program import Program
from ._register import AXIS, ShardedRegister
from ._sample import Bases
from .scanned import ScannedCircuit


class ShardedCircuit(eqx.Module):
    """A program for a mesh of one axis; methods as `ScannedCircuit`, whose angles every device gets in full."""

    mesh: Mesh = eqx.field(static=True)
    local: ScannedCircuit

    def __init__(self, program: Program, dtype: np.dtype, num_angles: int, mesh: Mesh, keeps_all: bool | None = None):
        least = mesh.size.bit_length()
        if program.num_qubits < least:
            raise ValueError(
                f"a state of num_qubits={program.num_qubits} cannot be sharded over {mesh.size} devices: "
                f"give a circuit of at least {least} qubits, or a smaller mesh"
            )
        self.mesh = mesh
        register = ShardedRegister(program.num_qubits, mesh.size)
        self.local = ScannedCircuit(program, dtype, num_angles, register, keeps_all)

    def states_held(self, rows: int) -> int:
        """States of memory that a query with C = `rows` cotangents holds."""
        return self.local.states_held(rows)

    def states_recorded(self, rows: int) -> int:
        """States of memory that reverse-mode differentiation with C = `rows` cotangents holds."""
        return self.local.states_recorded(rows)

    def states(self, angles: Settings) -> States:
        """(B, 2^n) final states, sharded along the amplitudes."""
        return self._on_mesh(ScannedCircuit.states, P(None, AXIS), angles)

    def values(self, angles: Settings) -> Expectations:
        """(B, K) expectation values."""
        return self._on_mesh(ScannedCircuit.values, P(), angles)

    def sweeps(self, angles: Settings, cotangents: Cotangents) -> tuple[Expectations, AngleGradients]:
        """Values (B, K) and gradients (B, C, A) for cotangents (C, K)."""
        return self._on_mesh(ScannedCircuit.sweeps, P(), angles, cotangents)

    def sampled(
        self, max_shots: int, bases: Bases, angles: Settings, shots: Shots, key: Key, places: Int[Array, "B"]
    ) -> tuple[Expectations, Expectations]:
        """As `ScannedCircuit.sampled`."""

        def draw(circuit, *inputs):
            return circuit.sampled(max_shots, *inputs)

        return self._on_mesh(draw, P(), bases, angles, shots, key, places)

    def _on_mesh(self, method, out_specs, *inputs):
        # The exchanges hide from JAX which values all devices share, so its check cannot tell.
        mapped = jax.shard_map(method, mesh=self.mesh, in_specs=P(), out_specs=out_specs, check_vma=False)
        return mapped(self.local, *inputs)


def flattened(mesh: Mesh) -> Mesh:
    """The devices of a mesh along one axis.

    Raises:
        ValueError: the number of devices is no power of two.
    """
    if not isinstance(mesh, Mesh):
        raise TypeError(f"Statevector mesh={mesh!r}: give a jax.sharding.Mesh, for example jax.make_mesh((4,), ('d',))")
    if mesh.size.bit_count() != 1:
        raise ValueError(f"Statevector mesh has {mesh.size} devices: give a mesh of 1, 2, 4, 8, ... devices")
    return Mesh(mesh.devices.ravel(), (AXIS,))


def is_addressable(mesh: Mesh) -> bool:
    """Whether all devices of a mesh belong to this process."""
    return all(device.process_index == jax.process_index() for device in mesh.devices.flat)


def shared_key(key: Key | None, mesh: Mesh) -> Key | None:
    """A random key, the same in all processes, as an array that all devices of a mesh hold."""
    if key is None or not is_concrete(key):
        return key
    data = np.asarray(jax.random.key_data(key))
    whole = jax.make_array_from_callback(data.shape, NamedSharding(mesh, P()), lambda index: data[index])
    return jax.jit(jax.random.wrap_key_data, static_argnames="impl")(whole, impl=str(jax.random.key_impl(key)))
