"""The statevector simulator as a backend."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import jax
import numpy as np

from ...array_types import Key, Params
from ...arrays import is_concrete, namespace, zeros_like
from ...backend import AbstractBackend, default_backend_for
from ...errors import UnsupportedQuery
from ...ir import Circuit, Program, pauli
from ...ir.expectation import Expectation
from ...ir.mixed_expectation import MixedExpectation
from ...queries import (
    AbstractQuery,
    Access,
    AdjointSweep,
    BasisCounts,
    Evaluate,
    FinalState,
    ForwardSweeps,
    Means,
    MeasureBases,
    Overlaps,
    RandomizedMeasure,
    ReadState,
    ReverseSweep,
    SampledSweep,
    SampleIQP,
    ShiftedSettings,
    ShiftSums,
    Snapshots,
    Sweep,
    Tangents,
    TangentSweep,
)
from .. import iqp
from ..coherent import _answers as coherent
from ..multicopy import _answers as answers
from . import _engines as engines
from . import _forward as forward
from . import _kernels as kernels
from . import _limits as limits
from . import _overlaps as overlaps
from . import _sample as sample
from . import _shifts as shifts
from . import _stabilizer_bases as stabilizer_bases
from . import _tangents as tangents
from . import _walk as walk
from ._engines import Engine
from ._inputs import program_and_angles
from ._native_circuit import NativeCircuit
from ._native_sampling import NativeBases
from ._sharded import flattened, is_addressable, shared_key

_White = ShiftSums | Sweep | SampledSweep | Tangents | FinalState
_Answer = Means | _White | BasisCounts | Snapshots | answers.Answer | coherent.Answer

SETTINGS_BYTES = 1 << 25
"""Settings are simulated this many bytes of their angles at a time, since several copies of these are made."""


@default_backend_for(Expectation)
@default_backend_for(MixedExpectation)
class Statevector(AbstractBackend):
    """Dense simulation of all 2^n amplitudes, exact up to rounding.

    Gates and qubits that cannot change an answer are left out: of expectation values and of measured strings what lies
    outside of their light cone, of every state the qubits that no gate acts on. n counts those that remain. What
    needs no state, as sampling of IQP circuits, is answered for any number of qubits.

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
    sums_shifts = True

    def __init__(
        self,
        max_bytes: int | None = None,
        engine: Engine = "auto",
        mesh: jax.sharding.Mesh | None = None,
    ):
        is_count = isinstance(max_bytes, (int, np.integer)) and not isinstance(max_bytes, bool) and max_bytes > 0
        if max_bytes is not None and not is_count:
            raise ValueError(f"Statevector max_bytes={max_bytes!r}: give a positive number of bytes, or None")
        engines.check(engine, mesh)
        self.max_bytes = max_bytes
        self.engine: Engine = engine
        self.mesh = None if mesh is None else flattened(mesh)

    def differentiable(self) -> "Statevector":
        return self if self.engine == "jax" or self.mesh is not None else Statevector(self.max_bytes, "jax")

    def answer(self, query: AbstractQuery, key: Key | None) -> _Answer:
        if self.mesh is not None:
            key = shared_key(key, self.mesh)
            if isinstance(query, answers.QUESTIONS | coherent.EstimatePhases) and not is_addressable(self.mesh):
                raise UnsupportedQuery(
                    f"{type(query).__name__} needs the whole state in one process, and this mesh spans several: "
                    "use a mesh of this process's devices, or a method that asks for expectation values only"
                )
        for kind in type(query).__mro__:
            if kind in _ANSWERS:
                return _ANSWERS[kind](self, query, key)
        return self.refuse(query)

    def state(self, program: Program | Circuit | Expectation, angles: Params) -> jax.Array:
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
        self._check_states(program, angles, states=2)
        circuit, angles = engines.prepared(program, angles, self.engine, self.mesh)
        return kernels.state(circuit, angles)

    def _sampled(self, query, key):
        return iqp.answer(query, key, self.max_bytes)

    def _read(self, query, key):
        return FinalState(self._state_of_part(query.program, query.angles))

    def _jointly(self, query, key):
        return answers.answer(query, key, self._state_of_part, self.max_bytes)

    def _coherently(self, query, key):
        return coherent.answer(query, key, self._values, self._slopes, self.max_bytes)

    def _values(self, program, settings, output):
        return self._evaluate(Evaluate(program, settings), None).mean[:, output]

    def _slopes(self, program, angles, output):
        return self._adjoint(AdjointSweep(program, angles, np.eye(program.num_observables)[[output]])).gradient[0]

    def _state_of_part(self, program, angles):
        """The state of what is left of a circuit: on one device where it has too few amplitudes for all of them."""
        is_small = self.mesh is not None and program.num_qubits < self.mesh.size.bit_length()
        backend = Statevector(self.max_bytes, "jax") if is_small else self
        return backend.state(program, angles)

    def _measure(self, query, key):
        whole = query.program
        part = whole.part(query.x, query.z)
        x, z = (pauli.squeezed(masks, part.qubits, whole.num_qubits) for masks in (query.x, query.z))
        query = replace(query, x=x, z=z)
        self._check_states(part.program, query.angles, states=2)
        stabilizer_bases.check_counts(query, part.program.num_qubits, self.max_bytes)
        psi = np.asarray(self._state_of_part(part.program, part.select(query.angles)))
        return stabilizer_bases.count(psi, query, key)

    def _overlaps(self, query, key):
        part = query.program.busy
        self._check_states(part.program, query.angles, states=4)
        psi = np.asarray(self._state_of_part(part.program, part.select(query.angles)))
        return overlaps.answered(query, psi, self._some_states(part.program, part.select(query.others)), key)

    def _some_states(self, program, settings):
        """The states at all settings (B, A), one after another, as many simulated together as make up few bytes."""
        if self.mesh is not None:
            yield from (np.asarray(self._state_of_part(program, row)) for row in settings)
            return
        step = max(1, overlaps.AMPLITUDES >> program.num_qubits)
        for start in range(0, len(settings), step):
            some = settings[start : start + step]
            padded = engines.padded(some, walk.bucket(len(some), 1), axis=0)
            yield from np.asarray(kernels.states(*engines.prepared(program, padded, self.engine, None)))[: len(some)]

    def _randomized(self, query, key):
        # A basis of all qubits at once entangles idle ones too; letters do not.
        part = query.program.busy if query.ensemble == "local" else query.program.on_all
        self._check_states(part.program, query.angles, states=2)
        stabilizer_bases.check_snapshots(query, part.program.num_qubits, self.max_bytes)
        psi = np.asarray(self._state_of_part(part.program, part.select(query.angles)))
        return stabilizer_bases.snapshots(psi, query, part.qubits, key)

    def _evaluate(self, query, key):
        if isinstance(query.angles, ShiftedSettings) and (answer := self._shifted(query, key)) is not None:
            return answer
        settings = len(query.angles)
        if not is_concrete(query.angles):  # what is traced is one array whatever is done
            return self._evaluate_slice(query, jax.numpy.asarray(query.angles), query.shots_per_setting, key, 0)
        # A slice of the settings at a time, so that no more than a slice is ever copied.
        step = max(1, SETTINGS_BYTES // (query.angles.dtype.itemsize * engines.padded_angles(query.program)))
        parts = []
        for start in range(0, settings, step):
            part = slice(start, start + step)
            angles = np.asarray(query.angles[part])
            parts.append(self._evaluate_slice(query, angles, query.shots_per_setting[part], key, start))
        join = namespace(parts).concatenate
        return Means(join([part.mean for part in parts]), join([part.variance for part in parts]))

    def _evaluate_slice(self, query, angles, shots, key, start):
        part, settings = self._seen(query.program, angles), len(angles)
        program = part.program
        count = 1 if settings == 1 else walk.bucket(settings, 2)
        selected = engines.padded(part.select(angles), count, axis=0)
        circuit, selected = engines.prepared(program, selected, self.engine, self.mesh)
        if query.shots is None:
            self._check_states(program, angles, circuit.states_held(0))
            mean = _to_host(angles, kernels.values(circuit, selected))[:settings]
            return Means(mean, zeros_like(mean))
        is_native = engines.is_native(program, self.engine, self.mesh)
        bases = (NativeBases if is_native else sample.to_bases)(program, angles.dtype)
        allowed = self._check_states(program, angles, bases.states_held)
        # Drawing a few more outcomes than count lets neighbouring numbers of shots share a compiled program.
        drawn = 0 if is_native else walk.bucket(max(shots))
        limits.check_draws(bases, angles.dtype, drawn, allowed)
        shots = np.pad(np.asarray(shots, np.int32), (0, count - settings))
        found = kernels.sampled(circuit, drawn, bases, selected, shots, key, np.uint32(start))
        mean, variance = _to_host(angles, found)
        return Means(mean[:settings], variance[:settings])

    def _shifted(self, query, key):
        """The answer at shifts of one point with work that they share done once, or None where each is run alone."""
        part = self._seen(query.program, query.angles)
        program, angles = part.program, query.angles
        if not engines.is_native(program, self.engine, self.mesh):
            return None
        if query.shots is None:
            return self._sums(query) if query.weights is not None else None
        allowed = self._check_states(program, angles, NativeBases.states_held)
        shots, padded = query.shots_per_setting, engines.padded_angles(program)
        found = shifts.sampled(program, angles.on(part.angles), shots, padded, allowed, key)
        return None if found is None else Means(*found)

    def _sums(self, query):
        """Sums that are multiples of derivatives, by un-computing; None for others."""
        angles, outputs = query.angles, query.program.num_observables
        # What is traced may be differentiated again, which derivatives of this engine cannot.
        if not is_concrete(angles) or outputs > len(angles):
            return None
        factors = shifts.derivative_factors(query.program, angles, query.weights)
        if factors is None:
            return None
        found = self._adjoint(AdjointSweep(query.program, angles.point, np.eye(outputs, dtype=angles.dtype)))
        return ShiftSums(found.value[None], factors.astype(angles.dtype)[:, None] * found.gradient.T)

    def _adjoint(self, query, key=None):
        part = self._seen(query.program, query.angles)
        program = part.program
        circuit, angles = engines.prepared(program, part.select(query.angles)[None], self.engine, self.mesh)
        self._check_states(program, query.angles, circuit.states_held(len(query.cotangents)))
        found = kernels.sweeps(circuit, angles, query.cotangents.astype(angles.dtype))
        value, gradient = _to_host(query.angles, found)
        return Sweep(value[0], part.expand(gradient[0, :, : program.num_angles], query.program.num_angles))

    def _reverse(self, query, key=None):
        part, dtype = self._seen(query.program, query.angles), query.angles.dtype
        program = part.program
        angles = engines.padded(part.select(query.angles), engines.padded_angles(program), axis=-1)
        # Only the JAX path can be differentiated step by step.
        circuit = engines.jax_circuit(program, dtype, self.mesh, query.keeps_all)
        self._check_states(program, query.angles, circuit.states_recorded(len(query.cotangents)))
        value, gradient = _to_host(query.angles, kernels.reverse(circuit, angles, query.cotangents.astype(dtype)))
        return Sweep(value, part.expand(gradient[:, : program.num_angles], query.program.num_angles))

    def _forward(self, query, key=None):
        part, dtype = self._seen(query.program, query.angles), query.angles.dtype
        program = part.program
        # What is traced may be differentiated again.
        if is_concrete(query.angles) and engines.is_native(program, self.engine, self.mesh):
            held = forward.states_held(program.num_qubits, dtype.itemsize, program.circuit.op_table.num_ops)
            self._check_states(program, query.angles, held)
            value, rows = forward.derivatives(program, part.select(query.angles), self._states_of_table(program))
            gradient = np.asarray(query.cotangents, dtype) @ rows.T
            return Sweep(value, part.expand(gradient, query.program.num_angles))
        angles = engines.padded(part.select(query.angles), engines.padded_angles(program), axis=-1)
        circuit = engines.jax_circuit(program, dtype, self.mesh)
        self._check_states(program, query.angles, 2 * circuit.states_held(0))
        value, rows = _to_host(query.angles, kernels.forward(circuit, angles, program.num_angles))
        xp = namespace((rows, query.cotangents))
        gradient = xp.asarray(query.cotangents, dtype) @ rows[: program.num_angles].T
        return Sweep(value, part.expand(gradient, query.program.num_angles))

    def _states_of_table(self, program):
        """A function to the final states (B, 2^n) of the program's circuit with another table, by the native engine."""

        def run(table, settings):
            count = walk.bucket(settings.shape[1], 64)
            padded = engines.padded(engines.padded(settings, count, axis=1), walk.bucket(len(settings), 1), axis=0)
            circuit = NativeCircuit(program, settings.dtype, count, table)
            return np.asarray(kernels.states(circuit, padded))[: len(settings)]

        return run

    def _tangents(self, query, key=None):
        part = query.program.whole
        self._check_states(part.program, query.angles, tangents.states_held(len(query.directions)))
        return tangents.swept(part.program, part.select(query.angles), part.select(query.directions))

    def _seen(self, program, angles):
        """The part of a program that its values depend on."""
        part = program.seen
        if part.program.num_qubits > pauli.WORD_QUBITS:
            # What is prepared to be simulated holds masks of that size.
            self._check_states(part.program, angles, states=1)
        if self.mesh is not None and part.program.num_qubits < self.mesh.size.bit_length():
            # Every device needs amplitudes of its own.
            return program.on_all
        return part

    def _check_states(self, program, angles, states) -> int:
        """Refuse states that do not fit; the bytes that there may be, which are looked up once a question."""
        allowed = limits.allowed_on_device(self.max_bytes, self.mesh)
        limits.check_states(program, angles.dtype, states, allowed, self.mesh)
        return allowed


_ANSWERS: dict[type, Callable[[Statevector, Any, Key | None], _Answer]] = {
    Evaluate: Statevector._evaluate,
    AdjointSweep: Statevector._adjoint,
    ReverseSweep: Statevector._reverse,
    ForwardSweeps: Statevector._forward,
    TangentSweep: Statevector._tangents,
    MeasureBases: Statevector._measure,
    Overlaps: Statevector._overlaps,
    RandomizedMeasure: Statevector._randomized,
    SampleIQP: Statevector._sampled,
    ReadState: Statevector._read,
    **dict.fromkeys(get_args(answers.QUESTIONS), Statevector._jointly),
    **dict.fromkeys(get_args(coherent.QUESTIONS), Statevector._coherently),
}


def _to_host(inputs, outputs):
    """NumPy arrays where the inputs were concrete, so that what follows compiles nothing."""
    return jax.tree.map(np.asarray, outputs) if is_concrete((inputs, outputs)) else outputs
