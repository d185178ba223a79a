"""Expectation values at many settings, exact or from shots."""

from typing import Any

import jax
import numpy as np

from ...array_types import Key, Settings
from ...arrays import is_concrete, namespace, to_host, zeros_like
from ...queries import AdjointSweep, Evaluate, Means, ShiftedSettings, ShiftSums
from . import _derivatives as derivatives
from . import _engines as engines
from . import _kernels as kernels
from . import _limits as limits
from . import _sample as sample
from . import _shifts as shifts
from . import _walk as walk
from ._native_sampling import NativeBases
from ._room import Room

SETTINGS_BYTES = 1 << 25
"""Settings are simulated this many bytes of their angles at a time, since several copies of these are made."""


def evaluate(room: Room, query: Evaluate, key: Key | None) -> Means | ShiftSums:
    """Means of all observables at all settings."""
    if isinstance(query.angles, ShiftedSettings) and (answer := _shifted(room, query, key)) is not None:
        return answer
    program: Any = query.program
    settings = len(query.angles)
    if not is_concrete(query.angles):  # what is traced is one array whatever is done
        return _slice(room, query, jax.numpy.asarray(query.angles), query.shots_per_setting, key, 0)
    # A slice of the settings at a time, so that no more than a slice is ever copied.
    step = max(1, SETTINGS_BYTES // (query.angles.dtype.itemsize * engines.padded_angles(program)))
    parts = []
    for start in range(0, settings, step):
        part = slice(start, start + step)
        angles = np.asarray(query.angles[part])
        parts.append(_slice(room, query, angles, query.shots_per_setting[part], key, start))
    join = namespace(parts).concatenate
    return Means(join([part.mean for part in parts]), join([part.variance for part in parts]))


def _slice(room: Room, query: Evaluate, angles: Settings, shots, key: Key | None, start: int) -> Means:
    """At some of the settings, which begin with number `start`."""
    part, settings = room.seen(query.program, angles.dtype), len(angles)
    program = part.program
    count = 1 if settings == 1 else walk.bucket(settings, 2)
    selected = engines.padded(part.select(angles), count, axis=0)
    circuit, selected = room.prepared(program, selected)
    if query.shots is None:
        room.check_states(program, angles.dtype, circuit.states_held(0))
        mean = to_host(angles, kernels.values(circuit, selected))[:settings]
        return Means(mean, zeros_like(mean))
    is_native = room.is_native(program)
    bases = (NativeBases if is_native else sample.to_bases)(program, angles.dtype)
    allowed = room.check_states(program, angles.dtype, bases.states_held)
    # Drawing a few more outcomes than count lets neighbouring numbers of shots share a compiled program.
    drawn = 0 if is_native else walk.bucket(max(shots))
    limits.check_draws(bases, angles.dtype, drawn, allowed)
    shots = np.pad(np.asarray(shots, np.int32), (0, count - settings))
    found = kernels.sampled(circuit, drawn, bases, selected, shots, key, np.uint32(start))
    mean, variance = to_host(angles, found)
    return Means(mean[:settings], variance[:settings])


def _shifted(room: Room, query: Evaluate, key: Any) -> Means | ShiftSums | None:
    """The answer at shifts of one point with work that they share done once, or None where each is run alone."""
    part = room.seen(query.program, query.angles.dtype)
    program, angles = part.program, query.angles
    if not room.is_native(program):
        return None
    if query.shots is None:
        return _sums(room, query) if query.weights is not None else None
    allowed = room.check_states(program, angles.dtype, NativeBases.states_held)
    shots, padded = query.shots_per_setting, engines.padded_angles(program)
    found = shifts.sampled(program, angles.on(part.angles), shots, padded, allowed, key)
    return None if found is None else Means(*found)


def _sums(room: Room, query: Any) -> ShiftSums | None:
    """Sums that are multiples of derivatives, by un-computing; None for others."""
    angles, outputs = query.angles, query.program.num_observables
    # What is traced may be differentiated again, which derivatives of the native engine cannot.
    if not is_concrete(angles) or outputs > len(angles):
        return None
    factors = shifts.derivative_factors(query.program, angles, query.weights)
    if factors is None:
        return None
    found = derivatives.adjoint(room, AdjointSweep(query.program, angles.point, np.eye(outputs, dtype=angles.dtype)))
    return ShiftSums(found.value[None], factors.astype(angles.dtype)[:, None] * found.gradient.T)
