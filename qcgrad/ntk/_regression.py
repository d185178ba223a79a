r"""Predictions of infinitely wide networks: exact Bayesian inference and training to convergence."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Num

from ..array_types import Array
from ..networks.kernel_state import Kernel
from ._gradient_flow import as_columns, as_real_kernel
from ._matrices import REGRESSION, require_matrices
from ._real_block import complex_kernels, spectrum, stacked, unstacked


class Posterior(NamedTuple):
    """Distribution of the outputs at test inputs: Gaussian.

    Attributes:
        mean: (N2,) or (N2, O), as the targets.
        covariance: E[(f - mean) conj (f - mean)'], (N2, N2), of each output.
        pseudo_covariance: without the conjugate, (N2, N2); equals the covariance for real networks.
    """

    mean: jax.Array
    covariance: jax.Array
    pseudo_covariance: jax.Array


def regression(
    train: Kernel,
    cross: Kernel,
    test: Kernel,
    targets: Num[Array, "N *outputs"],
    *,
    kind: Literal["nngp", "ntk"] = "nngp",
    jitter: float = 0.0,
    max_bytes: int | None = None,
) -> Posterior:
    r"""Outputs of an infinitely wide network at test inputs: posterior of its Gaussian process, or after training.

    On stacked real and imaginary parts (widely linear; where pseudo-kernels vanish this is ordinary complex
    regression), with K, K*, K** the real blocks of the NNGP kernels and \(A = \Theta^*\Theta^{-1}\) of the NTK's,

    .. math:: \text{nngp:}\quad& m = K^*K^{-1}y, && \Sigma = K^{**} - K^*K^{-1}K^{*T}, \\
        \text{ntk:}\quad& m = A y, && \Sigma = K^{**} + A K A^T - A K^{*T} - K^* A^T .

    "nngp" is Bayesian inference, as if only the last layer was trained; "ntk" the distribution, over initial weights,
    of networks trained by gradient flow on \(\tfrac12\sum|f-y|^2\) until convergence.

    Args:
        train: `net.kernel(x)`, kernels of the training inputs, (N, N).
        cross: `net.kernel(x_test, x)`, (N2, N).
        test: `net.kernel(x_test)`, (N2, N2).
        targets: y, (N,) or (N, O): every output has the same kernel.
        kind: "nngp" or "ntk".
        jitter: added to the diagonal of K (nngp: the variance E|noise|^2 of the targets) or Theta (ntk: ridge).
            Nothing is added without being asked for.
        max_bytes: most bytes to hold beside what is given; by default 80 % of the memory that is free.

    Returns:
        Mean, covariance and pseudo-covariance.

    Raises:
        TypeError: an argument is no `Kernel`.
        ValueError: shapes do not fit, another kind, a negative jitter, real kernels with complex targets, or a kernel
            that is singular with this jitter (the message has its condition number).
        TooLarge: the matrices do not fit, before they are made.

    Cost: one eigendecomposition of a real (2N, 2N) matrix, (N, N) for real networks; O(N^2 N2) beyond.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn, ntk
        >>> net = nn.serial(nn.Dense(8), nn.Dense(1))
        >>> x, x_test = jnp.array([[1.0 + 0j, 0.0], [0.0, 1.0]]), jnp.array([[2.0, 1j]])
        >>> kernels = net.kernel(x), net.kernel(x_test, x), net.kernel(x_test)
        >>> posterior = ntk.regression(*kernels, jnp.array([1.0 + 0j, 1.0]))
        >>> [complex(round(v.real, 6), round(v.imag, 6)) for v in posterior.mean.tolist()]  # linear: 2 y_1 + i y_2
        [(2+1j)]

    References:
        Lee et al., Deep neural networks as Gaussian processes, ICLR 2018; Lee et al., Wide neural networks of any depth
        evolve as linear models under gradient descent, NeurIPS 2019; Picinbono, Chevalier, Widely linear estimation
        with complex data, IEEE Trans. Signal Process. 43 (1995).
    """
    if kind not in ("nngp", "ntk"):
        raise ValueError(f'kind must be "nngp" or "ntk", but {kind!r} was given.')
    if not 0 <= jitter < float("inf"):
        raise ValueError(f"jitter must be a finite number >= 0, but {jitter!r} was given.")
    for name, kernel in (("train", train), ("cross", cross), ("test", test)):
        if not isinstance(kernel, Kernel):
            raise TypeError(f"{name} is a {type(kernel).__name__}: give what net.kernel(...) returns")
    n, n_test = len(train.nngp), len(test.nngp)
    if cross.nngp.shape != (n_test, n):
        raise ValueError(f"cross must be net.kernel(x_test, x): ({n_test}, {n}), but its shape is {cross.nngp.shape}.")
    is_complex = jnp.iscomplexobj(train.nngp)
    side = max(n, n_test) * (2 if is_complex else 1)
    require_matrices("regression", side, train.nngp.real.dtype, REGRESSION, max_bytes)
    targets = jnp.asarray(targets)
    y = stacked(as_columns("targets", targets, n, is_complex), is_complex)

    covariance, cross_covariance, test_covariance = (
        as_real_kernel("pseudo", k.nngp, k.pseudo) for k in (train, cross, test)
    )
    if kind == "nngp":
        matrix, cross_matrix = covariance, cross_covariance
    else:
        matrix, cross_matrix = (as_real_kernel("ntk_pseudo", k.ntk, k.ntk_pseudo) for k in (train, cross))
    # Half of E|noise|^2 falls on each of the real and imaginary part.
    jittered = matrix + (jitter / 2 if is_complex else jitter) * jnp.eye(len(matrix), dtype=matrix.dtype)
    modes = spectrum(jittered, f"The {kind} kernel of the training inputs")
    modes.require_regular(
        f"The {kind} kernel of the training inputs", "Remove duplicate inputs, or state a jitter: start at "
        f"{1e-8 * float(jnp.diagonal(matrix).max()):.0e}."
    )  # fmt: skip
    weights = (cross_matrix @ modes.vectors / modes.values[None]) @ modes.vectors.T
    if kind == "nngp":
        posterior = test_covariance - weights @ cross_covariance.T
    else:
        mixed = weights @ cross_covariance.T
        posterior = test_covariance + weights @ covariance @ weights.T - mixed - mixed.T
    mean = unstacked(weights @ y, is_complex).reshape((n_test, *targets.shape[1:]))
    kernel, pseudo = complex_kernels(posterior) if is_complex else (posterior, posterior)
    return Posterior(mean, kernel, pseudo)
