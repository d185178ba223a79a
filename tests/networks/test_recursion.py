"""Infinite-width kernels: against brute-force Jacobians of finite networks, and in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from qcgrad.networks.activations.improper import GaussianPair, by_quadrature
from qcgrad.ntk import real_block

_WIDTH = 128
_SEEDS = 32


def _data(seed, *shape):
    return jnp.stack([jax.random.normal(jax.random.key(100 * seed + i), shape[1:], complex) for i in range(shape[0])])


def _others(*shape):
    """One input of `_data(1, ...)` and another one, so that kernels hold large and small entries."""
    return jnp.concatenate([_data(1, 1, *shape), _data(2, 1, *shape)])


def _jacobians(net, params, x, rule=None):
    """Derivatives of one complex output at each input by real parameters of unit variance, (N, P)."""
    leaves, tree = jax.tree.flatten(params)
    real = [jnp.stack([leaf.real, leaf.imag]) * 2**0.5 if jnp.iscomplexobj(leaf) else leaf for leaf in leaves]
    flat, unravel = ravel_pytree(real)

    def outputs(flat):
        parts = [
            (part[0] + 1j * part[1]) / 2**0.5 if jnp.iscomplexobj(leaf) else part
            for part, leaf in zip(unravel(flat), leaves, strict=True)
        ]
        f = net.apply(jax.tree.unflatten(tree, parts), x, rule)[:, 0]
        return jnp.stack([f.real, f.imag])

    jacobian = jax.jacrev(outputs)(flat)
    return jacobian[0] + 1j * jacobian[1]


def _empirical(net, params, x1, x2):
    """Theta, Theta-tilde and the cross kernel of the holomorphic-branch rule, stacked."""
    j1, j2 = jnp.split(_jacobians(net, params, jnp.concatenate([x1, x2])), [len(x1)])
    rule = _jacobians(net, params, x2, nn.HolomorphicBranch())
    return jnp.stack([j1 @ j2.conj().T, j1 @ j2.T, j1 @ rule.conj().T])


def _agrees(net, x1, x2, seeds=_SEEDS):
    """Mean over seeds against theory: within 3 standard errors in Frobenius norm, and these below 8 %.

    The expected squared distance is one standard error squared; the bias of finite width, O(1/n), comes on top.
    """
    keys = jax.random.split(jax.random.key(7), seeds)
    sample = jax.jit(lambda key: _empirical(net, net.init(key, x1.shape[1:]), x1, x2))
    samples = np.stack([sample(key) for key in keys])
    k = net.kernel(x1, x2)
    for name, theory, draws in zip(
        ("ntk", "ntk_pseudo", "ntk_holomorphic"),
        (k.ntk, k.ntk_pseudo, k.ntk_holomorphic),
        samples.transpose(1, 0, 2, 3),
        strict=True,
    ):
        error = np.linalg.norm(draws.mean(0) - theory)
        standard_error = np.sqrt(draws.var(0, ddof=1).sum() / seeds)
        assert standard_error < 0.08 * np.linalg.norm(k.ntk), name
        assert error < 3 * standard_error, (name, error, standard_error, np.linalg.norm(k.ntk))


def _dense(activation, hidden=2, **scales):
    scales = {"sigma_w": 2**0.5, "sigma_b": 0.3} | scales
    layers = [part for _ in range(hidden) for part in (nn.Dense(_WIDTH, **scales), activation)]
    return nn.serial(*layers, nn.Dense(1, **scales))


_POLYNOMIAL = nn.Polynomial([0.0, 1.0, 0.3])
_VECTORS = {
    "split": _dense(nn.SplitReLU()),
    "polynomial": _dense(_POLYNOMIAL, sigma_w=1.0),
    "polynomial in z and conj z": _dense(nn.Polynomial([[0, 0.4j], [1.0, 0.2]]), sigma_w=0.8),
    "improper": _dense(nn.SplitReLU(), tau=0.6),
    "improper, complex tau": _dense(_POLYNOMIAL, sigma_w=1.0, tau=0.4 - 0.5j),
    "improper polynomial in z and conj z": _dense(nn.Polynomial([[0, 0.4j], [1.0, 0.2]]), sigma_w=0.8, tau=0.5j),
    "real weights, complex data": _dense(nn.SplitReLU(), dtype="real"),
    "proper, then improper": nn.serial(
        nn.Dense(_WIDTH, sigma_b=0.5), _POLYNOMIAL, nn.Dense(_WIDTH, tau=0.7), nn.SplitReLU(), nn.Dense(1, tau=-0.3j)
    ),
    "residual": nn.serial(
        nn.Dense(_WIDTH), nn.Residual(nn.serial(nn.SplitReLU(), nn.Dense(_WIDTH, sigma_w=1.2))), nn.SplitReLU(),
        nn.Dense(1),
    ),
    "sum": nn.serial(
        nn.Dense(_WIDTH),
        nn.SplitReLU(),
        nn.Sum((nn.serial(), nn.Dense(_WIDTH, sigma_b=0.2), nn.Dense(_WIDTH, tau=0.5))),
        nn.Dense(1),
    ),
    "layer norm": nn.serial(
        nn.Dense(_WIDTH), nn.LayerNorm(), nn.SplitReLU(), nn.LayerNorm(center=False), nn.Dense(_WIDTH), nn.LayerNorm(),
        _POLYNOMIAL, nn.Dense(1),
    ),
    "real readout": nn.serial(_dense(nn.SplitReLU()), nn.Readout("real")),
    "real readout, improper": nn.serial(_dense(_POLYNOMIAL, sigma_w=1.0, tau=0.5j), nn.Readout("real")),
}  # fmt: skip


# About ten seconds each; these repeat terms that the others check one by one.
_SLOW = {
    "polynomial in z and conj z",
    "improper, complex tau",
    "real weights, complex data",
    "sum",
    "real readout",
    "real readout, improper",
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in _SLOW else ()) for case in _VECTORS]
)
def test_dense_networks_at_finite_width(case):
    _agrees(_VECTORS[case], _data(1, 3, 4), _others(4))


def test_real_networks_at_finite_width():
    _agrees(_dense(nn.ReLU(), dtype="real"), _data(1, 3, 4).real, _others(4).real)


def _convolutional(pool, **weights):
    return nn.serial(
        nn.Conv1D(64, (3,), padding="circular", sigma_b=0.2, **weights),
        nn.SplitReLU(),
        *pool,
        nn.Conv1D(64, (2,), strides=(2,), sigma_w=2**0.5, **weights),
        nn.SplitReLU(),
        nn.GlobalAveragePool() if pool else nn.Flatten(),
        nn.Dense(1, **weights),
    )


@pytest.mark.parametrize(
    "net",
    [
        # Half a minute each; the last covers convolutions and pooling in every run.
        pytest.param(_convolutional(()), marks=pytest.mark.slow),
        pytest.param(_convolutional((nn.LayerNorm(center=False), nn.AveragePool1D((2,)))), marks=pytest.mark.slow),
        _convolutional((nn.AveragePool1D((2,)),), tau=0.5j),
    ],
    ids=["flatten", "norm and pool", "pool, improper"],
)
def test_convolutions_at_finite_width(net):
    _agrees(net, _data(1, 2, 6, 2), _others(6, 2), seeds=24)


@pytest.mark.slow
def test_images_at_finite_width():
    net = nn.serial(
        nn.Conv2D(48, (3, 2), strides=(1, 2), sigma_w=2**0.5),
        nn.SplitReLU(),
        nn.AveragePool2D((2, 1)),
        nn.Conv2D(48, (2, 2), padding="circular"),
        nn.SplitReLU(),
        nn.Flatten(),
        nn.Dense(1),
    )
    _agrees(net, _data(1, 2, 4, 4, 2), _others(4, 4, 2), seeds=24)


@pytest.mark.parametrize("tau", [0.0, 0.3 - 0.4j])
def test_covariances_of_outputs(tau):
    """K and C against 1024 outputs of each of 16 networks: 4 standard errors in Frobenius norm."""
    x = _data(1, 3, 4)
    net = nn.serial(nn.Dense(256, tau=tau), nn.SplitReLU(), nn.Dense(1024, tau=tau, sigma_b=0.3))
    k = net.kernel(x)
    outputs = jnp.stack([net.apply(net.init(jax.random.key(s), (4,)), x) for s in range(16)])
    for theory, other in ((k.nngp, outputs.conj()), (k.pseudo, outputs)):
        draws = np.asarray(jnp.einsum("sin,sjn->sij", outputs, other) / outputs.shape[-1])
        standard_error = np.sqrt(draws.var(0, ddof=1).sum() / len(draws))
        assert standard_error < 0.05 * np.linalg.norm(k.nngp)
        assert np.linalg.norm(draws.mean(0) - theory) < 4 * standard_error


# Closed forms.


def _check_kernels(x, net, **expected):
    k = net.kernel(x)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(k, name), value, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("hidden", [0, 1, 3])
def test_linear_networks(hidden):
    """sigma_w = 1, sigma_b = 0: K = <x, conj x'>/d and Theta = (L + 1) K, with L hidden layers."""
    x = _data(1, 3, 4)
    gram = x @ x.conj().T / 4
    layers = [part for _ in range(hidden) for part in (nn.Dense(8), nn.Identity())]
    _check_kernels(x, nn.serial(*layers, nn.Dense(1)), nngp=gram, ntk=(hidden + 1) * gram, pseudo=0 * gram)


