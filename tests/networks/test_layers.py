"""Layers of finite networks: shapes, scales, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from theory.statistics import key, normal


def _normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, complex)


_IMAGE = (4, 6, 2)
_LAYERS = [
    (nn.Dense(5, sigma_b=0.1), (3,), (5,)),
    (nn.Dense(5), _IMAGE, (4, 6, 5)),
    (nn.Conv1D(5, (3,)), (7, 2), (7, 5)),
    (nn.Conv1D(5, (2,), strides=(2,), padding="circular"), (7, 2), (4, 5)),
    (nn.Conv2D(5, (3, 2), sigma_b=0.2), _IMAGE, (4, 6, 5)),
    (nn.Conv2D(5, (3, 3), strides=(3, 2)), _IMAGE, (2, 3, 5)),
    (nn.AveragePool1D((3,)), (6, 2), (2, 2)),
    (nn.AveragePool2D((2, 3)), _IMAGE, (2, 2, 2)),
    (nn.GlobalAveragePool(), _IMAGE, (2,)),
    (nn.Flatten(), _IMAGE, (48,)),
    (nn.Residual(nn.serial(nn.SplitReLU(), nn.Dense(3))), (3,), (3,)),
    (nn.Sum((nn.Dense(2), nn.Dense(2))), (3,), (2,)),
    (nn.LayerNorm(), _IMAGE, _IMAGE),
    (nn.Readout("modulus"), (3,), (3,)),
    (nn.serial(), (3,), (3,)),
    (
        nn.serial(nn.Conv2D(3, (2, 2)), nn.Cardioid() if hasattr(nn, "Cardioid") else nn.SplitReLU(), nn.Flatten()),
        _IMAGE,
        (72,),
    ),
]


@pytest.mark.parametrize(("layer", "shape", "expected"), _LAYERS)
def test_output_shapes(layer, shape, expected):
    params = layer.init(jax.random.key(0), shape)
    assert layer.output_shape(shape) == expected
    outputs = layer.apply(params, _normal(1, 3, *shape))
    assert outputs.shape == (3, *expected)
    assert bool(jnp.isfinite(outputs).all())


@pytest.mark.statistical
@pytest.mark.parametrize("tau", [0.0, 1.0, -1.0, 0.6, 0.3 - 0.4j])
def test_weights_have_unit_variance_and_pseudo_variance_tau(tau):
    """E|omega|^2 = 1 and E[omega^2] = tau over 90 000 weights, to within 0.03: standard errors are sqrt(2/90000)."""
    layer = nn.Dense(300, tau=tau, sigma_b=1.0)
    weight = layer.scaled(layer.init(key(0), (300,))).weight * 300**0.5
    bound = normal(3) * (2 / weight.size) ** 0.5
    assert abs(complex(jnp.mean(jnp.abs(weight) ** 2)) - 1) < bound
    assert abs(complex(jnp.mean(weight**2)) - tau) < bound


def test_convolution_is_the_sum_it_says():
    """z_p = sum over offsets of the filter and channels, by loops."""
    layer = nn.Conv2D(3, (3, 2), strides=(2, 1), padding="circular", sigma_w=0.7, sigma_b=0.4)
    x = _normal(1, 2, *_IMAGE)
    params = layer.init(jax.random.key(0), _IMAGE)
    z = np.asarray(layer.apply(params, x))
    weight, bias = np.asarray(params.weight), np.asarray(params.bias)
    for i, j in ((0, 0), (1, 5), (1, 2)):
        total = np.zeros((2, 3), complex)
        for a in range(3):
            for b in range(2):
                total += np.asarray(x)[:, (2 * i + a - 1) % 4, (j + b) % 6] @ weight[a, b]
        np.testing.assert_allclose(z[:, i, j], 0.7 * total / 12**0.5 + 0.4 * bias, atol=1e-12)


def test_same_padding_is_zeros_beyond_the_border():
    x = _normal(1, 2, 5, 2)
    layer = nn.Conv1D(3, (3,))
    params = layer.init(jax.random.key(0), (5, 2))
    wide = jnp.pad(x, ((0, 0), (1, 1), (0, 0)))
    expected = sum(wide[:, a : a + 5] @ params.weight[a] for a in range(3)) / 6**0.5
    np.testing.assert_allclose(layer.apply(params, x), expected, atol=1e-12)


def test_layer_norm():
    x = _normal(1, 3, 50)
    y = nn.LayerNorm().apply((), 7 * x + 2)
    np.testing.assert_allclose(y.mean(axis=1), np.zeros(3), atol=1e-12)
    np.testing.assert_allclose((jnp.abs(y) ** 2).mean(axis=1), np.ones(3), atol=1e-10)
    plain = nn.LayerNorm(center=False, epsilon=0.0).apply((), x)
    np.testing.assert_allclose(plain, x / jnp.sqrt((jnp.abs(x) ** 2).mean(axis=1, keepdims=True)), atol=1e-12)


def test_readouts():
    f = _normal(1, 3, 2)
    for kind, expected in (("complex", f), ("real", f.real), ("modulus", jnp.abs(f))):
        np.testing.assert_allclose(nn.Readout(kind).apply((), f), expected)


def test_rules_reach_activations_in_every_composition():
    """The holomorphic branch changes the gradient behind residual branches, never the value."""
    net = nn.serial(nn.Dense(6), nn.Residual(nn.serial(nn.SplitReLU(), nn.Dense(6))), nn.LayerNorm(), nn.Dense(1))
    params, x = net.init(jax.random.key(0), (3,)), _normal(1, 4, 3)

    def loss(params, rule):
        return jnp.sum(jnp.abs(net.apply(params, x, rule)) ** 2)

    plain, full, branch = (
        jax.value_and_grad(loss)(params, rule) for rule in (None, nn.FullWirtinger(), nn.HolomorphicBranch())
    )
    np.testing.assert_allclose(plain[0], branch[0])
    np.testing.assert_allclose(plain[1][0].weight, full[1][0].weight, atol=1e-12)
    assert float(jnp.abs(plain[1][0].weight - branch[1][0].weight).max()) > 1e-3


def test_real_networks_stay_real():
    net = nn.serial(nn.Dense(6, dtype="real", sigma_b=1.0), nn.ReLU(), nn.LayerNorm(), nn.Dense(1, dtype="real"))
    params = net.init(jax.random.key(0), (3,))
    assert net.apply(params, _normal(1, 4, 3).real).dtype == float
    assert all(leaf.dtype == float for leaf in jax.tree.leaves(params))


def test_single_precision_stays_single():
    net = nn.serial(nn.Dense(6, sigma_b=0.1, tau=0.5j), nn.SplitReLU(), nn.Dense(1))
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.complex64), net.init(jax.random.key(0), (3,)))
    x = _normal(1, 4, 3).astype(jnp.complex64)
    assert net.apply(params, x).dtype == jnp.complex64
    assert net.kernel(x).ntk.dtype == jnp.complex64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Dense(0), "width must be a positive integer"),
        (lambda: nn.Dense(2.5), "width must be a positive integer"),
        (lambda: nn.Dense(2, sigma_w=-1.0), "sigma_w must be"),
        (lambda: nn.Dense(2, sigma_b=float("nan")), "sigma_b must be"),
        (lambda: nn.Dense(2, dtype="float"), "dtype must be"),
        (lambda: nn.Dense(2, tau=1.1), "tau"),
        (lambda: nn.Dense(2, dtype="real", tau=0.5), "real weights have tau = 1"),
        (lambda: nn.Conv1D(2, (0,)), "filter_shape"),
        (lambda: nn.Conv1D(2, 3), "filter_shape"),
        (lambda: nn.Conv2D(2, (3, 3), strides=(1,)), "strides"),
        (lambda: nn.Conv2D(2, (3, 3), padding="valid"), "padding"),
        (lambda: nn.AveragePool2D((2,)), "window"),
        (lambda: nn.LayerNorm(epsilon=-1.0), "epsilon"),
        (lambda: nn.Readout("phase"), "kind"),
        (lambda: nn.Sum(()), "at least one layer"),
        (lambda: nn.AveragePool1D((4,)).output_shape((6, 2)), "must divide"),
        (lambda: nn.Conv2D(2, (3, 3)).init(jax.random.key(0), (4,)), "inputs of shape"),
        (lambda: nn.GlobalAveragePool().output_shape((4,)), "inputs of shape"),
        (lambda: nn.Sum((nn.Dense(2), nn.Dense(3))).output_shape((4,)), "one output shape"),
        (lambda: nn.Dense(2).init(jax.random.key(0), (0,)), "at least one feature"),
        (lambda: nn.Dense(2).apply(nn.Dense(2).init(jax.random.key(0), (3,)), jnp.ones((4, 2))), "has shape"),
        (
            lambda: nn.Conv1D(2, (1,)).apply(nn.Conv1D(2, (1,)).init(jax.random.key(0), (3, 2)), jnp.ones((4, 3, 1))),
            "channels",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_serial_takes_layers_only():
    with pytest.raises(TypeError, match="not the class"):
        nn.serial(nn.SplitReLU)
    with pytest.raises(TypeError, match="takes layers"):
        nn.serial(jnp.tanh)
