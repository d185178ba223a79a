"""Derivatives of tapes of plain numbers by the adjoint method, nested as PennyLane nests them."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ....array_types import Cotangents
from ....estimate import run
from ....estimators import Adjoint
from ....objective import Point
from ....queries import Evaluate
from ._execution import Engine, nested
from ._lowering import lower_tape, place_of, settings_of
from ._program import TapeProgram
from ._questions import answered


class _Swept(NamedTuple):
    """One sweep: the program, its values (K,), and derivatives by the trainable parameters (C, P)."""

    program: TapeProgram
    values: Float[np.ndarray, "K"]
    rows: Float[np.ndarray, "C P"]


def jacobian(tape: Any, engine: Engine) -> tuple[Any, Any]:
    """Results of a tape, and their derivatives by its trainable parameters."""
    swept = _sweep(tape, engine, None)
    program, values = swept.program, swept.values
    # One row for each number that is returned.
    rows = swept.rows if program.is_plain else program.slopes(values) @ swept.rows
    ends = np.cumsum(program.sizes)[:-1]
    parts = []
    for part, readout in zip(np.split(rows, ends), program.readouts, strict=True):
        part = part if readout.kind == "probs" else part[0]
        parts.append(nested(list(np.moveaxis(part, -1, 0)) if part.shape[-1] else [np.zeros(0)]))
    return nested(program.results(values)), nested(parts)


def vector_jacobian(tape: Any, cotangents: Any, engine: Engine) -> tuple[Any, tuple[Any, ...]]:
    """Results of a tape, and cotangents times their derivatives, a number for each trainable parameter.

    Args:
        tape: what is differentiated.
        cotangents: shaped as the results; an axis more of a scalar result is one of several cotangents.
        engine: what with.
    """
    given = cotangents if len(tape.measurements) > 1 else (cotangents,)
    wires = len(place_of(tape, engine.device_wires).order)
    columns = []
    for cotangent, measurement in zip(given, tape.measurements, strict=True):
        shape = measurement.shape(shots=None, num_device_wires=wires)
        cotangent = np.asarray(cotangent, float)
        is_single = cotangent.ndim == len(shape)
        columns.append((is_single, cotangent.reshape(1 if is_single else len(cotangent), -1)))
    is_single, count = all(single for single, _ in columns), max(len(column) for _, column in columns)
    joined = np.concatenate([np.broadcast_to(c, (count, c.shape[1])) for _, c in columns], axis=1)
    swept = _sweep(tape, engine, joined)
    rows = swept.rows[0] if is_single else swept.rows
    return nested(swept.program.results(swept.values)), tuple(np.moveaxis(rows, -1, 0))


def jacobian_vector(tape: Any, tangents: Any, engine: Engine) -> tuple[Any, Any]:
    """Results of a tape, and their derivative along a direction of its trainable parameters."""
    results, derivatives = jacobian(tape, engine)
    direction = [np.asarray(t, float) for t in tangents]

    def along(each):
        each = (each,) if len(direction) == 1 else each
        return sum((d * t for d, t in zip(each, direction, strict=True)), np.zeros(()))

    many = len(tape.measurements) > 1
    return results, tuple(map(along, derivatives)) if many else along(derivatives)


def _sweep(tape, engine: Engine, cotangents: Cotangents | None) -> _Swept:
    """Derivatives of all expectation values, or of `cotangents` (C, N) times all numbers that are returned."""
    place = place_of(tape, engine.device_wires)
    lowered = lower_tape(tape.operations, place.qubit)
    program = engine.programs(lowered, place, tape.measurements)
    objective = program.objective
    angles = settings_of(lowered, place, engine.dtype)
    many = objective.num_outputs
    direct = cotangents if program.is_affine else None
    weights = np.eye(many, dtype=engine.dtype)
    if direct is not None:
        weights = direct if program.is_plain else direct @ program.slopes(np.zeros(many))
    if lowered.slots:
        reading = run(Point(objective, angles[0], weights), Adjoint(), engine.backend, None).reading
        values, gradient = np.array(reading.value), np.asarray(reading.gradient)
    else:
        values = np.array(answered([Evaluate(objective.program, angles)], engine.backend, None)[0].mean[0])
        gradient = np.zeros((len(weights), 0))
    total = sum(len(operation.data) for operation in tape.operations)
    trainable = [k for k in tape.trainable_params if k < total]
    rows = lowered.pull_back(gradient, total)[:, trainable]
    # Numbers of observables are no angles: PennyLane has been told so, and counts them with derivative zero.
    rows = np.pad(rows, ((0, 0), (0, len(tape.trainable_params) - len(trainable))))
    if cotangents is not None and direct is None:
        rows = cotangents @ program.slopes(values) @ rows
    return _Swept(program, values, np.asarray(rows))
