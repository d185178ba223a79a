"""The chain rule, written out."""

from typing import ClassVar

import jax.numpy as jnp

from .activation_rule import ActivationRule


class FullWirtinger(ActivationRule):
    """The true gradient: both branches."""

    is_exact: ClassVar[bool] = True

    def branches(self):
        return 1.0, 1.0

    def pull_back(self, holomorphic, antiholomorphic, cotangent):
        return holomorphic * cotangent + jnp.conj(antiholomorphic * cotangent)
