"""Whether a function grows too fast for Gaussian moments."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ...array_types import Array

#: Far beyond all that grows as exp(|z|), well below where that overflows.
_RADII = np.array([20.0, 40.0])


def outgrows_gaussians(modulus: Callable[[Float[np.ndarray, "2"]], Float[Array, "2"]]) -> bool:
    r"""Whether \(\log|\varphi|\) grows about as \(r^2\) or faster, so that mean squares are infinite at some variance.

    Args:
        modulus: |phi| as a function of radii (2,), the largest over all angles.
    """
    with np.errstate(all="ignore"):
        near, far = np.log(np.asarray(modulus(_RADII), float))
    # Twice the radius: twice the logarithm for exp(r), four times for exp(r^2), hardly more for powers.
    return bool(near > 1 and not far < 3 * near)
