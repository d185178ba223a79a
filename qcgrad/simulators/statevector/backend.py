"""The statevector simulator as a backend."""

from dataclasses import replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from ...backend import AbstractBackend, default_backend_for
from ...errors import StateTooLarge, UnsupportedQuery, shown
from ...ir import pauli
from ...ir.expectation import Expectation
from ...ir.mixed_expectation import MixedExpectation
from ...memory import allowed_bytes
from ...objective import is_concrete, zeros_like
from ...queries import (
    Access,
    AdjointSweep,
    Evaluate,
    Means,
    MeasureBases,
    RandomizedMeasure,
    ReverseSweep,
    Sweep,
    state_bytes,
)
from ..multicopy import answers
from . import kernels, native_library, sample, stabilizer_bases, walk
from .inputs import program_and_angles
from .native_circuit import NativeCircuit
from .native_sampling import NativeBases
from .scanned import ScannedCircuit
from .sharded import ShardedCircuit, flattened, is_addressable, shared_key

# More controls than this are refused by the native engine and walked by the JAX path.
_MAX_NATIVE_CONTROLS = 14
# Outcome distributions of random bases: masks, signs and probabilities of 2^n products beside the state.
_STATES_PER_BASIS = 8


@default_backend_for(Expectation)
@default_backend_for(MixedExpectation)
class Statevector(AbstractBackend):
    """Dense simulation of all 2^n amplitudes, exact up to rounding.

    Gates and qubits that cannot change an answer are left out: of expectation values and of measured strings what lies
    outside of their light cone, of every state the qubits that no gate acts on. n counts those that remain.

    The precision follows the parameters: float32 angles give complex64 amplitudes, float64 complex128.
    No circuit is compiled; the first call for circuits of about a new size compiles one program that
    all of them share.

    Args:
        max_bytes: refuse simulations whose states need more than this; by default 80 % of the memory
            that the machine, or the accelerator, has free.
        engine: "native" (C++, CPU, first derivatives), "jax" (any device, any derivative), or "auto": native
            on a CPU where it was built, else JAX with one warning.
        mesh: spread each state over all devices of this mesh, of one process or of several after
            `jax.distributed.initialize`; a power of two of them, and fewer than there are amplitudes. `max_bytes`
            then counts for each device. All processes make the same calls with the same numbers.

    Raises:
        ValueError: engine="native" where it was not built or with a mesh; a number of devices that is no power
            of two, or, when asked, too large for the circuit.
        StateTooLarge: before anything is allocated, with the number of bytes.

    Example:
        >>> import qcgrad as qg
        >>> wide = qg.Circuit(100).ry(0, param=0).cx(0, 99).x(50)
        >>> round(float(qg.estimate(qg.Expectation(wide, "Z" + 99 * "I"), [0.1], qg.Adjoint()).value), 3)
        0.995
        >>> for qubit in range(99):
        ...     wide = wide.cx(qubit, qubit + 1)
        >>> qg.estimate(qg.Expectation(wide, 99 * "I" + "Z"), [0.1], qg.Adjoint())
        Traceback (most recent call last):
        ...
        qcgrad.errors.StateTooLarge: the circuit: 100 of 100 qubits ...
    """

    access = Access.white_box

    def __init__(
        self,
        max_bytes: int | None = None,
        engine: Literal["auto", "native", "jax"] = "auto",
        mesh: jax.sharding.Mesh | None = None,
    ):
        is_count = isinstance(max_bytes, (int, np.integer)) and not isinstance(max_bytes, bool) and max_bytes > 0
        if max_bytes is not None and not is_count:
            raise ValueError(f"Statevector max_bytes={max_bytes!r}: give a positive number of bytes, or None")
        if engine not in ("auto", "native", "jax"):
            raise ValueError(f"Statevector engine={engine!r}: give 'auto', 'native' or 'jax'")
        if engine == "native" and mesh is not None:
            raise ValueError(
                "Statevector engine='native' with a mesh: only the JAX path is sharded, give engine='auto'"
            )
        if engine == "native" and native_library.load() is None:
            raise ValueError(
                "Statevector engine='native': it was not built; install a C++ compiler and reinstall qcgrad"
            )
        self.max_bytes = max_bytes
        self.engine = engine
        self.mesh = None if mesh is None else flattened(mesh)

    def answer(self, query, key):
        if self.mesh is not None:
            key = shared_key(key, self.mesh)
            if isinstance(query, answers.QUESTIONS) and not is_addressable(self.mesh):
                raise UnsupportedQuery(
                    f"{type(query).__name__} needs the whole state in one process, and this mesh spans several: "
                    "use a mesh of this process's devices, or a method that asks for expectation values only"
                )
        if isinstance(query, Evaluate):
            return self._evaluate(query, key)
        if isinstance(query, AdjointSweep):
            return self._adjoint(query)
        if isinstance(query, ReverseSweep):
            return self._reverse(query)
        if isinstance(query, MeasureBases):
            return self._measure(query, key)
        if isinstance(query, RandomizedMeasure):
            return self._randomized(query, key)
        if isinstance(query, answers.QUESTIONS):
            return answers.answer(query, key, self._state_of_part)
        return self.refuse(query)

    def state(self, program, angles) -> jax.Array:
        """Amplitudes (2^n,) of a program at its gate angles (A,), or of a circuit or `Expectation` at its parameters.

        Raises:
            TypeError: no circuit, or angles that are no real numbers.
            ValueError: a wrong number of angles, or NaN and infinity among them.
            StateTooLarge: before anything is allocated.

        Example:
            >>> import jax, qcgrad as qg
            >>> jax.config.update("jax_enable_x64", True)
            >>> print(qg.Statevector().state(qg.Circuit(1).ry(0, param=0, scale=2.0), [0.3]).round(4).real)
            [0.9553 0.2955]
        """
        program, angles = program_and_angles(program, angles)
        self._check_memory(program, angles, states=2)
        circuit, angles = self._prepared(program, angles)
        return kernels.state(circuit, angles)

    def _state_of_part(self, program, angles):
        """The state of what is left of a circuit: on one device where it has too few amplitudes for all of them."""
        is_small = self.mesh is not None and program.num_qubits < self.mesh.size.bit_length()
        backend = Statevector(self.max_bytes, "jax") if is_small else self
        return backend.state(program, angles)

    def _measure(self, query, key):
        whole = query.program
        part = whole.part(query.x, query.z)
        x, z = (pauli.squeezed(masks, part.qubits, whole.num_qubits) for masks in (query.x, query.z))
        psi = np.asarray(self._state_of_part(part.program, part.select(query.angles)))
        return stabilizer_bases.count(psi, replace(query, x=x, z=z), key)

    def _randomized(self, query, key):
        # A basis of all qubits at once entangles idle ones too; letters do not.
        part = query.program.busy if query.ensemble == "local" else query.program.on_all
        self._check_memory(part.program, query.angles, _STATES_PER_BASIS)
        psi = np.asarray(self._state_of_part(part.program, part.select(query.angles)))
        return stabilizer_bases.snapshots(psi, query, part.qubits, key)

    def _evaluate(self, query, key):
        part, settings = self._seen(query.program, query.angles), len(query.angles)
        program = part.program
        padded = 1 if settings == 1 else walk.bucket(settings, 2)
        circuit, angles = self._prepared(program, _pad(part.select(query.angles), padded, axis=0))
        if query.shots is None:
            self._check_memory(program, query.angles, circuit.states_held(0))
            mean = _to_host(query.angles, kernels.values(circuit, angles))[:settings]
            return Means(mean, zeros_like(mean))
        bases = (NativeBases if self._is_native(program) else sample.to_bases)(program, angles.dtype)
        self._check_memory(program, query.angles, bases.states_held)
        # Drawing a few more outcomes than count lets neighbouring numbers of shots share a compiled program.
        drawn = walk.bucket(max(query.shots_per_setting))
        self._check_sampling(bases, angles.dtype, drawn)
        shots = np.pad(np.asarray(query.shots_per_setting, np.int32), (0, padded - settings))
        mean, variance = _to_host(query.angles, kernels.sampled(circuit, drawn, bases, angles, shots, key))
        return Means(mean[:settings], variance[:settings])

    def _adjoint(self, query):
        part = self._seen(query.program, query.angles)
        program = part.program
        circuit, angles = self._prepared(program, part.select(query.angles)[None])
        self._check_memory(program, query.angles, circuit.states_held(len(query.cotangents)))
        found = kernels.sweeps(circuit, angles, query.cotangents.astype(angles.dtype))
        value, gradient = _to_host(query.angles, found)
        return Sweep(value[0], part.expand(gradient[0, :, : program.num_angles], query.program.num_angles))

    def _reverse(self, query):
        part, dtype = self._seen(query.program, query.angles), query.angles.dtype
        program = part.program
        angles = _pad(part.select(query.angles), _padded_angles(program), axis=-1)
        # Only the JAX path can be differentiated step by step.
        circuit = self._jax_circuit(program, dtype, _padded_angles(program))
        self._check_memory(program, query.angles, circuit.states_recorded(len(query.cotangents)))
        value, gradient = _to_host(query.angles, kernels.reverse(circuit, angles, query.cotangents.astype(dtype)))
        return Sweep(value, part.expand(gradient[:, : program.num_angles], query.program.num_angles))

    def _seen(self, program, angles):
        """The part of a program that its values depend on."""
        part = program.seen
        if part.program.num_qubits > pauli.WORD_QUBITS:
            # What is prepared to be simulated holds masks of that size.
            self._check_memory(part.program, angles, states=1)
        if self.mesh is not None and part.program.num_qubits < self.mesh.size.bit_length():
            # Every device needs amplitudes of its own.
            return program.on_all
        return part

    def _prepared(self, program, angles):
        """The circuit for the engine in use, and its angles (..., A) padded to a size that many circuits share."""
        count = _padded_angles(program)
        kind = NativeCircuit if self._is_native(program) else self._jax_circuit
        return kind(program, angles.dtype, count), _pad(angles, count, axis=-1)

    def _jax_circuit(self, program, dtype, count) -> ScannedCircuit | ShardedCircuit:
        if self.mesh is not None:
            return ShardedCircuit(program, dtype, count, self.mesh)
        return ScannedCircuit(program, dtype, count)

    def _is_native(self, program) -> bool:
        if self.engine != "auto":
            return self.engine == "native"
        if self.mesh is not None or jax.default_backend() != "cpu":
            return False
        if native_library.load() is None:
            native_library.warn_of_absence()
            return False
        controls = program.circuit.op_table.controls
        return int(np.bitwise_count(controls).max(initial=0)) <= _MAX_NATIVE_CONTROLS

    def _check_memory(self, program, angles, states):
        devices = 1 if self.mesh is None else self.mesh.size
        needed = states * state_bytes(program.num_qubits, angles.dtype) // devices
        allowed = self._allowed_bytes()
        if needed > allowed:
            each = "" if devices == 1 else f" on each of {devices} devices"
            state = shown(state_bytes(program.num_qubits, angles.dtype))
            raise StateTooLarge(
                f"{program.remaining} have to be simulated: a state of {program.num_qubits} qubits in "
                f"{np.result_type(angles.dtype, np.complex64)} takes {state} bytes and this query holds {states} of "
                f"them, {shown(needed)} bytes{each}; {allowed:,} are allowed: use fewer qubits, float32 "
                "parameters, or another method (Statevector(max_bytes=...) moves the limit)"
            )

    def _check_sampling(self, bases, dtype, shots):
        needed = shots * bases.numbers_per_shot * np.dtype(dtype).itemsize
        allowed = self._allowed_bytes()
        if needed > allowed:
            raise StateTooLarge(
                f"{shots:,} draws take {needed:,} bytes and {allowed:,} are allowed: give fewer shots and average "
                "several estimates"
            )

    def _allowed_bytes(self) -> int:
        device = jax.devices()[0] if self.mesh is None else self.mesh.local_devices[0]
        return self.max_bytes or allowed_bytes(device=device)


def _padded_angles(program) -> int:
    return walk.bucket(max(program.num_angles, 1), 64)


def _pad(array, length, axis):
    xp = np if is_concrete(array) else jnp
    widths = [(0, 0)] * np.ndim(array)
    widths[axis] = (0, length - np.shape(array)[axis])
    return xp.pad(xp.asarray(array), widths)


def _to_host(inputs, outputs):
    """NumPy arrays where the inputs were concrete, so that what follows compiles nothing."""
    return jax.tree.map(np.asarray, outputs) if is_concrete((inputs, outputs)) else outputs
