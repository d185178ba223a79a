r"""Pointer sweeps on the native engine: what is un-computed and kicked, as a circuit that runs backwards.

Going back through a circuit, the engine reads \(\mathrm{Im}\langle\lambda|P|\psi\rangle\) beside each
exponential \(e^{-itP/2}\). With \(\lambda = i\psi\), which every gate preserves, that is
\(-\langle P\rangle\) there: one pass backward gives the expectation values of all strings of a sweep, each in the
state that the kicks before it have left.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from ...ir.op_table import MATRIX
from ...ir.rows import Row
from ...ir.sweep_form import SweepForm
from ..statevector import native_library
from ..statevector._native_circuit import MAGIC, packed

_MESSAGE_BYTES = 200
_RIGHT_ANGLE = np.pi / 2
# Of coefficients of gates, which are cosines and sines.
_ROUNDING = 1e-13
# As in native/normal_form.cc.
_MOST_CONTROLS, _MOST_WIRES = 14, 10
_STATUS = {2: MemoryError, 3: KeyboardInterrupt}


def is_possible(form: SweepForm) -> bool:
    """Whether the native engine was built, and takes the gates of a form."""
    if form in _remembered:
        return True
    rows = (*form.preparation, *form.undo)
    is_small = all(row.controls.bit_count() <= _MOST_CONTROLS and len(row.wires) <= _MOST_WIRES for row in rows)
    return is_small and native_library.load() is not None


def expectations(form: SweepForm, kicks: Float[np.ndarray, "batches D"]) -> Float[np.ndarray, "batches D"]:
    r"""Expectation values of all strings along sweeps where string d, once read, turns the state: \(e^{i\xi_d A_d}\).

    Args:
        form: what is swept over.
        kicks: \(\xi_d\) of each sweep.
    """
    if form not in _remembered:  # a method asks twice, and its strings are many
        _remembered[form] = _packed(form.num_qubits, _gates(form.preparation)), _backward(form)
    preparation, backward = _remembered[form]
    # Running backwards undoes exp(-i t A / 2), which is a kick by t / 2.
    at = np.broadcast_to(backward.angles, (len(kicks), len(backward.angles)))
    angles = np.ascontiguousarray(np.concatenate([2 * kicks, at], axis=1))
    end = np.empty(2**form.num_qubits, np.complex128)
    _call("qcgrad_prepare", preparation, (preparation.angles, end))
    found = np.empty_like(angles)
    counting = np.ascontiguousarray(form.on_counting_copies(end))
    _call("qcgrad_expectations_along", backward, (counting, len(angles), angles, found))
    found = found[:, : form.num_components]
    # The identity turns nothing, so the engine does not meet it.
    found[:, (form.x | form.z) == 0] = 1.0
    return found


class _Circuit(NamedTuple):
    """A circuit packed for the engine, and the angles of its gates, which come behind those of the strings."""

    data: np.ndarray
    angles: np.ndarray


_remembered: "WeakKeyDictionary[SweepForm, tuple[_Circuit, _Circuit]]" = WeakKeyDictionary()


def _call(name, circuit, inputs):
    """A function of the library on a packed circuit, and on arrays and counts."""
    library: Any = native_library.load()
    message = ctypes.create_string_buffer(_MESSAGE_BYTES)
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    status = getattr(library, name)(
        *(pointer(circuit.data.ctypes.data), size(circuit.data.size)),
        *(size(given) if isinstance(given, int) else pointer(given.ctypes.data) for given in inputs),
        *(message, ctypes.c_int(_MESSAGE_BYTES)),
    )
    if status:
        raise _STATUS.get(status, RuntimeError)(message.value.decode() or "the native engine stopped")


class _Gates(NamedTuple):
    r"""Gates by column, in order, each \(e^{i\varphi} e^{-it(P - \kappa)/2}\) where all controls are 1, or a matrix.

    Attributes:
        x, z, controls: masks.
        t, phase, kappa: of the exponential.
        string: which one is read there, -1 for none.
        matrix: index into `matrices`, -1 for none.
        matrices: (matrix, bit positions of its wires).
    """

    x: np.ndarray
    z: np.ndarray
    controls: np.ndarray
    t: np.ndarray
    phase: np.ndarray
    kappa: np.ndarray
    string: np.ndarray
    matrix: np.ndarray
    matrices: list[tuple[np.ndarray, tuple[int, ...]]]

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        return self[:-1]


def _gates(rows: Sequence[Row]) -> _Gates:
    x, z, controls, a, b, matrices, wires = zip(*rows, strict=True) if rows else ((),) * 7
    masks = (np.array(column, np.int64) for column in (x, z, controls))
    is_matrix = np.array([matrix is not None for matrix in matrices], bool)
    index = np.where(is_matrix, np.cumsum(is_matrix) - 1, -1)
    kept = [(matrix, on) for matrix, on in zip(matrices, wires, strict=True) if matrix is not None]
    exponentials = _exponentials(np.array(a, np.complex128), np.array(b, np.complex128))
    return _Gates._make([*masks, *exponentials, np.full(len(rows), -1), index, kept])


def _backward(form) -> _Circuit:
    """The inverse of a sweep, from its end to its start, with each string where it is read."""
    undo, number = _gates(form.undo), np.arange(form.num_components)
    none, zero = np.full_like(number, -1), np.zeros(len(number))
    strings = form.x, form.z, 0 * number, zero, zero, 0 * number, number, none
    # Strings stand in front of the row that is un-computed after they are read; all of it is then turned round.
    order = np.insert(np.arange(len(undo.x)), form.step, len(undo.x) + number)[::-1]
    joined = (np.concatenate(pair)[order] for pair in zip(undo.columns, strings, strict=True))
    inverse = _Gates._make([*joined, [(matrix.conj().T, wires) for matrix, wires in undo.matrices]])
    return _packed(form.num_qubits, inverse._replace(t=-inverse.t, phase=-inverse.phase))


def _packed(num_qubits: int, gates: _Gates) -> _Circuit:
    """A circuit for the engine. Angles that no Clifford gate has are data: other parameters take no new plan."""
    x, z, controls, t, _, kappa, string, matrix = _without_phases(gates).columns
    strings = int(string.max(initial=-1)) + 1
    is_matrix, turns = matrix >= 0, np.round(t / _RIGHT_ANGLE)
    is_data = ~is_matrix & (string < 0) & (abs(t / _RIGHT_ANGLE - turns) > _ROUNDING)
    slot = np.where(is_data, strings + np.cumsum(is_data) - 1, string)
    raveled = [entries.ravel() for entries, _ in gates.matrices]
    starts = np.cumsum([0, *map(len, raveled)])
    most = max((len(on) for _, on in gates.matrices), default=0)
    wires = np.full((len(x), most), -1, np.int32)
    for place in np.flatnonzero(is_matrix):
        on = gates.matrices[matrix[place]][1]
        wires[place, : len(on)] = on
    data = packed(
        np.array([MAGIC, num_qubits, len(x), strings + is_data.sum(), most, starts[-1], 0, 0], np.int64),
        is_matrix.astype(np.int32) * MATRIX,
        kappa.astype(np.int32),
        slot.astype(np.int32),
        wires,
        *(column.astype(np.int64) for column in (x, z, controls)),
        np.where(is_matrix, starts[matrix], 0).astype(np.int64),
        (slot >= 0).astype(np.float64),
        np.where(is_data | is_matrix | (string >= 0), 0.0, turns * _RIGHT_ANGLE),
        np.concatenate([np.zeros(0, np.complex128), *raveled]),
        np.zeros(1, np.int64),
    )
    return _Circuit(data, t[is_data])


def _without_phases(gates: _Gates) -> _Gates:
    """A phase of a controlled gate is one of the controls: 1 on all of them but one, and on that one."""
    is_phased = (abs(np.exp(1j * gates.phase) - 1) > _ROUNDING) & (gates.controls != 0)
    if not is_phased.any():
        return gates
    place = np.repeat(np.arange(len(is_phased)), 1 + is_phased)
    extra = np.flatnonzero(place[1:] == place[:-1]) + 1
    spread = _Gates._make([*(column[place] for column in gates.columns), gates.matrices])
    lowest = spread.controls & -spread.controls
    changed = 0, lowest, spread.controls ^ lowest, spread.phase, 0, 1, -1, -1
    for column, values in zip(spread.columns, changed, strict=True):
        column[extra] = np.broadcast_to(values, len(place))[extra]
    return spread


def _exponentials(a, b):
    r"""t, a phase and kappa: \(a + bP = e^{i\varphi} e^{-it(P - \kappa)/2}\), kappa 1 where the phase is then 0."""
    plus, minus = np.angle(a + b), np.angle(a - b)
    is_projector = abs(a + b - 1) < _ROUNDING
    t = np.where(is_projector, minus, minus - plus)
    return t, np.where(is_projector, 0.0, (plus + minus) / 2), is_projector.astype(np.int64)
