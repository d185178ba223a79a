r"""Training under gradient flow, in closed form where the tangent kernel stays constant."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Inexact, Num

from ..array_types import Array
from ..arrays import is_finite
from ._matrices import EIGENVECTORS, require_matrices
from ._real_block import Spectrum, real_block, spectrum, stacked, unstacked


class Flow(NamedTuple):
    """Outputs during training.

    Attributes:
        train: (*times, N) or (*times, N, O), as the targets.
        test: (*times, N2) or (*times, N2, O); N2 is 0 where no test kernel was given.
    """

    train: jax.Array
    test: jax.Array


def gradient_flow(
    theta: Inexact[Array, "N N"],
    targets: Num[Array, "N *outputs"],
    times: Num[Array, "*times"],
    *,
    pseudo: Inexact[Array, "N N"] | None = None,
    initial: Num[Array, "N *outputs"] | None = None,
    test_theta: Inexact[Array, "N2 N"] | None = None,
    test_pseudo: Inexact[Array, "N2 N"] | None = None,
    test_initial: Num[Array, "N2 *outputs"] | None = None,
    max_bytes: int | None = None,
) -> Flow:
    r"""Outputs of a network trained by gradient flow on \(L = \tfrac12\sum|f-y|^2\), with a constant tangent kernel.

    With e = f - y, complex outputs move as \(\dot f = -\tfrac12(\Theta e + \tilde\Theta\bar e)\), so without
    pseudo-kernel

    .. math:: f_t = y + e^{-\Theta t/2}(f_0 - y),\qquad
        f^*_t = f^*_0 - \Theta^*\Theta^{-1}\big(1 - e^{-\Theta t/2}\big)(f_0 - y),

    and with one, the same on stacked real and imaginary parts, where twice `real_block` stands for Theta. A real
    theta belongs to a network with real outputs: there \(\dot f = -\Theta e\), and t/2 becomes t. The time is that of
    parameters of unit variance with \(\dot p = -\partial L/\partial p\): steps of `complex_optimizer(optax.sgd(rate))`
    on complex weights take 2 * rate each, because L is differentiated by Re and Im there; on real weights, rate. (A
    network with both kinds needs twice the rate for the real ones to be in this metric.)

    Args:
        theta: tangent kernel of the training inputs, (N, N), metric "unit".
        targets: y, (N,) or (N, O): every output has the same kernel.
        times: t >= 0, any shape; infinity is allowed.
        pseudo: Theta-tilde, (N, N); None stands for zero. Real networks have none to give.
        initial: f_0 as the targets; None stands for zero.
        test_theta, test_pseudo: kernels between test inputs (rows) and training inputs, (N2, N).
        test_initial: f_0 of the test inputs, (N2,) or (N2, O); None stands for zero.
        max_bytes: most bytes to hold beside what is given; by default 80 % of the memory that is free.

    Returns:
        Outputs of training and test inputs at each time.

    Raises:
        ValueError: shapes do not fit; targets or initial outputs are not finite; theta is not Hermitian and positive
            semidefinite; real kernels with complex targets; t = infinity for test inputs where theta is singular.
        TooLarge: the decomposition does not fit, before it starts.

    Cost: one eigendecomposition of a real (2N, 2N) matrix, (N, N) for real networks.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import ntk
        >>> flow = ntk.gradient_flow(jnp.array([[2.0 + 0j]]), jnp.array([1j]), jnp.array([0.0, 1.0, jnp.inf]))
        >>> [round(float(v.imag), 4) for v in flow.train[:, 0]]  # 1 - exp(-t)
        [0.0, 0.6321, 1.0]

    References:
        Jacot, Gabriel, Hongler, Neural Tangent Kernel, NeurIPS 2018; Lee et al., Wide neural networks of any depth
        evolve as linear models under gradient descent, NeurIPS 2019.
    """
    theta, targets, times = jnp.asarray(theta), jnp.asarray(targets), jnp.asarray(times)
    is_complex = jnp.iscomplexobj(theta)
    y = as_columns("targets", targets, len(theta), is_complex)
    f0 = jnp.zeros_like(y) if initial is None else as_columns("initial", initial, len(theta), is_complex, y.shape[1])
    if times.size and not bool((times >= 0).all()):
        raise ValueError(f"times must be >= 0, but the smallest is {float(times.min()):.3g}.")
    side = len(theta) * (2 if is_complex else 1)
    require_matrices("the decomposition of theta", side, theta.real.dtype, EIGENVECTORS, max_bytes)
    modes = spectrum(as_real_kernel("pseudo", theta, pseudo), "theta")
    test_theta = theta[:0] if test_theta is None else jnp.asarray(test_theta)
    cross = as_real_kernel("test_pseudo", test_theta, test_pseudo)
    if test_theta.ndim != 2 or test_theta.shape[1] != len(theta) or jnp.iscomplexobj(test_theta) != is_complex:
        raise ValueError(
            f"test_theta must be (N2, {len(theta)}) and {theta.dtype}, but is {test_theta.shape}, {test_theta.dtype}."
        )
    if test_initial is None:
        g0 = jnp.zeros((len(test_theta), y.shape[1]), y.dtype)
    else:
        g0 = as_columns("test_initial", test_initial, len(test_theta), is_complex, y.shape[1])
    if len(test_theta) and bool(jnp.isinf(times).any()):
        modes.require_regular(
            "theta", "Outputs of test inputs have no limit that rounding leaves intact: ask for a finite time, remove "
            "duplicate inputs, or use regression with a jitter."
        )  # fmt: skip
    train, test = _evolve(modes, cross, stacked(f0 - y, is_complex), times.reshape(-1))
    train = y[None] + unstacked(train, is_complex)
    test = g0[None] - unstacked(test, is_complex)
    tail = targets.shape[1:]
    return Flow(train.reshape(times.shape + targets.shape), test.reshape((*times.shape, len(test_theta), *tail)))


def as_real_kernel(
    name: str, theta: Inexact[jax.Array, "N1 N2"], pseudo: Inexact[Array, "N1 N2"] | None
) -> Float[jax.Array, "R1 R2"]:
    """The symmetric matrix M of \\dot f = -M e on real numbers: Theta for real networks, else the real block."""
    if not jnp.iscomplexobj(theta):
        if pseudo is not None and (jnp.shape(pseudo) != theta.shape or not bool(jnp.allclose(pseudo, theta))):
            raise ValueError(
                f"{name} of a real network equals its kernel: leave it out, or give both as complex arrays."
            )
        return theta
    return real_block(theta, pseudo)


def as_columns(
    name: str, values: Num[Array, "N *outputs"], length: int, is_complex: bool, outputs: int | None = None
) -> Num[jax.Array, "N O"]:
    """Values (N,) or (N, O) as (N, O).

    Raises:
        ValueError: the shape does not fit, or values are complex and the kernel is real.
    """
    values = jnp.asarray(values)
    if values.ndim not in (1, 2) or len(values) != length or (outputs and values.size != length * outputs):
        raise ValueError(
            f"{name} must be ({length},) or ({length}, O) as the targets, but the shape is {values.shape}."
        )
    if not is_finite(values):
        raise ValueError(f"{name} have entries that are not finite; remove them.")
    if jnp.iscomplexobj(values) and not is_complex:
        raise ValueError(f"{name} are complex but the kernel is real: a network with real outputs cannot meet them.")
    return values if values.ndim == 2 else values[:, None]


def _evolve(modes: Spectrum, cross, error, times):
    """exp(-M t) e and cross M^-1 (1 - exp(-M t)) e for each time: (T, N, O) and (T, N2, O)."""
    rates = modes.values[None]
    # Modes without rate do not move: 0 times infinity must not enter.
    exponents = jnp.where(rates > 0, rates * jnp.where(rates > 0, times[:, None], 1.0), 0.0)
    safe = jnp.where(rates > 0, rates, 1.0)
    gains = jnp.where(rates > 0, -jnp.expm1(-exponents) / safe, jnp.where(jnp.isinf(times), 0.0, times)[:, None])
    projected = modes.vectors.T @ error

    def along(factors):
        return jnp.einsum("im,tm,mo->tio", modes.vectors, factors, projected)

    return along(jnp.exp(-exponents)), jnp.einsum("ni,tio->tno", cross, along(gains))
