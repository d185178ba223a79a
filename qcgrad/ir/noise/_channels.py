"""The channels of the literature."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from . import _checks as checks
from .channel import Channel, Operators, pauli_matrix

# A superoperator on k qubits has 4^k rows.
_MOST_QUBITS = 4
# Operators that are given in a few digits are off by their last one.
_TRACE_DEFECT = 1e-8


@dataclass(frozen=True)
class PauliChannel(Channel):
    r"""Random Pauli strings, \(\rho \mapsto \sum_P p_P\, P \rho P\).

    Args:
        probabilities: mapping or pairs from Pauli words, one letter for each of k qubits, to probabilities. What they
            leave of 1 is that of the identity.

    Raises:
        ValueError: words that are none or of different lengths, probabilities outside [0, 1] or with a sum above 1.

    Example:
        >>> import qcgrad as qg
        >>> qg.PauliChannel({"XX": 0.01, "ZI": 0.02})
        PauliChannel(probabilities=(('XX', 0.01), ('ZI', 0.02)))
    """

    probabilities: Mapping[str, float] | Iterable[tuple[str, float]]

    def __post_init__(self) -> None:
        given = self.probabilities
        pairs: list[Any] = list(given.items() if isinstance(given, Mapping) else given) if _is_many(given) else []
        if not pairs or not all(_is_many(pair) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
            raise ValueError(
                f"PauliChannel probabilities={given!r}: give Pauli words with probabilities, {{'X': 0.01}}"
            )
        lengths = {len(word) for word, _ in pairs}
        if len(lengths) > 1 or not 1 <= max(lengths) <= _MOST_QUBITS:
            raise ValueError(f"PauliChannel words have lengths {sorted(lengths)}: give one from 1 to {_MOST_QUBITS}")
        found: dict[str, float] = {}
        for word, p in pairs:
            if not set(word) <= set("IXYZ"):
                raise ValueError(f"PauliChannel word {word!r}: use only I, X, Y, Z")
            found[word] = found.get(word, 0.0) + checks.probability(f"PauliChannel probability of {word}", p)
        if (total := math.fsum(found.values())) > 1 + 1e-9:
            raise ValueError(f"PauliChannel probabilities add up to {total}: at most 1 is possible")
        object.__setattr__(self, "probabilities", tuple(found.items()))

    @property
    def width(self) -> int:
        return len(next(iter(dict(self.probabilities))))

    @cached_property
    def operators(self) -> Operators:
        weights = dict(self.probabilities)
        identity = "I" * self.width
        weights[identity] = max(0.0, 1 - math.fsum(p for word, p in weights.items() if word != identity))
        kept = [(word, p) for word, p in weights.items() if p > 0]
        return np.array([math.sqrt(p) * pauli_matrix(word) for word, p in kept], np.complex128)


@dataclass(frozen=True)
class Depolarizing(Channel):
    r"""A random Pauli error, every one of the \(4^k - 1\) with the same probability.

    .. math:: \rho \mapsto (1 - p)\,\rho + \frac{p}{4^k - 1} \sum_{P \ne I} P \rho P

    p is the probability of an error: PennyLane's convention for one qubit, Cirq's for any number. Qiskit's and that of
    textbooks, by the share \(\lambda\) that becomes the maximally mixed state, \(p = \lambda (1 - 4^{-k})\), is
    `Depolarizing.mixing`.

    Args:
        probability: p, from 0 to 1; at \(1 - 4^{-k}\) nothing is left of the state.
        num_qubits: k, from 1 to 4.

    Example:
        >>> import qcgrad as qg
        >>> qg.Depolarizing.mixing(0.04)
        Depolarizing(probability=0.03, num_qubits=1)
    """

    probability: float
    num_qubits: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", checks.probability("Depolarizing probability", self.probability))
        object.__setattr__(self, "num_qubits", checks.count("Depolarizing num_qubits", self.num_qubits, _MOST_QUBITS))

    @classmethod
    def mixing(cls, strength: float, num_qubits: int = 1) -> Self:
        r"""\(\rho \mapsto (1 - \lambda)\,\rho + \lambda\, I/2^k\).

        Args:
            strength: lambda, from 0 to \(4^k / (4^k - 1)\), where the identity has no part any more.
            num_qubits: k.
        """
        count = checks.count("Depolarizing num_qubits", num_qubits, _MOST_QUBITS)
        found, most = checks.real("Depolarizing.mixing strength", strength), 4**count / (4**count - 1)
        if not 0 <= found <= most * (1 + 1e-12):
            raise ValueError(f"Depolarizing.mixing strength={strength!r}: give a number from 0 to {most:.6g}")
        return cls(min(1.0, found * (1 - 0.25**count)), count)

    @property
    def width(self) -> int:
        return self.num_qubits

    @cached_property
    def operators(self) -> Operators:
        words = ["".join(letters) for letters in product("IXYZ", repeat=self.num_qubits)]
        each = self.probability / (len(words) - 1)
        return PauliChannel(dict.fromkeys(words[1:], each)).operators


@dataclass(frozen=True, eq=False)
class Kraus(Channel):
    """Any channel, by its Kraus operators.

    Args:
        kraus: m matrices of 2^k rows and columns, with k from 1 to 4; the first of the qubits is the most significant
            bit of an index.

    Raises:
        ValueError: shapes that are none, entries that are not finite, or operators that do not preserve the trace,
            with by how much.

    Example:
        >>> import numpy as np, qcgrad as qg
        >>> qg.Kraus([np.eye(2), 0.1 * np.eye(2)])
        Traceback (most recent call last):
        ...
        ValueError: Kraus operators do not preserve the trace: |sum K^dagger K - 1| reaches 0.01, at most 1e-08 is ...
    """

    kraus: Any

    def __init__(self, kraus: Iterable[ArrayLike]):
        try:
            operators = np.array([np.asarray(operator, np.complex128) for operator in kraus])
        except (TypeError, ValueError):
            raise TypeError(
                f"Kraus operators are {kraus!r}: give square matrices of numbers, all of one size"
            ) from None
        size = operators.shape[-1] if operators.ndim == 3 else 0
        if operators.ndim != 3 or operators.shape[1] != size or size not in (2**k for k in range(1, _MOST_QUBITS + 1)):
            raise ValueError(
                f"Kraus operators have shape {operators.shape}: give (m, 2^k, 2^k), k from 1 to {_MOST_QUBITS}"
            )
        if not np.isfinite(operators).all():
            raise ValueError("Kraus operators hold NaN or infinity: give finite numbers")
        defect = np.abs(np.einsum("mba,mbc->ac", operators.conj(), operators) - np.eye(size)).max()
        if not defect <= _TRACE_DEFECT:
            raise ValueError(
                f"Kraus operators do not preserve the trace: |sum K^dagger K - 1| reaches {defect:.2g}, at most "
                f"{_TRACE_DEFECT:.0e} is accepted"
            )
        operators.setflags(write=False)
        object.__setattr__(self, "kraus", operators)

    @property
    def width(self) -> int:
        return self.kraus.shape[1].bit_length() - 1

    @property
    def operators(self) -> Operators:
        return self.kraus

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kraus) and np.array_equal(self.kraus, other.kraus)

    def __hash__(self) -> int:
        return hash((self.kraus.shape, self.kraus.tobytes()))

    def __repr__(self) -> str:
        return f"Kraus({len(self.kraus)} operators on {self.width} qubit{'s' if self.width > 1 else ''})"


def _is_many(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)
