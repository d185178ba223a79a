"""Coefficients, masks and sparse terms of observables, checked."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Inexact
from numpy.typing import ArrayLike

from ..arrays import is_concrete
from . import pauli


def coefficients(values: ArrayLike) -> Inexact[np.ndarray, "..."]:
    """Real or complex coefficients, or one clear error."""
    if not is_concrete(values):
        raise TypeError("PauliSum coefficients are being traced by JAX: an observable holds plain numbers")
    try:
        given = np.asarray(values)
        return given if given.dtype.kind in "fc" else given.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"PauliSum coefficients are {values!r}: give one real number for each term") from None


def check_masks(num_qubits: int, x: ArrayLike, z: ArrayLike, count: int) -> None:
    """Refuse masks that are not one of each for every coefficient, integers of n bits."""
    for name, masks in (("x", x), ("z", z)):
        given: list[Any] = np.ravel(np.asarray(masks, object)).tolist()
        fits = all(isinstance(mask, (int, np.integer)) and not int(mask) >> num_qubits for mask in given)
        if len(given) != count or not fits:
            raise ValueError(
                f"PauliSum {name}={given} with {count} coefficients: give one mask for each term, an integer of "
                f"{num_qubits} bits"
            )


def sparse_masks(term: tuple[str, Sequence[int], float], num_qubits: int) -> tuple[int, int]:
    """(x, z) of a term (letters, qubits, coefficient)."""
    is_triple = isinstance(term, (tuple, list)) and len(term) == 3 and isinstance(term[0], str)
    qubits = tuple(term[1]) if is_triple and isinstance(term[1], Iterable) else ()
    fits = len(set(qubits)) == len(qubits) and all(q in range(num_qubits) for q in qubits)
    if not is_triple or len(term[0]) != len(qubits) or not fits:
        raise ValueError(
            f"PauliSum term {term!r}: give (letters, qubits, coefficient) with one letter for each of different "
            f"qubits 0 to {num_qubits - 1}"
        )
    return pauli.masks(term[0], qubits, num_qubits)
