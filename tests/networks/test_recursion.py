"""Infinite-width kernels: against brute-force Jacobians of finite networks, and in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from qcgrad.ntk import real_block
from theory.statistics import key, student

from .finite import POLYNOMIAL, VECTORS, convolutional, data, dense, others


@pytest.mark.statistical
@pytest.mark.parametrize("tau", [0.0, 0.3 - 0.4j])
def test_covariances_of_outputs(tau):
    """K and C against 256 outputs of each of 128 networks, to within a tenth in Frobenius norm."""
    x = data(1, 3, 4)
    net = nn.serial(nn.Dense(256, tau=tau), nn.SplitReLU(), nn.Dense(256, tau=tau, sigma_b=0.3))
    k = net.kernel(x)
    outputs = jax.lax.map(lambda one: net.apply(net.init(one, (4,)), x), jax.random.split(key(0), 128))
    for theory, other in ((k.nngp, outputs.conj()), (k.pseudo, outputs)):
        draws = np.asarray(jnp.einsum("sin,sjn->sij", outputs, other) / outputs.shape[-1])
        standard_error = np.sqrt(draws.var(0, ddof=1).sum() / len(draws))
        # The standard error of the norm is that of the sum of its parts, which deviates most if there is one part.
        allowed = student(len(draws) - 1, 2) * standard_error
        assert allowed < 0.1 * np.linalg.norm(k.nngp)
        assert np.linalg.norm(draws.mean(0) - theory) < allowed


# Closed forms.


def _check_kernels(x, net, **expected):
    k = net.kernel(x)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(k, name), value, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("hidden", [0, 1, 3])
def test_linear_networks(hidden):
    """sigma_w = 1, sigma_b = 0: K = <x, conj x'>/d and Theta = (L + 1) K, with L hidden layers."""
    x = data(1, 3, 4)
    gram = x @ x.conj().T / 4
    layers = [part for _ in range(hidden) for part in (nn.Dense(8), nn.Identity())]
    _check_kernels(x, nn.serial(*layers, nn.Dense(1)), nngp=gram, ntk=(hidden + 1) * gram, pseudo=0 * gram)


def test_real_weights_are_improper_weights_with_tau_one():
    x = data(1, 3, 4)
    improper = dense(nn.SplitReLU(), tau=1.0).kernel(x)
    real = dense(nn.SplitReLU(), dtype="real").kernel(x)
    for one, other in zip(improper, real, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_split_activations_of_real_numbers_are_real_activations():
    """max(x, 0) + i max(0, 0): the same network, held as complex numbers."""
    x = data(1, 3, 4).real
    k = dense(nn.ReLU(), dtype="real").kernel(x)
    assert k.ntk.dtype == float
    _check_kernels(
        x, dense(nn.SplitReLU(), dtype="real"), nngp=k.nngp, ntk=k.ntk, ntk_pseudo=k.ntk, pseudo=k.nngp
    )  # fmt: skip


def _arc_cosine_ntk(gram, layers, sigma_w, sigma_b):
    """The textbook recursion of real ReLU networks (Cho and Saul; Jacot et al.)."""
    k = sigma_w**2 * gram + sigma_b**2
    theta = k
    for _ in range(layers):
        q = np.sqrt(np.diag(k))
        angle = np.arccos(np.clip(k / np.outer(q, q), -1, 1))
        k = sigma_w**2 * np.outer(q, q) * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi) + sigma_b**2
        theta = k + sigma_w**2 * theta * (np.pi - angle) / (2 * np.pi)
    return k, theta


def test_split_networks_with_real_readout_are_real_networks():
    """Check 6: Re Theta / 2 is the arc-cosine recursion on stacked (Re x, Im x)."""
    x = data(1, 4, 3)
    gram = np.asarray((x @ x.conj().T).real / 3) / 2
    nngp, theta = _arc_cosine_ntk(gram, 3, 2**0.5, 0.3 / 2**0.5)
    k = nn.serial(dense(nn.SplitReLU(), hidden=3), nn.Readout("real")).kernel(x)
    np.testing.assert_allclose(k.nngp, nngp, atol=1e-7)
    np.testing.assert_allclose(k.ntk, theta, atol=1e-7)
    real = dense(nn.ReLU(), hidden=3, dtype="real").kernel(x.real)
    expected = _arc_cosine_ntk(np.asarray(x.real @ x.real.T) / 3, 3, 2**0.5, 0.3)
    np.testing.assert_allclose(real.ntk, expected[1], atol=1e-7)


