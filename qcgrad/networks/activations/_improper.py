r"""Dual maps of Gaussians with pseudo-covariances: what improper weights and real networks make of an activation.

Canonical correlations turn the expectation over four real Gaussians into two sums over two each. With whitened
\(u = L g\), \(v = L' g'\) in real coordinates and the singular values s of \(\mathbb E[g g'^T]\), rotated so that
\(\mathbb E[g_a g'_b] = s_a\delta_{ab}\), normalised Hermite polynomials are bi-orthogonal, so

.. math:: \mathbb E[\varphi(u)\,\overline{\varphi(v)}] = \sum_{jk} s_1^j s_2^k\, A_{jk}\,\overline{A'_{jk}},\qquad
    A_{jk} = \mathbb E[\varphi(u)\,\mathrm{He}_j(g_1)\,\mathrm{He}_k(g_2)].

References:
    Lancaster, The structure of bivariate distributions, Ann. Math. Stat. 29 (1958).
"""

from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from ._activation import AbstractActivation
    from ._real import AbstractRealActivation

from .._gap import ROUNDING

# Exact for polynomials below this degree.
_NODES = 40
# Pairs of inputs at a time: about 40 MB.
_PAIRS = 128


class GaussianPair(NamedTuple):
    r"""Complex Gaussians (u, v) with pseudo-covariances, as arrays that broadcast.

    Attributes:
        variance1, variance2: E|u|^2 and E|v|^2, real.
        pseudo1, pseudo2: E[u^2] and E[v^2], complex.
        covariance, pseudo: \(\mathbb E[u\bar v]\) and \(\mathbb E[uv]\).
    """

    variance1: jax.Array
    variance2: jax.Array
    pseudo1: jax.Array
    pseudo2: jax.Array
    covariance: jax.Array
    pseudo: jax.Array


class ImproperDual(NamedTuple):
    r"""Expectations over a `GaussianPair`: h stands for phi_z, a for phi_zbar, the second factor takes v.

    Attributes:
        kappa, pseudo: \(\mathbb E[\varphi\,\overline{\varphi'}]\) and \(\mathbb E[\varphi\,\varphi']\).
        hh, aa, ha, ah: with the second factor conjugated, as in \(\mathbb E[\varphi_z\,\overline{\varphi_z'}]\).
        hh_pseudo, aa_pseudo, ha_pseudo, ah_pseudo: without, as in \(\mathbb E[\varphi_z\,\varphi_z']\).
    """

    kappa: jax.Array
    pseudo: jax.Array
    hh: jax.Array
    aa: jax.Array
    ha: jax.Array
    ah: jax.Array
    hh_pseudo: jax.Array
    aa_pseudo: jax.Array
    ha_pseudo: jax.Array
    ah_pseudo: jax.Array


def of_components(component: "AbstractRealActivation", pair: GaussianPair) -> ImproperDual:
    r"""Dual maps of a split activation \(\sigma(x) + i\sigma(y)\), from the real dual of sigma: exact.

    Args:
        component: sigma, an activation of real numbers.
        pair: the Gaussians.
    """
    q1, q2, c1, c2, covariance, pseudo = pair

    def variances(q, c):
        # Real and imaginary numbers have a part that is zero, where rounding must not choose the side of a kink.
        rounding = ROUNDING * jnp.finfo(q.dtype).eps * q
        parts = (q + sign * jnp.real(c) for sign in (1, -1))
        return [jnp.where(part <= rounding, 0, part) / 2 for part in parts]

    (x1, y1), (x2, y2) = variances(q1, c1), variances(q2, c2)
    xx = component.real_dual(x1, x2, jnp.real(covariance + pseudo) / 2)
    yy = component.real_dual(y1, y2, jnp.real(covariance - pseudo) / 2)
    yx = component.real_dual(y1, x2, jnp.imag(pseudo + covariance) / 2)
    xy = component.real_dual(x1, y2, jnp.imag(pseudo - covariance) / 2)

    def slopes(sign1, sign2):
        """phi_z = (sigma'(x) + sigma'(y))/2, phi_zbar with a minus: real, so conjugation changes nothing."""
        return (xx[1] + sign1 * yx[1] + sign2 * xy[1] + sign1 * sign2 * yy[1]) / 4

    hh, aa, ha, ah = slopes(1, 1), slopes(-1, -1), slopes(1, -1), slopes(-1, 1)
    return ImproperDual(
        xx[0] + yy[0] + 1j * (yx[0] - xy[0]), xx[0] - yy[0] + 1j * (yx[0] + xy[0]), hh, aa, ha, ah, hh, aa, ha, ah
    )


