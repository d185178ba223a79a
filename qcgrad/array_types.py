"""Types of arrays in signatures: element type by jaxtyping, axes by name, physics by alias.

`Float[Array, "N1 N2"]` says what people and type checkers need; nothing is checked when functions are called. A shape
that many signatures share has an alias here, which is also cheaper to import than the same subscript in fifty places.
"""

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

Array = jax.Array | np.ndarray
"""What functions take: NumPy's arrays where the numbers are at hand, else JAX's."""

Key = PRNGKeyArray
"""A JAX random key."""
