"""Random keys as PennyLane's users seed them."""

import jax
import numpy as np

from ...array_types import Key
from ...keys import KeyStream


def stream_of(key: Key | None) -> KeyStream:
    """Keys from one; without any NumPy's global generator draws it, as devices of PennyLane are seeded.

    So one `numpy.random.seed` holds for all of a script.
    """
    return KeyStream(jax.random.key(np.random.randint(2**31)) if key is None else key)  # noqa: NPY002
