"""Where states are simulated: the engine, the devices, and the memory that there is."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from ...array_types import Amplitudes, Angles, Settings
from ...ir import Program, pauli
from . import _engines as engines
from . import _kernels as kernels
from . import _limits as limits
from . import _overlaps as overlaps
from . import _walk as walk
from ._engines import Engine


class Room(NamedTuple):
    """Everything about a `Statevector` that its answers depend on; the attributes are its arguments.

    Attributes:
        max_bytes: of all states together; None for most of what is free.
        engine: who runs circuits.
        mesh: devices that share each state, along one axis; None for a single one.
    """

    max_bytes: int | None
    engine: Engine
    mesh: jax.sharding.Mesh | None

    def is_native(self, program: Program) -> bool:
        """Whether the native engine runs a program."""
        return engines.is_native(program, self.engine, self.mesh)

    def prepared(self, program: Program, angles: Angles | Settings) -> tuple[Any, Angles | Settings]:
        """The circuit for the engine in use, and its angles padded to a size that many circuits share."""
        return engines.prepared(program, angles, self.engine, self.mesh)

    def check_states(self, program: Program, dtype: np.dtype, states: int) -> int:
        """Refuse states that do not fit; the bytes that there may be, which are looked up once a question."""
        allowed = limits.allowed_on_device(self.max_bytes, self.mesh)
        limits.check_states(program, dtype, states, allowed, self.mesh)
        return allowed

    def seen(self, program: Any, dtype: np.dtype) -> Any:
        """The part of a program that its values depend on."""
        part = program.seen
        if part.program.num_qubits > pauli.WORD_QUBITS:
            # What is prepared to be simulated holds masks of that size.
            self.check_states(part.program, dtype, states=1)
        if self._has_idle_devices(part.program):
            # Every device needs amplitudes of its own.
            return program.on_all
        return part

    def state(self, program: Program, angles: Angles) -> Amplitudes:
        """The final state, over all devices."""
        self.check_states(program, angles.dtype, states=2)
        return kernels.state(*self.prepared(program, angles))

    def state_of_part(self, program: Program, angles: Angles) -> Amplitudes:
        """The state of what is left of a circuit: on one device where it has too few amplitudes for all of them."""
        room = Room(self.max_bytes, "jax", None) if self._has_idle_devices(program) else self
        return room.state(program, angles)

    def some_states(self, program: Program, settings: Settings) -> Iterator[np.ndarray]:
        """The states at all settings, one after another, as many simulated together as make up few bytes."""
        if self.mesh is not None:
            yield from (np.asarray(self.state_of_part(program, row)) for row in settings)
            return
        step = max(1, overlaps.AMPLITUDES >> program.num_qubits)
        for start in range(0, len(settings), step):
            some = settings[start : start + step]
            padded = engines.padded(some, walk.bucket(len(some), 1), axis=0)
            yield from np.asarray(kernels.states(*self.prepared(program, padded)))[: len(some)]

    def _has_idle_devices(self, program: Program) -> bool:
        return self.mesh is not None and program.num_qubits < self.mesh.size.bit_length()
