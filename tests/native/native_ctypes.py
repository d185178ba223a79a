"""The native engine through its C entry points: no JAX in the process, so that sanitizers see the engine alone."""

import ctypes
import os
from functools import cache
from typing import NamedTuple

import numpy as np

PAULI, MATRIX, PADDING = range(3)  # OpKind in op_table.h
VALUE, VALUE_AND_VJP, STATE = range(3)  # `what` of qcgrad_run
# Results start as this: neither a plausible result nor a NaN, which could pass for one that the engine wrote.
_UNWRITTEN = 7e33
_MESSAGE_SIZE = 200

_INT, _INT64, _POINTER = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p


class Op(NamedTuple):
    """One row of the operation table; op_table.h says what the fields mean. Masks are over amplitude-index bits."""

    kind: int = PAULI
    x: int = 0
    z: int = 0
    controls: int = 0
    kappa: int = 0
    slot: int = -1
    scale: float = 0.0
    offset: float = 0.0
    bits: tuple[int, ...] = ()
    matrix: np.ndarray | None = None


class Circuit(NamedTuple):
    """Operations on |0...0>, with angles that they may share."""

    num_qubits: int
    num_angles: int
    ops: list[Op]


class _CCircuit(ctypes.Structure):
    _fields_ = [
        *((name, _INT) for name in ("num_qubits", "max_wires")),
        *((name, _INT64) for name in ("num_ops", "num_angles", "matrices_size")),
        *((name, _POINTER) for name in ("kind", "x", "z", "ctrl", "kappa", "slot", "scale", "offset")),
        *((name, _POINTER) for name in ("wires", "matrix_offset", "matrices")),
    ]


class _CObservables(ctypes.Structure):
    _fields_ = [
        *((name, _INT64) for name in ("num_observables", "num_terms")),
        *((name, _POINTER) for name in ("x", "z", "coefficient", "offsets")),
    ]


class Basis(NamedTuple):
    """The letter measured on each bit, Z where both masks are 0, and strings (support, coefficient) by observable."""

    x: int
    z: int
    sums: list[list[tuple[int, float]]]


class _CBases(ctypes.Structure):
    _fields_ = [
        *((name, _INT64) for name in ("num_bases", "num_observables", "num_terms")),
        *((name, _POINTER) for name in ("x", "z", "support", "coefficient", "offsets")),
    ]


@cache
def _library():
    """The library named by QCGRAD_LIB; loaded late, so that importing this module needs none."""
    library = ctypes.CDLL(os.environ["QCGRAD_LIB"])
    library.qcgrad_run.argtypes = [
        *(_POINTER, _POINTER, _INT, _INT, _INT),  # circuit, observables, single, instruction set, what
        *(_INT64, _POINTER, _INT64, _INT64, _POINTER),  # batch, angles, batch and rows of cotangents, cotangents
        *(_POINTER, _POINTER, _POINTER, ctypes.c_char_p, _INT),  # values, gradients, states, message and its size
    ]
    library.qcgrad_sample.argtypes = [
        *(_POINTER, _POINTER, _INT, _INT),  # circuit, bases, single, instruction set
        *(_INT64, _POINTER, _INT64, _POINTER, _POINTER),  # points, angles, shifts, their owners and moved angles
        *(_POINTER, _POINTER),  # shots, streams
        *(_POINTER, _POINTER, ctypes.c_char_p, _INT),  # means, variances, message and its size
    ]
    return library


def instruction_sets():
    """Those that both the library and this processor have."""
    return [isa for isa in range(3) if _library().qcgrad_has_instruction_set(isa)]


def set_num_threads(count):
    _library().qcgrad_set_num_threads(count)


def run(what, circuit, observables, angles, cotangents, single, isa):
    """Values (B, K), gradients (B, C, A) and states (B, 2^n), of which only what `what` asks for is filled in.

    Observables are lists of (x, z, coefficient); angles are (B, A), cotangents (B or 1, C, K).
    """
    batch, rows = len(angles), cotangents.shape[1]
    angles, cotangents = (np.ascontiguousarray(a, np.float64) for a in (angles, cotangents))
    values = np.full((batch, len(observables)), _UNWRITTEN)
    gradients = np.full((batch, rows, circuit.num_angles), _UNWRITTEN)
    states = np.full((batch, 2**circuit.num_qubits), _UNWRITTEN, np.complex64 if single else np.complex128)
    c_circuit, c_observables = _c_circuit(circuit), _c_observables(observables)
    message = ctypes.create_string_buffer(_MESSAGE_SIZE)
    status = _library().qcgrad_run(
        *(ctypes.byref(c_circuit), ctypes.byref(c_observables), single, isa, what),
        *(batch, angles.ctypes.data, len(cotangents), rows, cotangents.ctypes.data),
        *(values.ctypes.data, gradients.ctypes.data, states.ctypes.data, message, _MESSAGE_SIZE),
    )
    if status:
        raise RuntimeError(f"status {status}: {message.value.decode()}")
    return values, gradients, states


