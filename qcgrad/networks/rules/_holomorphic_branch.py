"""Half of the chain rule."""

from .._array_types import Values
from ._activation_rule import ActivationRule


class HolomorphicBranch(ActivationRule):
    r"""Only \(\varphi_z\): as if the activation were holomorphic (V1). Exact where it is, biased elsewhere."""

    def branches(self) -> tuple[float, float]:
        return 1.0, 0.0

    def pull_back(self, holomorphic: Values, antiholomorphic: Values, cotangent: Values) -> Values:
        del antiholomorphic
        return holomorphic * cotangent
