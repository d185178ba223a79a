"""Memory of dense linear algebra on kernels, known before it is asked for."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Inexact

from ..memory import allowed_bytes, require

#: Matrices that are alive at the peak beside what was given, by measurement: of eigenvalues alone, of eigenvectors with
#: the checks in front of them, and of a regression with as many test inputs as training inputs.
EIGENVALUES, EIGENVECTORS, REGRESSION = 4, 6, 10


def require_matrices(what: str, side: int, dtype: DTypeLike, copies: float, max_bytes: int | None) -> None:
    """Refuse work on square matrices that does not fit.

    Args:
        what: the subject of the sentence.
        side, dtype: of each matrix.
        copies: how many of them are alive at the peak.

    Raises:
        TooLarge: they do not fit; the message says which size does.
    """
    allowed = allowed_bytes(max_bytes, jax.devices()[0])
    needed = int(copies * side**2 * jnp.dtype(dtype).itemsize)
    fits = int(side * (allowed / needed) ** 0.5) if needed else side
    advice = f"{fits:,} rows fit; give fewer inputs, single precision, or max_bytes=..."
    require(f"{what} of {side:,} x {side:,} numbers takes", needed, allowed, advice)


def require_spectrum(kernel: Inexact[jax.Array, "N1 N2 *outputs"], max_bytes: int | None) -> None:
    """Refuse eigenvalues of a kernel (N1, N2) or (N1, N2, O, O) that do not fit; errors as of `require_matrices`."""
    side = max(kernel.shape[0] * (kernel.shape[2] if kernel.ndim == 4 else 1), 1)
    require_matrices("the spectrum", side, kernel.dtype, EIGENVALUES, max_bytes)
