"""Spectra of tangent kernels, and how kernels compare with each other and with a target."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact, Num

from ..array_types import Array
from ._matrices import require_spectrum


def as_matrix(kernel: Num[Array, "N1 N2 *outputs"]) -> Num[jax.Array, "rows columns"]:
    """A kernel (N1, N2) or (N1, N2, O, O') as one matrix (N1 O, N2 O'), inputs first.

    Raises:
        ValueError: another number of axes.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> ntk.as_matrix(jnp.ones((5, 4, 3, 3))).shape
        (15, 12)
    """
    kernel = jnp.asarray(kernel)
    if kernel.ndim == 4:
        n1, n2, o1, o2 = kernel.shape
        return kernel.transpose(0, 2, 1, 3).reshape(n1 * o1, n2 * o2)
    if kernel.ndim != 2:
        raise ValueError(f"kernel has shape {kernel.shape}: give (N1, N2) or (N1, N2, O, O)")
    return kernel


def eigenvalues(kernel: Inexact[Array, "N N *outputs"], *, max_bytes: int | None = None) -> Float[jax.Array, "rows"]:
    r"""Eigenvalues of a Hermitian kernel in descending order: rates at which gradient flow learns its eigenvectors.

    Args:
        kernel: (N, N) or (N, N, O, O).
        max_bytes: most bytes to hold beside the kernel; by default 80 % of the memory that is free.

    Returns:
        (N O,), real.

    Raises:
        ValueError: the kernel is not square or not Hermitian (that of a backward rule need not be).
        TooLarge: the decomposition does not fit, before it starts.

    Cost: (N O)^3.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> print(ntk.eigenvalues(jnp.array([[2.0, 1j], [-1j, 2.0]])).round(6))
        [3. 1.]
    """
    require_spectrum(jnp.asarray(kernel), max_bytes)
    matrix = _square(kernel)
    asymmetry = float(jnp.linalg.norm(matrix - matrix.conj().T))
    tolerance = 1e3 * float(jnp.finfo(matrix.dtype).eps) * float(jnp.linalg.norm(matrix))
    if asymmetry > tolerance:
        raise ValueError(
            f"kernel is not Hermitian (|K - K^H| = {asymmetry:.3g}): for a backward rule's kernel see ntk.cross, else "
            "give a kernel of inputs with themselves"
        )
    return jnp.linalg.eigvalsh(matrix)[::-1]


def alignment(kernel: Inexact[Array, "N1 N2 *outputs"], other: Inexact[Array, "N1 N2 *outputs"]) -> float:
    r"""Cosine between two kernels, \(\mathrm{Re}\langle K, K'\rangle_F / (\lVert K\rVert_F \lVert K'\rVert_F)\).

    Args:
        kernel, other: kernels of one shape.

    Returns:
        Between -1 and 1; for positive semi-definite kernels at least 0.

    Raises:
        ValueError: shapes differ, or a kernel is zero.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> round(ntk.alignment(jnp.eye(2), jnp.ones((2, 2))), 6)
        0.707107

    References:
        N. Cristianini, J. Shawe-Taylor, A. Elisseeff, J. Kandola, "On kernel-target alignment", NIPS 2001.
    """
    a, b = as_matrix(kernel), as_matrix(other)
    if a.shape != b.shape:
        raise ValueError(
            f"kernels of shapes {a.shape} and {b.shape} have no alignment: give the same inputs and outputs"
        )
    size = float(jnp.linalg.norm(a) * jnp.linalg.norm(b))
    if size == 0:
        raise ValueError("a kernel is zero, so the alignment is not defined")
    return float(jnp.vdot(a, b).real) / size


def target_alignment(kernel: Inexact[Array, "N N *outputs"], targets: Num[Array, "N *outputs"]) -> float:
    r"""How well a kernel fits a target: \(y^H K y / (\lVert K\rVert_F \lVert y\rVert^2)\), the alignment with y y^H.

    Args:
        kernel: (N, N) or (N, N, O, O).
        targets: y, (N,) or (N, O).

    Raises:
        ValueError: sizes that do not fit, or a zero kernel or target.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> round(ntk.target_alignment(jnp.eye(2), jnp.array([1.0, 1.0])), 6)
        0.707107
    """
    matrix, y = _square(kernel), jnp.asarray(targets).reshape(-1)
    if len(y) != len(matrix):
        raise ValueError(f"targets hold {len(y)} numbers, but the kernel has {len(matrix)} rows: give (N,) or (N, O)")
    return alignment(matrix, jnp.outer(y, y.conj()))


def drift(kernel: Inexact[Array, "N1 N2 *outputs"], initial: Inexact[Array, "N1 N2 *outputs"]) -> float:
    r"""How far a kernel has moved: \(\lVert\Theta_t - \Theta_0\rVert_F / \lVert\Theta_0\rVert_F\).

    Small where training is lazy: at most of order width^(-1/2) for wide networks, measured width^(-1) for smooth
    activations and width^(-3/4) for kinks (theory/complex_ntk/kernel_drift.md).

    Args:
        kernel, initial: Theta_t and Theta_0, of one shape.

    Raises:
        ValueError: shapes differ, or Theta_0 is zero.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> round(ntk.drift(1.5 * jnp.eye(2), jnp.eye(2)), 6)
        0.5
    """
    now, before = as_matrix(kernel), as_matrix(initial)
    if now.shape != before.shape:
        raise ValueError(f"kernels of shapes {now.shape} and {before.shape} have no drift: give the same inputs")
    size = float(jnp.linalg.norm(before))
    if size == 0:
        raise ValueError("initial is zero, so the relative drift is not defined")
    return float(jnp.linalg.norm(now - before)) / size


def _square(kernel):
    matrix = as_matrix(kernel)
    if matrix.shape[0] != matrix.shape[1] or not np.all(np.isfinite(matrix)):
        raise ValueError(f"kernel must be square and finite, but as a matrix it has shape {matrix.shape}")
    return matrix
