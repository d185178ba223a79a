"""The statevector simulator as a backend."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import jax
import numpy as np

from ...array_types import Amplitudes, Key, Params
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
    Snapshots,
    TangentSweep,
)
from .. import iqp
from ..coherent import _answers as coherent
from ..multicopy import _answers as answers
from . import _derivatives as derivatives
from . import _engines as engines
from . import _overlaps as overlaps
from . import _stabilizer_bases as stabilizer_bases
from . import values
from ._engines import Engine
from ._inputs import program_and_angles
from ._room import Room
from ._sharded import flattened, is_addressable, shared_key


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

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        if self.mesh is not None:
            key = shared_key(key, self.mesh)
            if isinstance(query, answers.QUESTIONS | coherent.EstimatePhases) and not is_addressable(self.mesh):
                raise UnsupportedQuery(
                    f"{type(query).__name__} needs the whole state in one process, and this mesh spans several: "
                    "use a mesh of this process's devices, or a method that asks for expectation values only"
                )
        for kind in type(query).__mro__:
            if kind in _ANSWERS:
                return _ANSWERS[kind](self._room, query, key)
        return self.refuse(query)

    def state(self, program: Program | Circuit | Expectation, angles: Params) -> Amplitudes:
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
        return self._room.state(*program_and_angles(program, angles))

    @property
    def _room(self) -> Room:
        return Room(self.max_bytes, self.engine, self.mesh)


def _sampled_iqp(room: Room, query: SampleIQP, key: Any) -> SampledSweep:
    return iqp.answer(query, key, room.max_bytes)


def _read(room: Room, query: ReadState, key: Any) -> FinalState:
    program: Any = query.program
    return FinalState(room.state_of_part(program, query.angles))


def _jointly(room: Room, query: Any, key: Any) -> answers.Answer:
    return answers.answer(query, key, room.state_of_part, room.max_bytes)


def _coherently(room: Room, query: Any, key: Any) -> coherent.Answer:
    def value(program, settings, output):
        return values.evaluate(room, Evaluate(program, settings), None).mean[:, output]

    def slopes(program, angles, output):
        one = np.eye(program.num_observables)[[output]]
        return derivatives.adjoint(room, AdjointSweep(program, angles, one)).gradient[0]

    return coherent.answer(query, key, value, slopes, room.max_bytes)


def _overlaps(room: Room, query: Overlaps, key: Any) -> Means:
    program: Any = query.program
    part = program.busy
    room.check_states(part.program, query.angles.dtype, states=4)
    psi = np.asarray(room.state_of_part(part.program, part.select(query.angles)))
    return overlaps.answered(query, psi, room.some_states(part.program, part.select(query.others)), key)


def _counted(room: Room, query: MeasureBases, key: Any) -> BasisCounts:
    whole: Any = query.program
    part = whole.part(query.x, query.z)
    x, z = (pauli.squeezed(masks, part.qubits, whole.num_qubits) for masks in (query.x, query.z))
    query = replace(query, x=x, z=z)
    room.check_states(part.program, query.angles.dtype, states=2)
    stabilizer_bases.check_counts(query, part.program.num_qubits, room.max_bytes)
    psi = np.asarray(room.state_of_part(part.program, part.select(query.angles)))
    return stabilizer_bases.count(psi, query, key)


def _randomized(room: Room, query: RandomizedMeasure, key: Any) -> Snapshots:
    program: Any = query.program
    # A basis of all qubits at once entangles idle ones too; letters do not.
    part = program.busy if query.ensemble == "local" else program.on_all
    room.check_states(part.program, query.angles.dtype, states=2)
    stabilizer_bases.check_snapshots(query, part.program.num_qubits, room.max_bytes)
    psi = np.asarray(room.state_of_part(part.program, part.select(query.angles)))
    return stabilizer_bases.snapshots(psi, query, part.qubits, key)


_ANSWERS: dict[type, Callable[[Room, Any, Key | None], Any]] = {
    Evaluate: values.evaluate,
    AdjointSweep: derivatives.adjoint,
    ReverseSweep: derivatives.reverse,
    ForwardSweeps: derivatives.forwards,
    TangentSweep: derivatives.tangent,
    MeasureBases: _counted,
    Overlaps: _overlaps,
    RandomizedMeasure: _randomized,
    SampleIQP: _sampled_iqp,
    ReadState: _read,
    **dict.fromkeys(get_args(answers.QUESTIONS), _jointly),
    **dict.fromkeys(get_args(coherent.QUESTIONS), _coherently),
}
