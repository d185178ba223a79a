"""What random directions are made of: the angle of each gate, or a circuit's parameters."""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ....array_types import Array
from ....ir import Circuit
from ....objective import Reading

Moving = Literal["angles", "parameters"]
ANGLES: Moving = "angles"
MOVING = (ANGLES, "parameters")


class Space(NamedTuple):
    """Numbers x of which angle a takes `scale[a] x[index[a]]`.

    Attributes:
        size: S, how many numbers.
        index, scale: (A,).
    """

    size: int
    index: Int[np.ndarray, "A"]
    scale: Float[np.ndarray, "A"]

    def along(self, drawn: Float[Array, "D S"]) -> Float[Array, "D A"]:
        """How far the angles move."""
        return drawn[:, self.index] * self.scale.astype(drawn.dtype)[None]

    def bandwidth(self, by_gate: Float[np.ndarray, "A"]) -> float:
        """The fastest frequency along a direction of ones."""
        return float(np.abs(self.scale) @ by_gate)

    def by_angle(self, reading: Reading) -> Reading:
        """A reading by x as one by angles that the chain rule carries back to it.

        Only sums over the angles of a number are known. Each gets a share in proportion to its scale.
        """
        squares = np.bincount(self.index, self.scale**2, self.size)[self.index]
        share = np.divide(self.scale, squares, out=np.zeros_like(squares), where=squares > 0)
        share = share.astype(reading.gradient.dtype)[None]
        covariance = reading.covariance
        if covariance is not None:
            covariance = covariance[:, self.index][:, :, self.index] * (share.T * share)[None]
        return reading._replace(
            gradient=reading.gradient[:, self.index] * share,
            variance=reading.variance[:, self.index] * share**2,
            bias_bound=None if reading.bias_bound is None else reading.bias_bound[:, self.index] * abs(share),
            covariance=covariance,
        )


@lru_cache(maxsize=32)
def space(circuit: Circuit, moving: Moving) -> Space:
    """The angles of a circuit, or those of its parameters that it uses."""
    index, scale, _ = circuit.angle_map
    if moving == ANGLES:
        return Space(len(index), np.arange(len(index)), np.ones(len(index)))
    used, place = np.unique(index, return_inverse=True)
    return Space(len(used), place, scale)
