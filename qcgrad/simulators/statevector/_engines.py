"""Which engine simulates a circuit, and circuits prepared for it."""

from typing import Literal

import jax
import numpy as np
from jaxtyping import Float, Num

from ...array_types import Array
from ...arrays import namespace
from ...ir import Program
from . import _walk as walk
from . import native_library
from ._native_circuit import NativeCircuit
from ._sharded import ShardedCircuit
from .scanned import ScannedCircuit

Engine = Literal["auto", "native", "jax"]

# More controls than this are refused by the native engine and walked by the JAX path.
_MAX_NATIVE_CONTROLS = 14


def check(engine: Engine, mesh: jax.sharding.Mesh | None) -> None:
    """Refuse an engine that is not there.

    Raises:
        ValueError: no engine's name; "native" where it was not built or with a mesh.
    """
    if engine not in ("auto", "native", "jax"):
        raise ValueError(f"Statevector engine={engine!r}: give 'auto', 'native' or 'jax'")
    if engine == "native" and mesh is not None:
        raise ValueError("Statevector engine='native' with a mesh: only the JAX path is sharded, give engine='auto'")
    if engine == "native" and native_library.load() is None:
        raise ValueError("Statevector engine='native': it was not built; install a C++ compiler and reinstall qcgrad")


def is_native(program: Program, engine: Engine, mesh: jax.sharding.Mesh | None) -> bool:
    """Whether the native engine runs a program."""
    if engine != "auto":
        return engine == "native"
    if mesh is not None or jax.default_backend() != "cpu":
        return False
    if native_library.load() is None:
        native_library.warn_of_absence()
        return False
    controls = program.circuit.op_table.controls
    return int(np.bitwise_count(controls).max(initial=0)) <= _MAX_NATIVE_CONTROLS


def prepared(
    program: Program, angles: Float[Array, "... A"], engine: Engine, mesh: jax.sharding.Mesh | None
) -> tuple[NativeCircuit | ScannedCircuit | ShardedCircuit, Float[Array, "... padded"]]:
    """The circuit for the engine in use, and its angles (..., A) padded to a size that many circuits share."""
    count, dtype = padded_angles(program), angles.dtype
    if is_native(program, engine, mesh):
        circuit = NativeCircuit(program, dtype, count)
    else:
        circuit = jax_circuit(program, dtype, mesh)
    return circuit, padded(angles, count, axis=-1)


def jax_circuit(
    program: Program, dtype: np.dtype, mesh: jax.sharding.Mesh | None, keeps_all: bool | None = None
) -> ScannedCircuit | ShardedCircuit:
    """The circuit for the JAX path, spread over a mesh if there is one; `keeps_all` as for `ScannedCircuit`."""
    count = padded_angles(program)
    if mesh is None:
        return ScannedCircuit(program, dtype, count, keeps_all=keeps_all)
    return ShardedCircuit(program, dtype, count, mesh, keeps_all)


def padded_angles(program: Program) -> int:
    """The number of angles that circuits of about this size share."""
    return walk.bucket(max(program.num_angles, 1), 64)


def padded(array: Num[Array, "..."], length: int, axis: int) -> Num[Array, "..."]:
    """The array with zeros up to a length along one axis."""
    xp = namespace(array)
    widths = [(0, 0)] * np.ndim(array)
    widths[axis] = (0, length - np.shape(array)[axis])
    return xp.pad(xp.asarray(array), widths)
