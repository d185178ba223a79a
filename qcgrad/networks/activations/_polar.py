r"""Dual maps of Gaussians with pseudo-covariances, for activations that are smooth along rays but for a threshold.

Canonical correlations leave independent pairs \((g_a, g'_a)\), a = 1, 2, of unit variances and correlations
\(s_a = \cos\alpha_a\). In polar coordinates of the four numbers,

.. math:: g_a = R\,\rho_a\cos(t_a + \tfrac{\alpha_a}2),\quad g'_a = R\,\rho_a\cos(t_a - \tfrac{\alpha_a}2),\quad
    \rho_1^2 = 1 - y,\ \rho_2^2 = y,

the expectation is the mean over \(t_1, t_2\) and y of \(\int_0^\infty \cdot\; T e^{-T}\,dT\), \(T = R^2/2\). On a ray
u and v grow in proportion to R: both are beyond a threshold c of the modulus from \(R_0 = c/\min(|\hat u|, |\hat v|)\)
on, so the integral over R starts there and has a smooth integrand. What is left on the sphere is continuous. Nothing
singular happens where correlations reach one (\(\alpha = 0\)) or a variance vanishes.

Numbers on a line through the origin (real ones, and their multiples by one phase) depend on \(t_1\) alone, and what is
continuous on the plane may have kinks at the origin of the line: \(t_1\) then runs over panels between the zeros.
"""

from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ._improper import GaussianPair, ImproperDual, correlations

if TYPE_CHECKING:
    from ._activation import AbstractActivation

#: Nodes of each angle (periodic, equidistant) and of y (Gauss-Legendre). At variance one moments are good to 1e-3 where
#: slopes are continuous along rays, to 4e-3 where they jump across them (tests/networks/test_improper_duals.py).
_ANGLES, _LATITUDES = 32, 16
# Panels of t_1 between the zeros of u and those of v.
_PANELS = 4
# Pairs of inputs at a time: about 40 MB.
_PAIRS = 16


@eqx.filter_jit
def by_polar(
    activation: "AbstractActivation", pair: GaussianPair, threshold: float = 0.0, nodes: int = 12
) -> ImproperDual:
    """Dual maps by polar coordinates of the four real numbers behind a pair.

    Args:
        activation: with `value` and `wirtinger`, zero below `threshold` and smooth along rays beyond it.
        pair: the Gaussians.
        threshold: of the modulus.
        nodes: Gauss-Laguerre nodes along each ray; two are exact for homogeneous functions of degree one.

    Cost: for each pair of inputs and node 2 * 32 * 32 * 16 evaluations of the activation and its slopes, half as many
    if it is phase-equivariant: some 10 ms a pair.
    """
    shape = jnp.broadcast_shapes(*(jnp.shape(array) for array in pair))
    flat = tuple(array.reshape(-1) for array in jnp.broadcast_arrays(*pair))
    rays = jnp.asarray(threshold, flat[0].dtype), *(jnp.asarray(t, flat[0].dtype) for t in _laguerre(nodes))
    one = jax.tree_util.Partial(_one_pair, activation, rays)
    moments = jax.lax.map(lambda entries: one(GaussianPair(*entries)), flat, batch_size=_PAIRS)
    return ImproperDual(*(moment.reshape(shape) for moment in moments))


def _one_pair(activation, rays, pair: GaussianPair) -> ImproperDual:
    # Where phi(-z) = -phi(z), opposite rays say the same, and nothing happens at the origin of a line.
    u, v, weights = _directions(pair, half_turn=activation.symmetry == "phase")
    plain, pseudo = _moments(activation, rays, u, v, weights)
    # Rows: value, phi_z, phi_zbar of u; columns: of v.
    slopes = ((1, 1), (2, 2), (1, 2), (2, 1))
    return ImproperDual(plain[0, 0], pseudo[0, 0], *(plain[at] for at in slopes), *(pseudo[at] for at in slopes))


