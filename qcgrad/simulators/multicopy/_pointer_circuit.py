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
        _remembered[form] = _circuit(form.num_qubits, form.preparation), _backward(form)
    preparation, backward = _remembered[form]
    # Running backwards undoes exp(-i t A / 2), which is a kick by t / 2.
    at = np.broadcast_to(backward.angles, (len(kicks), len(backward.angles)))
    angles = np.ascontiguousarray(np.concatenate([2 * kicks, at], axis=1))
    found = np.empty_like(angles)
    _run(preparation, backward, angles, found)
    found = found[:, : form.num_components]
    # The identity turns nothing, so the engine does not meet it.
    found[:, (form.x | form.z) == 0] = 1.0
    return found


class _Circuit(NamedTuple):
    """A circuit packed for the engine, and the angles of its gates, which come behind those of the strings."""

    data: np.ndarray
    angles: np.ndarray


_remembered: "WeakKeyDictionary[SweepForm, tuple[_Circuit, _Circuit]]" = WeakKeyDictionary()


def _run(preparation, backward, angles, found):
    library: Any = native_library.load()
    message = ctypes.create_string_buffer(_MESSAGE_BYTES)
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    status = library.qcgrad_expectations_along(
        *(pointer(preparation.data.ctypes.data), size(preparation.data.size), pointer(preparation.angles.ctypes.data)),
        *(pointer(backward.data.ctypes.data), size(backward.data.size)),
        *(size(len(angles)), pointer(angles.ctypes.data), pointer(found.ctypes.data)),
        *(message, ctypes.c_int(_MESSAGE_BYTES)),
    )
    if status:
        raise _STATUS.get(status, RuntimeError)(message.value.decode() or "the native engine stopped")


def _backward(form) -> _Circuit:
    """The inverse of a sweep, from its end to its start, with each string where it is read."""
    sweep, numbers, undone = [], [], 0
    for number, (x, z, step) in enumerate(zip(form.x.tolist(), form.z.tolist(), form.step.tolist(), strict=True)):
        sweep += [*form.undo[undone:step], Row(x, z, 0, 1.0, 0.0)]
        numbers += [*(-1,) * (step - undone), number]
        undone = step
    return _circuit(form.num_qubits, sweep[::-1], numbers[::-1], is_inverse=True)


def _circuit(num_qubits: int, rows: Sequence[Row], numbers: Sequence[int] = (), is_inverse: bool = False) -> _Circuit:
    """A circuit for the engine.

    Angles that no Clifford gate has are data, so that the engine plans sweeps at other parameters once.

    Args:
        num_qubits: n.
        rows: in order.
        numbers: of each row, which string is read there, -1 for none.
        is_inverse: take the inverse of each row instead.
    """
    number = np.array(numbers if len(numbers) else [-1] * len(rows), np.int64)
    strings = int(np.sum(number >= 0))
    kappa, t, phase = _exponentials(rows)
    if is_inverse:
        t, phase = -t, -phase
    # A phase of its own is one of the controls: 1 on all of them but one, and on that one.
    is_phased = (abs(np.exp(1j * phase) - 1) > _ROUNDING) & np.array([row.controls != 0 for row in rows], bool)
    place = np.repeat(np.arange(len(rows)), 1 + is_phased)
    is_extra = np.concatenate([np.zeros(min(1, len(place)), bool), place[1:] == place[:-1]])
    lowest = [row.controls & -row.controls for row in rows]
    columns = np.array(
        [
            (0, lowest[p], rows[p].controls ^ lowest[p]) if extra else (rows[p].x, rows[p].z, rows[p].controls)
            for p, extra in zip(place.tolist(), is_extra.tolist(), strict=True)
        ],
        np.int64,
    ).reshape(-1, 3)
    t = np.where(is_extra, phase[place], t[place])
    turns = np.round(t / _RIGHT_ANGLE)
    is_matrix = np.array([rows[p].matrix is not None for p in place.tolist()], bool)
    number = number[place]
    is_data = ~is_matrix & (number < 0) & (abs(t / _RIGHT_ANGLE - turns) > _ROUNDING)
    slot = np.where(is_data, strings + np.cumsum(is_data) - 1, number)
    matrices = [(m.conj().T if is_inverse else m).ravel() for row in rows if (m := row.matrix) is not None]
    starts = np.cumsum([0, *map(len, matrices)])
    offset = np.where(is_data | is_matrix | (number >= 0), 0.0, turns * _RIGHT_ANGLE)
    most = max((len(row.wires) for row in rows), default=0)
    wires = [(*rows[p].wires, *(-1,) * (most - len(rows[p].wires))) for p in place.tolist()]
    data = packed(
        np.array([MAGIC, num_qubits, len(place), strings + is_data.sum(), most, starts[-1], 0, 0], np.int64),
        is_matrix.astype(np.int32) * MATRIX,
        np.where(is_extra, 1, kappa[place]).astype(np.int32),
        slot.astype(np.int32),
        np.array(wires, np.int32),
        *columns.T,
        np.where(is_matrix, starts[np.maximum(np.cumsum(is_matrix) - 1, 0)], 0).astype(np.int64),
        (slot >= 0).astype(np.float64),
        offset,
        np.concatenate([np.zeros(0, np.complex128), *matrices]),
        np.zeros(1, np.int64),
    )
    return _Circuit(data, t[is_data])


def _exponentials(rows):
    r"""kappa, t, and a phase: \(a + bP = e^{i\varphi} e^{-it(P - \kappa)/2}\), kappa 1 where the phase is then 0."""
    a, b = (np.array([getattr(row, name) for row in rows], np.complex128) for name in "ab")
    plus, minus = np.angle(a + b), np.angle(a - b)
    is_projector = abs(a + b - 1) < _ROUNDING
    t = np.where(is_projector, minus, minus - plus)
    return is_projector.astype(np.int64), t, np.where(is_projector, 0.0, (plus + minus) / 2)
