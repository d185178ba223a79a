"""What a quantum channel is to those who simulate it."""

import abc
from functools import cached_property, reduce
from itertools import product

import numpy as np
from jaxtyping import Bool, Complex, Float

Operators = Complex[np.ndarray, "m 2**k 2**k"]
"""Kraus operators, or the unitaries of a mixture."""

_PAULIS = {"I": np.eye(2), "X": np.eye(2)[::-1], "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1.0, -1.0])}

# How far a Kraus operator may be from a multiple of a unitary to count as one: rounding of its square root.
_ROUNDING = 1e-12


class Channel(abc.ABC):
    r"""A completely positive, trace-preserving map of k qubits, \(\rho \mapsto \sum_i K_i \rho K_i^\dagger\).

    Channels are data: frozen, hashable, equal where their numbers are.
    """

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """k, the number of qubits that it acts on."""

    @property
    @abc.abstractmethod
    def operators(self) -> Operators:
        """Kraus operators (m, 2^k, 2^k); the first of the k qubits is the most significant bit of an index."""

    @cached_property
    def superoperator(self) -> Complex[np.ndarray, "4**k 4**k"]:
        """The map on density matrices whose rows stand one after another: sum of K (x) conj(K)."""
        kraus = self.operators
        size = kraus.shape[1] ** 2
        return np.einsum("mab,mcd->acbd", kraus, kraus.conj()).reshape(size, size)

    @cached_property
    def mixture(self) -> tuple[Float[np.ndarray, "m"], Operators] | None:
        """Probabilities (m,) and unitaries, where every Kraus operator is a multiple of a unitary; else None.

        Which of them happens then does not depend on the state.
        """
        kraus = self.operators
        squares = kraus.conj().swapaxes(1, 2) @ kraus
        weights = np.real(squares[:, 0, 0])
        if np.abs(squares - weights[:, None, None] * np.eye(kraus.shape[1])).max() > _ROUNDING:
            return None
        kept = weights > 0
        return weights[kept] / weights[kept].sum(), kraus[kept] / np.sqrt(weights[kept])[:, None, None]

    @cached_property
    def pauli_mixture(self) -> tuple[Float[np.ndarray, "m"], Bool[np.ndarray, "m k"], Bool[np.ndarray, "m k"]] | None:
        """Probabilities (m,) of Pauli strings, and whether each has an X and a Z on each qubit; None if it is none."""
        if self.mixture is None:
            return None
        weights, unitaries = self.mixture
        strings = np.array([pauli_matrix("".join(letters)) for letters in product("IXYZ", repeat=self.width)])
        overlaps = np.abs(np.einsum("pba,mab->mp", strings.conj(), unitaries)) / 2**self.width
        place = overlaps.argmax(axis=1)
        if np.abs(overlaps.max(axis=1) - 1).max() > _ROUNDING:
            return None
        letters = (place[:, None] >> 2 * np.arange(self.width)[::-1]) & 3
        return weights, (letters == 1) | (letters == 2), letters >= 2

    @cached_property
    def is_identity(self) -> bool:
        """Whether it does nothing at all."""
        return bool(np.array_equal(self.superoperator, np.eye(4**self.width)))


def pauli_matrix(word: str) -> Complex[np.ndarray, "2**k 2**k"]:
    """The matrix of a Pauli word."""
    return reduce(np.kron, (_PAULIS[letter] for letter in word))
