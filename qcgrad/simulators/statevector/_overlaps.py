"""Overlaps of a circuit's states at different angles."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Complex

from ...array_types import Key
from ...draws import generator
from ...queries import Means, Overlaps

AMPLITUDES = 1 << 18
"""As many are simulated at a time."""


def answered(
    query: Overlaps, psi: Complex[np.ndarray, "D"], others: Iterable[Complex[np.ndarray, "D"]], key: Key | None
) -> Means:
    """Exact, or drawn as how often the circuit undone at other angles gives back |0...0>."""
    exact = np.array([min(abs(np.vdot(psi, other)) ** 2, 1.0) for other in others])[:, None]
    if key is None or query.shots is None:
        return Means(exact.astype(query.angles.dtype), np.zeros(exact.shape, query.angles.dtype))
    return query.counted(generator(key).binomial(np.array(query.shots_per_setting)[:, None], exact))
