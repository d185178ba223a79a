r"""Split activations: one real function on real and imaginary parts."""

import abc

import jax
import jax.numpy as jnp

from .._array_types import Covariances, Energies, Gaps, Numbers, Values, Variances, WirtingerPair
from .._gap import gaps_of_parts
from ..leaves import as_complex_data
from ._activation import AbstractActivation, Symmetry
from ._differentiated import differentiated
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual, of_components
from ._real import AbstractRealActivation


class AbstractSplit(AbstractActivation):
    r"""\(\varphi(x + iy) = \sigma(x) + i\,\sigma(y)\), everything from the real activation `part`.

    With k and k' the dual maps of \(\sigma\) and \(\sigma'\) at the component variances q/2,

    .. math:: \kappa &= 2k(K_r/2) + i\,[k(K_i/2) - k(-K_i/2)], \\
        D, E &= \tfrac12[k'(K_r/2) \pm \tfrac12(k'(K_i/2) + k'(-K_i/2))].
    """

    @property
    @abc.abstractmethod
    def part(self) -> AbstractRealActivation:
        """The real function."""

    @property
    def certificate(self) -> Certificate:
        return self.part.certificate

    @property
    def symmetry(self) -> Symmetry:
        return "split"

    def value(self, z: Numbers) -> Values:
        return differentiated(self._value, self.wirtinger, as_complex_data("z", z))

    def _value(self, z):
        return jax.lax.complex(self.part.function(jnp.real(z)), self.part.function(jnp.imag(z)))

    def wirtinger(self, z: Numbers) -> WirtingerPair:
        z = as_complex_data("z", z)
        along_x, along_y = (jnp.asarray(self.part.slope(x)) for x in (jnp.real(z), jnp.imag(z)))
        return (along_x + along_y) / 2 + 0j, (along_x - along_y) / 2 + 0j

    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        return self.dual_at(q1, q2, covariance)

    # Not compiled as a whole: closed-form parts are, and those by series (Tanh) run on the host.
    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        first, second = jnp.asarray(q1) / 2, jnp.asarray(q2) / 2
        in_phase, quadrature = jnp.real(covariance) / 2, jnp.imag(covariance) / 2
        gap, across = (None, None) if gap is None else gaps_of_parts(covariance, gap)
        real, real_slope = self.part.real_dual_at(first, second, in_phase, gap)
        plus, plus_slope = self.part.real_dual_at(first, second, quadrature, across)
        minus, minus_slope = self.part.real_dual_at(first, second, -quadrature, across)
        mixed = (plus_slope + minus_slope) / 2
        return Dual(2 * real + 1j * (plus - minus), (real_slope + mixed) / 2 + 0j, (real_slope - mixed) / 2 + 0j)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        return of_components(self.part, pair)

    def energies(self, variance: float, degree: int) -> Energies:
        """The energies c_n, n = 0 ... degree: those of `part` twice, at the variance of a component."""
        return 2 * self.part.energies(variance / 2, degree)
