"""What an optimiser keeps that asks for shots direction by direction."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float, Int, PyTree

from ..array_types import Array

Allocation = Literal["step", "direction"]


class DirectionShots(eqx.Module):
    """How many shots directions are to take; see `quiver` for the formulas.

    Attributes:
        gradient: (P,) average of the gradient, raveled.
        square: average of the gradient's squared norm, or what it can be told from zero by.
        spread: average of the variance of a slope by one shot, times the squared step.
        reach: average of the length of a direction times the deviation of its slope by one shot.
        share: 1/C, the part of the gain that curvature takes.
        rate: L eta.
        taken: shots of a direction in the last estimate, on average.
        least, most: limits.
        allocation: which formula.
    """

    gradient: Float[Array, "P"]
    square: Float[Array, ""]
    spread: Float[Array, ""]
    reach: Float[Array, ""]
    share: Float[Array, ""]
    rate: Float[Array, ""]
    taken: Float[Array, ""]
    least: int = eqx.field(static=True)
    most: int = eqx.field(static=True)
    allocation: Allocation = eqx.field(static=True)

    def __call__(self, directions: Float[Array, "D P"], steps: Float[Array, "D"]) -> Int[Array, "D"]:
        """Shots of either evaluation along each direction, rows of `directions`, that far along them."""
        deviations = jnp.sqrt(self.spread) / steps
        if self.allocation == "direction":
            slopes = directions @ self.gradient
            mean = (1 / self.share - 1) * self.square
            wanted = 2 * deviations**2 / jnp.maximum(self.square / self.share - slopes**2, mean / 2)
        else:
            lengths = jnp.linalg.norm(directions, axis=1)
            gain = len(steps) * (1 - self.share) * self.square
            wanted = self.rate * self.reach * lengths * deviations / gain
        # Where neither slopes nor noise are left, more shots find nothing.
        wanted = jnp.where(jnp.isnan(wanted), self.least, jnp.ceil(wanted))
        return jnp.clip(wanted, self.least, self.most).astype(jnp.int32)


class QuiverState(NamedTuple):
    """What `quiver` keeps; `shots` says what the next directions are to take.

    Attributes:
        count: k, updates so far.
        gradient: running sum of the gradients, as the parameters.
        numbers: running sums of the squared slopes, their variances, their variances by one shot times the squared
            step, and the length of directions over the step.
        shots: a function of the next directions and steps.
    """

    count: Int[Array, ""]
    gradient: PyTree
    numbers: Float[Array, "4"]
    shots: DirectionShots
