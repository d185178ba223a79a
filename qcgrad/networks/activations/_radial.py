r"""Activations \(h(|z|)\,e^{i\theta}\): they keep the phase and change the modulus."""

import abc
import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from .._array_types import Covariances, Energies, Gaps, Numbers, RealValues, Values, Variances, WirtingerPair
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._differentiated import differentiated
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual
from ._near import near_one
from ._polar import by_polar
from ._quadrature import panels
from ._series import Entries, by_variance, horner, on_host, terms_needed

#: Terms of the series; entries whose remaining terms exceed TOLERANCE are integrated directly.
TERMS = 512
TOLERANCE = 1e-13
#: Gauss-Legendre nodes: the last basis function has about 60 periods where the Gaussian is not zero.
NODES = 288
RANGE = 8.6


class AbstractRadial(AbstractActivation):
    r"""\(\varphi(z) = h(|z|)\,e^{i\theta}\), with h zero up to a threshold c and smooth beyond it.

    .. math:: \varphi_z = \tfrac12(h' + h/r),\qquad \varphi_{\bar z} = \tfrac12(h' - h/r)\,e^{2i\theta} .

    With the coefficients \(a_j(q) = \frac{2}{\sqrt{j+1}}\int_0^\infty h(\sqrt q s)\,s^2 L_j^{(1)}(s^2)\,e^{-s^2}\,ds\)
    and \(P(x) = \sum_j a_j(q_1)a_j(q_2)x^j\) at \(x = |R|^2\),

    .. math:: \kappa = R\,P,\qquad D = (P + xP')/\sqrt{q_1q_2},\qquad E = R^2P'/\sqrt{q_1q_2} .

    Correlations so close to one that the series is too long are integrated directly (`near`).
    """

    @property
    @abc.abstractmethod
    def threshold(self) -> float:
        """c: h is zero for r < c, smooth for r > c."""

    @abc.abstractmethod
    def profile(self, r: RealValues) -> RealValues:
        """h(r) for r >= c, any array."""

    @abc.abstractmethod
    def profile_slope(self, r: RealValues) -> RealValues:
        """h'(r) for r >= c."""

    @property
    def certificate(self) -> Certificate:
        start = float(self.profile(np.asarray(self.threshold)))
        if abs(start) < 1e-12:
            return Certificate(True, True, "continuous, with Gaussian moments")
        if self.threshold > 0:
            return Certificate(True, False, f"jumps by {start:.3g} at |z| = {self.threshold:.3g}")
        return Certificate(False, False, f"h(0) = {start:.3g} is not zero: E|phi_zbar|^2 diverges logarithmically")

    @property
    def jumps(self) -> bool:
        return not self.certificate.is_true_linearization

    @property
    def symmetry(self) -> Symmetry:
        return "phase"

    def value(self, z: Numbers) -> Values:
        return differentiated(self._value, self.wirtinger, as_complex_data("z", z))

    def _value(self, z):
        r, unit, inactive = self._polar(z)
        return jnp.where(inactive, 0, self.profile(r)).astype(r.dtype) * unit

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        z = as_complex_data("z", z)
        r, unit, inactive = self._polar(z)
        slope, ratio = self.profile_slope(r), self.profile(r) / r
        # At the origin of a smooth profile both are h'(0).
        at_origin = self.profile_slope(jnp.zeros_like(r)) if self.threshold == 0 else 0
        holomorphic = jnp.where(inactive, at_origin, (slope + ratio) / 2).astype(r.dtype)
        antiholomorphic = jnp.where(inactive, 0, (slope - ratio) / 2).astype(r.dtype)
        return holomorphic + 0j, antiholomorphic * unit**2

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        return self.dual_at(q1, q2, covariance)

    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        return on_host(self._dual, q1, q2, covariance, gap)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        return by_polar(self, pair, self.threshold)

    def energies(self, variance: float, degree: int) -> Energies:
        """The energies c_n, n = 0 ... degree, of `equivalent_real_activation`: a_j^2 at n = 2j + 1."""
        coefficients = _coefficients(self, (float(variance),), degree // 2 + 1).terms[:, 0]
        energies = np.zeros(2 * len(coefficients) + 1)
        energies[1::2] = coefficients**2
        return energies[: degree + 1]

    def _polar(self, z):
        """|z| and z/|z| where phi is not zero (elsewhere |z| counts as 1 or more), and where it is."""
        r = jnp.abs(z)
        inactive = r <= self.threshold
        r = jnp.where(inactive, max(1.0, 2 * self.threshold), r).astype(r.dtype)
        return r, z / r, inactive

    def _dual(self, entries: Entries):
        q1, q2, ratio, gap, scale = entries
        (terms1, rest1), (terms2, rest2) = by_variance(lambda q: _coefficients(self, tuple(q)), q1, q2)
        radius = 1 - gap
        missing = radius ** (2 * TERMS) * np.sqrt(rest1 * rest2)
        near = missing > TOLERANCE
        far_radius = np.where(near, 0, radius)
        used = terms_needed(terms1, terms2, np.max(far_radius) ** 2)
        value, slope = horner(terms1[:used], terms2[:used], far_radius**2)
        phase = ratio / np.where(radius > 0, radius, 1)
        parts = np.stack([radius * value, (value + radius**2 * slope) / scale, radius**2 * slope / scale])
        if near.any():
            q1, q2 = (np.broadcast_to(q, near.shape)[near] for q in (q1, q2))
            parts[:, near] = near_one(self, q1, q2, gap[near])
        return parts * np.stack([phase, np.ones_like(phase), phase**2])


class Coefficients(NamedTuple):
    """a_j(q) (J, n), and what E|phi_z|^2 lacks when the series of D is cut (n,)."""

    terms: np.ndarray
    rest: np.ndarray


# A layer asks three times for the same variances: between inputs, and of each set with itself.
@functools.lru_cache(maxsize=4)
def _coefficients(activation, variances: tuple[float, ...], terms=TERMS):
    """The Laguerre coefficients of h(sqrt(q) s) for distinct variances."""
    points = np.asarray(variances)
    result = np.zeros((terms, len(variances)))
    rest = np.zeros(len(variances))
    for start in range(0, len(variances), 32):
        block = slice(start, start + 32)
        result[:, block], rest[block] = _block_of_coefficients(activation, points[block], terms)
    return Coefficients(result, rest)


def _block_of_coefficients(activation, variances, terms):
    root = np.sqrt(np.maximum(variances, np.finfo(float).tiny))[:, None]
    start = activation.threshold / root
    s, weights = panels(np.concatenate([start, np.maximum(RANGE, start + 2)], axis=-1), NODES)
    r = np.maximum(root * s, activation.threshold)
    profile = np.asarray(activation.profile(r), np.float64)
    square = s**2
    # The basis function and the integrand each take half of the Gaussian: nothing overflows.
    integrand = 2 * weights * s * np.exp(-square / 2) * profile
    previous, current = np.zeros_like(s), s * np.exp(-square / 2)
    coefficients = np.empty((terms, len(variances)))
    for j in range(terms):
        coefficients[j] = np.einsum("ns,ns->n", integrand, current)
        following = (2 * j + 2 - square) / np.sqrt((j + 1) * (j + 2)) * current - np.sqrt(j / (j + 2)) * previous
        previous, current = current, following
    slope = np.asarray(activation.profile_slope(r), np.float64)
    energy = np.sum(2 * weights * s * np.exp(-square) * ((slope * root + profile / s) / 2) ** 2, axis=1)
    found = np.sum(np.arange(1, terms + 1)[:, None] * coefficients**2, axis=0)
    # Absolute, as a part of D: an activation that hardly ever fires needs no exact correlations.
    return coefficients, np.maximum(energy - found, 0) / root[:, 0] ** 2
