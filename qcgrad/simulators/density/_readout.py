"""Errors of reading, on outcomes that were drawn."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...array_types import Masks
from ...ir.noise import ReadoutError

Errors = Sequence[ReadoutError | None]
"""For each qubit what is wrong with reading it."""


def misread(outcomes: Masks, errors: Errors, rng: np.random.Generator) -> Masks:
    """What is written down of outcomes (N,) of all n qubits, one error for each."""
    n, found = len(errors), outcomes.copy()
    for q, error in enumerate(errors):
        if error is not None:
            bit = (outcomes >> (n - 1 - q)) & 1
            flips = rng.random(len(outcomes)) < error.confusion[[0, 1], [1, 0]][bit.astype(np.int64)]
            found ^= flips.astype(outcomes.dtype) << (n - 1 - q)
    return found


def confused(probabilities: Float[np.ndarray, "2**n"], errors: Errors) -> Float[np.ndarray, "2**n"]:
    """The distribution of what is written down, from that of the outcomes of all n qubits."""
    n = len(errors)
    for q, error in enumerate(errors):
        if error is not None:
            parts = probabilities.reshape(2**q, 2, 2 ** (n - 1 - q))
            probabilities = np.einsum("aib,ij->ajb", parts, error.confusion)
    return probabilities.ravel()
