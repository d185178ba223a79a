"""The statevector simulator as a backend."""

import os

import jax
import jax.numpy as jnp
import numpy as np

from ...backend import AbstractBackend, default_backend_for
from ...errors import StateTooLarge
from ...ir.expectation import Expectation
from ...objective import is_concrete
from ...queries import (
    Access,
    AdjointSweep,
    BellSample,
    Evaluate,
    MajorityVotes,
    Means,
    ReverseSweep,
    Sweep,
    state_bytes,
)
from ..multicopy import bell, votes
from . import kernels, observe, sample, walk


@default_backend_for(Expectation)
class Statevector(AbstractBackend):
    """Dense simulation of all 2^n amplitudes, exact up to rounding.

    The precision follows the parameters: float32 angles give complex64 amplitudes, float64 complex128.
    No circuit is compiled; the first call for circuits of about a new size compiles one program that
    all of them share.

    Args:
        max_bytes: refuse simulations whose states need more than this; by default 80 % of the memory
            that the machine has free.

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(40).ry(0, param=0), "Z" + 39 * "I")
        >>> qg.estimate(objective, [0.1], qg.Adjoint())
        Traceback (most recent call last):
        ...
        qcgrad.errors.StateTooLarge: a state of 40 qubits ...
    """

    access = Access.white_box

    def __init__(self, max_bytes: int | None = None):
        if max_bytes is not None and (isinstance(max_bytes, bool) or int(max_bytes) != max_bytes or max_bytes <= 0):
            raise ValueError(f"Statevector max_bytes={max_bytes!r}: give a positive number of bytes, or None")
        self.max_bytes = max_bytes

    def answer(self, query, key):
        if isinstance(query, Evaluate):
            return self._evaluate(query, key)
        if isinstance(query, (AdjointSweep, ReverseSweep)):
            return self._sweep(query)
        if isinstance(query, BellSample):
            return bell.sample(self.state(query.program, query.angles), query.pairs, key)
        if isinstance(query, MajorityVotes):
            return votes.draw(self.state(query.program, query.angles), query, key)
        return self.refuse(query)

    def state(self, program, angles) -> jax.Array:
        """Amplitudes (2^n,) at the given gate angles (A,)."""
        self._check_memory(program, angles, states=2)
        rows, angles = _prepared(program, angles)
        return kernels.final_state(program.num_qubits, rows, angles)

    def _evaluate(self, query, key):
        program, settings = query.program, len(query.angles)
        self._check_memory(program, query.angles, states=3)
        rows, angles = _prepared(program, query.angles)
        n, dtype = program.num_qubits, angles.dtype
        padded = 1 if settings == 1 else walk.bucket(settings, 2)
        angles = _pad(angles, padded, axis=0)
        if query.shots is None:
            mean = kernels.evaluate(n, rows, observe.to_terms(program, dtype), angles)[:settings]
            return Means(*_to_host(query.angles, (mean, jnp.zeros_like(mean))))
        shots = np.pad(np.asarray(query.shots_per_setting, np.int32), (0, padded - settings), constant_values=1)
        bases = sample.to_bases(program, dtype)
        # Drawing a few more outcomes than count lets neighbouring numbers of shots share a compiled program.
        drawn = walk.bucket(int(shots.max()))
        mean, variance = kernels.evaluate_sampled(n, drawn, rows, bases, angles, shots, key)
        return Means(*_to_host(query.angles, (mean[:settings], variance[:settings])))

    def _sweep(self, query):
        program, angles = query.program, query.angles
        is_adjoint = isinstance(query, AdjointSweep)
        held = 2 if is_adjoint else program.circuit.op_table.num_ops
        self._check_memory(program, angles, states=held + 2 + 2 * len(query.cotangents))
        rows, padded = _prepared(program, angles)
        kernel = kernels.adjoint if is_adjoint else kernels.reverse
        cotangents = query.cotangents.astype(padded.dtype)
        terms = observe.to_terms(program, padded.dtype)
        value, gradient = kernel(program.num_qubits, rows, terms, padded, cotangents)
        return Sweep(*_to_host(angles, (value, gradient[:, : program.num_angles])))

    def _check_memory(self, program, angles, states):
        needed = states * state_bytes(program.num_qubits, angles.dtype)
        allowed = self.max_bytes or int(0.8 * _free_bytes())
        if needed > allowed:
            raise StateTooLarge(
                f"a state of {program.num_qubits} qubits in {np.result_type(angles.dtype, np.complex64)} takes "
                f"{state_bytes(program.num_qubits, angles.dtype):,} bytes and this query holds {states} of them, "
                f"{needed:,} bytes; {allowed:,} are allowed: use fewer qubits, float32 parameters, or another "
                "method (Statevector(max_bytes=...) moves the limit)"
            )


def _prepared(program, angles):
    """Rows and angles padded to sizes that many circuits share."""
    dtype = np.dtype(angles.dtype)
    rows = walk.to_rows(program.circuit.op_table, dtype)
    return rows, _pad(angles, walk.bucket(max(program.num_angles, 1), 4), axis=-1)


def _pad(array, length, axis):
    xp = np if is_concrete(array) else jnp
    widths = [(0, 0)] * np.ndim(array)
    widths[axis] = (0, length - np.shape(array)[axis])
    return xp.pad(xp.asarray(array), widths)


def _to_host(inputs, outputs):
    """NumPy arrays where the inputs were concrete, so that what follows compiles nothing."""
    return jax.tree.map(np.asarray, outputs) if is_concrete((inputs, outputs)) else outputs


def _free_bytes() -> int:
    """Memory that can be had without swapping; a guess of 8 GiB where the platform does not tell."""
    try:
        with open("/proc/meminfo") as lines:
            available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 8 << 30
