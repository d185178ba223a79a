"""The cardioid: attenuates by phase, keeps phases."""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from .._array_types import Covariances, Energies, Gaps, Numbers, Values, Variances, WirtingerPair
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._differentiated import differentiated
from ._dual import Certificate, Dual
from ._homogeneous import homogeneous_energies, moment
from ._improper import GaussianPair, ImproperDual
from ._polar import by_polar
from ._series import Entries, on_host

#: phi = |z| sum_m g_m e^{im theta}.
HARMONICS = {0: 1 / 4, 1: 1 / 2, 2: 1 / 4}


class Cardioid(AbstractActivation):
    r"""\(\tfrac12(1 + \cos\theta)\,z\): the identity on positive numbers, zero on negative ones.

    With \(R = re^{i\alpha}\), the harmonics g above and \(c^k_m\) of `_homogeneous.moment`,

    .. math:: \kappa &= \sqrt{q_1q_2}\,\sum_m |g_m|^2\,c^1_m\,e^{im\alpha}, \\
        D &= \tfrac14 + \tfrac9{64}c^0_1e^{i\alpha} + \tfrac1{64}c^0_{-1}e^{-i\alpha},\qquad
        E = \tfrac1{64}(c^0_3e^{3i\alpha} + c^0_1e^{i\alpha}) .

    Example:
        >>> from qcgrad import networks as nn
        >>> round(float(nn.Cardioid().dual(1.0, 1.0, 1.0 + 0.0j).kappa.real), 6)  # E cos^4(theta/2) = 3/8
        0.375

    References:
        P. Virtue, S. X. Yu and M. Lustig, "Better than real: complex-valued neural nets for MRI fingerprinting",
        ICIP 2017.
    """

    is_homogeneous: ClassVar[bool] = True

    @property
    def certificate(self) -> Certificate:
        return Certificate(True, True, "continuous, with bounded derivatives")

    @property
    def symmetry(self) -> Symmetry:
        return "none"

    def value(self, z: Numbers) -> Values:
        z = as_complex_data("z", z)
        return differentiated(lambda z: z * ((1 + jnp.real(_unit(z))) / 2), self.wirtinger, z)

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        unit = _unit(as_complex_data("z", z))
        return 1 / 2 + 3 / 8 * unit + jnp.conj(unit) / 8, (unit - unit**3) / 8

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        return self.dual_at(q1, q2, covariance)

    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        return on_host(self._dual, q1, q2, covariance, gap)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        # Homogeneous: two nodes are exact along rays.
        return by_polar(self, pair, nodes=2)

    def energies(self, variance: float, degree: int) -> Energies:
        """The energies c_n, n = 0 ... degree, of `equivalent_real_activation`."""
        return homogeneous_energies(HARMONICS, variance, degree)

    def _dual(self, entries: Entries):
        r = 1 - entries.gap
        unit = entries.ratio / np.where(r > 0, r, 1)
        kappa = entries.scale * sum(g**2 * moment(1, m, entries.gap) * unit**m for m, g in HARMONICS.items())
        first = moment(0, 1, entries.gap)
        holomorphic = 1 / 4 + first * (9 * unit + np.conj(unit)) / 64
        return kappa, holomorphic, (moment(0, 3, entries.gap) * unit**3 + first * unit) / 64


def _unit(z):
    """z/|z|, zero at zero."""
    r = jnp.abs(z)
    return jnp.where(r == 0, 0, z / jnp.where(r == 0, 1, r))
