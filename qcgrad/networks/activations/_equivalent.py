r"""The real activation to which a complex one reduces on real Gram matrices."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...errors import NotApplicable
from .._array_types import Energies, RealCovariances, RealDual, RealValues, Variances
from ._activation import AbstractActivation
from ._real import AbstractRealActivation
from ._series import Entries, horner, on_host


class HermiteSeries(AbstractRealActivation):
    r"""\(\sigma(x) = \sum_n s_n\,\widehat{he}_n(x/\sqrt q)\), orthonormal Hermite polynomials, for real networks.

    At variance q, \(\kappa = \sum_n s_n^2\rho^n\) and \(D = \tfrac1q\sum_n n\,s_n^2\rho^{n-1}\).

    Args:
        coefficients: s_0, s_1, ...
        variance: q, the variance of pre-activations that the series is written for.

    Raises:
        ValueError: no coefficients, or a variance that is not positive.

    Cost: one term for each coefficient and entry.

    Example:
        >>> from qcgrad import networks as nn
        >>> float(nn.HermiteSeries([0.0, 2.0]).value(1.5))  # 2 x
        3.0
    """

    coefficients: tuple[float, ...] = eqx.field(static=True)
    variance: float = eqx.field(static=True)

    def __init__(self, coefficients: Sequence[float] | Float[np.ndarray, "terms"], variance: float = 1.0):
        if not len(coefficients) or not variance > 0:
            raise ValueError(
                f"{len(coefficients)} coefficients and variance={variance!r}: give at least one, and a variance > 0"
            )
        self.coefficients, self.variance = tuple(float(s) for s in coefficients), float(variance)

    def function(self, x: RealValues) -> RealValues:
        return _hermite_sum(np.asarray(self.coefficients), jnp.asarray(x) / np.sqrt(self.variance).item())

    def slope(self, x: RealValues) -> RealValues:
        root = np.sqrt(self.variance).item()
        lowered = np.asarray(self.coefficients)[1:] * np.sqrt(np.arange(1, len(self.coefficients))) / root
        return _hermite_sum(np.append(lowered, 0), jnp.asarray(x) / root)

    def real_dual(self, q1: Variances, q2: Variances, covariance: RealCovariances) -> RealDual:
        kappa, slope, _ = on_host(self._dual, q1, q2, covariance)
        return kappa, slope

    def energies(self, variance: float, degree: int) -> Energies:
        self._check(np.asarray(variance))
        return np.pad(np.square(self.coefficients), (0, degree + 1))[: degree + 1]

    def _dual(self, entries: Entries):
        self._check(entries.q1)
        self._check(entries.q2)
        terms = np.asarray(self.coefficients)[:, None]
        kappa, slope = horner(terms, terms, entries.ratio)
        return kappa, slope / entries.scale, 0 * kappa

    def _check(self, variances):
        if not np.allclose(variances, self.variance, rtol=1e-5, atol=0):
            worst = variances.flat[np.argmax(np.abs(variances - self.variance))]
            raise NotApplicable(
                f"this Hermite series is written for variance {self.variance:.6g} and got {worst:.6g}: "
                "normalise the inputs, and build one series for the variance of each layer"
            )


def equivalent_real_activation(
    activation: AbstractActivation, variance: float = 1.0, degree: int = 128
) -> HermiteSeries:
    r"""The real function with the energies of a complex one: \(\sum_n \sqrt{c_n}\,\widehat{he}_n(x/\sqrt q)\).

    \(c_n = q^n\sum_{j+k=n} j!\,k!\,|a_{jk}|^2\), with the Itô-Hermite coefficients a of the complex activation.

    On inputs with a real Gram matrix and one norm, a complex network with circular weights has the same K and Theta as
    the real network of the same widths with this activation: \(\kappa(\rho) = \sum_n c_n\rho^n\) for real \(\rho\), and
    D + E is its derivative. With several variances, each pair of inputs would need its own function.

    Args:
        activation: a complex activation.
        variance: q, of the pre-activations of the layer (one series for each layer).
        degree: the last n. The cut leaves \(\mathbb E|\varphi|^2 - \sum_n c_n\) out of kappa at most.

    Returns:
        A `HermiteSeries` at that variance.

    Raises:
        TypeError: the activation is real already.

    Example:
        >>> from qcgrad import networks as nn
        >>> equivalent = nn.equivalent_real_activation(nn.Polynomial([0.0, 1.0, 0.5]))
        >>> [round(s, 6) for s in equivalent.coefficients[:3]]  # sqrt(p!) |a_p|
        [0.0, 1.0, 0.707107]
    """
    if activation.is_real:
        raise TypeError(f"{type(activation).__name__} is real already: give an activation of complex numbers")
    return HermiteSeries(np.sqrt(np.maximum(activation.energies(variance, degree), 0)), variance)


def _hermite_sum(coefficients, x):
    """sum_n s_n he_n(x), by the recurrence upwards: in a scan, so that the program does not grow with the degree."""
    order = np.arange(len(coefficients))
    rows = jnp.asarray(np.stack([coefficients, np.sqrt(order), np.sqrt(order + 1)], axis=1), x.dtype)

    def step(carry, row):
        total, previous, current = carry
        following = (x * current - row[1] * previous) / row[2]
        return (total + row[0] * current, current, following), None

    start = (jnp.zeros_like(x), jnp.zeros_like(x), jnp.ones_like(x))
    return jax.lax.scan(step, start, rows)[0][0]
