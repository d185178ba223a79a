r"""Collective measurements of many copies in the large-k limit: a mean and a covariance.

For k equal copies the operators \(F_j = \sum_i (A_j - \langle A_j\rangle)_i/\sqrt k\) become quadratures of a Gaussian
state with

.. math:: C_{ij} = \mathrm{Re}\langle A_i A_j\rangle - \langle A_i\rangle\langle A_j\rangle, \qquad
    [F_i, F_j] = 2i\,\Omega_{ij}, \quad \Omega_{ij} = \mathrm{Im}\langle A_i A_j\rangle .

Measuring F_j with the Kraus operator f(F_j) does two things to the others. What is learned of F_j moves their mean and
covariance by regression (Kalman). And f does not commute with them: to the momentum p of F_j, of which F_i holds
\(-2\Omega_{ij}\,p\), it adds the variance

.. math:: \Delta = \frac{E[f'^2 - f f'']}{2 E[f^2]}, \qquad C \mathrel{+}= 4 \Delta\, \Omega_{:j}\Omega_{:j}^T ,

because the Weyl symbol of \(f p^2 f\) is \(p^2 f^2 + (f'^2 - f f'')/2\) and its first part is the regression. For a
Gaussian pointer \(\Delta = 1/(4s^2)\) whatever its outcome.

**Error.** O(1/sqrt k) for pointers. Disturbance moves no mean in this limit: the dephasing of each copy by about
1/(4 s^2 k) a pointer is what the model misses. What a threshold check leaves is not Gaussian; matching its mean and
variance is the better the more rarely checks stop, at any k (Kolmogorov distance of a disturbed count at k = 225: 0.06
where half of the checks stop, 0.02 where one in 50 does).

References:
    K. Hammerer, A. S. Sørensen, E. S. Polzik, "Quantum interface between light and atomic ensembles", Rev. Mod.
    Phys. 82, 1041 (2010), arXiv:0807.3358, for Gaussian states of collective spins. The derivation is in
    theory/quantum_backprop/exact_and_gaussian.md.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Complex, Float, Int

from ...ir.sweep_form import SweepForm
from . import moments
from .checks import Check

# Standard deviations of S that its grid covers.
_GRID_RADIUS = 9.0
# Variances of S below this, in copies^2: the count is known, so nothing is learned or disturbed.
_SHARP = 1e-9


@dataclass(frozen=True, eq=False)
class GaussianModel:
    """Means and covariances of V collective observables on k copies.

    Attributes:
        copies: k.
        expectations: (V,) <A> on one fresh copy.
        shift: (V,) mean of F, zero before anything is measured.
        covariance: (V, V), C.
        commutators: (V, V), Omega.
    """

    copies: int
    expectations: np.ndarray
    shift: np.ndarray
    covariance: np.ndarray
    commutators: np.ndarray

    @classmethod
    def of_moments(
        cls, copies: int, expectations: Float[np.ndarray, "V"], products: Complex[np.ndarray, "V V"]
    ) -> "GaussianModel":
        """The model of k fresh copies with <A_i> (V,) and <A_i A_j> (V, V)."""
        covariance = np.real(products) - np.outer(expectations, expectations)
        return cls(copies, expectations, np.zeros(len(expectations)), covariance, np.imag(products))

    @classmethod
    def of_form(cls, form: SweepForm, copies: int, order: Int[np.ndarray, "V"]) -> "GaussianModel":
        """The model of the strings `order` of a form, in that order."""
        products = moments.products(form)[np.ix_(order, order)]
        return cls.of_moments(copies, moments.expectations(form)[order], products)

    @property
    def means(self) -> Float[np.ndarray, "V"]:
        """(V,) mean outcomes, as estimates of <A>."""
        return self.expectations + self.shift / math.sqrt(self.copies)

    def read_pointer(self, j: int, variance: float, rng: np.random.Generator) -> tuple[float, "GaussianModel"]:
        """As `SymmetricState.read_pointer`, for observable j."""
        spread = math.sqrt((self.covariance[j, j] + variance) / self.copies)
        outcome = rng.normal(self.means[j], spread)
        return outcome, self.after_pointer(j, variance, outcome)

    def after_pointer(self, j: int, variance: float, outcome: float) -> "GaussianModel":
        """The model after a pointer outcome."""
        column, kick = self.covariance[:, j], self.commutators[:, j]
        gain = column / (self.covariance[j, j] + variance)
        surprise = math.sqrt(self.copies) * (outcome - self.means[j])
        covariance = self.covariance - np.outer(gain, column) + np.outer(kick, kick) / variance
        return replace(self, shift=self.shift + gain * surprise, covariance=covariance)

    def check(self, j: int, check: Check, rng: np.random.Generator) -> tuple[int, "GaussianModel"]:
        """A threshold check of observable j: its side, and the model where it passed."""
        counts, weights = self._grid(j)
        side = int(check.draw(rng.choice(counts, p=weights), rng))
        return side, self if side else self.filtered(j, lambda s: np.sqrt(check.passing(s)))

    def filtered(self, j: int, kraus: Callable[[Int[np.ndarray, "S"]], Float[np.ndarray, "S"]]) -> "GaussianModel":
        """The model after an outcome whose Kraus operator is a function f of the count S.

        The count's posterior is matched in mean and variance on its grid. f may have kinks, so its derivatives are
        differences over whole copies.
        """
        prior = self.covariance[j, j]
        if self.copies * prior / 4 < _SHARP:
            return self
        counts, weights = self._grid(j)
        mean, variance = _moments(counts, weights)
        # One unit of S is 2/sqrt(k) units of F.
        scale = 2 / math.sqrt(self.copies)
        f = kraus(np.arange(counts[0] - 1, counts[-1] + 2))
        left, f, right = f[:-2], f[1:-1], f[2:]
        passed = weights @ f**2
        posterior, spread = _moments(counts, weights * f**2 / passed)
        slope, curvature = ((right - left) / 2) ** 2, right**2 + left**2 - 2 * f**2
        # A count sharper than one copy is coherent with no other, so nothing is left to disturb.
        coherence = math.exp(-2 / (self.copies * prior))
        kick = 4 / scale**2 * coherence * max(weights @ (slope - curvature / 4) / passed, 0.0)
        gain, disturbed = self.covariance[:, j] / prior, self.commutators[:, j]
        # As a ratio, so that a prior of a few counts keeps its variance positive.
        learned = np.outer(gain, gain) * prior * (spread / variance - 1)
        return replace(
            self,
            shift=self.shift + gain * scale * (posterior - mean),
            covariance=self.covariance + learned + kick * np.outer(disturbed, disturbed),
        )

    def _grid(self, j):
        """Counts S near their mean and the Gaussian's weights on them."""
        deviation = math.sqrt(max(self.copies * self.covariance[j, j], 0.0)) / 2
        centre = float(np.clip(self.copies * (1 + self.means[j]) / 2, 0, self.copies))
        radius = _GRID_RADIUS * deviation + 1
        low, high = max(0, math.floor(centre - radius)), min(self.copies, math.ceil(centre + radius))
        counts = np.arange(low, high + 1)
        exponent = -((counts - centre) ** 2) / (2 * max(deviation, 1e-3) ** 2)
        weights = np.exp(exponent - exponent.max())
        return counts, weights / weights.sum()


def _moments(counts, weights):
    mean = weights @ counts
    return mean, weights @ (counts - mean) ** 2
