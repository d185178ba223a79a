"""What an activation function tells of itself: its dual maps, and whether they exist."""

from typing import NamedTuple

import jax


class Dual(NamedTuple):
    r"""Expectations over complex Gaussian (u, v) with variances q1, q2 and covariance \(K = \mathbb E[u\bar v]\).

    Attributes:
        kappa: \(\mathbb E[\varphi(u)\,\overline{\varphi(v)}]\).
        holomorphic: \(D = \mathbb E[\varphi_z(u)\,\overline{\varphi_z(v)}] = \partial\kappa/\partial K\).
        antiholomorphic: \(E = \mathbb E[\varphi_{\bar z}(u)\,\overline{\varphi_{\bar z}(v)}]
            = \partial\kappa/\partial\bar K\).
    """

    kappa: jax.Array
    holomorphic: jax.Array
    antiholomorphic: jax.Array


class Certificate(NamedTuple):
    """Whether an activation has a finite-width limit that the kernels describe.

    Attributes:
        has_kernel: E|phi|^2, E|phi_z|^2 and E|phi_zbar|^2 are finite.
        is_true_linearization: the almost-everywhere derivative is the weak one (no jumps), so that the kernel is that
            of training.
        reason: in words, for errors and warnings.
    """

    has_kernel: bool
    is_true_linearization: bool
    reason: str
