"""Observables: real linear combinations of Pauli strings."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Complex, Int
from numpy.typing import ArrayLike

from ..array_types import Masks
from . import pauli
from ._terms import check_masks, sparse_masks
from ._terms import coefficients as checked_coefficients

Terms = str | Mapping[str, float] | Iterable[tuple[str, float]]
"""Pauli words with real coefficients, as `PauliSum` takes them."""

_TERM = re.compile(r"\s*([+-]?)\s*(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*\*?\s*)?([IXYZ]+)\s*")


class PauliSum:
    r"""Hermitian observable \(O = \sum_t c_t P_t\) with real coefficients and Pauli strings \(P_t\).

    Args:
        terms: mapping or pairs from Pauli words to real coefficients. Character i of a word acts on
            qubit i. Repeated words add up; words whose coefficient is 0 are left out, and what is left of a sum that
            cancels altogether is 0 times the identity.

    Raises:
        ValueError: no terms, words of different lengths, unknown letters, non-Hermitian (complex) or
            non-finite coefficients.

    Example:
        >>> from qcgrad import PauliSum
        >>> PauliSum({"ZZI": 1.0, "IXI": 0.5})
        PauliSum("1.0*ZZI + 0.5*IXI")
        >>> PauliSum("ZZI + 0.5*IXI") == PauliSum({"ZZI": 1.0, "IXI": 0.5})
        True
    """

    num_qubits: int
    x: np.ndarray
    z: np.ndarray
    coefficients: np.ndarray

    def __init__(self, terms: Terms):
        pairs = _pairs(terms)
        if not pairs:
            raise ValueError("PauliSum got no terms: give at least one, for example {'ZZ': 1.0}")
        lengths = {len(word) for word, _ in pairs}
        if len(lengths) > 1:
            raise ValueError(f"PauliSum words have different lengths {sorted(lengths)}: write one letter per qubit")
        num_qubits = lengths.pop()
        strings = [pauli.masks(word, range(num_qubits), num_qubits) for word, _ in pairs]
        self._fill(num_qubits, [s[0] for s in strings], [s[1] for s in strings], [c for _, c in pairs])

    @classmethod
    def from_masks(cls, num_qubits: int, x: "ArrayLike", z: "ArrayLike", coefficients: "ArrayLike") -> Self:
        """Build from symplectic masks (see `qcgrad.ir.pauli` for the bit order)."""
        self = object.__new__(cls)
        self._fill(num_qubits, x, z, coefficients)
        return self

    @classmethod
    def from_sparse(cls, terms: "Iterable[tuple[str, Sequence[int], float]]", num_qubits: int) -> Self:
        """Build from (letters, qubits, coefficient), for example ("ZZ", (0, 3), 1.0)."""
        strings = [(*sparse_masks(term, num_qubits), term[2]) for term in terms]
        x, z, coefficients = zip(*strings, strict=True) if strings else ((), (), ())
        return cls.from_masks(num_qubits, x, z, coefficients)

    def _fill(self, num_qubits, x, z, coefficients):
        if not isinstance(num_qubits, (int, np.integer)) or not 1 <= num_qubits <= pauli.MAX_QUBITS:
            raise ValueError(f"PauliSum on {num_qubits} qubits: words must have 1 to {pauli.MAX_QUBITS} letters")
        num_qubits = int(num_qubits)
        given = checked_coefficients(coefficients)
        if given.size == 0:
            raise ValueError("PauliSum got no terms: give at least one, for example {'ZZ': 1.0}")
        check_masks(num_qubits, x, z, given.size)
        if np.iscomplexobj(given) and np.any(np.imag(given) != 0):
            worst = given[np.argmax(np.abs(np.imag(given)))]
            raise ValueError(
                f"PauliSum coefficient {worst} is complex: an observable must be Hermitian, so give real coefficients"
            )
        given = np.real(given).astype(np.float64)
        if not np.all(np.isfinite(given)):
            raise ValueError(f"PauliSum coefficients hold {given[~np.isfinite(given)][0]}: give finite numbers")
        masks = (pauli.mask_array(m, num_qubits).tolist() for m in (x, z))
        # Merge repeated strings, keeping the order of first appearance.
        merged: dict[tuple[int, int], float] = {}
        for key, c in zip(zip(*masks, strict=True), given, strict=True):
            merged[key] = merged.get(key, 0.0) + float(c)
        # What cancels need not be measured; nothing at all is no multiple of the identity.
        merged = {key: c for key, c in merged.items() if c} or {(0, 0): 0.0}
        if not np.all(np.isfinite(list(merged.values()))):
            raise ValueError("PauliSum coefficients of one string add up to more than a float holds: give smaller ones")
        self.num_qubits = num_qubits
        self.x = _frozen(pauli.mask_array([k[0] for k in merged], num_qubits))
        self.z = _frozen(pauli.mask_array([k[1] for k in merged], num_qubits))
        self.coefficients = _frozen(np.array(list(merged.values())))

    @property
    def num_terms(self) -> int:
        return len(self.coefficients)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Pauli words of the terms, qubit 0 first."""
        return tuple(pauli.word(int(x), int(z), self.num_qubits) for x, z in zip(self.x, self.z, strict=True))

    @property
    def is_commuting(self) -> bool:
        """Whether all terms commute with each other."""
        x, z = self.x[:, None], self.z[:, None]
        return bool(np.all(pauli.commute(x, z, x.T, z.T)))

    @property
    def support(self) -> tuple[int, ...]:
        """Qubits on which at least one term acts."""
        touched = int(np.bitwise_or.reduce(self.x | self.z))
        return tuple(q for q in range(self.num_qubits) if touched & pauli.bit(q, self.num_qubits))

    def compressed(self) -> "PauliSum":
        """The same sum on its support only, qubits renumbered in order."""
        support = self.support or (0,)
        letters = ["".join(word[q] for q in support) for word in self.words]
        return PauliSum(list(zip(letters, self.coefficients.tolist(), strict=True)))

    def matrix(self) -> Complex[np.ndarray, "2**n 2**n"]:
        """Dense 2^n x 2^n matrix (complex128); for small n."""
        dimension = 2**self.num_qubits
        index = np.arange(dimension)
        out = np.zeros((dimension, dimension), dtype=np.complex128)
        for x, z, c in zip(self.x, self.z, self.coefficients, strict=True):
            phase = 1j ** int(pauli.popcount(x & z))
            out[index ^ x, index] += c * phase * (1 - 2 * (pauli.popcount(index & z) % 2))
        return out

    def __add__(self, other: "PauliSum") -> "PauliSum":
        if not isinstance(other, PauliSum):
            return NotImplemented
        if other.num_qubits != self.num_qubits:
            raise ValueError(f"cannot add observables on {self.num_qubits} and {other.num_qubits} qubits")
        return PauliSum.from_masks(
            self.num_qubits,
            np.concatenate([self.x, other.x]),
            np.concatenate([self.z, other.z]),
            np.concatenate([self.coefficients, other.coefficients]),
        )

    def __mul__(self, factor: float) -> "PauliSum":
        if not isinstance(factor, (int, float, complex, np.number)):
            return NotImplemented
        return PauliSum.from_masks(self.num_qubits, self.x, self.z, self.coefficients * factor)

    __rmul__ = __mul__

    def __neg__(self) -> "PauliSum":
        return self * -1.0

    def __sub__(self, other: "PauliSum") -> "PauliSum":
        return self + (-other)

    def _key(self):
        masks = (m.tobytes() if m.dtype != object else tuple(m.tolist()) for m in (self.x, self.z))
        return self.num_qubits, *masks, self.coefficients.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PauliSum) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        shown = [f"{c!r}*{w}" for c, w in zip(self.coefficients.tolist()[:6], self.words, strict=False)]
        more = f" + ... {self.num_terms - 6} more" if self.num_terms > 6 else ""
        return f'PauliSum("{" + ".join(shown)}{more}")'.replace("+ -", "- ")