def sample(circuit, bases, angles, shots, streams, single, isa, shifts=None):
    """Means and variances (B, K) from shots (B, G) and streams (B, 3), at angles (B, A).

    With `shifts` (owner (S,), moved (1, S)) at angles (1, A) and at these shifts, B = 1 + S.
    """
    angles = np.ascontiguousarray(angles, np.float64)
    shots, streams = np.ascontiguousarray(shots, np.int32), np.ascontiguousarray(streams, np.uint32)
    owner, moved = (None, None) if shifts is None else (np.array(shifts[0], np.int32), np.array(shifts[1], np.float64))
    means, variances = np.full((2, len(shots), len(bases[0].sums)), _UNWRITTEN)
    c_circuit, c_bases = _c_circuit(circuit), _c_bases(bases)
    message = ctypes.create_string_buffer(_MESSAGE_SIZE)
    status = _library().qcgrad_sample(
        *(ctypes.byref(c_circuit), ctypes.byref(c_bases), single, isa, len(angles), angles.ctypes.data),
        *((0, None, None) if shifts is None else (len(owner), owner.ctypes.data, moved.ctypes.data)),
        *(shots.ctypes.data, streams.ctypes.data),
        *(means.ctypes.data, variances.ctypes.data, message, _MESSAGE_SIZE),
    )
    if status:
        raise RuntimeError(f"status {status}: {message.value.decode()}")
    return means, variances


def _c_bases(bases):
    sums = [terms for basis in bases for terms in basis.sums]
    supports, coefficients = zip(*(term for terms in sums for term in terms), strict=True)
    arrays = [
        *(np.array([getattr(basis, letter) for basis in bases], np.int64) for letter in "xz"),
        np.array(supports, np.int64),
        np.array(coefficients, np.float64),
        np.cumsum([0, *map(len, sums)], dtype=np.int64),
    ]
    return _structure(_CBases, (len(bases), len(bases[0].sums), len(supports)), arrays)


def _c_circuit(circuit):
    ops = circuit.ops
    max_wires = max((len(op.bits) for op in ops), default=0)
    sizes = [0 if op.matrix is None else op.matrix.size for op in ops]
    matrices = [np.zeros(0), *(op.matrix.ravel() for op in ops if op.matrix is not None)]
    arrays = [
        np.array([op.kind for op in ops], np.int32),
        *(np.array([getattr(op, name) for op in ops], np.int64) for name in ("x", "z", "controls")),
        *(np.array([getattr(op, name) for op in ops], np.int32) for name in ("kappa", "slot")),
        *(np.array([getattr(op, name) for op in ops], np.float64) for name in ("scale", "offset")),
        np.array([op.bits + (-1,) * (max_wires - len(op.bits)) for op in ops], np.int32),
        np.cumsum([0, *sizes], dtype=np.int64)[:-1].copy(),
        np.concatenate(matrices).astype(np.complex128),
    ]
    counts = (circuit.num_qubits, max_wires, len(ops), circuit.num_angles, arrays[-1].size)
    return _structure(_CCircuit, counts, arrays)


def _c_observables(observables):
    terms = [term for observable in observables for term in observable]
    x, z, coefficients = zip(*terms, strict=True) if terms else ((), (), ())
    offsets = np.cumsum([0, *map(len, observables)], dtype=np.int64)
    arrays = [np.array(x, np.int64), np.array(z, np.int64), np.array(coefficients, np.float64), offsets]
    return _structure(_CObservables, (len(observables), len(terms)), arrays)


def _structure(kind, counts, arrays):
    structure = kind(*counts, *(array.ctypes.data for array in arrays))
    structure.arrays = arrays  # the fields are bare addresses: this keeps alive what they point to
    return structure
