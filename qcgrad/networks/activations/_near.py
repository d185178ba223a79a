r"""Dual maps of radial profiles for correlations near one, by a double integral over both moduli.

With s, t the moduli of u, v at unit variance and scaled Bessel functions \(\tilde I_m(x) = e^{-x}I_m(x)\),

.. math:: F_m[a,b] = \frac{4}{1-r^2}\iint s\,t\;a(s)\,b(t)\;
    e^{-(s^2+t^2-2rst)/(1-r^2)}\;\tilde I_m\Bigl(\frac{2rst}{1-r^2}\Bigr)\,ds\,dt ,

\(\kappa = F_1[h,h]\), \(D = F_0[\varphi_z,\varphi_z]\) and \(E = F_2\) of the moduli of \(\varphi_{\bar z}\). In the
mean p and the difference d of s and t the exponent is \(2p^2/(1+r) + d^2/(2(1-r))\): narrow in d, but never singular.
The domain s > c_1, t > c_2 is a wedge in (d, p), so integrating p from its boundary, and d up to and from its corner,
every panel has a smooth integrand.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ._quadrature import panels
from ._threads import for_blocks

if TYPE_CHECKING:
    from ._radial import AbstractRadial

#: Gauss-Legendre nodes on each of three panels along d and one or two along p.
ACROSS, ALONG = 24, 48
#: Beyond these the Gaussians are below 1e-15.
RANGE_ACROSS, RANGE_ALONG = 6.0, 6.3
CHUNK = 64


def near_one(
    activation: "AbstractRadial", q1: Float[np.ndarray, "n"], q2: Float[np.ndarray, "n"], gap: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "3 n"]:
    """(kappa, D, E) (3, n) at real correlations 1 - gap (n,) and variances q1, q2 (n,).

    Cost: about 3500 (without threshold 7000) integrand values with two Bessel functions for each entry.
    """
    result = np.empty((3, len(gap)))

    def integrate(block):
        result[:, block] = _integrate(activation, q1[block], q2[block], gap[block])

    for_blocks(integrate, len(gap), CHUNK)
    return result


def _integrate(activation, q1, q2, gap):
    from scipy.special import i0e, i1e

    # Below this gap nothing changes any more in float64; at zero the formula is 0/0.
    gap = np.maximum(gap, 1e-34)[:, None, None]
    radius = 1 - gap
    root1, root2 = np.sqrt(q1)[:, None, None], np.sqrt(q2)[:, None, None]
    start1, start2 = activation.threshold / root1, activation.threshold / root2
    d, weight_d = _differences(start1 - start2, gap)
    p, weight_p = _means(start1, start2, d, gap if activation.threshold == 0 else None)
    s, t = p + d / 2, p - d / 2
    spread = gap * (1 + radius)
    x = 2 * radius * s * t / spread
    zero, one = i0e(x), i1e(x)
    two = np.where(x > 1e-4, zero - 2 * one / np.where(x > 1e-4, x, 1), x**2 / 8)
    measure = weight_d * weight_p * 4 / spread * s * t * np.exp(-2 * p**2 / (1 + radius))
    (h1, plus1, minus1), (h2, plus2, minus2) = _profiles(activation, root1, s), _profiles(activation, root2, t)
    integrands = (h1 * h2 * one, plus1 * plus2 * zero, minus1 * minus2 * two)
    return np.stack([np.sum(measure * integrand, axis=(1, 2)) for integrand in integrands])


def _differences(corner, gap):
    """Nodes of d and weights with the Gaussian, (n, 3 ACROSS, 1): panels end at the corner and at the centre."""
    width = np.sqrt(2 * gap)
    corner = np.clip(corner / width, -RANGE_ACROSS, RANGE_ACROSS)
    full = np.full_like(corner, RANGE_ACROSS)
    edges = np.concatenate([-full, np.minimum(corner, 0), np.maximum(corner, 0), full], axis=-1)
    y, weights = panels(edges[:, 0], ACROSS)
    return width * y[..., None], width * (weights * np.exp(-(y**2)))[..., None]


def _means(start1, start2, d, gap):
    """Nodes of p from the boundary of the domain, dense there: (n, 3 ACROSS, ALONG or 2 ALONG).

    Without a threshold (`gap` given) the Bessel functions change on the scale of d near the origin: a panel ends where
    they reach their asymptotic form.
    """
    if gap is None:
        edges = np.array([0.0, 1.0])
    else:
        split = np.minimum(np.sqrt(6 * np.sqrt(2 * gap) / RANGE_ALONG), 0.5)
        edges = np.concatenate([0 * split, split, 0 * split + 1], axis=-1)
    tau, weights = panels(edges, ALONG)
    start = np.maximum(start1 - d / 2, start2 + d / 2)
    length = np.maximum(RANGE_ALONG - start, 1.0)
    return start + length * tau**2, 2 * length * tau * weights


def _profiles(activation, root, s):
    """h, |phi_z| and the signed modulus of phi_zbar at r = sqrt(q) s."""
    r = np.maximum(root * s, activation.threshold)
    h, slope = (np.asarray(f(r), np.float64) for f in (activation.profile, activation.profile_slope))
    ratio = h / np.maximum(r, np.finfo(float).tiny)
    return h, (slope + ratio) / 2, (slope - ratio) / 2
