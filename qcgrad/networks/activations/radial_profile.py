r"""Profiles of the modulus given as functions."""

from collections.abc import Callable

import equinox as eqx
import numpy as np

from .radial import AbstractRadial


class RadialProfile(AbstractRadial):
    r"""\(h(|z|)\,e^{i\theta}\) for any profile h.

    Args:
        profile: h(r), elementwise on NumPy and JAX arrays, with h(0) = 0.
        slope: h'(r).
        threshold: c: h counts as zero for r < c; it must be smooth for r > c.

    Raises:
        ValueError: h does not vanish at the origin, where \(\mathbb E|\varphi_{\bar z}|^2\) then diverges, or is not
            finite, or `threshold` is negative.

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
        if not self.certificate.has_kernel:
            raise ValueError(f"{self.certificate.reason}; give a profile with h(0) = 0, or a threshold above zero")

    @property
    def threshold(self):
        return self.c

    def profile(self, r):
        return self.h(r)

    def profile_slope(self, r):
        return self.slope(r)
