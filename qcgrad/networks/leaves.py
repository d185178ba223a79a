"""Which arrays count as parameters."""

import jax
import jax.numpy as jnp
import numpy as np

from ..objective import as_real


def checked_parameters(name: str, tree):
    """A pytree of real and complex floating-point arrays, or one clear error.

    Raises:
        TypeError: a leaf of another dtype.
        ValueError: no entries at all, NaN or infinite ones, or 64-bit numbers while JAX's 64-bit mode is off.
    """
    leaves = jax.tree.leaves(tree)
    if not leaves or sum(np.size(leaf) for leaf in leaves) == 0:
        raise ValueError(f"{name} hold zero parameters, so there is nothing to differentiate")
    return jax.tree.map(lambda leaf: _checked(name, leaf), tree)


def _checked(name, leaf):
    given = np.dtype(getattr(leaf, "dtype", float))
    if given.kind in "fc" and given.itemsize > (8 if given.kind == "f" else 16):
        raise TypeError(f"{name} hold dtype {given}, which JAX does not know: give arrays of 64 bits or less")
    dtype = jnp.result_type(leaf)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        array = leaf if hasattr(leaf, "dtype") else np.asarray(leaf, jax.dtypes.canonicalize_dtype(complex))
        for part in (np.real, np.imag) if isinstance(array, np.ndarray) else (jnp.real, jnp.imag):
            as_real(name, part(array))
        return jnp.asarray(array)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"{name} hold dtype {dtype}: give real or complex floating-point arrays")
    return jnp.asarray(as_real(name, leaf))
