"""Noisy circuits for the native engine: blocks as arrays, and what is asked of the coefficients at their end."""

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Complex, Float, Int

from ...ir.noise.noisy_circuit import NoisyCircuit
from ...ir.program import MeasurementBasis, Program
from ...queries import ShiftedSettings
from ..statevector import native_library
from ._blocks import Pair, blocks, string_number, string_numbers, within

_STATUS = {2: MemoryError, 3: KeyboardInterrupt}
# Up to here each thread holds a state of its own (native/noisy_run.cc).
_QUBITS_PER_THREAD = 8
# Beyond this not all states of a backward sweep are kept.
_KEPT_BYTES = 1 << 28
# Coefficients that are read of settings at a time.
_READ_NUMBERS = 1 << 23


class _Circuit(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("num_qubits", "num_blocks", "num_angles")),
        *((name, ctypes.c_void_p) for name in ("digits", "offsets", "string", "slot", "matrix")),
        *((name, ctypes.c_void_p) for name in ("scale", "offset", "matrices")),
    ]


class NativeDensity:
    """A noisy circuit on n qubits, packed.

    Attributes:
        num_qubits: n.
        numbers: coefficients of one density matrix.
    """

    def __init__(self, num_qubits: int, found: list[Pair], width: int, num_angles: int):
        self.num_qubits, self._width, self._angles = num_qubits, width, num_angles
        self.numbers = 4**width
        rows, matrices, digits, ends = [], [], [], [0]
        for pair in found:
            digits += [-1, -1] if pair.is_string else [width - 1 - wire for wire in pair.wires]
            wires = range(width) if pair.is_string else pair.wires
            for item in pair.items:
                if (matrix := item.coefficients) is not None:
                    rows.append((0, -1, len(matrices), 0.0, 0.0))
                    matrices.append(within(matrix, item.wires, pair.wires))
                rows += [(string_number(t.letters, wires), t.slot, -1, t.scale, t.offset) for t in item.turns]
            ends.append(len(rows))
        self._blocks = len(found)
        columns = list(zip(*rows, strict=True)) if rows else [()] * 5
        kinds = (np.int64, np.int32, np.int32, np.float64, np.float64)
        string, slot, matrix, scale, offset = (np.array(c, k) for c, k in zip(columns, kinds, strict=True))
        driving = np.repeat(np.arange(len(found)), np.diff(ends))
        pairs = np.unique(np.stack([slot, driving])[:, slot >= 0], axis=1)
        self._drives_one = np.bincount(pairs[0], minlength=num_angles) <= 1
        self._arrays = [np.array(digits, np.int32), np.array(ends, np.int64), string, slot, matrix, scale, offset]
        self._arrays.append(np.array(matrices, np.float64))
        pointers = [array.ctypes.data for array in self._arrays]
        self._packed = _Circuit(width, len(found), num_angles, *pointers)

    @property
    def held(self) -> int:
        """Density matrices that `read` holds, as vectors of `numbers`."""
        return _library().qcgrad_num_threads() if self._width <= _QUBITS_PER_THREAD else 1

    def strings(self, x: Int[np.ndarray, "T"], z: Int[np.ndarray, "T"]) -> Int[np.ndarray, "T"]:
        """Numbers of strings whose masks are given."""
        return string_numbers(x, z, self.num_qubits) << 2 * (self._width - self.num_qubits)

    def read(self, settings: Float[np.ndarray, "B A"], strings: Int[np.ndarray, "D"]) -> Float[np.ndarray, "B D"]:
        """Coefficients of strings at settings."""
        out = np.empty((len(settings), len(strings)), settings.dtype)
        step = max(1, _READ_NUMBERS // max(1, len(strings)))
        for start in range(0, len(settings), step):
            self._read(settings[start : start + step], strings, out[start : start + step])
        return out

    def _read(self, settings, strings, out):
        angles, strings = np.ascontiguousarray(settings, np.float64), np.ascontiguousarray(strings, np.int64)
        _run("read", self._packed, out, len(angles), angles, len(strings), strings, out)

    def values(self, program: Program, settings: Any, allowed: int) -> Float[np.ndarray, "B K"]:
        """Expectation values of a program's observables."""
        x, z, coefficients = program.terms
        strings = self.strings(x, z)
        if isinstance(settings, ShiftedSettings) and (found := self._shifted(settings, strings, coefficients, allowed)):
            return found[0]
        return (self.read(np.asarray(settings), strings) @ coefficients.T).astype(settings.dtype)

    def _shifted(self, settings, strings, coefficients, allowed):
        """The same where settings are shifts of one point, by one sweep back for each observable; None where that is
        not less work, does not fit, or an angle drives several blocks."""
        rows, one = len(coefficients), self.numbers * settings.dtype.itemsize
        moving = settings.owner[settings.owner >= 0]
        if 2 * (1 + rows) >= len(settings) or not self._drives_one[moving].all() or not self._blocks:
            return None
        room = min(allowed, _KEPT_BYTES) // one - rows - 2
        segment = self._blocks if self._blocks <= room else math.isqrt(self._blocks - 1) + 1
        if (-(-self._blocks // segment) + segment + rows + 1) * one > allowed:
            return None
        out = np.empty((len(settings), rows))
        point, moved = (np.ascontiguousarray(a, np.float64) for a in (settings.point, settings.moved))
        weights, owner = np.ascontiguousarray(coefficients), np.ascontiguousarray(settings.owner, np.int32)
        is_single = np.zeros(0, settings.dtype)
        shifts, sums = (len(owner), owner, moved), (rows, len(strings), np.ascontiguousarray(strings), weights)
        _run("shifts", self._packed, is_single, point, *shifts, *sums, segment, out)
        return (out.astype(settings.dtype),)

    def distributions(
        self, settings: Float[np.ndarray, "B A"], bases: Sequence[MeasurementBasis]
    ) -> Float[np.ndarray, "B G 2**n"]:
        """Probabilities of what is read in product bases, Z where no letter is given."""
        n, subsets = self.num_qubits, np.arange(2**self.num_qubits)
        strings = [self.strings(subsets & basis.x, subsets & (basis.z | ~basis.x)) for basis in bases]
        found = self.read(settings, np.array(strings, np.int64).ravel()).reshape(-1, *(2,) * n)
        for axis in range(1, n + 1):
            up, down = np.take(found, 0, axis), np.take(found, 1, axis)
            found = np.stack([up + down, up - down], axis)
        # Rounding must not make a probability negative.
        return np.maximum(found.reshape(len(settings), len(bases), 2**n) / 2**n, 0)

    def matrix(self, angles: Float[np.ndarray, "A"]) -> Complex[np.ndarray, "2**n 2**n"]:
        """The density matrix."""
        n, shift = self.num_qubits, 2 * (self._width - self.num_qubits)
        found = self.read(angles[None], np.arange(4**n) << shift)[0].astype(np.result_type(angles.dtype, np.complex64))
        # Of one qubit, rows of the matrix one after another from I, X, Z, Y.
        one = np.array([[1, 0, 1, 0], [0, 1, 0, -1j], [0, 1, 0, 1j], [1, 0, -1, 0]], found.dtype) / 2
        for q in range(n):
            found = np.einsum("ij,ajb->aib", one, found.reshape(4**q, 4, -1))
        axes = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]
        return found.reshape((2,) * 2 * n).transpose(axes).reshape(2**n, 2**n)


def native_density(circuit: NoisyCircuit, is_read: bool) -> NativeDensity | None:
    """The circuit for the native engine; None where it was not built, devices are no CPUs, or it is left to JAX."""
    if jax.default_backend() != "cpu":
        return None
    if native_library.load() is None:
        native_library.warn_of_absence()
        return None
    found = blocks(circuit, is_read)
    return None if found is None else NativeDensity(circuit.num_qubits, *found, circuit.num_angles)


def _library() -> Any:
    return native_library.load()


def _run(name, circuit, typed, *values):
    """Calls qcgrad_noisy_<name>; integers travel as 64 bits, arrays as pointers, in the precision of `typed`."""
    given = [ctypes.c_int64(v) if isinstance(v, int) else ctypes.c_void_p(v.ctypes.data) for v in values]
    is_single = ctypes.c_int(typed.dtype == np.float32)
    status = getattr(_library(), f"qcgrad_noisy_{name}")(ctypes.byref(circuit), is_single, *given)
    if status:
        raise _STATUS.get(status, RuntimeError)("the native engine stopped")
