"""Which arrays count as parameters, and which as data."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike
from jaxtyping import Complex, Inexact, Num, PyTree

from ..arrays import as_real


def checked_parameters(name: str, tree: PyTree) -> PyTree[Inexact[jax.Array, "..."]]:
    """A pytree of real and complex floating-point arrays, or one clear error.

    Raises:
        TypeError: a leaf of another dtype.
        ValueError: no entries at all, NaN or infinite ones, or 64-bit numbers while JAX's 64-bit mode is off.
    """
    leaves = jax.tree.leaves(tree)
    if not leaves or sum(np.size(leaf) for leaf in leaves) == 0:
        raise ValueError(f"{name} hold zero parameters, so there is nothing to differentiate")
    return jax.tree.map(lambda leaf: _checked(name, leaf), tree)


def as_array(name: str, leaf: ArrayLike) -> Num[jax.Array, "..."]:
    """An array of any numbers that JAX has: data of a loss may be labels.

    Raises:
        TypeError: numbers of extended precision, or no numbers.
    """
    if not isinstance(leaf, jax.Array):
        _require_jax_dtype(name, np.asarray(leaf), leaf)
    return jnp.asarray(leaf)


def as_data(name: str, x: ArrayLike | Sequence) -> Inexact[jax.Array, "..."]:
    """Data as real or complex floating-point numbers: integers in JAX's default precision, halves in single.

    Raises:
        TypeError: booleans, numbers of extended precision, anything that is no array of numbers.
    """
    try:
        array = x if isinstance(x, (jax.Array, np.ndarray, np.generic)) else np.asarray(x)
    except ValueError:  # nested lists of different lengths
        array = np.asarray(None)
    _require_jax_dtype(name, array, x)
    if array.dtype == bool:
        raise TypeError(f"{name} has dtype bool: give numbers, for example {name}.astype(float)")
    return jnp.asarray(array).astype(working_dtype(array.dtype))


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of one input, as plain integers.

    Raises:
        TypeError: no tuple of integers.
    """
    is_tuple = isinstance(shape, (tuple, list))
    if not is_tuple or not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in shape):
        raise TypeError(f"shape is {shape!r}: give the shape of one input as a tuple of integers, for example (3,)")
    return tuple(int(n) for n in shape)


def as_complex_data(name: str, z: ArrayLike | Sequence) -> Complex[jax.Array, "..."]:
    """`as_data`, as complex numbers."""
    return as_data(name, z) + 0j


def working_dtype(dtype: DTypeLike) -> np.dtype:
    """The precision to calculate in: that of the numbers, but at least single, and JAX's default for integers."""
    if not jnp.issubdtype(dtype, jnp.inexact):
        dtype = jax.dtypes.canonicalize_dtype(float)
    return jnp.promote_types(jax.dtypes.canonicalize_dtype(dtype), jnp.float32)


def _require_jax_dtype(name, array, given):
    """Refuse what JAX has no numbers for."""
    dtype = np.dtype(array.dtype)
    if dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16):
        wanted = "float64" if dtype.kind == "f" else "complex128"
        raise TypeError(f"{name} has dtype {dtype}, and JAX has no extended precision: give {wanted} numbers")
    if dtype.kind not in "fciub" and not jnp.issubdtype(dtype, jnp.inexact):
        shown = repr(given)
        shown = shown if len(shown) < 80 else shown[:80] + " ..."
        raise TypeError(f"{name} is {type(given).__name__} {shown}: give an array of real or complex numbers")


def _checked(name, leaf):
    if isinstance(leaf, (np.ndarray, np.generic)):
        _require_jax_dtype(name, leaf, leaf)
    dtype = jnp.result_type(leaf)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        array = leaf if hasattr(leaf, "dtype") else np.asarray(leaf, jax.dtypes.canonicalize_dtype(complex))
        # NumPy where the numbers are at hand, because JAX would round what is to be refused.
        parts: Any = (np.real, np.imag) if isinstance(array, np.ndarray) else (jnp.real, jnp.imag)
        for part in parts:
            as_real(name, part(array))
        return jnp.asarray(array)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"{name} hold dtype {dtype}: give real or complex floating-point arrays")
    return jnp.asarray(as_real(name, leaf))
