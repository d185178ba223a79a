"""zReLU: passes the first quadrant."""

import warnings
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from .._array_types import Covariances, Energies, Gaps, Numbers, Values, Variances, WirtingerPair
from .._gap import ROUNDING
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._differentiated import differentiated
from ._dual import Certificate, Dual
from ._homogeneous import homogeneous_energies
from ._improper import GaussianPair, ImproperDual
from ._polar import by_polar
from ._quadrature import panels
from ._series import Entries, on_host
from ._threads import for_blocks

#: Gauss-Legendre nodes on each of three panels.
NODES = 64
CHUNK = 128


class ZReLU(AbstractActivation):
    r"""z where Re z > 0 and Im z > 0, else 0.

    With \(\beta = r\cos(\delta-\alpha)\), \(w = \sqrt{1-\beta^2}\), \(A = \pi - \arccos\beta\),
    \(J_1 = \frac1{4w^2} + \frac{A\beta}{4w^3}\) and \(J_2 = \frac{3\beta}{8w^4} + \frac{A(1+2\beta^2)}{8w^5}\),

    .. math:: \kappa &= \frac{\sqrt{q_1q_2}}{\pi^2}\int_{-\pi/2}^{\pi/2}
        (\tfrac\pi2-|\delta|)\,e^{i\delta}\,(1-r^2)^2J_2\,d\delta, \\
        D &= \frac1{\pi^2}\int_{-\pi/2}^{\pi/2}(\tfrac\pi2-|\delta|)\,(1-r^2)J_1\,d\delta,\qquad E = 0 .

    D and E are those of the almost-everywhere derivatives. The function jumps, so its weak derivative has parts on the
    axes that D and E miss: the kernel is that of backpropagation as programs compute it, not of the true change of the
    outputs.

    Warns:
        UserWarning: when a dual map is asked.

    Cost of a dual map: 192 integrand values for each entry.

    Example:
        >>> import warnings
        >>> from qcgrad import networks as nn
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     dual = nn.ZReLU().dual(1.0, 1.0, 0.0j)
        >>> round(float(dual.holomorphic.real), 6)  # both in the quadrant: 1/16
        0.0625

    References:
        N. Guberman, "On complex valued convolutional neural networks", arXiv:1602.09046.
    """

    called = "zrelu"

    is_homogeneous: ClassVar[bool] = True

    @property
    def certificate(self) -> Certificate:
        return Certificate(True, False, "discontinuous on the boundary of the first quadrant")

    @property
    def jumps(self) -> bool:
        return True

    @property
    def symmetry(self) -> Symmetry:
        return "none"

    def value(self, z: Numbers) -> Values:
        z = as_complex_data("z", z)
        return differentiated(lambda z: jnp.where(jnp.isnan(z), z, jnp.where(_active(z), z, 0)), self.wirtinger, z)

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        z = as_complex_data("z", z)
        holomorphic = jnp.where(jnp.isnan(z), z, jnp.where(_active(z), 1, 0))
        return holomorphic, jnp.zeros_like(z)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        _warn()
        # Homogeneous: two nodes are exact along rays.
        return by_polar(self, pair, nodes=2)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        return self.dual_at(q1, q2, covariance)

    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        _warn()
        return on_host(self._dual, q1, q2, covariance, gap)

    def energies(self, variance: float, degree: int) -> Energies:
        """The energies c_n, n = 0 ... degree, of `equivalent_real_activation`."""
        orders = [m for m in range(-degree, degree + 1) if m != 1]
        harmonics = {m: (np.exp(0.5j * np.pi * (1 - m)) - 1) / (2j * np.pi * (1 - m)) for m in orders}
        return homogeneous_energies({1: 1 / 4, **harmonics}, variance, degree)

    def _dual(self, entries: Entries):
        ratio = entries.ratio
        gap, angle = entries.gap.reshape(-1), np.angle(ratio).reshape(-1)
        found = np.empty((2, len(gap)), complex)

        def integrate(block):
            found[:, block] = _integrals(gap[block], angle[block])

        for_blocks(integrate, len(gap), CHUNK)
        ray = gap == 0
        found[:, ray] = _on_a_ray(angle[ray])
        kappa, holomorphic = found.reshape(2, *ratio.shape)
        return kappa * entries.scale, holomorphic, 0 * kappa


def _warn():
    warnings.warn(
        "ZReLU is discontinuous: this kernel uses its almost-everywhere derivative and is not the kernel of training; "
        "a continuous activation such as Cardioid has one",
        stacklevel=4,
    )


def _active(z):
    return (jnp.real(z) > 0) & (jnp.imag(z) > 0)


def _on_a_ray(angle):
    """The same where |rho| = 1: the part of the circle on which both are in the quadrant."""
    angle = np.where(np.abs(angle) < ROUNDING * np.finfo(float).eps, 0, angle)
    share = np.maximum(np.pi / 2 - np.abs(angle), 0) / (2 * np.pi)
    return np.stack([share * np.exp(1j * angle), share])


def _integrals(gap, angle):
    r"""kappa / sqrt(q1 q2) and D for correlations r exp(i angle), r = 1 - gap, (n,).

    \(\psi = \delta - \alpha = \varepsilon\sinh y\) with \(\varepsilon^2 = 1 - r^2\) spreads the peak at \(\psi = 0\),
    of width \(\varepsilon\), over order one. Panels end at the peak and at the kink \(\delta = 0\).
    """
    gap = np.maximum(gap, 1e-34)  # at zero the formula is 0/0
    width = np.sqrt(gap * (2 - gap))[:, None]
    low, high = -np.pi / 2 - angle, np.pi / 2 - angle
    inner = np.sort(np.stack([np.clip(-angle, low, high), np.clip(0, low, high)], axis=-1), axis=-1)
    edges = np.arcsinh(np.column_stack([low, inner, high]) / width)
    y, weights = panels(edges, NODES)
    psi = width * np.sinh(y)
    beta = (1 - gap)[:, None] * np.cos(psi)
    # w^2 = 1 - beta^2 without its cancellation at the peak.
    w = np.sqrt(np.sin(psi) ** 2 + (width * np.cos(psi)) ** 2)
    angle_left = np.pi - np.arctan2(w, beta)
    delta = psi + angle[:, None]
    common = weights * width * np.cosh(y) * (np.pi / 2 - np.abs(delta)) / np.pi**2
    first = (1 + angle_left * beta / w) / 4 * (width / w) ** 2
    second = (3 * beta + angle_left * (1 + 2 * beta**2) / w) / 8 * (width / w) ** 4
    return np.sum(common * np.exp(1j * delta) * second, axis=1), np.sum(common * first, axis=1)
