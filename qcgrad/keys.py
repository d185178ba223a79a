"""Random keys: what callers may give, and who gets which."""

import threading
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from .array_types import Key


def draw_key(key: Key | None, is_random: bool) -> tuple[Key | None, Key | None]:
    """(remaining key, key for the one who asks); one that is not random leaves the key alone.

    Raises:
        ValueError: there is no key to draw with.
    """
    if not is_random:
        return key, None
    if key is None:
        raise ValueError("key is missing: this method samples, so give key=jax.random.key(seed)")
    return _halves(key)


def as_key(key: Key | int | None) -> Key | None:
    """A JAX random key from a key, a raw PRNG key, or an integer seed of any size.

    Raises:
        TypeError: anything else.
    """
    if key is None:
        return None
    if isinstance(key, bool):
        raise TypeError(f"key is {key}: give one JAX random key, jax.random.key(seed), or an integer seed")
    if isinstance(key, (int, np.integer)):
        return _key_of_seed(int(key))
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key) and key.ndim == 0:
        return key
    if dtype == np.uint32 and key.ndim == 1:
        return jax.random.wrap_key_data(jnp.asarray(key))
    raise TypeError(f"key is {key!r}: give one JAX random key, jax.random.key(seed), or an integer seed")


class KeyStream:
    """Parts of one key for what is called again and again, by any thread: number i is `jax.random.fold_in(key, i)`.

    Deep copies share it, or they would draw the same; one that was pickled goes on from the same place.

    Args:
        key: JAX random key.
    """

    def __init__(self, key: Key):
        self._key, self._count, self._lock = key, 0, threading.Lock()

    def next(self) -> Key:
        """A key that no one else gets."""
        with self._lock:
            self._count += 1
            return jax.random.fold_in(self._key, self._count - 1)

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> tuple[Any, str, int]:
        return np.asarray(jax.random.key_data(self._key)), str(jax.random.key_impl(self._key)), self._count

    def __setstate__(self, state: tuple[Any, str, int]) -> None:
        bits, implementation, count = state
        self.__init__(jax.random.wrap_key_data(jnp.asarray(bits), impl=implementation))
        self._count = count


# Compiled, keys take a tenth of the time, which estimates on small circuits and sweeps of many queries notice.
_made = jax.jit(jax.random.key, static_argnames="impl")


def _key(seed):
    # Compiled programs do not notice when the default changes.
    return _made(np.uint32(seed), impl=jax.config.jax_default_prng_impl)  # pyright: ignore[reportAttributeAccessIssue]


@jax.jit
def _halves(key):
    """Two keys from one."""
    remaining, used = jax.random.split(key)
    return remaining, used


def _key_of_seed(seed: int):
    """`jax.random.key(seed)` of a seed that has 32 bits, and a key of its own for every other integer."""
    if 0 <= seed < 2**32:
        return _key(seed)
    # JAX drops the upper bits without a word, or without its 64-bit mode: then seeds would draw the same numbers.
    size = 4 * max(2, seed.bit_length() // 32 + 1)
    first, *others = np.frombuffer(seed.to_bytes(size, "little", signed=True), "<u4")
    key = _key(first)
    for word in others:
        key = jax.random.fold_in(key, word)
    return key
