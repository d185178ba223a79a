r"""Block encodings of Pauli sums in which commuting strings are encoded together.

The sum \(\sum_t c_t P_t\) of a commuting group has eigenvalues \(\lambda(b)\), b running over the signs of r
independent strings. With \(\mu\) the middle of their range and R half its width,

.. math:: \frac{\lambda(b) - \mu}R = \cos\varphi(b) = \langle +|e^{i\varphi(b) Z}|+\rangle ,
    \qquad \varphi(b) = \sum_S \hat\varphi_S\, \chi_S(b) ,

so \(2^r\) rotations about products \(\chi_S\) of the group's strings, each with Z on one more qubit, encode the group
less \(\mu\) with weight R. String by string it has the weight \(\sum_t|c_t| \ge R\), more where strings are products of
others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ..array_types import Coefficients, Masks
from . import pauli, rows
from .block_encoding import ControlledEncoding, Piece, controlled_pieces, string_piece
from .measured_groups import commuting_groups
from .rows import Row, States
from .strings import walsh_hadamard

# A group of more independent strings is encoded string by string: its rotations would outnumber any circuit's gates.
_MOST_INDEPENDENT = 8
# Ranges that differ by rounding are equal, and rotations by it are left out.
_ROUNDING, _NO_TURN = 1e-9, 1e-13


class AppliedSum(NamedTuple):
    r"""What a controlled block encoding leaves where its index register reads 0: a sum of norm 1 at most on one branch.

    Attributes:
        control: mask of the qubit that is 1 on that branch.
        x, z: (T,) masks of the strings.
        shares: (T,) their coefficients.
    """

    control: int
    x: Masks
    z: Masks
    shares: Coefficients

    def on(self, qubits: Sequence[int], num_qubits: int) -> "AppliedSum":
        """The same on some of its n qubits alone: `qubits[i]` becomes qubit i."""
        control, x, z = (pauli.squeezed(masks, qubits, num_qubits) for masks in (self.control, self.x, self.z))
        return AppliedSum(int(control), x, z, self.shares)

    def to(self, states: States) -> States:
        """The states, not normalised: their squared norms are how likely the index register reads 0."""
        branch = sum(
            share * rows.apply_pauli(int(x), int(z), states)
            for x, z, share in zip(self.x, self.z, self.shares.tolist(), strict=True)
        )
        return np.where(np.arange(states.shape[-1]) & self.control, branch, states)


class EncodedGroups(NamedTuple):
    """A Pauli sum as a block encoding holds it.

    Attributes:
        encoding: of the sum less its centre; its scale is the sum of all R.
        centre: what is left out, a multiple of the identity.
        applied: what the encoding leaves, on its qubits.
    """

    encoding: ControlledEncoding
    centre: float
    applied: AppliedSum


def encoded_groups(num_qubits: int, x: Masks, z: Masks, coefficients: Coefficients) -> EncodedGroups:
    """Encode sum_t c_t P_t group by group.

    Args:
        num_qubits: n.
        x, z: (T,) masks, all distinct.
        coefficients: (T,), none zero.

    Cost: at most 2^r rotations for a group of r <= 8 independent strings whose range is smaller than the sum of its
    coefficients, one controlled string for each other string; for each piece at most 2a NOT gates; 2^{a+1} rotations.
    """
    pieces, centre = [], 0.0
    for group in commuting_groups(x, z):
        found, middle = _pieces(num_qubits, x[group], z[group], coefficients[group])
        pieces += found
        centre += middle
    encoding = controlled_pieces(num_qubits, pieces)
    identity = pauli.mask_array([0], num_qubits)
    less_centre = np.append(x, identity), np.append(z, identity), np.append(coefficients, -centre) / encoding.scale
    return EncodedGroups(encoding, centre, AppliedSum(1 << (encoding.num_qubits - 1), *less_centre))


def _pieces(num_qubits, x, z, coefficients) -> tuple[list[Piece], float]:
    """A group as one piece where that has a smaller weight than its strings, and what is left out of it."""
    strings = [string_piece(a, b, c) for a, b, c in zip(x.tolist(), z.tolist(), coefficients.tolist(), strict=True)]
    independent, members = _spanned(num_qubits, x, z)
    if len(independent) == len(x) or len(independent) > _MOST_INDEPENDENT:
        return strings, 0.0
    product_x, product_z, signs = _products(x[independent], z[independent])
    table = np.zeros(len(signs))
    np.add.at(table, members, coefficients * signs[members])
    values = walsh_hadamard(table)
    centre, half = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2
    if half > (1 - _ROUNDING) * np.abs(coefficients).sum():
        return strings, 0.0
    turns = walsh_hadamard(np.arccos(np.clip((values - centre) / half, -1, 1))) / len(values)
    phase = 1 << num_qubits
    turned = tuple(
        Row(int(product_x[s]), int(product_z[s]) | phase, 0, np.cos(turns[s]), 1j * signs[s] * np.sin(turns[s]))
        for s in np.flatnonzero(np.abs(turns) > _NO_TURN).tolist()
    )
    return [Piece(float(half), turned)], float(centre)


def _spanned(num_qubits, x, z) -> tuple[list[int], Int[np.ndarray, "T"]]:
    """Which strings are independent, and of which of them each is the product, up to its sign, as masks."""
    independent, members, echelon = [], [], []
    for t, (a, b) in enumerate(zip(x.tolist(), z.tolist(), strict=True)):
        vector, combination = a << num_qubits | b, 0
        for row, parts in echelon:
            if vector ^ row < vector:
                vector, combination = vector ^ row, combination ^ parts
        if vector:
            own = 1 << len(independent)
            echelon.append((vector, combination ^ own))
            independent.append(t)
            combination = own
        members.append(combination)
    # More independent strings than a word has bits are never multiplied.
    return independent, np.array(members, np.int64 if len(independent) <= _MOST_INDEPENDENT else object)


def _products(x, z):
    """All products of some commuting strings, in the order of the masks of their factors: x, z and sign."""
    all_x, all_z, signs = x[:1] ^ x[:1], z[:1] ^ z[:1], np.ones(1, np.int64)
    for one_x, one_z in zip(x, z, strict=True):
        more_x, more_z, power = pauli.product(all_x, all_z, one_x, one_z)
        all_x, all_z = np.append(all_x, more_x), np.append(all_z, more_z)
        signs = np.append(signs, signs * (1 - power))
    return all_x, all_z, signs
