r"""Circuits whose rotations are all products of X on \(|0\dots0\rangle\), and what a classical computer needs of them.

With \(W_j\) the Clifford gates in front of rotation j, a circuit is
\(W \prod_j e^{-i\varphi_j P_j/2}\), \(P_j = W_j^\dagger Q_j W_j\), on \(|0\dots0\rangle\). Where every
\(P_j\) is a product \(X^{g_j}\), a string \(W^\dagger P W = \pm i^{|x \wedge z|} X^x Z^z\) has the expectation value

.. math:: \langle P\rangle = \pm\,\mathbb{E}_u\,(-1)^{x\cdot u}\cos\Big(\tfrac\pi2|x\wedge z| +
    \sum_{j:\,g_j\cdot z\ \mathrm{odd}} (-1)^{g_j\cdot u}\varphi_j\Big)

over uniform bitstrings u: in the basis of all X the circuit is diagonal, and its input is the uniform superposition.
Products of Z between two layers of H are of this form, since H is followed through.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from . import pauli
from ._clifford import TOLERANCE
from .bits import Strings, parities, unpacked, words_of
from .generators import generator
from .op_table import MATRIX
from .program import Program
from .pull_back import name_of_row

CHUNK = 512
"""Generators whose signs are written out together, so that they stay in the cache."""

# Bitstrings of a block: so many that a product with a matrix pays, and fewer where that would take more than this.
_BLOCK = 1024
_BLOCK_BYTES = 1 << 26


class NotIQP(ValueError):
    """A gate that is no rotation about a product of X, followed through the Clifford gates in front of it."""


class _Rotation(NamedTuple):
    """exp(-i (scale * angles[slot] + offset) X^x / 2); slot -1 where no angle drives it."""

    x: int
    slot: int
    scale: float
    offset: float


class IQPForm:
    """A program as rotations about products of X, and strings of its observables pulled back to them.

    Attributes:
        generators: products of X, G of them; those that no string of the observables notices are left out.
        slot, scale, offset: (G,) rotation j turns by scale * angles[slot] + offset radians; ascending by slot, -1 where
            no angle drives it.
        signs: products of X of the strings, T of them: the x of the module's formula.
        flips: the same for Z: the z of the formula.
        quarter: (T,) |x & z| mod 4, and 2 more where the sign is -1.
        coefficients: (K, T).
        constants: (K,) what does not depend on any angle.
        num_angles: A, of the program.
        num_pairs: pairs of a string and a generator that anticommute, the terms of all phases.
        most_for_one_angle: generators that one angle drives, at most.

    Raises:
        NotIQP: with the first gate that breaks the form.
    """

    generators: Strings
    slot: Int[np.ndarray, "G"]
    scale: Float[np.ndarray, "G"]
    offset: Float[np.ndarray, "G"]
    signs: Strings
    flips: Strings
    quarter: Int[np.ndarray, "T"]
    coefficients: Float[np.ndarray, "K T"]
    constants: Float[np.ndarray, "K"]

    def __init__(self, program: Program):
        rotations, frame = _rotations(program)
        self.num_qubits, self.num_angles = program.num_qubits, program.num_angles
        strings = [frame.pulled(int(x), int(z)) for x, z in zip(*program.terms[:2], strict=True)]
        coefficients = program.terms[2]
        # A product of X has the value 0 whatever the angles are, and the identity 1.
        moves = np.array([z != 0 for _, z, _ in strings], bool)
        ones = np.array([(1 - power % 4) if not x | z else 0 for x, z, power in strings], float)
        self.constants = coefficients @ ones
        self.coefficients = coefficients[:, moves]
        kept = [string for string, moving in zip(strings, moves, strict=True) if moving]
        self.signs = Strings.of([x for x, _, _ in kept], self.num_qubits)
        self.flips = Strings.of([z for _, z, _ in kept], self.num_qubits)
        # `pulled` counts i in i^power times a Hermitian string, which holds i^|x & z| itself.
        self.quarter = np.array([(power + (x & z).bit_count()) % 4 for x, z, power in kept], np.int64)
        generators = Strings.of([r.x for r in rotations], self.num_qubits)
        noticed = parities(generators, self.flips.transposed())
        seen = np.flatnonzero(noticed.any(axis=1))
        seen = seen[np.argsort([rotations[j].slot for j in seen.tolist()], kind="stable")]
        self._noticed = noticed[seen]
        self.generators = Strings.of([rotations[j].x for j in seen.tolist()], self.num_qubits)
        columns = list(zip(*(rotations[j] for j in seen.tolist()), strict=True)) or [()] * 4
        self.slot = np.array(columns[1], np.int64)
        self.scale = np.array(columns[2], float)
        self.offset = np.array(columns[3], float)
        self.num_pairs = int(np.bitwise_count(self._noticed).sum())
        self.most_for_one_angle = int(np.bincount(self.slot[self.slot >= 0], minlength=1).max())

    @property
    def num_generators(self) -> int:
        """G."""
        return len(self.slot)

    @property
    def num_strings(self) -> int:
        """T."""
        return len(self.quarter)

    def block(self, samples: int) -> int:
        """Bitstrings that are looked at together, whole words of them."""
        widest = max(CHUNK, self.most_for_one_angle, self.num_strings)
        return int(np.clip(_BLOCK_BYTES // (8 * widest), 64, min(_BLOCK, 64 * words_of(samples)))) // 64 * 64

    def sampling_bytes(self, samples: int, rows: int, has_covariance: bool) -> int:
        """Bytes that sampling holds at its peak: a block's bits, phases, and generators written out; sums of all."""
        block, n = self.block(samples), self.num_qubits
        bits = (self.num_generators + 256 * -(-n // 8) + n + 2 * self.num_strings) * block // 8
        written = max(CHUNK, self.most_for_one_angle) * (3 * block + self.num_strings)
        sums = rows * self.num_angles * (2 + self.num_angles * has_covariance)
        return bits + 8 * (written + 4 * self.num_strings * block + sums)

    def noticed(self, which: slice | Int[np.ndarray, "part"]) -> Bool[np.ndarray, "part T"]:
        """Which strings some of the generators anticommute with."""
        return unpacked(self._noticed[which], self.num_strings)


@lru_cache(maxsize=8)
def iqp_form(program: Program) -> IQPForm:
    """The form of a program, found once.

    Raises:
        NotIQP: names the first gate that breaks it.
    """
    return IQPForm(program)


class _Frame:
    """The map P -> W^dagger P W of the Clifford gates so far, by the images of single letters."""

    def __init__(self, num_qubits: int):
        self.num_qubits = num_qubits
        self.images: dict[tuple[bool, int], tuple[int, int, int]] = {}

    def pulled(self, x: int, z: int) -> tuple[int, int, int]:
        """(x, z, power): the image is i^power times the string of these masks."""
        if not self.images:
            return x, z, 0
        found = 0, 0, (x & z).bit_count()
        for is_z, mask in ((False, x), (True, z)):
            while mask:
                lowest = mask & -mask
                mask ^= lowest
                found = _product(found, self.images.get((is_z, lowest), (0, lowest, 0) if is_z else (lowest, 0, 0)))
        return found

    def turn(self, x: int, z: int, quarters: int) -> None:
        """Add exp(-i quarters pi/4 P) behind what is there."""
        axis = self.pulled(x, z)
        touched = []
        # A letter's image changes where the letter anticommutes with P.
        for is_z, mask in ((True, x), (False, z)):
            while mask:
                lowest = mask & -mask
                mask ^= lowest
                touched.append(((is_z, lowest), self.pulled(*((0, lowest) if is_z else (lowest, 0)))))
        for letter, image in touched:
            if quarters == 2:
                self.images[letter] = image[0], image[1], image[2] + 2
            else:  # exp(i pi/2 P) Q = iPQ, and -iPQ the other way round
                rx, rz, power = _product(axis, image)
                self.images[letter] = rx, rz, power + quarters


def _product(first: tuple[int, int, int], second: tuple[int, int, int]) -> tuple[int, int, int]:
    """i^a P times i^b Q, as (x, z, power)."""
    (x1, z1, a), (x2, z2, b) = first, second
    x, z = x1 ^ x2, z1 ^ z2
    power = (x1 & z1).bit_count() + (x2 & z2).bit_count() + 2 * (z1 & x2).bit_count() - (x & z).bit_count()
    return x, z, (a + b + power) % 4


def _rotations(program: Program) -> tuple[list[_Rotation], _Frame]:
    table = program.circuit.op_table
    frame, found = _Frame(program.num_qubits), []
    for row in range(table.num_ops):
        if table.kind[row] == MATRIX:
            raise NotIQP(_broken(program, row, "is a matrix"))
        slot, scale, offset = int(table.slot[row]), float(table.scale[row]), float(table.offset[row])
        for x, z, weight in _strings(table, row):
            quarters = 2 * weight * offset / (np.pi / 2)
            if slot < 0 and abs(quarters - round(quarters)) <= TOLERANCE:
                if round(quarters) % 4:
                    frame.turn(x, z, round(quarters) % 4)
                continue
            px, pz, power = frame.pulled(x, z)
            if pz:
                word = pauli.word(px, pz, program.num_qubits)
                raise NotIQP(
                    _broken(program, row, f"turns about {_short(word)} once Clifford gates are moved behind it")
                )
            sign = 1 - power % 4
            found.append(_Rotation(px, slot, 2 * weight * scale * sign, 2 * weight * offset * sign))
    return found, frame


def _strings(table: Any, row: int) -> list[tuple[int, int, float]]:
    """A row as exp(-i t sum w P): masks and weights w of commuting strings, the identity left out."""
    x, z = int(table.x[row]), int(table.z[row])
    if not table.controls[row]:
        return [(x, z, 0.5)] if x | z else []
    # `generator` multiplies by the scale of what an angle drives, and fixed rows have none.
    unit = table._replace(scale=np.ones(table.num_ops))
    return [(int(x), int(z), float(c)) for x, z, c in zip(*generator(unit, row), strict=True)]


def _broken(program: Program, row: int, why: str) -> str:
    return (
        f"gate {name_of_row(program.circuit, row)} {why}: an IQP circuit has rotations about products of X only, or "
        "diagonal gates between two layers of H"
    )


def _short(word: str) -> str:
    """A word by the letters that act, for messages."""
    letters = [f"{letter}{q}" for q, letter in enumerate(word) if letter != "I"]
    return " ".join(letters[:4]) + (" ..." if len(letters) > 4 else "")
