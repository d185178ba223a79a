"""Generators of rotations: what may be given, whether they commute, and circuits made of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Circuit, Gate, PauliSum, pauli

Generator = str | Mapping[str, float] | PauliSum
"""A Pauli word, or a sum of words that commute, as `PauliSum` takes it; character i acts on qubit i."""


def checked_generators(name: str, given: Any) -> tuple[PauliSum, ...]:
    """Generators as sums on the same number of qubits, each of strings that commute, none of them the identity.

    Raises:
        TypeError: something else than a sequence of words and sums.
        ValueError: none, different numbers of qubits, an identity, or a sum of strings that do not commute.
    """
    if isinstance(given, (str, PauliSum)) or not isinstance(given, Iterable):
        raise TypeError(f"{name} is {given!r}: give a sequence of Pauli words, or of sums of words that commute")
    sums = tuple(g if isinstance(g, PauliSum) else PauliSum(g) for g in given)
    if not sums:
        raise ValueError(f"{name} is empty: give at least one generator, for example 'XXI'")
    for index, one in enumerate(sums):
        if one.num_qubits != sums[0].num_qubits:
            raise ValueError(
                f"{name}[{index}] acts on {one.num_qubits} qubits, and {name}[0] on {sums[0].num_qubits}: write one "
                "letter for each qubit"
            )
        if not np.all(one.x | one.z):
            raise ValueError(f"{name}[{index}] holds the identity, which turns nothing: leave it out")
        if not one.is_commuting:
            raise ValueError(f"{name}[{index}] is {one}, whose strings do not commute: give them one by one")
    return sums


def commutator(first: PauliSum, second: PauliSum) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks and coefficients of i[A, B], each string once, those that cancel left out."""
    x, z, power = pauli.product(first.x[:, None], first.z[:, None], second.x, second.z)
    i, j = np.nonzero(power % 2)
    # i[P, Q] = 2i PQ, and PQ = i^power R.
    values = np.where(power[i, j] == 1, -2.0, 2.0) * first.coefficients[i] * second.coefficients[j]
    found: dict[tuple[int, int], float] = {}
    for key, value in zip(zip(x[i, j].tolist(), z[i, j].tolist(), strict=True), values.tolist(), strict=True):
        found[key] = found.get(key, 0.0) + value
    size = np.abs(first.coefficients).max() * np.abs(second.coefficients).max()
    kept = {key: value for key, value in found.items() if abs(value) > 1e-12 * size}
    masks = (pauli.mask_array([key[axis] for key in kept], first.num_qubits) for axis in (0, 1))
    return *masks, np.array(list(kept.values()))  # pyright: ignore[reportReturnType]


def rotations(generators: Sequence[PauliSum], first_param: int = 0) -> Iterable[Gate]:
    """exp(-i theta_k G_k / 2) for each of them: a rotation for each string, with its coefficient as the scale."""
    for k, one in enumerate(generators):
        for word, coefficient in zip(one.words, one.coefficients.tolist(), strict=True):
            wires = tuple(q for q, letter in enumerate(word) if letter != "I")
            yield Gate("pauli_rot", wires, first_param + k, coefficient, 0.0, word.replace("I", ""))


def translations(word: str) -> PauliSum:
    """The sum of a Pauli word and all its cyclic translations, each once: a generator that commutes with translations.

    Example:
        >>> from qcgrad.library import translations
        >>> translations("XXI"), translations("XIXI")
        (PauliSum("1.0*XXI + 1.0*IXX + 1.0*XIX"), PauliSum("1.0*XIXI + 1.0*IXIX"))
    """
    if not isinstance(word, str):
        raise TypeError(f"word is {word!r}: give a Pauli word, for example 'XXII'")
    return PauliSum([(moved, 1.0) for moved in dict.fromkeys(word[-k:] + word[:-k] for k in range(len(word)))])


def made_of(generators: Sequence[PauliSum], name: str) -> Circuit:
    """The circuit of all rotations in order."""
    return Circuit(generators[0].num_qubits, rotations(generators), name)
