r"""Block encodings of Pauli sums in which commuting strings are encoded together.

The sum \(\sum_t c_t P_t\) of a commuting group has eigenvalues \(\lambda(b)\), b running over the signs of r
independent strings. With \(\mu\) the middle of their range and R half its width,

.. math:: \frac{\lambda(b) - \mu}R = \cos\varphi(b) = \langle +|e^{i\varphi(b) Z}|+\rangle ,
    \qquad \varphi(b) = \sum_S \hat\varphi_S\, \chi_S(b) ,

so \(2^r\) rotations about products \(\chi_S\) of the group's strings, each with Z on one more qubit, encode the group
less \(\mu\) with weight R. String by string it has the weight \(\sum_t|c_t| \ge R\), more where strings are products of
others. Groups are found by sorted insertion, which brings the largest coefficients together.

References:
    O. Crawford, B. van Straaten, D. Wang, T. Parks, E. Campbell, S. Brierley, "Efficient quantum measurement of Pauli
    operators in the presence of finite sampling error", Quantum 5, 385 (2021), arXiv:1908.06942.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ..array_types import Coefficients, Masks
from . import pauli, rows
from .block_encoding import ControlledEncoding, Piece, controlled_pieces, string_piece
from .rows import Row, States
from .strings import walsh_hadamard

# More independent strings are divided into several groups: their rotations would outnumber any circuit's gates.
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
        x, z: (T,) masks, all distinct, none the identity.
        coefficients: (T,), none zero.

    Cost: at most 2^r rotations for a group of r <= 8 independent strings whose range is smaller than the sum of its
    coefficients, one controlled string for each other string; for each piece at most 2a NOT gates; 2^{a+1} rotations.
    """
    pieces, centre = [], 0.0
    for group in _groups(num_qubits, x, z, coefficients):
        found, middle = _pieces(num_qubits, group, x, z, coefficients)
        pieces += found
        centre += middle
    encoding = controlled_pieces(num_qubits, pieces)
    identity = pauli.mask_array([0], num_qubits)
    less_centre = np.append(x, identity), np.append(z, identity), np.append(coefficients, -centre) / encoding.scale
    return EncodedGroups(encoding, centre, AppliedSum(1 << (encoding.num_qubits - 1), *less_centre))


def _pieces(num_qubits, group, x, z, coefficients) -> tuple[list[Piece], float]:
    """A group as one piece where that has a smaller weight than its strings, and what is left out of it."""
    strings = [string_piece(int(x[t]), int(z[t]), float(coefficients[t])) for t in group.strings]
    if len(group.independent) == len(strings):
        return strings, 0.0
    product_x, product_z, signs = _products(x[group.independent], z[group.independent])
    table = np.zeros(len(signs))
    np.add.at(table, group.members, coefficients[group.strings] * signs[group.members])
    values = walsh_hadamard(table)
    centre, half = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2
    if half > (1 - _ROUNDING) * np.abs(coefficients[group.strings]).sum():
        return strings, 0.0
    turns = walsh_hadamard(np.arccos(np.clip((values - centre) / half, -1, 1))) / len(values)
    phase = 1 << num_qubits
    turned = tuple(
        Row(int(product_x[s]), int(product_z[s]) | phase, 0, np.cos(turns[s]), 1j * signs[s] * np.sin(turns[s]))
        for s in np.flatnonzero(np.abs(turns) > _NO_TURN).tolist()
    )
    return [Piece(float(half), turned)], float(centre)


class _Group:
    """Strings that commute, their independent ones, and of which of these each is the product."""

    def __init__(self):
        self.strings: list[int] = []
        self.independent: list[int] = []
        self.members: list[int] = []
        # Rows in echelon form, each with the independent strings that it is the product of.
        self._echelon: list[tuple[int, int]] = []

    def takes(self, t: int, vector: int, commutes: Bool[np.ndarray, "T"]) -> bool:
        """Whether string t, masks x and z in one vector, has joined."""
        if not np.all(commutes[self.strings]):
            return False
        combination = 0
        for row, parts in self._echelon:
            if vector ^ row < vector:
                vector, combination = vector ^ row, combination ^ parts
        if vector and len(self.independent) == _MOST_INDEPENDENT:
            return False
        if vector:
            own = 1 << len(self.independent)
            self._echelon.append((vector, combination ^ own))
            self.independent.append(t)
            combination = own
        self.strings.append(t)
        self.members.append(combination)
        return True


def _groups(num_qubits, x, z, coefficients) -> list[_Group]:
    """Each string, large coefficients first, joins the first group that takes it."""
    groups: list[_Group] = []
    for t in np.argsort(-np.abs(coefficients), kind="stable").tolist():
        vector, commutes = int(x[t]) << num_qubits | int(z[t]), np.asarray(pauli.commute(x[t], z[t], x, z))
        if not any(group.takes(t, vector, commutes) for group in groups):
            groups.append(_Group())
            groups[-1].takes(t, vector, commutes)
    return groups


def _products(x, z):
    """All products of some commuting strings, in the order of the masks of their factors: x, z and sign."""
    all_x, all_z, signs = x[:1] ^ x[:1], z[:1] ^ z[:1], np.ones(1, np.int64)
    for i in range(len(x)):
        # Arrays of one mask, since a mask of more than 62 qubits is no number to NumPy.
        more_x, more_z, power = pauli.product(all_x, all_z, x[i : i + 1], z[i : i + 1])
        all_x, all_z = np.append(all_x, more_x), np.append(all_z, more_z)
        signs = np.append(signs, signs * (1 - power))
    return all_x, all_z, signs