@eqx.filter_jit
def by_quadrature(activation: "AbstractActivation", pair: GaussianPair) -> ImproperDual:
    """Dual maps of a smooth activation: exact for polynomials below degree 40. Kinks need `_polar.by_polar`.

    Cost: for each pair of inputs 6 * 40^2 evaluations and about 10^6 operations.
    """
    flat = [array.reshape(-1) for array in jnp.broadcast_arrays(*pair)]
    shape = jnp.broadcast_shapes(*(jnp.shape(array) for array in pair))
    one = jax.tree_util.Partial(_one_pair, activation)
    values = jax.lax.map(lambda entries: one(GaussianPair(*entries)), tuple(flat), batch_size=_PAIRS)
    return ImproperDual(*(value.reshape(shape) for value in values))


def _one_pair(activation, pair: GaussianPair) -> ImproperDual:
    root1, root2, singular = correlations(pair)
    powers = singular[:, None] ** jnp.arange(_NODES)[None]
    weights = powers[0][:, None] * powers[1][None]
    first = _coefficients(activation, root1)
    second = _coefficients(activation, root2)
    value, h, a = (weights[None] * first).reshape(3, -1)
    # Rows: value, phi_z, phi_zbar of u; columns: of v.
    value2, h2, a2 = second.reshape(3, -1)
    return ImproperDual(
        *(value @ value2.conj(), value @ value2),
        *(h @ h2.conj(), a @ a2.conj(), h @ a2.conj(), a @ h2.conj()),
        *(h @ h2, a @ a2, h @ a2, a @ h2),
    )


def correlations(pair: GaussianPair) -> tuple[Float[jax.Array, "2 2"], Float[jax.Array, "2 2"], Float[jax.Array, "2"]]:
    r"""Canonical coordinates: \(u = L g\), \(v = L' g'\) with \(\mathbb E[g_ag'_b] = s_a\delta_{ab}\), unit variances.

    Returns:
        L, L' (2, 2), from g to (Re u, Im u); s (2,) in [-1, 1]. Those of (v, u) are L', L and s: results that come from
        them are as symmetric as the expectations.
    """
    q1, q2, c1, c2, covariance, pseudo = pair
    root1, whiten1 = _roots(_real_block(q1, c1))
    root2, whiten2 = _roots(_real_block(q2, c2))
    (m11, m12), (m21, m22) = whiten1 @ _real_block(covariance, pseudo) @ whiten2.T
    # As a map of complex numbers, M w = a w + b conj w: rotations by half the sum and difference of the arguments of a
    # and b make it diagonal, with entries |a| + |b| and |a| - |b|. Without a or b any angle does, and rounding must not
    # choose it.
    a, b = (m11 + m22 + 1j * (m21 - m12)) / 2, (m11 - m22 + 1j * (m21 + m12)) / 2
    turn_a, turn_b = (jnp.where(jnp.abs(c) > 1e-8, jnp.angle(jnp.where(c == 0, 1, c)), 0) for c in (a, b))
    singular = jnp.clip(jnp.stack([jnp.abs(a) + jnp.abs(b), jnp.abs(a) - jnp.abs(b)]), -1.0, 1.0)
    return root1 @ _rotation((turn_b + turn_a) / 2), root2 @ _rotation((turn_b - turn_a) / 2), singular


def _rotation(angle):
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([c, -s]), jnp.stack([s, c])])


def _real_block(covariance, pseudo):
    """E[(Re u, Im u)^T (Re v, Im v)] from E[u conj v] and E[u v]."""
    rows = [
        [jnp.real(covariance + pseudo), jnp.imag(pseudo - covariance)],
        [jnp.imag(pseudo + covariance), jnp.real(covariance - pseudo)],
    ]
    return jnp.stack([jnp.stack(row) for row in rows]) / 2


def _roots(matrix):
    """L with L L^T = matrix, and its pseudo-inverse: directions without variance stay out."""
    values, vectors = jnp.linalg.eigh(matrix)
    kept = values > 1e3 * jnp.finfo(values.dtype).eps * values[-1]
    scale = jnp.where(kept, jnp.sqrt(jnp.where(kept, values, 1.0)), 0.0)
    inverse = jnp.where(kept, 1 / jnp.where(kept, scale, 1.0), 0.0)
    return vectors * scale[None], inverse[:, None] * vectors.T


def _coefficients(activation, root):
    """Hermite coefficients (3, j, k) of phi, phi_z and phi_zbar at u = root @ (g1, g2)."""
    nodes, transform = (jnp.asarray(table, root.dtype) for table in _hermite())
    u = (root[0, 0] * nodes + 1j * root[1, 0] * nodes)[:, None] + (root[0, 1] * nodes + 1j * root[1, 1] * nodes)[None]
    functions = jnp.stack([jnp.asarray(f, u.dtype) for f in (activation.value(u), *activation.wirtinger(u))])
    return jnp.einsum("ja,fab,kb->fjk", transform, functions, transform)


def _hermite():
    """Nodes of the normal distribution, and weight times normalised Hermite polynomial (degree, node)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    rows = [np.ones_like(nodes), nodes]
    for j in range(1, _NODES - 1):
        rows.append((nodes * rows[j] - np.sqrt(j) * rows[j - 1]) / np.sqrt(j + 1))
    return nodes, np.stack(rows) * weights / weights.sum()
