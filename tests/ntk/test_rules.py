"""Kernels of training with a backward rule, and whether it descends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad import ntk

from .problems import CX, CY, METHODS, X, network


@pytest.mark.parametrize("method", METHODS)
def test_a_rules_kernel_is_the_true_jacobian_against_the_rules(method):
    """With one hidden layer, dropping phi_zbar leaves the readout alone and changes the first layer's part."""
    net = nn.serial(nn.Dense(5, sigma_b=0.2), nn.SplitReLU(), nn.Dense(2))
    params = net.init(jax.random.key(0), (3,))
    rule = nn.HolomorphicBranch()
    true = ntk.empirical(net.apply, params, CX, method="jacobian")
    weight, bias, readout = (np.asarray(leaf) for leaf in jax.tree.leaves(params))
    z = CX @ weight / 3**0.5 + 0.2 * bias
    phi_z = ((z.real > 0) + 1.0 * (z.imag > 0)) / 2
    a = phi_z[:, None] * (readout.T / 5**0.5)[None]  # df/dz (N, O, n)
    k0 = CX @ CX.conj().T / 3 + 0.04
    hidden = np.maximum(z.real, 0) + 1j * np.maximum(z.imag, 0)
    k1 = hidden @ hidden.conj().T / 5
    expected = np.einsum("noj,mqj,nm->nmoq", a, a.conj(), k0) + np.einsum("nm,oq->nmoq", k1, np.eye(2))
    np.testing.assert_allclose(ntk.empirical(net.apply, params, CX, rule=rule, method=method), expected, atol=1e-10)
    assert np.abs(expected - true).max() > 1e-2


def test_the_full_rule_and_holomorphic_networks_have_the_true_kernel():
    net, params = network(2, True)
    true = ntk.empirical(net.apply, params, CX)
    np.testing.assert_allclose(ntk.empirical(net.apply, params, CX, rule=nn.FullWirtinger()), true, atol=1e-12)
    smooth = nn.serial(nn.Dense(5), nn.Polynomial([0, 1, 0.3]), nn.Dense(1))
    params = smooth.init(jax.random.key(1), (3,))
    theta, pseudo = ntk.empirical(smooth.apply, params, CX, kind="augmented")
    np.testing.assert_allclose(ntk.empirical(smooth.apply, params, CX, rule=nn.HolomorphicBranch()), theta, atol=1e-12)
    assert np.abs(pseudo).max() < 1e-12


def test_structured_and_jacobian_agree_on_rules_and_pseudo_kernels():
    net, params = network(3, True)
    for kind in ("augmented", "real_block"):
        found = [
            ntk.empirical(net.apply, params, CX, CY, kind, nn.HolomorphicBranch(), method, batch_size=3)
            for method in METHODS
        ]
        for other in found[1:]:
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), found[0], other)


def test_cross_kernels_say_whether_a_rule_descends():
    net, params = network(1, True)
    found = ntk.cross(net.apply, params, CX, nn.FullWirtinger())
    assert found.descent > -1e-12
    np.testing.assert_allclose(found.descent, ntk.eigenvalues(found.kernel)[-1], atol=1e-12)

    def ascending(p, x):
        true = net.apply(p, x)
        return 2 * jax.lax.stop_gradient(true) - true

    opposite = ntk.cross(net.apply, params, CX, ascending)
    np.testing.assert_allclose(opposite.kernel, -found.kernel, atol=1e-12)
    assert opposite.descent < 0
    assert opposite.real_descent < 0


def test_the_real_descent_diagnostic_is_the_slope_of_the_loss():
    """Along the worst direction e, the loss changes at the rate -e^T B e of the real block."""
    net, params = network(1, True)
    rule = nn.HolomorphicBranch()
    found = ntk.cross(net.apply, params, CX, rule)
    block = ntk.as_matrix(ntk.empirical(net.apply, params, CX, kind="real_block", rule=rule)).reshape(5, 2, 5, 2)
    flat = block.transpose(1, 0, 3, 2).reshape(10, 10)
    values, vectors = np.linalg.eigh((flat + flat.T) / 2)
    np.testing.assert_allclose(found.real_descent, values[0], atol=1e-12)
    e = vectors[:5, 0] + 1j * vectors[5:, 0]
    y = net.apply(params, CX)[:, 0] - e

    def loss(p, rule=None):
        return jnp.sum(jnp.abs(net.apply(p, CX, rule)[:, 0] - y) ** 2) / 2

    true, ruled = jax.grad(loss)(params), jax.grad(loss)(params, rule)
    slope = sum(np.vdot(a, b).real for a, b in zip(jax.tree.leaves(true), jax.tree.leaves(ruled), strict=True))
    np.testing.assert_allclose(slope / 2, values[0], atol=1e-12)  # unit variance: half of the raw metric


def test_a_missing_rule_is_named():
    with pytest.raises(TypeError, match="rule is missing"):
        ntk.cross(lambda w, x: x @ w, np.ones(3), X, None)
