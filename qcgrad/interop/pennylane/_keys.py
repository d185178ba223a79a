"""Random keys for what is called again and again."""

import threading
from typing import Any, Self

import jax
import numpy as np

from ...array_types import Key


class KeyStream:
    """Fresh parts of one key, for all threads that ask.

    Args:
        key: JAX random key; by default one that NumPy's global generator draws, as devices of PennyLane are seeded, so
            that one `numpy.random.seed` holds for all of a script.
    """

    def __init__(self, key: Key | None):
        self._key = jax.random.key(np.random.randint(2**31)) if key is None else key  # noqa: NPY002
        self._count = 0
        self._lock = threading.Lock()

    def next(self) -> Key:
        """A key that no one else gets."""
        with self._lock:
            self._count += 1
            return jax.random.fold_in(self._key, self._count)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self  # copies of a QNode or a device draw from one stream, or they would draw the same

    def __getstate__(self) -> tuple[Key, int]:
        return self._key, self._count

    def __setstate__(self, state: tuple[Key, int]) -> None:
        self._key, self._count = state
        self._lock = threading.Lock()
