r"""Random directions, and gradients from derivatives along them.

Directions v of zero mean and unit covariance give \(E[(g\cdot v)\,v] = g\): the mean of K such products is unbiased,
and off by \(E|\hat g - g|^2 = (A + \kappa - 2)\,|g|^2 / K\) for A angles, where \(\kappa\) is the fourth moment of a
component: 1 (Rademacher), 3 (Gaussian); on the sphere and along coordinates of length \(\sqrt A\) it is A - 1.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ....array_types import Array, Key
from ....arrays import is_concrete, namespace
from ....ir import Circuit
from ....ir.angles import rounded
from ....memory import allowed_bytes, require
from ....objective import Point, Reading

Distribution = Literal["rademacher", "gaussian", "coordinate", "sphere"]
DISTRIBUTIONS = ("rademacher", "gaussian", "coordinate", "sphere")


def scatter(distribution: Distribution, size: int) -> int:
    """S + kappa - 2 of directions of S components."""
    return max(size + (1 if distribution == "gaussian" else -1), 0)


def drawn(key: Key, count: int, angles: int, distribution: Distribution, dtype: np.dtype) -> Float[jax.Array, "D A"]:
    """Independent directions, E[v v^T] = 1."""
    shape = count, angles
    if distribution == "rademacher" or not angles:
        return jax.random.rademacher(key, shape, dtype)
    if distribution == "coordinate":
        return jax.nn.one_hot(jax.random.randint(key, (count,), 0, angles), angles, dtype=dtype) * angles**0.5
    normal = jax.random.normal(key, shape, dtype)
    if distribution == "gaussian":
        return normal
    return normal * angles**0.5 / jnp.linalg.norm(normal, axis=1, keepdims=True)


def around(circuit: Circuit, angles: Float[Array, " A"], moves: Float[Array, "D A"]) -> Float[Array, "1+2D A"]:
    """The angles themselves, then moved forward along every direction, then backward."""
    if not is_concrete((angles, moves)):
        moves = moves.astype(angles.dtype)
        return jnp.concatenate([angles[None], angles[None] + moves, angles[None] - moves])
    here, moves = np.asarray(angles, float), np.asarray(moves, float)
    which = np.arange(len(here))
    shifted = rounded(circuit, which, np.concatenate([here + moves, here - moves]), angles.dtype)
    return np.concatenate([np.asarray(angles)[None], shifted])


def check_memory(who: str, directions: int, angles: int, dtype: np.dtype) -> None:
    """Refuse settings that would not fit, and what they are made of."""
    needed = 4 * (1 + 2 * directions) * angles * np.dtype(dtype).itemsize
    require(
        f"{who} moves {angles:,} gate angles along {directions:,} directions, whose settings take",
        needed,
        allowed_bytes(),
        f"about {directions * allowed_bytes() // max(needed, 1):,} directions would fit",
    )


def mean_along(
    point: Point,
    value: tuple[Array, Array, Array | None],
    slopes: Float[Array, "D K"],
    directions: Float[Array, "D A"],
) -> Reading:
    """The reading from derivatives along independent directions.

    Whatever they scatter by, noise of shots included, the sample covariance of the products knows; of one direction
    nothing is known.

    Args:
        point: where.
        value: of the outputs (K,), its variance, and a bound on its bias or None.
        slopes: derivative d is that of the outputs along row d of `directions`.
        directions: E[v v^T] = 1; the reading is by their components.
    """
    xp = namespace((slopes, directions, point.cotangents))
    dtype = slopes.dtype
    directions = xp.asarray(directions, dtype)
    along = xp.asarray(point.cotangents, dtype) @ xp.asarray(slopes).T
    count = len(directions)
    gradient = along @ directions / count
    covariance = None
    if count == 1:
        variance = xp.full_like(gradient, np.nan)
        if point.objective.mixes_coordinates:
            covariance = xp.full((*gradient.shape, gradient.shape[1]), np.nan, dtype)
    else:
        scattered = along[:, :, None] * directions[None] - gradient[:, None]
        variance = xp.square(scattered).sum(axis=1) / (count - 1) / count
        if point.objective.mixes_coordinates:
            covariance = xp.einsum("cda,cdb->cab", scattered, scattered) / (count - 1) / count
    return Reading(
        value=value[0],
        gradient=gradient,
        variance=variance,
        value_variance=value[1],
        value_bias_bound=value[2],
        covariance=covariance,
        stats={"degrees_of_freedom": count - 1},
    )
