r"""Dual maps of real functions by their Hermite series, \(k = \sum_n c_n(q_1)c_n(q_2)\,\rho^n\)."""

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from .._array_types import RealCovariances, RealDual, Variances
from ._quadrature import panels
from ._series import Entries, by_variance, horner, on_host, terms_needed
from ._threads import for_blocks

if TYPE_CHECKING:
    from ._real import AbstractRealActivation

#: Terms of the series; entries whose remaining terms exceed TOLERANCE are integrated directly.
TERMS = 512
TOLERANCE = 1e-10
#: Gauss-Legendre nodes on each half line, enough for the last Hermite function.
NODES = 224
RANGE = 12.0
#: The direct integral: nodes of each of four panels along each axis, where its Gaussians end, the argument beyond which
#: the function counts as linear, and entries at a time.
NEAR_NODES, NEAR_RANGE, LINEAR, CHUNK = 24, 6.5, 9.0, 16


class HermiteCoefficients(NamedTuple):
    """c_n (terms, n), and which part of q E[sigma'^2] the series of k' lacks when cut (n,)."""

    terms: np.ndarray
    rest: np.ndarray


def hermite_coefficients(
    activation: "AbstractRealActivation", variances: Float[np.ndarray, "n"], terms: int = TERMS
) -> HermiteCoefficients:
    r"""\(c_n(q) = \mathbb E[\sigma(\sqrt q x)\,\widehat{he}_n(x)]\) with orthonormal Hermite polynomials."""
    x, weights, basis = _basis(terms)
    points = np.sqrt(variances)[:, None] * x
    values, slopes = (np.asarray(f(points), np.float64) for f in (activation.function, activation.slope))
    half = weights * np.exp(-(x**2) / 4) / np.sqrt(2 * np.pi)
    coefficients = basis @ (half * values).T
    energy = variances * ((weights * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)) @ (slopes**2).T)
    found = np.arange(terms) @ coefficients**2
    return HermiteCoefficients(coefficients, np.maximum(1 - found / np.where(energy > 0, energy, 1), 0) * (energy > 0))


def hermite_dual(
    activation: "AbstractRealActivation", q1: Variances, q2: Variances, covariance: RealCovariances
) -> RealDual:
    """(kappa, D) of a real activation, elementwise.

    Cost: up to 512 terms for each entry; 9216 integrand values where |rho| is so near one that these are too few.
    """
    kappa, slope, _ = on_host(lambda entries: _dual(activation, entries), q1, q2, covariance)
    return kappa, slope


def _dual(activation, entries: Entries):
    q1, q2, ratio, _, scale = entries
    (terms1, rest1), (terms2, rest2) = by_variance(lambda q: hermite_coefficients(activation, q), q1, q2)
    near = np.abs(ratio) ** TERMS * np.sqrt(rest1 * rest2) > TOLERANCE
    far = np.where(near, 0, ratio)
    used = terms_needed(terms1, terms2, np.max(np.abs(far)))
    kappa, slope = horner(terms1[:used], terms2[:used], far)
    slope = slope / scale
    if near.any():
        q1, q2 = (np.broadcast_to(q, near.shape)[near] for q in (q1, q2))
        kappa[near], slope[near] = _near_one(activation, q1, q2, ratio[near])
    return kappa, slope, 0 * kappa


def _near_one(activation, q1, q2, ratio):
    found = np.empty((2, len(ratio)))

    def integrate(block):
        found[:, block] = _integrate(activation, q1[block], q2[block], ratio[block])

    for_blocks(integrate, len(ratio), CHUNK)
    return found


def _integrate(activation, q1, q2, ratio):
    r"""E[f(u) f(v)] with \(v = \sqrt{q_2}(\rho x + \sqrt{1-\rho^2}\,y)\), panels around the zeros of u and v."""
    root1, root2, ratio = np.sqrt(q1)[:, None], np.sqrt(q2)[:, None], ratio[:, None]
    x, weight_x = (part[:, 0] for part in panels(_edges(np.zeros_like(root1), root1), NEAR_NODES))
    width = np.sqrt(np.maximum((1 - ratio) * (1 + ratio), 1e-24))
    mean = ratio * x
    y, weight_y = panels(_edges(-mean / width, root2 * width), NEAR_NODES)
    v = root2[..., None] * (mean[..., None] + width[..., None] * y)
    measure = weight_x * np.exp(-(x**2) / 2) / (2 * np.pi)
    inner = weight_y * np.exp(-(y**2) / 2)
    return np.stack(
        [
            np.sum(measure * np.asarray(f(root1 * x)) * np.sum(inner * np.asarray(f(v)), axis=-1), axis=-1)
            for f in (activation.function, activation.slope)
        ]
    )


def _edges(centre, root):
    """Four panels: where the argument, root * (x - centre), is of order one, and outside."""
    inner = np.minimum(LINEAR / root, NEAR_RANGE / 2)
    full = np.broadcast_to(NEAR_RANGE, centre.shape)
    moved = [np.clip(centre + sign * inner, -NEAR_RANGE, NEAR_RANGE) for sign in (-1, 0, 1)]
    return np.stack([-full, *moved, full], axis=-1)


@functools.lru_cache(maxsize=8)
def _basis(terms):
    """Nodes, weights, and Hermite functions (terms, nodes) times exp(-x^2/4), which keeps them bounded."""
    x, weights = panels(np.array([-RANGE, 0.0, RANGE]), NODES)
    basis = np.zeros((terms + 1, len(x)))
    basis[0] = np.exp(-(x**2) / 4)
    for n in range(terms):
        basis[n + 1] = (x * basis[n] - np.sqrt(n) * basis[n - 1]) / np.sqrt(n + 1)
    return x, weights, basis[:terms]
