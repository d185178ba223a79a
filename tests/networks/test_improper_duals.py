"""Dual maps of improper Gaussians."""

import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad import ntk
from qcgrad.networks.activations._improper import GaussianPair, by_quadrature


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


@pytest.mark.parametrize("correlation", [0.5, 0.95, 1.0])
def test_jumps_of_slopes(correlation):
    """Split ReLU, exact by components: what quadrature loses to jumps of the derivative across rays."""
    exact = nn.SplitReLU().improper_dual(_pair(correlation))
    close = _Hidden(nn.SplitReLU()).improper_dual(_pair(correlation))
    for name, one, other in zip(exact._fields, exact, close, strict=True):
        assert abs(complex(one - other)) < (2e-3 if name in ("kappa", "pseudo") else 4e-3), name


RAYS = {
    "modrelu": nn.ModReLU(-0.5),
    "high threshold": nn.ModReLU(-1.5),
    "squash": nn.RadialProfile(lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2),
    "cardioid": nn.Cardioid(),
}


@pytest.mark.parametrize("name", RAYS)
@pytest.mark.parametrize("ratio", [0.3 - 0.4j, 0.9j, 0.999, 1.0])
def test_without_pseudo_covariances_duals_are_the_proper_ones(name, ratio):
    zero = jnp.zeros((), complex)
    pair = GaussianPair(jnp.asarray(1.3), jnp.asarray(0.8), zero, zero, zero + ratio * 1.04**0.5, zero)
    found, proper = RAYS[name].improper_dual(pair), RAYS[name].dual(1.3, 0.8, pair.covariance)
    np.testing.assert_allclose([found.kappa, found.hh, found.aa], proper, atol=1.5e-3)


def _mean_squares(activation, threshold, q, tau):
    """E[phi conj phi], E[phi_z conj phi_z] and E[phi_zbar conj phi_zbar] of one Gaussian, E[u^2] = tau q."""
    angle = 2 * np.pi * (np.arange(4000) + 0.5) / 4000
    u = np.sqrt(q / 2) * (np.sqrt(1 + tau) * np.cos(angle) + 1j * np.sqrt(1 - tau) * np.sin(angle))
    start = threshold**2 / np.abs(u) ** 2 / 2
    nodes, weights = np.polynomial.laguerre.laggauss(60)
    z = np.sqrt(2 * (start[:, None] + nodes)) * u[:, None]
    measure = np.exp(-start)[:, None] * weights / 4000
    functions = activation.value(z), *activation.wirtinger(z)
    return [np.sum(measure * np.abs(f) ** 2) for f in map(np.asarray, functions)]


@pytest.mark.parametrize(("b", "tau"), [(-1.0, 0.99), (-1.0, 0.9), (-0.5, 0.5)])
def test_nearly_real_gaussians_under_a_threshold(b, tau):
    """A bug: Gauss-Hermite nodes do not see where the modulus passes the threshold; slopes were 3 to 25 % off."""
    q, activation = 0.625, nn.ModReLU(b)
    own = tau * q + 0j
    dual = activation.improper_dual(GaussianPair(*map(jnp.asarray, (q, q, own, own, q + 0j, own))))
    expected = _mean_squares(activation, -b, q, tau)
    np.testing.assert_allclose([dual.kappa, dual.hh, dual.aa], expected, atol=5e-4)


@pytest.mark.parametrize("activation", [nn.Cardioid(), nn.ModReLU(-0.5), nn.SplitTanh()])
def test_kernels_of_improper_networks_are_as_symmetric_as_what_takes_them_asks(activation):
    """A bug: quadrature in two frames left 1e-4 between entries that are conjugates, and `gradient_flow` refused."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 5, 4)) + 1j * rng.normal(size=(2, 5, 4))
    k = nn.serial(nn.Dense(9), nn.Cardioid(), nn.Dense(9, tau=0.4), activation, nn.Dense(1, tau=1.0)).kernel(x)
    np.testing.assert_allclose(k.ntk, k.ntk.conj().T, atol=1e-13)
    np.testing.assert_allclose(k.ntk_pseudo, k.ntk_pseudo.T, atol=1e-13)
    flow = ntk.gradient_flow(k.ntk, y[:, 0], [1.0], pseudo=k.ntk_pseudo)
    assert np.all(np.isfinite(flow.train))


def test_quadrature_meets_proper_duals():
    """C = 0: exact for polynomials in z and conj z."""
    activation = nn.Polynomial([[0.1, 0.4j, 0.2], [1.0, 0.2, 0], [0.3j, 0, 0]])
    proper = activation.dual(1.3, 0.8, 0.5 + 0.6j)
    zero = jnp.zeros((), complex)
    dual = by_quadrature(
        activation, GaussianPair(jnp.asarray(1.3), jnp.asarray(0.8), zero, zero, zero + 0.5 + 0.6j, zero)
    )
    np.testing.assert_allclose([dual.kappa, dual.hh, dual.aa], proper, atol=1e-12)