def qubit_wise_groups(x: Masks, z: Masks) -> list[Int[np.ndarray, "group"]]:
    """Split Pauli strings into groups that one product of single-qubit bases measures together.

    First-fit by falling weight: each string joins the first group whose letters agree with its own on
    every shared qubit. Greedy, so the number of groups is an upper bound on the least possible.

    Args:
        x, z: masks of T strings, shape (T,).

    Returns:
        Index arrays into the strings, in the order the groups were opened. Identity strings are left out.
    """
    bases: list[list[int]] = []
    members: list[list[int]] = []
    weight = pauli.popcount(x | z)
    for t in sorted(np.flatnonzero(weight), key=lambda t: -weight[t]):
        tx, tz = int(x[t]), int(z[t])
        for basis, group in zip(bases, members, strict=True):
            shared = (basis[0] | basis[1]) & (tx | tz)
            if not ((basis[0] ^ tx) | (basis[1] ^ tz)) & shared:
                basis[0] |= tx
                basis[1] |= tz
                group.append(int(t))
                break
        else:
            bases.append([tx, tz])
            members.append([int(t)])
    return [np.sort(np.asarray(group)) for group in members]


def _pairs(terms) -> list[tuple[str, float]]:
    if isinstance(terms, str):
        return _parse(terms)
    try:
        pairs = list(terms.items() if isinstance(terms, Mapping) else terms)
    except TypeError:
        pairs = [terms]
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
        raise TypeError(f"observable is {terms!r}: give Pauli words with coefficients, for example {{'ZZ': 1.0}}")
    return [(pair[0], pair[1]) for pair in pairs]


def _parse(text: str) -> list[tuple[str, float]]:
    pairs, position = [], 0
    while position < len(text):
        found = _TERM.match(text, position)
        if not found or (position and not found[1]):
            raise ValueError(
                f"observable {text!r} cannot be read at column {position + 1}: write terms as 'ZZI + 0.5*IXI'"
            )
        sign = -1.0 if found[1] == "-" else 1.0
        pairs.append((found[3], sign * float(found[2] or 1.0)))
        position = found.end()
    return pairs


def _frozen(array):
    array.setflags(write=False)
    return array
