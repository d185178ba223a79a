"""Kernels of inputs that are equal, on one ray, opposite, zero, or nearly so, in depth."""

import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from tests.networks.test_activations import COMPLEX, REAL

pytestmark = pytest.mark.filterwarnings("ignore:ZReLU is discontinuous", "ignore:the cut series", "ignore:function")

DEPTHS = (1, 2, 4, 8)
#: phi(c z) = c phi(z): for c > 0, and for every c.
HOMOGENEOUS = {
    "zrelu": nn.ZReLU(), "cardioid": nn.Cardioid(), "split relu": nn.SplitReLU(), "relu": nn.ReLU(),
    "identity": nn.ModReLU(0.0),
}  # fmt: skip
#: Kernels that feel the root of 1 - |rho|, or its logarithm; and one of each other kind.
SENSITIVE = {
    name: {**COMPLEX, **REAL}[name]
    for name in ("split relu", "relu", "modrelu", "cardioid", "zrelu", "squash", "split tanh", "erf")
}
X = np.array([0.8 - 0.3j, -0.4 + 0.5j, 0.2 + 0.6j])
ALONG = np.array([0.7 + 0.2j, 0.1 - 0.9j, -0.5 + 0.4j])


def network(activation, depth, sigma_w=2**0.5, sigma_b=0.0):
    dense = nn.Dense(2, sigma_w, sigma_b, dtype="real" if activation.is_real else "complex")
    return nn.serial(*[layer for _ in range(depth) for layer in (dense, activation)], dense)


def inputs(activation, rows):
    rows = jnp.asarray(np.stack(rows))
    return rows.real if activation.is_real else rows


@pytest.mark.parametrize("name", HOMOGENEOUS)
@pytest.mark.parametrize("factor", [3.0, 0.1, 1e6])
def test_kernels_on_a_ray_scale_in_every_depth(name, factor):
    activation = HOMOGENEOUS[name]
    x = inputs(activation, [X, factor * X])
    for depth in DEPTHS:
        net = network(activation, depth)
        k, apart = net.kernel(x), net.kernel(x[:1], x[1:])
        for field in ("nngp", "ntk", "ntk_rule"):
            kernel = getattr(k, field) / getattr(k, field)[0, 0]
            np.testing.assert_allclose(kernel, [[1, factor], [factor, factor**2]], rtol=1e-13, atol=0)
            np.testing.assert_allclose(getattr(apart, field)[0, 0], getattr(k, field)[0, 1], rtol=1e-13)


@pytest.mark.parametrize("factor", [-2.0, 2j, 1.3 * np.exp(0.4j)])
def test_phase_equivariant_kernels_turn(factor):
    x = jnp.asarray(np.stack([X, factor * X]))
    for depth in DEPTHS:
        k = network(nn.ModReLU(0.0), depth).kernel(x)
        np.testing.assert_allclose(k.ntk[0, 1], np.conj(factor) * k.ntk[0, 0], rtol=1e-13)
        unit = jnp.asarray(np.stack([X, factor / abs(factor) * X]))
        k = network(nn.ModReLU(-0.5), depth).kernel(unit)
        np.testing.assert_allclose(k.ntk[0, 1], np.conj(factor) / abs(factor) * k.ntk[0, 0], rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in {**COMPLEX, **REAL} if n != "series"])
@pytest.mark.parametrize("sigma_b", [0.0, 0.3])
def test_equal_inputs_have_the_kernel_of_one(name, sigma_b):
    """In one set and in two, for every activation."""
    activation = {**COMPLEX, **REAL}[name]
    x = inputs(activation, [X, X])
    for depth in (1, 3):
        net = network(activation, depth, 0.9, sigma_b)
        k, apart = net.kernel(x), net.kernel(x[:1], x[1:])
        for field in ("nngp", "ntk", "ntk_rule"):
            one = getattr(k, field)[0, 0]
            np.testing.assert_allclose(getattr(k, field), jnp.full((2, 2), one), rtol=1e-13)
            np.testing.assert_allclose(getattr(apart, field)[0, 0], one, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", SENSITIVE)
@pytest.mark.parametrize("sigma_b", [0.0, 0.3])
def test_gram_matrices_of_nearly_collinear_inputs_are_positive(name, sigma_b):
    """Spacings from 1e-1 to 1e-9, some on other rays: no eigenvalue below a few roundings of the trace."""
    activation = SENSITIVE[name]
    for spacing in (1e-1, 1e-4, 1e-7, 1e-9):
        x = inputs(activation, [X + spacing * step * ALONG for step in (0, 1, 2, 3.5, 7)])
        x = jnp.concatenate([x, 3 * x[:2]])
        for depth in DEPTHS:
            k = network(activation, depth, sigma_b=sigma_b).kernel(x)
            for kernel in (np.asarray(k.nngp), np.asarray(k.ntk)):
                np.testing.assert_array_equal(kernel, kernel.conj().T)
                assert np.linalg.eigvalsh(kernel)[0] > -4e-15 * np.trace(kernel).real, (spacing, depth)


def test_relu_kernels_of_neighbours_are_exact_in_depth():
    """Angles t shrink by t^2/(3 pi), a slope is 1 - t/pi, and Theta sums products of slopes over the layers."""
    angle, depth = 1e-9, 4
    x = jnp.asarray([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    theta = np.asarray(network(nn.ReLU(), depth).kernel(x).ntk)
    expected = sum(depth - layer for layer in range(depth + 1)) / (depth + 1) * angle / np.pi
    np.testing.assert_allclose((theta[0, 0] - theta[0, 1]) / theta[0, 0], expected, rtol=1e-5)


def test_zrelu_kernels_of_neighbours_keep_their_digits_in_depth():
    """The gap of one layer is c times the root of that in front: in depth it follows from a larger one."""

    def gaps(spacing, depth):
        k = np.asarray(network(nn.ZReLU(), depth).kernel(jnp.asarray(np.stack([X, X + spacing * ALONG]))).nngp)
        return 1 - abs(k[0, 1]) / np.sqrt(k[0, 0].real * k[1, 1].real)

    one, two = gaps(1e-6, 1), gaps(1e-12, 2)
    assert abs(gaps(1e-8, 1) / one / 1e-2 - 1) < 1e-4
    # c' sqrt(c s): both layers have the same law once phases are small against angles.
    assert abs(gaps(1e-10, 2) / two / 10 - 1) < 2e-2
