"""The chain rule, written out."""

from typing import ClassVar

import jax.numpy as jnp

from .._array_types import Values
from ._activation_rule import ActivationRule


class FullWirtinger(ActivationRule):
    """The true gradient: both branches."""

    is_exact: ClassVar[bool] = True

    def branches(self) -> tuple[float, float]:
        return 1.0, 1.0

    def pull_back(self, holomorphic: Values, antiholomorphic: Values, cotangent: Values) -> Values:
        return holomorphic * cotangent + jnp.conj(antiholomorphic * cotangent)
