"""Controlled block encodings of Pauli sums by linear combination of unitaries."""

from typing import NamedTuple

import numpy as np

from ..array_types import Coefficients, Masks
from .rows import Row


class ControlledEncoding(NamedTuple):
    """Controlled B on 1 + a + n qubits with <0|B|0> = O / scale, B unitary and Hermitian.

    Attributes:
        num_qubits: 1 + a + n: the control, a qubits that hold an index in binary, the system.
        rows: the gates; only SELECT needs the control, since PREPARE cancels its inverse.
        scale: Lambda, the sum of |c_t|.
    """

    num_qubits: int
    rows: tuple[Row, ...]
    scale: float


def controlled(num_qubits: int, x: Masks, z: Masks, coefficients: Coefficients) -> ControlledEncoding:
    """Encode sum_t c_t P_t; a = ceil(log2 T), none for a single string.

    Args:
        num_qubits: n.
        x, z: (T,) masks.
        coefficients: (T,), none zero.

    Cost: 2 (2^a - 1) rotations and T controlled strings, with at most 2a + 2 NOT gates each.

    References:
        A. M. Childs, N. Wiebe, "Hamiltonian simulation using linear combinations of unitary operations",
        Quantum Information and Computation 12, 901 (2012), arXiv:1202.5822.
    """
    count = len(x)
    width = (count - 1).bit_length()
    control = 1 << (width + num_qubits)
    select = []
    for t in range(count):
        index = [1 << (num_qubits + width - 1 - q) for q in range(width)]
        zeros = [bit for q, bit in enumerate(index) if not t >> (width - 1 - q) & 1]
        flips = [_flip(bit) for bit in zeros]
        sign = float(np.sign(coefficients[t]))
        select += [*flips, Row(int(x[t]), int(z[t]), control | sum(index), 0.0, sign), *flips]
    prepare = _prepare(np.sqrt(np.abs(coefficients) / np.abs(coefficients).sum()), width, num_qubits)
    undo = [row.inverse() for row in reversed(prepare)]
    return ControlledEncoding(1 + width + num_qubits, (*prepare, *select, *undo), float(np.abs(coefficients).sum()))


def _prepare(amplitudes, width, num_qubits):
    """|0> -> sum_t amplitudes[t] |t>: one RY for each prefix of the index, controlled by that prefix."""
    tree = np.zeros(2**width)
    tree[: len(amplitudes)] = amplitudes**2
    found = []
    for level in range(width):
        halves = tree.reshape(2**level, 2, -1).sum(axis=2)
        bits = [1 << (num_qubits + width - 1 - q) for q in range(level + 1)]
        for prefix, (left, right) in enumerate(halves):
            if right == 0:
                continue
            half_angle = np.arctan2(np.sqrt(right), np.sqrt(left))
            flips = [_flip(bit) for q, bit in enumerate(bits[:-1]) if not prefix >> (level - 1 - q) & 1]
            turn = Row(bits[-1], bits[-1], sum(bits[:-1]), np.cos(half_angle), -1j * np.sin(half_angle))
            found += [*flips, turn, *flips]
    return found


def _flip(bit: int) -> Row:
    return Row(bit, 0, 0, 0.0, 1.0)
