"""ModReLU: rectified moduli."""

from numbers import Real

import equinox as eqx

from .._array_types import RealValues
from ._radial import AbstractRadial


class ModReLU(AbstractRadial):
    r"""\(\max(|z| + b, 0)\,e^{i\theta}\) with b <= 0: keeps phases, drops small moduli.

    Args:
        b: the bias, zero or negative, in units of z.

    Raises:
        TypeError: b is no real number.
        ValueError: b > 0: \(\mathbb E|\varphi_{\bar z}|^2\) diverges logarithmically at the origin.

    Cost of a dual map: up to 512 terms for each entry; 3500 integrand values where |R| is within 3 % of one.

    Example:
        >>> from qcgrad import networks as nn
        >>> dual = nn.ModReLU(b=0.0).dual(1.0, 1.0, 0.5 + 0.5j)  # b = 0 is the identity
        >>> abs(complex(dual.kappa) - (0.5 + 0.5j)) < 1e-12
        True

    References:
        M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent neural networks", ICML 2016.
    """

    b: float = eqx.field(static=True)
    called = "modrelu"

    def __init__(self, b: float):
        if not isinstance(b, Real):
            raise TypeError(f"b={b!r}: give one real number, zero or negative")
        if b != b:
            raise ValueError("b=nan: give b <= 0")
        if not b <= 0:
            raise ValueError(
                f"b={b!r}: with a positive bias E|phi_zbar|^2 diverges logarithmically, so there is no finite NTK; "
                "give b <= 0"
            )
        if b == -float("inf"):
            raise ValueError("b=-inf: the activation would be zero everywhere; give a finite bias")
        self.b = float(b)

    @property
    def threshold(self) -> float:
        return -self.b

    def profile(self, r: RealValues) -> RealValues:
        return r + self.b

    def profile_slope(self, r: RealValues) -> RealValues:
        return r * 0 + 1
