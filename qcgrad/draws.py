"""What is drawn on the host: NumPy generators from JAX keys, and which members of two ensembles meet."""

from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Float, Int

from .array_types import Key


def generator(key: Key) -> np.random.Generator:
    """A NumPy generator seeded by all bits of a JAX key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).tolist())


def pairings(
    first: Float[np.ndarray, "R1"], second: Float[np.ndarray, "R2"], pairs: int, rng: np.random.Generator
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Which members of two ensembles meet, drawn by their probabilities: (i, j, the pairs where these two do)."""
    both = rng.choice(len(first), size=pairs, p=first) * len(second) + rng.choice(len(second), size=pairs, p=second)
    kinds, where = np.unique(both, return_inverse=True)
    for kind, members in zip(kinds.tolist(), positions(where, len(kinds)), strict=True):
        yield kind // len(second), kind % len(second), members


def positions(where: Int[np.ndarray, "N"], count: int) -> list[Int[np.ndarray, "_"]]:
    """Indices of the entries of `where` that equal 0, 1, ... count - 1."""
    return np.split(np.argsort(where, kind="stable"), np.cumsum(np.bincount(where, minlength=count))[:-1])