def test_phases_of_inputs_pass():
    """Check 3: phase-equivariant activation and sigma_b = 0: kernels gain e^{i(a - b)}."""
    x, turn = data(1, 4, 3), jnp.exp(1j * jnp.array([0.3, 1.0, -2.0, 0.7]))
    net = dense(nn.Polynomial([[0, 0], [1.0, 0], [0, 0.2j]]), sigma_b=0.0, sigma_w=0.9)
    assert nn.Polynomial([[0, 0], [1.0, 0], [0, 0.2j]]).symmetry == "phase"
    k, turned = net.kernel(x), net.kernel(turn[:, None] * x)
    phases = turn[:, None] * turn[None].conj()
    for name in ("nngp", "ntk", "ntk_rule"):
        np.testing.assert_allclose(getattr(turned, name), phases * getattr(k, name), atol=1e-12)


@pytest.mark.parametrize("case", ["split", "polynomial", "improper", "residual", "layer norm", "real readout"])
def test_kernels_are_hermitian_and_positive(case):
    """Check 2; the pseudo-kernel is symmetric, and the real block symmetric and positive."""
    k = VECTORS[case].kernel(data(1, 6, 4))
    for kernel in (k.nngp, k.ntk):
        np.testing.assert_allclose(kernel, kernel.conj().T, atol=1e-12)
        assert float(jnp.linalg.eigvalsh(kernel)[0]) > -1e-12
    block = real_block(k.ntk, k.ntk_pseudo)
    np.testing.assert_allclose(block, block.T, atol=1e-12)
    assert float(jnp.linalg.eigvalsh(block)[0]) > -1e-12


def test_holomorphic_activations_have_one_kernel():
    """Check 5: E = 0, so the holomorphic-branch rule is the true one, also for improper weights."""
    x = data(1, 3, 4)
    for tau in (0.0, 0.5):
        k = dense(POLYNOMIAL, sigma_w=0.8, tau=tau).kernel(x)
        np.testing.assert_allclose(k.ntk_rule, k.ntk, atol=1e-12)


def test_real_gram_matrices_give_real_kernels():
    """Check 7."""
    k = VECTORS["split"].kernel(data(1, 3, 4).real)
    np.testing.assert_allclose(k.ntk.imag, np.zeros((3, 3)), atol=1e-12)


@pytest.mark.parametrize("pool", [False, True])
def test_one_kernel_or_two(pool):
    """kernel(x1, x2) is the off-diagonal block of kernel([x1, x2]), also for images."""
    net = convolutional((nn.AveragePool1D((2,)),) if pool else ())
    x1, x2 = data(1, 2, 6, 2), others(6, 2)
    whole = net.kernel(jnp.concatenate([x1, x2]))
    for part, both in zip(net.kernel(x1, x2), whole, strict=True):
        np.testing.assert_allclose(part, both[:2, 2:], atol=1e-12)


def test_images_on_one_pixel_are_vectors():
    x = data(1, 3, 4)
    images = nn.serial(nn.Conv2D(8, (1, 1), sigma_b=0.2), nn.SplitReLU(), nn.GlobalAveragePool(), nn.Dense(1))
    vectors = nn.serial(nn.Dense(8, sigma_b=0.2), nn.SplitReLU(), nn.Dense(1))
    for one, other in zip(images.kernel(x[:, None, None]), vectors.kernel(x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


# What is refused.


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((nn.SplitReLU(), nn.Dense(1)), "SplitReLU .* not Gaussian"),
        ((nn.Dense(4), nn.SplitReLU(), nn.SplitReLU()), "SplitReLU .* not Gaussian"),
        ((nn.Dense(4), nn.Cardioid()), "ends with Cardioid: .* End with a Dense"),
        ((nn.Dense(4), nn.ReLU()), "ReLU is a function of real numbers"),
        ((nn.Dense(4), nn.Readout("modulus")), "modulus"),
        ((nn.LayerNorm(),), "LayerNorm .* not Gaussian"),
        ((nn.Dense(4), nn.Residual(nn.SplitReLU())), "Sum .* correlated"),
        ((nn.Dense(4), nn.Residual(nn.serial())), "Sum .* correlated"),
    ],
)
def test_layers_without_kernel_say_so(layers, message):
    with pytest.raises(NotApplicable, match=message):
        nn.serial(*layers).kernel(data(1, 2, 4))


@pytest.mark.parametrize(
    ("x1", "x2", "message"),
    [
        (jnp.ones((0, 4)), None, "N >= 1"),
        (jnp.ones(4), None, "must be a batch"),
        (jnp.ones((2, 4)), jnp.ones((2, 3)), "one shape"),
        (jnp.ones((2, 4)), jnp.ones((0, 4)), "x2 must be a batch"),
        (jnp.array([[1.0, jnp.nan]]), None, "not finite"),
    ],
)
def test_bad_inputs(x1, x2, message):
    with pytest.raises(ValueError, match=message):
        nn.serial(nn.Dense(4)).kernel(x1, x2)
