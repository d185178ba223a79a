r"""Complex kernels as real ones: what widely linear problems are solved with."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float, Inexact, Num

from ..array_types import Array


def real_block(
    kernel: Inexact[Array, "N1 N2"], pseudo: Inexact[Array, "N1 N2"] | None = None
) -> Float[jax.Array, "2*N1 2*N2"]:
    r"""The real kernel of stacked real and imaginary parts (Re f, Im f).

    .. math:: \tfrac12\begin{pmatrix} \mathrm{Re}(\Theta+\tilde\Theta) & \mathrm{Im}(\tilde\Theta-\Theta)\\
        \mathrm{Im}(\Theta+\tilde\Theta) & \mathrm{Re}(\Theta-\tilde\Theta)\end{pmatrix}

    Args:
        kernel: Theta (or K), (N1, N2).
        pseudo: Theta-tilde (or C), same shape; None stands for zero.

    Returns:
        (2 N1, 2 N2), real: symmetric and positive semidefinite where both inputs are the same.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> ntk.real_block(jnp.array([[2.0 + 0j]])).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    kernel = jnp.asarray(kernel)
    pseudo = jnp.zeros_like(kernel) if pseudo is None else jnp.asarray(pseudo)
    if kernel.ndim != 2 or pseudo.shape != kernel.shape:
        raise ValueError(
            f"kernel and pseudo must be matrices of one shape, but theirs are {kernel.shape}, {pseudo.shape}."
        )
    plus = kernel + pseudo
    return jnp.block([[plus.real, (pseudo - kernel).imag], [plus.imag, (kernel - pseudo).real]]) / 2


def complex_kernels(
    block: Float[jax.Array, "2*N1 2*N2"],
) -> tuple[Complex[jax.Array, "N1 N2"], Complex[jax.Array, "N1 N2"]]:
    """The inverse of `real_block`: (kernel, pseudo)."""
    (rr, ri), (ir, ii) = (jnp.split(row, 2, axis=1) for row in jnp.split(block, 2, axis=0))
    return rr + ii + 1j * (ir - ri), rr - ii + 1j * (ir + ri)


def stacked(values: Num[jax.Array, "N O"], is_complex: bool) -> Num[jax.Array, "R O"]:
    """Values (N, O), as the real numbers (2 N, O) that a real block acts on; unchanged for real kernels."""
    return jnp.concatenate([jnp.real(values), jnp.imag(values)]) if is_complex else values


def unstacked(values: Float[jax.Array, "... R O"], is_complex: bool) -> Inexact[jax.Array, "... N O"]:
    """The inverse of `stacked`, along axis -2."""
    if not is_complex:
        return values
    real, imaginary = jnp.split(values, 2, axis=-2)
    return real + 1j * imaginary


class Spectrum(NamedTuple):
    """Eigenvalues (ascending) and eigenvectors of a symmetric positive semidefinite matrix.

    Attributes:
        values, vectors: from eigh; values that are zero up to rounding are set to zero.
        smallest: the smallest eigenvalue before that.
    """

    values: jax.Array
    vectors: jax.Array
    smallest: float

    @property
    def is_singular(self) -> bool:
        """Whether an eigenvalue is zero up to rounding."""
        return bool(self.values[0] <= 0)

    def require_regular(self, what: str, advice: str) -> None:
        """Refuse a singular matrix, with its condition number.

        Raises:
            ValueError: it is singular.
        """
        if self.is_singular:
            largest = float(self.values[-1])
            condition = largest / self.smallest if self.smallest > 0 else float("inf")
            raise ValueError(
                f"{what} is singular: its condition number is {condition:.2g} (eigenvalues from {self.smallest:.2g} to "
                f"{largest:.2g}). {advice}"
            )


def spectrum(matrix: Float[jax.Array, "N N"], name: str) -> Spectrum:
    """Eigenvalues of a kernel of training inputs.

    Raises:
        ValueError: the matrix is not square, not symmetric, has entries that are not finite or negative eigenvalues.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"{name} must be a square matrix (N, N) with N >= 1, but its shape is {matrix.shape}.")
    # Rounding of N sums of N terms; kernels themselves are good to a few more digits than that.
    tolerance = len(matrix) * float(jnp.finfo(matrix.dtype).eps)
    size = float(jnp.abs(matrix).max())
    if not jnp.isfinite(size):
        raise ValueError(f"{name} has entries that are not finite.")
    if float(jnp.abs(matrix - matrix.T).max()) > 1e3 * tolerance * size:
        raise ValueError(f"{name} is not Hermitian: give the kernel of the training inputs with themselves.")
    values, vectors = jnp.linalg.eigh(matrix)
    cut = tolerance * float(values[-1])
    smallest = float(values[0])
    if smallest < -1e3 * tolerance * size:
        raise ValueError(f"{name} is not positive semidefinite: its smallest eigenvalue is {smallest:.2g}.")
    return Spectrum(jnp.where(values > cut, values, 0.0), vectors, smallest)
