"""Kernel regression: closed forms, independent real formulas, and ensembles of wide networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad import ntk
from theory.statistics import normal, rng


def _normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, complex)


def _net(**scales):
    return nn.serial(nn.Dense(64, sigma_b=0.3, **scales), nn.SplitReLU(), nn.Dense(1, sigma_b=0.3, **scales))


def _kernels(net, x, x_test):
    return net.kernel(x), net.kernel(x_test, x), net.kernel(x_test)


@pytest.mark.parametrize("tau", [0.0, 0.5j])
@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_targets_are_met_without_uncertainty(kind, tau):
    x, y = _normal(1, 4, 3), _normal(2, 4, 2)
    net = _net(tau=tau)
    posterior = ntk.regression(*_kernels(net, x, x), y, kind=kind)
    assert posterior.mean.shape == (4, 2)
    np.testing.assert_allclose(posterior.mean, y, atol=1e-8)
    np.testing.assert_allclose(posterior.covariance, np.zeros((4, 4)), atol=1e-8)


def test_circular_posterior_is_complex_linear():
    """K* (K + j)^-1 y and K** - K* (K + j)^-1 K*^H."""
    x, x_test, y = _normal(1, 4, 3), _normal(3, 2, 3), _normal(2, 4)
    train, cross, test = _kernels(_net(), x, x_test)
    posterior = ntk.regression(train, cross, test, y, jitter=0.1)
    weights = cross.nngp @ jnp.linalg.inv(train.nngp + 0.1 * jnp.eye(4))
    np.testing.assert_allclose(posterior.mean, weights @ y, atol=1e-10)
    np.testing.assert_allclose(posterior.covariance, test.nngp - weights @ cross.nngp.conj().T, atol=1e-10)
    np.testing.assert_allclose(posterior.pseudo_covariance, np.zeros((2, 2)), atol=1e-10)


def test_improper_posterior_is_widely_linear():
    """The augmented formula [f; conj f]: m = [K* C*] [[K C], [conj C, conj K]]^-1 [y; conj y]."""
    x, x_test, y = _normal(1, 4, 3), _normal(3, 2, 3), _normal(2, 4)
    train, cross, test = _kernels(_net(tau=0.7), x, x_test)

    def augmented(k):
        return jnp.block([[k.nngp, k.pseudo], [k.pseudo.conj(), k.nngp.conj()]])

    weights = augmented(cross) @ jnp.linalg.inv(augmented(train))
    left = augmented(test) - weights @ augmented(cross).conj().T
    posterior = ntk.regression(train, cross, test, y)
    np.testing.assert_allclose(posterior.mean, (weights @ jnp.concatenate([y, y.conj()]))[:2], atol=1e-8)
    np.testing.assert_allclose(posterior.covariance, left[:2, :2], atol=1e-8)
    np.testing.assert_allclose(posterior.pseudo_covariance, left[:2, 2:], atol=1e-8)
    assert float(jnp.abs(posterior.pseudo_covariance).max()) > 1e-3


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_real_networks(kind):
    x, x_test, y = _normal(1, 4, 3).real, _normal(3, 2, 3).real, _normal(2, 4).real
    scales = {"dtype": "real", "sigma_b": 0.3}
    net = nn.serial(nn.Dense(64, **scales), nn.ReLU(), nn.Dense(1, **scales))
    train, cross, test = _kernels(net, x, x_test)
    theta, theta_cross = (train.nngp, cross.nngp) if kind == "nngp" else (train.ntk, cross.ntk)
    a = theta_cross @ jnp.linalg.inv(theta)
    posterior = ntk.regression(train, cross, test, y, kind=kind)
    np.testing.assert_allclose(posterior.mean, a @ y, atol=1e-9)
    spread = test.nngp + a @ train.nngp @ a.T - a @ cross.nngp.T - cross.nngp @ a.T
    np.testing.assert_allclose(posterior.covariance, spread, atol=1e-9)
    assert posterior.covariance.dtype == float


@pytest.mark.statistical
def test_ntk_posterior_is_the_ensemble_of_linearized_networks():
    """f_inf = f*_0 + A (y - f_0) over 40 000 draws of (f_0, f*_0) from the NNGP, to within a tenth in norm."""
    x, x_test, y = _normal(1, 3, 3), _normal(3, 2, 3), _normal(2, 3)
    net = _net(tau=0.5)
    train, cross, test = _kernels(net, x, x_test)
    both = net.kernel(jnp.concatenate([x, x_test]))
    count = 40_000
    draws = rng(0).multivariate_normal(np.zeros(10), ntk.real_block(both.nngp, both.pseudo), count)
    f = (draws[:, :5] + 1j * draws[:, 5:]).T
    # Networks stand in the place of outputs: all have the same kernel.
    targets = jnp.tile(y[:, None], count)
    flow = ntk.gradient_flow(
        train.ntk, targets, jnp.inf, pseudo=train.ntk_pseudo, initial=f[:3], test_theta=cross.ntk,
        test_pseudo=cross.ntk_pseudo, test_initial=f[3:],
    )  # fmt: skip
    ends = np.asarray(flow.test).T
    posterior = ntk.regression(train, cross, test, y, kind="ntk")
    errors = ends - np.asarray(posterior.mean)
    for theory, products in (
        (posterior.covariance, errors[:, :, None] * errors[:, None].conj()),
        (posterior.pseudo_covariance, errors[:, :, None] * errors[:, None]),
        (posterior.mean, ends),
    ):
        # Norms deviate most where they have one part.
        allowed = normal(3) * np.sqrt(products.var(0, ddof=1).sum() / count)
        assert allowed < 0.1 * np.linalg.norm(posterior.covariance)
        assert np.linalg.norm(products.mean(0) - theory) < allowed


@pytest.mark.parametrize("kind", ["nngp", "ntk"])
def test_singular_kernels_are_refused_and_jitter_is_stated(kind):
    x, y = jnp.concatenate([_normal(1, 2, 3)] * 2), _normal(2, 4)
    kernels = _kernels(_net(), x, x)
    with pytest.raises(ValueError, match=r"singular: its condition number .* jitter"):
        ntk.regression(*kernels, y, kind=kind)
    mean = ntk.regression(*kernels, y, kind=kind, jitter=1e-6).mean
    np.testing.assert_allclose(mean[:2], (y[:2] + y[2:]) / 2, atol=1e-4)


def test_bad_input():
    k = nn.serial(nn.Dense(1)).kernel(np.eye(2))
    with pytest.raises(TypeError, match=r"cross is a .*give what net\.kernel"):
        ntk.regression(k, k.ntk, k, np.ones(2))
    with pytest.raises(ValueError, match="targets have entries that are not finite"):
        ntk.regression(k, k, k, np.array([1.0, np.nan]))
    x = _normal(1, 3, 3)
    train = _net().kernel(x)
    with pytest.raises(ValueError, match="kind must be"):
        ntk.regression(train, train, train, jnp.ones(3), kind="gp")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="jitter must be"):
        ntk.regression(train, train, train, jnp.ones(3), jitter=-1.0)
    with pytest.raises(ValueError, match="targets must be"):
        ntk.regression(train, train, train, jnp.ones(4))
    with pytest.raises(ValueError, match="cross must be"):
        ntk.regression(train, _net().kernel(x[:2], x), train, jnp.ones(3))
    readout = nn.serial(_net(), nn.Readout("real")).kernel(x)
    with pytest.raises(ValueError, match="complex but the kernel is real"):
        ntk.regression(readout, readout, readout, 1j * jnp.ones(3))


def test_real_block_of_real_readouts():
    """Its upper left is the kernel of Re f; it is symmetric and positive semidefinite."""
    x = _normal(1, 4, 3)
    k = _net(tau=0.6j).kernel(x)
    block = ntk.real_block(k.ntk, k.ntk_pseudo)
    np.testing.assert_allclose(block, block.T, atol=1e-12)
    assert float(jnp.linalg.eigvalsh(block)[0]) > -1e-12
    np.testing.assert_allclose(nn.serial(_net(tau=0.6j), nn.Readout("real")).kernel(x).ntk, block[:4, :4], atol=1e-12)
