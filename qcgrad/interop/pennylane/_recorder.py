"""What of a QNode's numbers depends on its arguments."""

from typing import SupportsComplex

import numpy as np
from jax.core import Tracer
from jaxtyping import Num, Shaped
from numpy.typing import ArrayLike

from ...array_types import Array
from ...errors import ImportRefused
from ..instructions._angle import Angle, as_angle


class Recorder:
    """Collects the angles that depend on the arguments.

    Attributes:
        values: these angles, as JAX traces them; the one at place k has `Angle(atom=k)`.
    """

    def __init__(self):
        self.values: list[Tracer] = []
        self._places: dict[int, int] = {}

    def angle(self, value: Tracer | complex | Num[Array, ""]) -> Angle:
        """A scalar gate parameter, an `Angle` constant unless it depends on the arguments."""
        if np.ndim(value):
            raise ImportRefused(f"a gate parameter has shape {np.shape(value)}: broadcasting is not supported")
        if not isinstance(value, Tracer):
            return as_angle(real(value))
        if np.dtype(value.dtype).kind == "c":
            raise ImportRefused("a gate has a complex parameter that depends on the arguments: give it jnp.real(...)")
        # The same object is the same angle: tapes that share operations stay equal.
        place = self._places.setdefault(id(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return Angle(place, 1.0, 0.0)

    def constant(self, value: Tracer | ArrayLike, what: str) -> Shaped[np.ndarray, "..."]:
        """Numbers that must not depend on the arguments."""
        if isinstance(value, Tracer):
            raise ImportRefused(f"{what} depends on the arguments: only angles of gates can be differentiated")
        return np.asarray(value)


def real(value: SupportsComplex | float) -> float:
    """A number without an imaginary part, or one clear error."""
    number = complex(value)
    if number.imag:
        raise ImportRefused(f"a gate has the complex parameter {value}: angles are real")
    return number.real