def test_real_weights_are_improper_weights_with_tau_one():
    x = _data(1, 3, 4)
    improper = _dense(nn.SplitReLU(), tau=1.0).kernel(x)
    real = _dense(nn.SplitReLU(), dtype="real").kernel(x)
    for one, other in zip(improper, real, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_split_activations_of_real_numbers_are_real_activations():
    """max(x, 0) + i max(0, 0): the same network, held as complex numbers."""
    x = _data(1, 3, 4).real
    k = _dense(nn.ReLU(), dtype="real").kernel(x)
    assert k.ntk.dtype == float
    _check_kernels(
        x, _dense(nn.SplitReLU(), dtype="real"), nngp=k.nngp, ntk=k.ntk, ntk_pseudo=k.ntk, pseudo=k.nngp
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
    x = _data(1, 4, 3)
    gram = np.asarray((x @ x.conj().T).real / 3) / 2
    nngp, theta = _arc_cosine_ntk(gram, 3, 2**0.5, 0.3 / 2**0.5)
    k = nn.serial(_dense(nn.SplitReLU(), hidden=3), nn.Readout("real")).kernel(x)
    np.testing.assert_allclose(k.nngp, nngp, atol=1e-7)
    np.testing.assert_allclose(k.ntk, theta, atol=1e-7)
    real = _dense(nn.ReLU(), hidden=3, dtype="real").kernel(x.real)
    expected = _arc_cosine_ntk(np.asarray(x.real @ x.real.T) / 3, 3, 2**0.5, 0.3)
    np.testing.assert_allclose(real.ntk, expected[1], atol=1e-7)


def test_phases_of_inputs_pass():
    """Check 3: phase-equivariant activation and sigma_b = 0: kernels gain e^{i(a - b)}."""
    x, turn = _data(1, 4, 3), jnp.exp(1j * jnp.array([0.3, 1.0, -2.0, 0.7]))
    net = _dense(nn.Polynomial([[0, 0], [1.0, 0], [0, 0.2j]]), sigma_b=0.0, sigma_w=0.9)
    assert nn.Polynomial([[0, 0], [1.0, 0], [0, 0.2j]]).symmetry == "phase"
    k, turned = net.kernel(x), net.kernel(turn[:, None] * x)
    phases = turn[:, None] * turn[None].conj()
    for name in ("nngp", "ntk", "ntk_holomorphic"):
        np.testing.assert_allclose(getattr(turned, name), phases * getattr(k, name), atol=1e-12)


@pytest.mark.parametrize("case", ["split", "polynomial", "improper", "residual", "layer norm", "real readout"])
def test_kernels_are_hermitian_and_positive(case):
    """Check 2; the pseudo-kernel is symmetric, and the real block symmetric and positive."""
    k = _VECTORS[case].kernel(_data(1, 6, 4))
    for kernel in (k.nngp, k.ntk):
        np.testing.assert_allclose(kernel, kernel.conj().T, atol=1e-12)
        assert float(jnp.linalg.eigvalsh(kernel)[0]) > -1e-12
    block = real_block(k.ntk, k.ntk_pseudo)
    np.testing.assert_allclose(block, block.T, atol=1e-12)
    assert float(jnp.linalg.eigvalsh(block)[0]) > -1e-12


def test_holomorphic_activations_have_one_kernel():
    """Check 5: E = 0, so the holomorphic-branch rule is the true one, also for improper weights."""
    x = _data(1, 3, 4)
    for tau in (0.0, 0.5):
        k = _dense(_POLYNOMIAL, sigma_w=0.8, tau=tau).kernel(x)
        np.testing.assert_allclose(k.ntk_holomorphic, k.ntk, atol=1e-12)


def test_real_gram_matrices_give_real_kernels():
    """Check 7."""
    k = _VECTORS["split"].kernel(_data(1, 3, 4).real)
    np.testing.assert_allclose(k.ntk.imag, np.zeros((3, 3)), atol=1e-12)


@pytest.mark.parametrize("pool", [False, True])
def test_one_kernel_or_two(pool):
    """kernel(x1, x2) is the off-diagonal block of kernel([x1, x2]), also for images."""
    net = _convolutional((nn.AveragePool1D((2,)),) if pool else ())
    x1, x2 = _data(1, 2, 6, 2), _others(6, 2)
    whole = net.kernel(jnp.concatenate([x1, x2]))
    for part, both in zip(net.kernel(x1, x2), whole, strict=True):
        np.testing.assert_allclose(part, both[:2, 2:], atol=1e-12)


def test_images_on_one_pixel_are_vectors():
    x = _data(1, 3, 4)
    images = nn.serial(nn.Conv2D(8, (1, 1), sigma_b=0.2), nn.SplitReLU(), nn.GlobalAveragePool(), nn.Dense(1))
    vectors = nn.serial(nn.Dense(8, sigma_b=0.2), nn.SplitReLU(), nn.Dense(1))
    for one, other in zip(images.kernel(x[:, None, None]), vectors.kernel(x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


# Dual maps of improper Gaussians.


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


# What is refused.


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((nn.SplitReLU(), nn.Dense(1)), "SplitReLU .* not Gaussian"),
        ((nn.Dense(4), nn.SplitReLU(), nn.SplitReLU()), "SplitReLU .* not Gaussian"),
        ((nn.Dense(4), nn.ReLU()), "ReLU is a function of real numbers"),
        ((nn.Dense(4), nn.Readout("modulus")), "modulus"),
        ((nn.LayerNorm(),), "LayerNorm .* not Gaussian"),
        ((nn.Dense(4), nn.Residual(nn.SplitReLU())), "Sum .* correlated"),
        ((nn.Dense(4), nn.Residual(nn.serial())), "Sum .* correlated"),
    ],
)
def test_layers_without_kernel_say_so(layers, message):
    with pytest.raises(NotApplicable, match=message):
        nn.serial(*layers).kernel(_data(1, 2, 4))


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
