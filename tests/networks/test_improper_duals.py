"""Dual maps of improper Gaussians."""

import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad.networks.activations.improper import GaussianPair, by_quadrature


class _Hidden(nn.AbstractActivation):
    """An activation that does not tell how it was made, so that quadrature has to do."""

    inner: nn.AbstractActivation

    @property
    def certificate(self):
        return self.inner.certificate

    @property
    def symmetry(self):
        return "none"

    def value(self, z):
        return self.inner.value(z)

    def wirtinger(self, z):
        return self.inner.wirtinger(z)

    def dual(self, q1, q2, covariance):
        return self.inner.dual(q1, q2, covariance)


def _pair(correlation):
    """Gaussians with pseudo-covariances; `correlation` mixes an independent part in."""
    root = np.array([[1.0, 0.3], [-0.2, 0.7]])
    u = root @ root.T
    cross = correlation * root @ np.array([[0.8, 0.6], [-0.6, 0.8]]) @ root.T

    def moments(block):
        (rr, ri), (ir, ii) = block
        return jnp.asarray(rr + ii + 1j * (ir - ri)), jnp.asarray(rr - ii + 1j * (ir + ri))

    (q, c), (covariance, pseudo) = moments(u), moments(cross)
    return GaussianPair(q.real, q.real, c, c, covariance, pseudo)


@pytest.mark.parametrize(("correlation", "value", "slope"), [(0.5, 4e-3, 2e-2), (0.95, 4e-3, 4e-2)])
def test_quadrature_of_kinks(correlation, value, slope):
    """Split ReLU, exact by components: what quadrature loses to kinks and to jumps of the derivative."""
    exact = nn.SplitReLU().improper_dual(_pair(correlation))
    close = _Hidden(nn.SplitReLU()).improper_dual(_pair(correlation))
    for name, one, other in zip(exact._fields, exact, close, strict=True):
        assert abs(complex(one - other)) < (value if name in ("kappa", "pseudo") else slope), name


def test_quadrature_meets_proper_duals():
    """C = 0: exact for polynomials in z and conj z."""
    activation = nn.Polynomial([[0.1, 0.4j, 0.2], [1.0, 0.2, 0], [0.3j, 0, 0]])
    proper = activation.dual(1.3, 0.8, 0.5 + 0.6j)
    zero = jnp.zeros((), complex)
    dual = by_quadrature(
        activation, GaussianPair(jnp.asarray(1.3), jnp.asarray(0.8), zero, zero, zero + 0.5 + 0.6j, zero)
    )
    np.testing.assert_allclose([dual.kappa, dual.hh, dual.aa], proper, atol=1e-12)
