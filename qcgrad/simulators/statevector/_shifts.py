"""What settings that are shifts of one point have in common."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ...array_types import Expectations, Key
from ...arrays import is_concrete, namespace
from ...ir import Program
from ...ir.gates import frequencies
from ...queries import ShiftedSettings, state_bytes
from . import _kernels as kernels
from . import _walk as walk
from ._native_circuit import NativeCircuit
from ._native_sampling import NativeBases

# Of the sizes of the weights; rules of shifts are solved for to fewer digits than they are stored with.
_ROUNDING = 1e-9


def sampled(
    program: Program, settings: ShiftedSettings, shots: tuple[int, ...], padded: int, allowed: int, key: Key
) -> tuple[Expectations, Expectations] | None:
    """Means (1 + B, K) and their variances by the native engine; None where what is shared would not fit.

    Args:
        program: what is run.
        settings: of its angles.
        shots: (1 + B,).
        padded: to how many angles circuits of about this size are padded.
        allowed: bytes for states.
        key: random key.
    """
    bases = NativeBases(program, settings.dtype)
    if bases.states_of_shifts(program.num_qubits) * state_bytes(program.num_qubits, settings.dtype) > allowed:
        return None
    xp = namespace((settings.point, settings.moved))
    count = len(settings)
    missing = walk.bucket(count, 2) - count
    mean, variance = kernels.sampled_shifts(
        NativeCircuit(program, settings.dtype, padded),
        bases,
        xp.pad(xp.asarray(settings.point), (0, padded - len(settings.point))),
        np.pad(settings.owner.astype(np.int32), (0, missing), constant_values=-1),
        xp.pad(xp.asarray(settings.moved), (0, missing)),
        np.pad(np.asarray(shots, np.int32), (0, missing)),
        key,
    )
    if xp is np and is_concrete((mean, key)):
        mean, variance = np.asarray(mean), np.asarray(variance)
    return mean[:count], variance[:count]


def derivative_factors(
    program: Program, settings: ShiftedSettings, weights: Float[np.ndarray, "B"]
) -> Float[np.ndarray, "A"] | None:
    r"""What the sums of weights times expectation values are in units of the derivatives, where they are multiples.

    An expectation value is \(\sum_l a_l \cos\Omega_l s + b_l \sin\Omega_l s\) in the shift s of a gate's angle, and
    \(\sum_l \Omega_l b_l\) is its derivative. So the sum of \(c_\mu F(s_\mu)\) is f times the derivative if
    \(\sum_\mu c_\mu \cos\Omega_l s_\mu = 0\), for \(\Omega = 0\) too, and
    \(\sum_\mu c_\mu \sin\Omega_l s_\mu = f\,\Omega_l\) for every l.

    Returns:
        (A,) factors f, or None where some sum is no such multiple, or a gate's frequencies are not known.
    """
    gaps = _gaps(program)
    if gaps is None or np.any(settings.owner < 0):
        return None
    phases = gaps[settings.owner] * settings.shifts[:, None]

    def by_angle(rows):
        return np.stack([np.bincount(settings.owner, column, len(gaps)) for column in rows.T], axis=1)

    even = by_angle(weights[:, None] * np.cos(phases))
    # Where there are fewer frequencies than columns, the last one stands there again.
    odd = by_angle(weights[:, None] * np.sin(phases)) / np.where(gaps > 0, gaps, 1)
    sizes = by_angle(np.stack([weights, abs(weights)], axis=1))
    room = _ROUNDING * sizes[:, 1:]
    is_multiple = (abs(even) <= room) & (abs(odd - odd[:, :1]) <= room) & (abs(sizes[:, :1]) <= room)
    return odd[:, 0] if is_multiple.all() else None


@lru_cache(maxsize=64)
def _gaps(program):
    """(A, R) frequencies of each angle, the last one repeated, 0 where there is none; None if some are not known."""
    found = [frequencies(gate) for gate in program.circuit.angle_gates]
    known = [gaps for gaps in found if gaps is not None]
    if len(known) < len(found):
        return None
    longest = max(map(len, known), default=0) or 1
    rows = [(*gaps, *((gaps[-1:] or (0.0,)) * (longest - len(gaps)))) for gaps in known]
    return np.array(rows).reshape(-1, longest)
