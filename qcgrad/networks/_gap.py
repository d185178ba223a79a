r"""How far two Gaussians are from multiples of each other, with all its digits.

The slope kernel of a kink falls like \(\sqrt{1-|\rho|}\) at correlation one, so that rounding of \(\rho\) costs half of
the digits; that of a jump does so in every layer once more. Networks on vectors therefore carry the *gap*
\(1 - |\rho|\) beside the covariance: formed from differences of the data, and carried on by sums of terms that are not
negative. A gap that a change of the inputs by rounding explains is zero: points on one ray stay there.

Under JAX's transformations there are no numbers to look at, and the gap follows from the covariance as it stands.
Where Gaussians coincide, its root then has the derivative 0: the middle of the cone \(|\delta|\) of two inputs that
move apart, and the true one where they move together.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Inexact

from ..array_types import Array
from ..arrays import is_concrete
from ._array_types import Covariances, Gaps, Gaussians, Variances

#: Rounding of the data, in units of the last place: of the gap that follows from it, and of a correlation as it stands.
ROUNDING = 16
#: Below this gap correlations have lost digits that differences of the data still hold; pairs of inputs at a time.
NEAR, PAIRS = 1e-2, 4096


def safe_sqrt(x: Variances) -> Float[jax.Array, "*pairs"]:
    """A root whose derivatives at zero are zero."""
    flat = x <= 0
    return jnp.where(flat, 0, jnp.sqrt(jnp.where(flat, 1, x)))


def safe_ratio(x: Covariances, y: Covariances) -> Inexact[jax.Array, "*pairs"]:
    """x / y, and 0 where y is."""
    return jnp.where(y == 0, 0, x / jnp.where(y == 0, 1, y))


def snapped(gap: Float[Array, "*pairs"]) -> Float[jax.Array, "*pairs"]:
    """A gap, zero where rounding of the inputs explains it."""
    return jnp.where(gap < (ROUNDING * jnp.finfo(gap.dtype).eps) ** 2 / 2, 0, gap)


def gap_of(q1: Variances, q2: Variances, covariance: Covariances) -> Float[jax.Array, "*pairs"]:
    """1 - |rho| from variances and covariance alone: zero where rounding explains it, one where a variance is zero."""
    gap = 1 - safe_ratio(jnp.abs(covariance), safe_sqrt(q1) * safe_sqrt(q2))
    return jnp.where(gap < ROUNDING * jnp.finfo(gap.dtype).eps, 0, gap)


def gap_between(
    x1: Inexact[jax.Array, "N1 d"],
    x2: Inexact[jax.Array, "N2 d"],
    covariance: Inexact[jax.Array, "N1 N2"],
    q1: Float[jax.Array, "N1"],
    q2: Float[jax.Array, "N2"],
) -> Float[jax.Array, "N1 N2"] | None:
    """Gaps between data x1 (N1, d) and x2 (N2, d), whose products are given: (N1, N2), or None while they are traced.

    Cost: d operations for each pair that is nearly collinear, a few for each other one.
    """
    if not is_concrete((x1, x2, covariance)):
        return None
    gap = np.array(1 - _correlation(q1[:, None], q2[None], covariance))
    near = np.array(np.nonzero(gap < NEAR))
    first, second = np.asarray(x1), np.asarray(x2)
    for start in range(0, near.shape[1], PAIRS):
        rows, columns = near[:, start : start + PAIRS]
        gap[rows, columns] = _of_pairs(first[rows], second[columns])
    return by_ray(jnp.asarray(gap))


def by_ray(gap: Float[jax.Array, "N1 N2"]) -> Float[jax.Array, "N1 N2"]:
    """One row for all that lie on one ray, the first one's: or rounding would tell them apart seen from elsewhere."""
    if gap.shape[0] != gap.shape[1] or np.any(np.diagonal(gap)):
        return gap
    first = np.argmax(np.asarray(gap) == 0, axis=1)
    return gap if np.array_equal(first, np.arange(len(first))) else gap[first][:, first]


@jax.jit
def gap_of_sum(first: Gaussians, second: Gaussians) -> Float[jax.Array, "*pairs"]:
    """The gap of sums of independent Gaussians, each given as (q1, q2, covariance, gap).

    Every term is what one inequality loses: Cauchy-Schwarz between lengths, the two gaps, the triangle's.
    """
    (a1, a2, ka, gap_a), (b1, b2, kb, gap_b) = first, second
    roots = [jnp.sqrt(q) for q in (a1, a2, b1, b2)]
    scale_a, scale_b = roots[0] * roots[1], roots[2] * roots[3]
    scale = jnp.sqrt(a1 + b1) * jnp.sqrt(a2 + b2)
    lengths = safe_ratio((roots[0] * roots[3] - roots[2] * roots[1]) ** 2, scale + scale_a + scale_b)
    sides = jnp.abs(ka) + jnp.abs(kb) + jnp.abs(ka + kb)
    turned = safe_ratio(2 * _off_axis(ka * jnp.conj(kb)), sides)
    lost = lengths + scale_a * gap_a + scale_b * gap_b + turned
    return jnp.where(scale == 0, gap_a, snapped(safe_ratio(lost, scale)))


def gaps_of_parts(covariance: Covariances, gap: Gaps) -> tuple[Float[jax.Array, "*pairs"], Float[jax.Array, "*pairs"]]:
    """1 - |Re rho| and 1 - |Im rho|."""
    size = jnp.abs(covariance)
    unit = jnp.where(size == 0, 1, covariance / jnp.where(size == 0, 1, size))
    along, across = jnp.abs(jnp.real(unit)), jnp.abs(jnp.imag(unit))
    real, imaginary = across**2 / (1 + along), along**2 / (1 + across)
    return snapped(gap + (1 - gap) * real), snapped(gap + (1 - gap) * imaginary)


@jax.jit
def _correlation(q1, q2, covariance):
    """|rho|; 1 where both are zero, and so are equal."""
    found = safe_ratio(jnp.abs(covariance), jnp.sqrt(q1) * jnp.sqrt(q2))
    return jnp.where((q1 == 0) & (q2 == 0), 1, found)


def _off_axis(z):
    """|z| - Re z without cancellation."""
    size, real = jnp.abs(z), jnp.real(z)
    return jnp.where(real > 0, safe_ratio(jnp.imag(z) ** 2, size + real), size - real)


def _of_pairs(x, y):
    """Gaps between rows of x and y (N, d), in NumPy: nothing is compiled for each number of pairs."""
    q1, q2 = (np.sum(np.real(z * z.conj()), axis=1) for z in (x, y))
    both = (q1 > 0) & (q2 > 0)
    safe1, safe2 = (np.where(q > 0, q, 1) for q in (q1, q2))
    cross = np.sum(x * y.conj(), axis=1)
    # Either one's projection on the other, so that the gap of (y, x) is the same.
    rest1, rest2 = x - (cross / safe2)[:, None] * y, y - (cross.conj() / safe1)[:, None] * x
    squares = [np.sum(np.real(z * z.conj()), axis=1) for z in (rest1, rest2)]
    square = np.minimum((squares[0] / safe1 + squares[1] / safe2) / 2, 1)
    gap = square / (1 + np.sqrt(1 - square))
    gap[gap < (ROUNDING * np.finfo(gap.dtype).eps) ** 2 / 2] = 0
    return np.where(both, gap, np.where((q1 == 0) & (q2 == 0), 0, 1))
