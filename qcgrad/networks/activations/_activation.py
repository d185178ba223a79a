"""The interface of an activation function: values, derivatives, and what it does to Gaussian pre-activations."""

import abc
from typing import TYPE_CHECKING, ClassVar, Literal

from ...array_types import Key
from .._array_types import Batch, Covariances, Energies, Gaps, Numbers, Outputs, Values, Variances, WirtingerPair
from ..kernel_state import KernelState
from ..layers.layer import AbstractLayer
from ._angular import energies_by_quadrature
from ._dual import Certificate, Dual
from ._improper import GaussianPair, ImproperDual
from ._polar import by_polar
from ._propagate import propagate

if TYPE_CHECKING:
    from ..rules._activation_rule import ActivationRule


Symmetry = Literal["phase", "split", "holomorphic", "none"]


class AbstractActivation(AbstractLayer):
    """A function applied to every entry. Subclasses give `value`, `wirtinger`, `dual` and `certificate`."""

    #: Whether this is a function of real numbers, for real networks: `value` refuses complex ones, `dual` is about
    #: real Gaussians.
    is_real: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def certificate(self) -> Certificate:
        """Whether the function has kernels, and why not."""

    @property
    @abc.abstractmethod
    def symmetry(self) -> Symmetry:
        """ "phase": phi(e^{ia} z) = e^{ia} phi(z); "split": acts on Re and Im alike; or neither."""

    @abc.abstractmethod
    def value(self, z: Numbers) -> Values:
        """phi(z), any shape."""

    @abc.abstractmethod
    def wirtinger(self, z: Numbers) -> WirtingerPair:
        """(phi_z, phi_zbar), almost everywhere, same shape as z."""

    @abc.abstractmethod
    def dual(self, q1: Variances, q2: Variances, covariance: Covariances) -> Dual:
        """The dual maps, elementwise on arrays that broadcast: q1, q2 real, covariance complex, |K|^2 <= q1 q2."""

    #: phi(c z) = c phi(z) for c > 0.
    is_homogeneous: ClassVar[bool] = False

    @property
    def jumps(self) -> bool:
        """Whether the function jumps, so that its kernel falls like sqrt(1 - |rho|) near correlation one."""
        return False

    def dual_at(self, q1: Variances, q2: Variances, covariance: Covariances, gap: Gaps | None = None) -> Dual:
        """`dual`, told the gap 1 - |rho| with more digits than the covariance has, or None; for functions that feel it.

        Where `gap` is zero the Gaussians are multiples of each other, whatever the covariance rounds to.
        """
        del gap
        return self.dual(q1, q2, covariance)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def init(self, key: Key, shape: tuple[int, ...]) -> tuple[()]:
        return ()

    def apply(self, params: tuple[()], x: Batch, rule: "ActivationRule | None" = None) -> Outputs:
        return self.value(x) if rule is None else rule.activate(self, x)

    def improper_dual(self, pair: GaussianPair) -> ImproperDual:
        """The dual maps of Gaussians with pseudo-covariances; by quadrature where a class has nothing better."""
        return by_polar(self, pair)

    def energies(self, variance: float, degree: int) -> Energies:
        """c_n, n = 0 ... degree: squares of the Hermite coefficients of total degree n, at one variance."""
        return energies_by_quadrature(self, variance, degree)

    def propagate(self, state: KernelState) -> KernelState:
        return propagate(self, state)
