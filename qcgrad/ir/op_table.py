"""A circuit as data: one row per primitive, the form that every simulator walks."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from . import pauli
from .gates import Gate, MatrixPrimitive

PAULI, MATRIX = 0, 1


class OpTable(NamedTuple):
    """N primitives in order of application (arrays of length N unless said otherwise).

    Attributes:
        num_qubits: n.
        kind: `PAULI` or `MATRIX`.
        x, z: masks of the Pauli string P of a PAULI row.
        controls: mask of the control qubits; the row acts where all of these bits are 1.
        kappa: 0 or 1 in exp(-i t (P - kappa)/2).
        slot: which angle drives the row, -1 for none.
        scale, offset: t = scale * angles[slot] + offset, radians.
        a, b: complex, of a fixed PAULI row, U = a + b P, exact where t is a multiple of pi/2.
        matrix: index into `matrices`, of a MATRIX row.
        wires: (N, K) bit positions of a MATRIX row's wires, most significant first.
        matrices: (number, 2^K, 2^K); smaller unitaries are padded with idle wires.
    """

    num_qubits: int
    kind: np.ndarray
    x: np.ndarray
    z: np.ndarray
    controls: np.ndarray
    kappa: np.ndarray
    slot: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    a: np.ndarray
    b: np.ndarray
    matrix: np.ndarray
    wires: np.ndarray
    matrices: np.ndarray

    @property
    def num_ops(self) -> int:
        return len(self.kind)

    @property
    def matrix_wires(self) -> int:
        """K, the number of wires of the widest matrix (0 without matrices)."""
        return self.wires.shape[1]


def lower(num_qubits: int, gates: Sequence[Gate]) -> OpTable:
    """The op table of a list of gates; angle a belongs to the a-th parameterised gate."""
    rows, matrices = [], []
    slot = -1
    for gate in gates:
        if gate.param is not None:
            slot += 1
        for p in gate.primitives():
            if isinstance(p, MatrixPrimitive):
                rows.append((MATRIX, 0, 0, 0, 0, -1, 0.0, 0.0, len(matrices), p.wires))
                matrices.append(p.matrix)
                continue
            x, z = pauli.masks(p.letters, p.wires, num_qubits)
            controls = sum(pauli.bit(w, num_qubits) for w in p.controls)
            if gate.param is None:
                scale, offset, used = 0.0, p.scale * gate.offset + p.offset, -1
            else:
                scale, offset, used = p.scale, p.offset, slot if p.scale else -1
            rows.append((PAULI, x, z, controls, p.kappa, used, scale, offset, -1, ()))
    return _assemble(num_qubits, rows, matrices)


def _assemble(num_qubits, rows, matrices):
    columns = list(zip(*rows, strict=True)) if rows else [()] * 10
    width = max((len(w) for w in columns[9]), default=0)
    padded = [_pad_wires(num_qubits, w, width) for w in columns[9]]
    kappa, offset = np.array(columns[4], np.int32), np.array(columns[7], np.float64)
    a, b = rotation_coefficients(offset, kappa)
    positions = [[num_qubits - 1 - w for w in wires] for wires in padded]
    return OpTable(
        num_qubits=num_qubits,
        kind=np.array(columns[0], np.int32),
        x=pauli.mask_array(columns[1], num_qubits),
        z=pauli.mask_array(columns[2], num_qubits),
        controls=pauli.mask_array(columns[3], num_qubits),
        kappa=kappa,
        slot=np.array(columns[5], np.int32),
        scale=np.array(columns[6], np.float64),
        offset=offset,
        a=a,
        b=b,
        matrix=np.array(columns[8], np.int32),
        wires=np.array(positions, np.int32).reshape(len(rows), width),
        matrices=np.array([_widen(m, width) for m in matrices], np.complex128).reshape(-1, 2**width, 2**width),
    )


def rotation_coefficients(
    t: Float[np.ndarray, "N"], kappa: Int[np.ndarray, "N"]
) -> tuple[Complex[np.ndarray, "N"], Complex[np.ndarray, "N"]]:
    """(a, b) with exp(-i t (P - kappa)/2) = a + b P, snapped to exact values at multiples of pi/2.

    Args:
        t: angles in radians, numpy array.
        kappa: 0 or 1, same shape.
    """
    phase = np.exp(0.5j * t * kappa)
    a, b = phase * np.cos(t / 2), -1j * phase * np.sin(t / 2)
    return _snap(a), _snap(b)


def _snap(values):
    """Real and imaginary parts that miss 0, 1/2 or 1 by rounding only, made exact."""
    parts = values.view(np.float64) if values.size else values.real
    for exact in (-1.0, -0.5, 0.0, 0.5, 1.0):
        parts[np.abs(parts - exact) < 4e-16] = exact
    return values


def _pad_wires(num_qubits, wires, width):
    """Give a narrow matrix the lowest-numbered idle wires, in front."""
    idle = (q for q in range(num_qubits) if q not in wires)
    return (*islice(idle, width - len(wires)), *wires)


def _widen(matrix, width):
    idle = 2**width // len(matrix)
    return np.kron(np.eye(idle), matrix)
