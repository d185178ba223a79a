r"""Polynomials in z and its conjugate."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float, Inexact

from .._array_types import Covariances, Numbers, Values, Variances, WirtingerPair
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual, by_quadrature


class Polynomial(AbstractActivation):
    r"""\(\varphi(z) = \sum_p a_p z^p\), or \(\sum_{jk} a_{jk} z^j\bar z^k\) from a 2-D array.

    In the Itô-Hermite basis, with \(A_{jk}(q) = \sum_l a_{j+l,k+l}\,\frac{(j+l)!\,(k+l)!}{j!\,k!\,l!}\,q^l\),

    .. math:: \kappa = \sum_{jk} j!\,k!\;A_{jk}(q_1)\,\overline{A_{jk}(q_2)}\;K^j\bar K^k,\qquad
        D = \partial\kappa/\partial K,\quad E = \partial\kappa/\partial\bar K .

    For a holomorphic polynomial \(\kappa = \sum_p |a_p|^2\,p!\,K^p\) and E = 0.

    Args:
        coefficients: a_p for p = 0, 1, ...; or a 2-D array a[j, k].

    Raises:
        ValueError: no coefficients, more than two axes, or entries that are not finite.

    Cost: one term for each coefficient and entry.

    Example:
        >>> from qcgrad import networks as nn
        >>> dual = nn.Polynomial([0.0, 1.0, 0.3]).dual(1.0, 1.0, 0.5 + 0.0j)
        >>> [round(float(part.real), 6) for part in dual]  # K + 2 (0.3 K)^2, 1 + 4 (0.3)^2 K, 0
        [0.545, 1.18, 0.0]

    References:
        K. Itô, "Complex multiple Wiener integral", Japan. J. Math. 22, 63 (1952).
    """

    coefficients: tuple[tuple[complex, ...], ...] = eqx.field(static=True)

    def __init__(self, coefficients: Sequence[complex] | Sequence[Sequence[complex]] | Inexact[np.ndarray, "..."]):
        table = np.asarray(coefficients, complex)
        if table.ndim not in (1, 2) or table.size == 0 or not np.all(np.isfinite(table)):
            raise ValueError(
                f"coefficients={coefficients!r}: give finite numbers a_p of z^p (1-D) or a[j, k] of z^j conj(z)^k (2-D)"
            )
        table = table[:, None] if table.ndim == 1 else table
        self.coefficients = tuple(tuple(complex(a) for a in row) for row in table)

    @property
    def certificate(self) -> Certificate:
        return Certificate(True, True, "a polynomial: smooth, with Gaussian moments of every order")

    @property
    def symmetry(self) -> Symmetry:
        degrees = {(j, k) for j, k, _ in self._terms()}
        if all(j == k + 1 for j, k in degrees):
            return "phase"
        return "holomorphic" if all(k == 0 for _, k in degrees) else "none"

    def value(self, z: Numbers) -> Values:
        z = as_complex_data("z", z)
        return sum((_as(a, z) * z**j * jnp.conj(z) ** k for j, k, a in self._terms()), jnp.zeros_like(z))

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        z, zero = as_complex_data("z", z), jnp.zeros_like(z) + 0j
        terms = self._terms()
        return (
            sum((_as(a * j, z) * z ** (j - 1) * jnp.conj(z) ** k for j, k, a in terms if j), zero),
            sum((_as(a * k, z) * z**j * jnp.conj(z) ** (k - 1) for j, k, a in terms if k), zero),
        )

    def ito_hermite(self, j: int, k: int, q: Float[jax.Array, "*shape"]) -> Complex[jax.Array, "*shape"]:
        """A_jk(q), elementwise."""
        rows, columns = len(self.coefficients), len(self.coefficients[0])
        total = jnp.zeros_like(q) + 0j
        for power in range(min(rows - j, columns - k)):
            ways = math.perm(j + power, power) * math.perm(k + power, power) // math.factorial(power)
            total = total + _as(self.coefficients[j + power][k + power] * ways, total) * q**power
        return total

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        return by_quadrature(self, pair)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        covariance = jnp.asarray(covariance) + 0j
        q1, q2 = (jnp.asarray(q, covariance.real.dtype) for q in (q1, q2))
        shape = jnp.broadcast_shapes(q1.shape, q2.shape, covariance.shape)
        kappa = holomorphic = antiholomorphic = jnp.zeros(shape, covariance.dtype)
        conjugate = jnp.conj(covariance)
        for j in range(len(self.coefficients)):
            for k in range(len(self.coefficients[0])):
                pair = self.ito_hermite(j, k, q1) * jnp.conj(self.ito_hermite(j, k, q2))
                pair = pair * (math.factorial(j) * math.factorial(k))
                kappa = kappa + pair * covariance**j * conjugate**k
                if j:
                    holomorphic = holomorphic + j * pair * covariance ** (j - 1) * conjugate**k
                if k:
                    antiholomorphic = antiholomorphic + k * pair * covariance**j * conjugate ** (k - 1)
        return Dual(kappa, holomorphic, antiholomorphic)

    def _terms(self):
        """(j, k, a_jk) of all terms that are not zero."""
        return [(j, k, a) for j, row in enumerate(self.coefficients) for k, a in enumerate(row) if a]


def _as(number, like):
    """A Python number in the precision of an array, so that complex64 stays complex64."""
    return jnp.asarray(number, like.dtype)
