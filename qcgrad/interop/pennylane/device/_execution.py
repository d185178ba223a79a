"""What a tape returns: expectation values by the engine, everything else from the state or from samples."""

from typing import Any, NamedTuple

import jax
import numpy as np

from ....array_types import Key, Settings
from ....backend import AbstractBackend
from ....differentiable import as_jax
from ....estimators import Adjoint
from ....queries import Evaluate, ReadState
from ._lowering import Lowered, Place, lower_tape, place_of, settings_of, without_observables
from ._program import Programs, TapeProgram, is_read_off
from ._questions import answered
from ._sampling import sampled


class Engine(NamedTuple):
    """What tapes are executed with.

    Attributes:
        backend: who answers.
        programs: those of earlier tapes.
        device_wires: the device's, or None.
        dtype: of the angles.
    """

    backend: AbstractBackend
    programs: Programs
    device_wires: Any
    dtype: np.dtype


def execute(tape: Any, engine: Engine, key: Key | None) -> Any:
    """The results of a tape of plain numbers, nested as PennyLane nests them.

    Args:
        tape: one that `_preprocess` leaves.
        engine: what with.
        key: for tapes with shots.
    """
    place = place_of(tape, engine.device_wires)
    lowered = lower_tape(tape.operations, place.qubit)
    angles = settings_of(lowered, place, engine.dtype)
    if tape.shots:
        found = sampled(tape, engine, place, lowered, angles, key)
        each = tuple(nested(results) for results in found)
        return each if tape.shots.has_partitioned_shots else each[0]
    return nested(_analytic(tape, engine, place, lowered, angles))


def _analytic(tape, engine: Engine, place: Place, lowered: Lowered, angles: Settings) -> list[Any]:
    measurements = tape.measurements
    read_off = [k for k, m in enumerate(measurements) if is_read_off(m)]
    program = engine.programs(lowered, place, [measurements[k] for k in read_off]) if read_off else None
    queries: list[Any] = []
    if program is not None:
        queries.append(Evaluate(program.objective.program, angles))
    if len(read_off) < len(measurements):
        queries.append(ReadState(without_observables(place, tuple(lowered.parts)), angles[0]))
    answers = answered(queries, engine.backend, None)
    found: dict[int, Any] = {}
    if program is not None:
        found |= zip(read_off, _batched(program, np.array(answers[0].mean), lowered.batch_size), strict=True)
    if len(read_off) < len(measurements):
        state = np.asarray(answers[-1].amplitudes)
        found |= {k: _from_state(m, state, place) for k, m in enumerate(measurements) if k not in found}
    return [found[k] for k in range(len(measurements))]


def traced(tape: Any, engine: Engine) -> Any:
    """The results of a tape whose numbers JAX may be tracing, as a function that JAX differentiates."""
    place = place_of(tape, engine.device_wires)
    lowered = lower_tape(tape.operations, place.qubit)
    program = engine.programs(lowered, place, tape.measurements)
    if not lowered.slots:
        query = Evaluate(program.objective.program, np.zeros((1, 0), jax.dtypes.canonicalize_dtype(float)))
        with jax.ensure_compile_time_eval():
            means = answered([query], engine.backend, None)[0].mean
        return nested(_batched(program, jax.numpy.asarray(means), None))
    angles = lowered.angles(jax.numpy)
    evaluate = as_jax(program.objective, Adjoint(), engine.backend)
    means = evaluate(angles[0])[None] if lowered.batch_size is None else jax.vmap(evaluate)(angles)
    return nested(_batched(program, means, lowered.batch_size))


def nested(results: list[Any]) -> Any:
    """One result for one measurement, a tuple for several."""
    return results[0] if len(results) == 1 else tuple(results)


def _batched(program: TapeProgram, means: Any, batch_size: int | None) -> list[Any]:
    """What the measurements return from expectation values (B, K)."""
    if batch_size is None:
        return program.results(means[0])
    xp: Any = np if isinstance(means, np.ndarray) else jax.numpy
    return [xp.stack(each) for each in zip(*(program.results(row) for row in means), strict=True)]


def _from_state(measurement: Any, state: np.ndarray, place: Place) -> Any:
    from pennylane.devices.qubit.measure import measure

    return np.asarray(measure(measurement.map_wires(place.qubit), state.reshape((2,) * len(place.order))))
