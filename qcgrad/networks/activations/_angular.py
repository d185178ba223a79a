r"""Itô-Hermite coefficients of any function, by Fourier transform in the angle and quadrature in the modulus."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from .._array_types import Energies
from ._quadrature import panels

if TYPE_CHECKING:
    from ._activation import AbstractActivation

#: Radial Gauss-Legendre nodes up to where the Gaussian is zero, and angles.
NODES, ANGLES, RANGE = 192, 256, 8.6


class Expansion(NamedTuple):
    r"""Coefficients at variances (n,): \(\varphi = \sum_{mj} a_{mj}\,\psi_{mj}\), orthonormal, m = j - k the harmonic.

    Attributes:
        terms: a (2M + 1, J, n), harmonics -M ... M.
        value_energy: \(\mathbb E|\varphi|^2\) (n,).
        slope_energy: \(q\,\mathbb E[|\varphi_z|^2 + |\varphi_{\bar z}|^2]\) (n,).
    """

    terms: np.ndarray
    value_energy: np.ndarray
    slope_energy: np.ndarray

    def orders(self) -> Int[np.ndarray, "harmonics J 1"]:
        """j + k of every coefficient, (2M + 1, J, 1)."""
        harmonics, terms = self.terms.shape[:2]
        m = np.abs(np.arange(harmonics) - harmonics // 2)
        return (m[:, None] + 2 * np.arange(terms))[..., None]


def expand(
    activation: "AbstractActivation", variances: Sequence[float] | Float[np.ndarray, "n"], harmonics: int, terms: int
) -> Expansion:
    """The coefficients, one variance at a time.

    Cost: NODES * ANGLES values and derivatives of the activation for each variance.
    """
    basis = _basis(harmonics, terms)
    parts = [_expand_one(activation, float(q), harmonics, basis) for q in variances]
    return Expansion(*(np.stack(part, axis=-1) for part in zip(*parts, strict=True)))


def energies_by_quadrature(activation: "AbstractActivation", variance: float, degree: int) -> Energies:
    """Sums of |a_mj|^2 with j + k = n, for n = 0 ... degree; at most 120 harmonics."""
    expansion = expand(activation, [variance], min(degree, 120), degree // 2 + 1)
    orders = np.broadcast_to(expansion.orders(), expansion.terms.shape).ravel()
    return np.bincount(orders, np.abs(expansion.terms.ravel()) ** 2, degree + 1)[: degree + 1]


def mean_squares(
    activation: "AbstractActivation", variance: float, nodes: int = NODES, angles: int = ANGLES
) -> list[float]:
    """E|phi|^2, E|phi_z|^2 and E|phi_zbar|^2 at one variance."""
    s, weights, phases = _grid(nodes, angles)
    z = jnp.asarray(np.sqrt(variance) * s[:, None] * phases)
    radial = 2 * weights * s * np.exp(-(s**2))
    values = (activation.value(z), *activation.wirtinger(z))
    return [float(radial @ np.mean(np.abs(np.asarray(value)) ** 2, axis=1)) for value in values]


def _expand_one(activation, variance, harmonics, basis):
    s, weights, phases = _grid(NODES, ANGLES)
    values = np.asarray(activation.value(jnp.asarray(np.sqrt(variance) * s[:, None] * phases)))
    fourier = np.fft.fft(values, axis=1) / ANGLES
    measure = 2 * weights * s * np.exp(-(s**2) / 2)
    terms = np.stack([basis[abs(m)] @ (measure * fourier[:, m]) for m in range(-harmonics, harmonics + 1)])
    value, holomorphic, antiholomorphic = mean_squares(activation, variance)
    return terms, value, variance * (holomorphic + antiholomorphic)


@functools.lru_cache(maxsize=8)
def _grid(nodes, angles):
    s, weights = panels(np.array([0.0, RANGE]), nodes)
    return s, weights, np.exp(2j * np.pi * np.arange(angles) / angles)


@functools.lru_cache(maxsize=8)
def _basis(harmonics, terms):
    r"""\(s^m L_j^{(m)}(s^2)\sqrt{j!/(j+m)!}\,e^{-s^2/2}\), (M + 1, J, nodes)."""
    s, _, _ = _grid(NODES, ANGLES)
    square = s**2
    result = np.empty((harmonics + 1, terms, len(s)))
    start = np.exp(-square / 2)
    for m in range(harmonics + 1):
        previous, current = np.zeros_like(s), start
        for j in range(terms):
            result[m, j] = current
            following = (2 * j + 1 + m - square) * current - np.sqrt(j * (j + m)) * previous
            previous, current = current, following / np.sqrt((j + 1) * (j + 1 + m))
        start = start * s / np.sqrt(m + 1)
    return result