def _directions(pair: GaussianPair, half_turn: bool):
    """u / R and v / R on the sphere, (t_1, t_2, y), and weights of a mean over it."""
    root1, root2, singular = correlations(pair)
    half = jnp.arccos(singular) / 2
    angles, other_angles, latitudes, weights = (jnp.asarray(table, half.dtype) for table in _sphere(half_turn))
    if not half_turn:
        on_line, share = _between_zeros(half[0])
        is_line = _is_line(root1) | _is_line(root2)
        angles = jnp.where(is_line, on_line, angles)
        weights = weights * jnp.where(is_line, share, 1)[:, None, None]

    def direction(root, turn):
        first = jnp.cos(angles + turn[0])[:, None, None] * jnp.sqrt(1 - latitudes)[None, None]
        second = jnp.cos(other_angles + turn[1])[None, :, None] * jnp.sqrt(latitudes)[None, None]
        column = root[0] + 1j * root[1]
        return column[0] * first + column[1] * second

    return direction(root1, half), direction(root2, -half), weights


def _moments(activation, rays, u, v, weights):
    """E[f_i(R u) conj f_j(R v)] and E[f_i(R u) f_j(R v)] with f = (phi, phi_z, phi_zbar): two 3 x 3 matrices."""
    threshold, nodes, node_weights = rays
    smaller = jnp.minimum(jnp.abs(u), jnp.abs(v))
    # Beyond this exp(-T) is zero, and rays that never reach the threshold must not overflow.
    start = jnp.minimum((threshold / jnp.maximum(smaller, 1e-20)) ** 2 / 2, 80.0)

    def functions(z):
        return jnp.stack([jnp.asarray(f, z.dtype) for f in (activation.value(z), *activation.wirtinger(z))])

    def add_node(total, node):
        at, weight = start + node[0], node[1] * jnp.exp(-start)
        first, second = functions(jnp.sqrt(2 * at) * u), functions(jnp.sqrt(2 * at) * v)
        first = first * (weight * at * weights)[None]
        over_sphere = "iabc,jabc->ij"  # a, b, c: t_1, t_2, y
        moments = jnp.einsum(over_sphere, first, second.conj()), jnp.einsum(over_sphere, first, second)
        return (total[0] + moments[0], total[1] + moments[1]), None

    zero = jnp.zeros((3, 3), u.dtype)
    return jax.lax.scan(add_node, (zero, zero), (nodes, node_weights))[0]


def _sphere(half_turn: bool):
    """t_1, t_2, y, and weights (t_1, t_2, y) of a mean; t_1 over half a turn if asked."""
    angles = 2 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    first = angles[: _ANGLES // 2] if half_turn else angles
    nodes, weights = np.polynomial.legendre.leggauss(_LATITUDES)
    shape = (len(first), _ANGLES, _LATITUDES)
    return first, angles, (1 + nodes) / 2, np.broadcast_to(weights / 2 / (len(first) * _ANGLES), shape)


def _is_line(root):
    """Whether u is a multiple of its first coordinate."""
    return jnp.sum(root[:, 1] ** 2) <= 1e-12 * jnp.sum(root[:, 0] ** 2)


def _between_zeros(half):
    """Nodes t_1 on panels between the zeros of cos(t_1 + half) and cos(t_1 - half), and their weights over _ANGLES."""
    nodes, weights = (jnp.asarray(table, half.dtype) for table in np.polynomial.legendre.leggauss(_ANGLES // _PANELS))
    edges = jnp.pi / 2 * jnp.array([1, 1, 3, 3, 5], half.dtype) + half * jnp.array([-1, 1, -1, 1, -1], half.dtype)
    middle, width = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (middle[:, None] + width[:, None] * nodes[None]).ravel(), (
        width[:, None] * weights[None]
    ).ravel() * _ANGLES / (2 * jnp.pi)


def _laguerre(count: int):
    return np.polynomial.laguerre.laggauss(count)
