"""The same code for arrays whose numbers are at hand (NumPy, which compiles nothing) and for those that JAX traces."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, Num, PyTree
from numpy.typing import ArrayLike

from .array_types import Array


def is_concrete(tree: PyTree) -> bool:
    """Whether every array of a pytree has its numbers at hand (is not being traced by JAX)."""
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def namespace(tree: PyTree) -> ModuleType:
    """What to work on the arrays of a pytree with: `numpy` where all numbers are at hand, else `jax.numpy`.

    Example:
        >>> import numpy as np
        >>> from qcgrad.arrays import namespace
        >>> namespace((np.ones(2), 1.0)).__name__
        'numpy'
    """
    return np if is_concrete(tree) else jnp


def add_at(
    start: Num[Array, "N ..."], index: Sequence[int] | Int[Array, "B"], values: Num[Array, "B ..."]
) -> Num[Array, "N ..."]:
    """`start` with every values[b] added to its entry (or row) index[b], however often that one is named.

    Example:
        >>> import numpy as np
        >>> from qcgrad.arrays import add_at
        >>> print(add_at(np.zeros(3), [0, 2, 0], np.array([1.0, 2.0, 3.0])))
        [4. 0. 2.]
    """
    if namespace((start, values)) is jnp:
        return jnp.asarray(start).at[index].add(values)
    out = np.array(start)
    np.add.at(out, index, np.asarray(values))
    return out


def zeros_like(array: Num[Array, "..."] | np.generic) -> Num[Array, "..."]:
    """Zeros, in NumPy where the numbers are, which compiles nothing."""
    return np.zeros_like(array) if isinstance(array, (np.ndarray, np.generic)) else jnp.zeros_like(array)


def to_host(inputs: PyTree, outputs: PyTree) -> PyTree:
    """NumPy arrays where the inputs were concrete, so that what follows compiles nothing."""
    return jax.tree.map(np.asarray, outputs) if is_concrete((inputs, outputs)) else outputs


def is_finite(array: ArrayLike) -> bool:
    """Whether all entries are finite; True while JAX traces them, when nobody can know."""
    # NumPy, because JAX would trace the question itself where constants meet a traced function.
    return not is_concrete(array) or bool(np.isfinite(np.asarray(array)).all())


def as_real(name: str, value: Any) -> Any:
    """A real floating-point array in the precision that `value` asks for, or one clear error.

    Integers are converted; Python numbers take JAX's default precision.

    Raises:
        TypeError: booleans, complex numbers, anything that is no number.
        ValueError: NaN or infinite entries, or float64 while JAX's 64-bit mode is off.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: fill it with numbers first")
    array = value if isinstance(value, (jax.Array, np.ndarray, np.generic)) else _from_python(name, value)
    kind = np.dtype(array.dtype).kind
    if kind == "c":
        raise TypeError(f"{name} has complex dtype {array.dtype}: give real numbers (angles are in radians)")
    if kind not in "fiu":
        # bfloat16 and friends report kind 'V'; they are too coarse for gradients.
        raise TypeError(f"{name} has dtype {array.dtype}: give float32 or float64 numbers")
    if kind == "f" and np.dtype(array.dtype).itemsize > 8:
        raise TypeError(f"{name} has dtype {array.dtype}, which JAX does not know: give float32 or float64 numbers")
    if kind != "f" or array.dtype == np.float16:
        array = array.astype(jax.dtypes.canonicalize_dtype(float))
    if array.dtype == np.float64 and not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise ValueError(
            f"{name} has dtype float64, but JAX's 64-bit mode is off and would round it to float32: call "
            "jax.config.update('jax_enable_x64', True) first, or pass float32 numbers"
        )
    if not is_finite(array):
        bad = np.argwhere(~np.isfinite(np.asarray(array)))[0].tolist()
        raise ValueError(f"{name} holds {np.asarray(array)[tuple(bad)]} at index {bad}: give finite numbers")
    return array


def _from_python(name, value):
    leaves = jax.tree.leaves(value)
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        return jnp.asarray(value)
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind == "O":
        raise TypeError(f"{name} is {type(value).__name__} {value!r}: give an array of real numbers")
    return array.astype(jax.dtypes.canonicalize_dtype(float)) if array.dtype == np.float64 else array
