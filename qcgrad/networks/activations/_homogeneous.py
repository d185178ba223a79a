r"""Functions \(|z|\sum_m g_m e^{im\theta}\), homogeneous of degree one: their harmonics are data."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from .._array_types import Energies

#: Below this 1 - r^2 the hypergeometric function is its expansion at one, of which SciPy drops all but the constant.
AT_ONE = 1e-10


def moment(degree: int, harmonic: int, gap: Float[np.ndarray, "*pairs"]) -> Float[np.ndarray, "*pairs"]:
    r"""Moments of two moduli and phases, of degree k = 0 or 1.

    .. math:: c^k_m(r) = r^{|m|}\,\frac{\Gamma((|m|+k)/2+1)^2}{|m|!}\;
        {}_2F_1(\tfrac{|m|-k}2,\tfrac{|m|-k}2;|m|+1;r^2) :

    the expectation of \(|u|^k|v|^k e^{im(\theta_u-\theta_v)}\) at unit variances and real correlation r = 1 - gap.
    """
    from scipy.special import gammaln, hyp2f1

    m = abs(harmonic)
    shift = (m - degree) / 2
    # Each gamma function overflows long before their ratio does.
    factor = np.exp(2 * gammaln((m + degree) / 2 + 1) - gammaln(m + 1))
    r, p = 1 - gap, gap * (2 - gap)
    series = np.where(p < AT_ONE, _at_one(degree, m, shift, p), hyp2f1(shift, shift, m + 1, r**2))
    return factor * r**m * series


def _at_one(degree, m, shift, p):
    """The hypergeometric function at 1 - p, to order p (Abramowitz and Stegun 15.3.11)."""
    from scipy.special import gammaln, psi

    limit = np.exp(gammaln(m + 1) - 2 * gammaln(shift + degree + 1))
    if degree == 1:
        return limit * (1 - shift**2 * p)
    logarithm = np.log(np.maximum(p, 1e-300)) - psi(1) - psi(2) + 2 * psi(shift + 1)
    return limit * (1 + shift**2 * p * logarithm)


def homogeneous_energies(harmonics: Mapping[int, complex], variance: float, degree: int) -> Energies:
    r"""The energies c_n, n = 0 ... degree, at one variance: the power series of \(\sum_m|g_m|^2c^1_m(r)\)."""
    from scipy.special import gammaln

    energies = np.zeros(degree + 1)
    for harmonic, g in harmonics.items():
        m = abs(harmonic)
        term = variance * abs(g) ** 2 * np.exp(2 * gammaln((m + 1) / 2 + 1) - gammaln(m + 1))
        for i, n in enumerate(range(m, degree + 1, 2)):
            energies[n] += term
            term *= ((m - 1) / 2 + i) ** 2 / ((m + 1 + i) * (i + 1))
    return energies
