"""Any function as an activation."""

import warnings
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._array_types import Covariances, Numbers, Values, Variances, WirtingerPair
from .._wirtinger import wirtinger
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._angular import expand, mean_squares
from ._dual import Certificate, Dual
from ._growth import outgrows_gaussians
from ._improper import GaussianPair, ImproperDual, by_quadrature
from ._polar import by_polar
from ._series import Entries, by_variance, horner, on_host

#: Functions with poles: their Gaussian moments are infinite, whatever a quadrature grid happens to hit.
MEROMORPHIC = (jnp.tanh, jnp.tan, jnp.reciprocal, jax.nn.sigmoid, jax.nn.silu, np.tanh, np.tan, np.reciprocal)
#: A refined quadrature grid changes convergent mean squares of functions with kinks by less than this.
REFINEMENT = 0.05
#: Relative error of a dual map from which on the cut series warns.
TOLERANCE = 1e-5


class Generic(AbstractActivation):
    r"""phi(z) = function(z), derivatives by automatic differentiation, dual maps by Itô-Hermite series.

    With harmonics m = j - k and \(P_m(x) = \sum_j a_{mj}(q_1)\overline{a_{mj}(q_2)}x^j\),

    .. math:: \kappa = \sum_{m \ge 0} R^m P_m(|R|^2) + \sum_{m < 0} \bar R^{|m|} P_m(|R|^2),\qquad
        D = \partial\kappa/\partial K,\quad E = \partial\kappa/\partial\bar K .

    Smooth functions converge fast; kinks slowly, worst near |R| = 1. A class of this package for the function is faster
    and exact.

    Args:
        function: elementwise and JAX-differentiable.
        harmonics: how many angular harmonics to keep on each side.
        terms: how many radial terms for each.

    Raises:
        ValueError: the function has poles, grows as exp(r^2), or its Gaussian mean squares do not settle when the grid
            is refined.
        TypeError: no function.

    Warns:
        UserWarning: when a dual map is asked whose cut terms may exceed 1e-5 of it, or of a function with jumps.

    Cost: 49152 values and derivatives for each distinct variance; for each entry and each harmonic that is present
    `terms` terms.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> dual = nn.Generic(lambda z: z + 0.3 * z**2).dual(1.0, 1.0, 0.5 + 0.0j)
        >>> round(float(dual.kappa.real), 4)
        0.545
    """

    function: Callable = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)
    terms: int = eqx.field(static=True)
    verdict: Certificate = eqx.field(static=True)

    def __init__(self, function: Callable, harmonics: int = 32, terms: int = 64):
        if not callable(function):
            raise TypeError(f"function is {function!r}: give an elementwise function of complex arrays")
        if harmonics < 1 or terms < 1 or harmonics > 120:
            raise ValueError(f"harmonics={harmonics} and terms={terms}: give 1 to 120 harmonics, and at least 1 term")
        self.function, self.harmonics, self.terms = function, harmonics, terms
        self.verdict = _examine(self)
        if not self.verdict.has_kernel:
            raise ValueError(f"function: {self.verdict.reason}; there is no finite kernel, so give another function")

    @property
    def certificate(self) -> Certificate:
        return self.verdict

    @property
    def symmetry(self) -> Symmetry:
        return "none"

    def value(self, z: Numbers) -> Values:
        return self.function(as_complex_data("z", z))

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        z = as_complex_data("z", z)
        holomorphic, antiholomorphic = jax.vmap(wirtinger(self.function))(z.reshape(-1))
        return holomorphic.reshape(z.shape) + 0j, antiholomorphic.reshape(z.shape) + 0j

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        self._warn()
        return by_quadrature(self, pair) if self._is_smooth else by_polar(self, pair)

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        self._warn()
        return on_host(self._dual, q1, q2, covariance)

    @property
    def _is_smooth(self) -> bool:
        """Whether few terms hold nearly all of the slopes at unit variance: kinks leave a long tail."""
        _, rest = self._coefficients([1.0])
        return float(rest[0]) < 1e-6

    def _warn(self):
        if not self.verdict.is_true_linearization:
            warnings.warn(f"function: {self.verdict.reason}: this kernel is not that of training", stacklevel=3)

    def _coefficients(self, variances):
        expansion = expand(self, variances, self.harmonics, self.terms)
        found = np.sum(expansion.orders() * np.abs(expansion.terms) ** 2, axis=(0, 1))
        energy = np.where(expansion.slope_energy > 0, expansion.slope_energy, 1)
        return expansion.terms, np.maximum(1 - found / energy, 0)

    def _dual(self, entries: Entries):
        q1, q2, ratio, _, scale = entries
        (terms1, rest1), (terms2, rest2) = by_variance(self._coefficients, q1, q2)
        lowest = min(self.harmonics + 1, 2 * self.terms)
        missing = float(np.max(np.abs(ratio) ** (lowest - 1) * np.sqrt(rest1 * rest2)))
        if missing > TOLERANCE and self.verdict.is_true_linearization:
            warnings.warn(
                f"the cut series of this function may miss {missing:.1e} of D and E: raise harmonics or terms, or use "
                "a class made for the function",
                stacklevel=4,
            )
        kappa, by_ratio, by_conjugate = np.zeros((3, *ratio.shape), complex)
        size = np.max(np.abs(terms1), axis=tuple(range(1, terms1.ndim)))
        for index in np.flatnonzero(size > 1e-12 * max(np.max(size), np.finfo(float).tiny)):
            m = index - self.harmonics
            value, slope = horner(terms1[index], terms2[index], np.abs(ratio) ** 2)
            base = ratio if m >= 0 else ratio.conj()
            power = base ** abs(m)
            lowered = abs(m) * base ** (abs(m) - 1) * value if m else 0
            kappa += power * value
            # d|R|^2/dR is conj(R), and the other way round.
            by_ratio += power * ratio.conj() * slope + (lowered if m > 0 else 0)
            by_conjugate += power * ratio * slope + (lowered if m < 0 else 0)
        return kappa, by_ratio / scale, by_conjugate / scale


def _examine(activation) -> Certificate:
    if activation.function in MEROMORPHIC:
        return Certificate(False, False, "meromorphic, and poles make the Gaussian mean squares infinite")
    turns = np.exp(2j * np.pi * np.arange(16) / 16)[:, None]
    if outgrows_gaussians(lambda r: np.max(np.abs(np.asarray(activation.value(r * turns))), axis=0)):
        return Certificate(False, False, "it grows as exp(r^2) or faster, so that its mean squares are infinite")
    coarse, fine = mean_squares(activation, 1.0, 48, 48), mean_squares(activation, 1.0, 256, 192)
    largest = max(*fine, 1e-12)
    if not np.all(np.isfinite(fine)) or any(
        abs(a - b) > REFINEMENT * largest for a, b in zip(coarse, fine, strict=True)
    ):
        return Certificate(
            False, False, "the mean squares of its value or derivatives diverge (poles, or singular slope)"
        )
    expansion = expand(activation, [1.0], 40, 80)
    found = float(np.sum(expansion.orders() * np.abs(expansion.terms) ** 2))
    if found > (1 + REFINEMENT) * expansion.slope_energy[0] + 1e-9:
        return Certificate(True, False, "it seems to jump: its expansion changes faster than its derivatives say")
    return Certificate(True, True, "its mean squares settle when the quadrature grid is refined")
