r"""Profiles of the modulus given as functions."""

from collections.abc import Callable

import equinox as eqx
import numpy as np

from .._array_types import RealValues
from ._growth import outgrows_gaussians
from ._radial import AbstractRadial


class RadialProfile(AbstractRadial):
    r"""\(h(|z|)\,e^{i\theta}\) for any profile h.

    Args:
        profile: h(r), elementwise on NumPy and JAX arrays, with h(0) = 0.
        slope: h'(r).
        threshold: c: h counts as zero for r < c; it must be smooth for r > c.

    Raises:
        ValueError: h does not vanish at the origin, where \(\mathbb E|\varphi_{\bar z}|^2\) then diverges, or is not
            finite, or grows as exp(r^2); `slope` is not its derivative; `threshold` is negative.

    Cost of a dual map: as for `ModReLU`; less the smoother h is.

    Example:
        >>> import jax.numpy as jnp
        >>> from qcgrad import networks as nn
        >>> squash = nn.RadialProfile(lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2)
        >>> complex(squash.value(3.0j))
        0.75j
    """

    h: Callable = eqx.field(static=True)
    slope: Callable = eqx.field(static=True)
    c: float = eqx.field(static=True)

    def __init__(self, profile: Callable, slope: Callable, threshold: float = 0.0):
        if not 0 <= threshold < float("inf"):
            raise ValueError(f"threshold={threshold!r}: give the modulus below which h is zero, 0 or larger")
        self.h, self.slope, self.c = profile, slope, float(threshold)
        sample = np.linspace(self.c, self.c + 10, 101)
        if not all(np.all(np.isfinite(np.asarray(f(sample)))) for f in (profile, slope)):
            raise ValueError(f"profile and slope have to be finite from r = {self.c} on")
        if outgrows_gaussians(lambda r: np.abs(np.asarray(profile(r)))):
            raise ValueError("profile grows as exp(r^2) or faster, so that its Gaussian mean squares are infinite")
        _check_slope(profile, slope, sample[1:])
        if not self.certificate.has_kernel:
            raise ValueError(f"{self.certificate.reason}; give a profile with h(0) = 0, or a threshold above zero")

    @property
    def threshold(self) -> float:
        return self.c

    def profile(self, r: RealValues) -> RealValues:
        return self.h(r)

    def profile_slope(self, r: RealValues) -> RealValues:
        return self.slope(r)


def _check_slope(profile, slope, r):
    """Refuse a slope that central differences contradict."""
    step = 1e-3
    difference = (np.asarray(profile(r + step), float) - np.asarray(profile(r - step), float)) / (2 * step)
    claimed = np.asarray(slope(r), float) * np.ones_like(r)
    # Functions in single precision leave 1e-4 of rounding in a difference; kinks, a few points that disagree.
    wrong = np.abs(difference - claimed) > 1e-2 * (1 + np.abs(claimed))
    if np.mean(wrong) > 0.1:
        at = int(np.argmax(wrong))
        raise ValueError(
            f"slope({r[at]:.3g}) is {claimed[at]:.3g}, but profile changes by {difference[at]:.3g} there: give the "
            "derivative of profile, for example jax.vmap(jax.grad(profile))"
        )
