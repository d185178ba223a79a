"""Controlled block encodings of Pauli sums by linear combination of unitaries."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..array_types import Coefficients, Masks
from .rows import Row


class ControlledEncoding(NamedTuple):
    """Controlled B on 1 + a + n qubits with <0|B|0> = O / scale, B unitary.

    Attributes:
        num_qubits: 1 + a + n: the control, a qubits that hold an index in binary, the system.
        rows: the gates; only SELECT needs the control, since PREPARE cancels its inverse.
        scale: Lambda, the sum of |c_t|.
    """

    num_qubits: int
    rows: tuple[Row, ...]
    scale: float


class Piece(NamedTuple):
    """A part of a Pauli sum that one unitary encodes.

    Attributes:
        size: R.
        rows: of the unitary, on n qubits or with a phase qubit in front of them. Between |+> of that qubit it is the
            part over R.
    """

    size: float
    rows: tuple[Row, ...]


def controlled(num_qubits: int, x: Masks, z: Masks, coefficients: Coefficients) -> ControlledEncoding:
    """Encode sum_t c_t P_t string by string; a = ceil(log2 T), none for a single string.

    Args:
        num_qubits: n.
        x, z: (T,) masks.
        coefficients: (T,), none zero.

    Cost: 2 (2^a - 1) rotations and T controlled strings, with at most 2a + 2 NOT gates each.

    References:
        A. M. Childs, N. Wiebe, "Hamiltonian simulation using linear combinations of unitary operations",
        Quantum Information and Computation 12, 901 (2012), arXiv:1202.5822.
    """
    strings = zip(x.tolist(), z.tolist(), coefficients.tolist(), strict=True)
    return controlled_pieces(num_qubits, [string_piece(a, b, c) for a, b, c in strings])


def string_piece(x: int, z: int, coefficient: float) -> Piece:
    """One string, which is unitary as it is."""
    return Piece(abs(coefficient), (Row(x, z, 0, 0.0, float(np.sign(coefficient))),))


def controlled_pieces(num_qubits: int, pieces: Sequence[Piece]) -> ControlledEncoding:
    """Encode a sum of pieces; as `controlled`, whose strings they take the place of. B is Hermitian if they all are.

    A phase qubit counts to the a qubits and, like them, reads 0 where the encoding holds. One serves all pieces.
    """
    width, sizes = (len(pieces) - 1).bit_length(), np.array([piece.size for piece in pieces])
    phase = 1 << num_qubits
    has_phase = any(row.touched & phase for piece in pieces for row in piece.rows)
    below = num_qubits + has_phase
    control = 1 << (width + below)
    index = [1 << (below + width - 1 - q) for q in range(width)]
    select = []
    for t, piece in enumerate(pieces):
        flips = [_flip(bit) for q, bit in enumerate(index) if not t >> (width - 1 - q) & 1]
        select += [*flips, *(row._replace(controls=control | sum(index)) for row in piece.rows), *flips]
    prepare = _prepare(np.sqrt(sizes / sizes.sum()), width, below)
    if has_phase:
        prepare.append(Row(phase, phase, 0, np.sqrt(0.5), -1j * np.sqrt(0.5)))
    undo = [row.inverse() for row in reversed(prepare)]
    return ControlledEncoding(1 + width + below, (*prepare, *select, *undo), float(sizes.sum()))


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
