"""Activations of numbers whose squares overflow or vanish, at the origin, and of NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn

#: Functions that stay of the size of their argument: nothing may overflow before the result does.
TAME = {
    "modrelu": nn.ModReLU(-0.5),
    "modrelu without threshold": nn.ModReLU(0.0),
    "cardioid": nn.Cardioid(),
    "zrelu": nn.ZReLU(),
    "squash": nn.RadialProfile(lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2),
    "split relu": nn.SplitReLU(),
    "split erf": nn.SplitErf(),
    "split tanh": nn.SplitTanh(),
    "split gelu": nn.SplitGELU(),
    "identity": nn.Identity(),
}
SIZES = {np.complex64: (3e19, 1e-23), np.complex128: (3e200, 1e-200)}


def size_of(value):
    return float(np.hypot(np.real(value), np.imag(value)))


@pytest.mark.parametrize("dtype", SIZES, ids=lambda t: t.__name__)
@pytest.mark.parametrize("name", TAME)
def test_values_and_derivatives_of_huge_and_tiny_numbers(name, dtype):
    """All stay finite and in the same precision, with one derivative in both ways to get it."""
    activation = TAME[name]
    for size in (*SIZES[dtype], 0.0):
        for phase in (1, -1j, 0.6 + 0.8j):
            z = jnp.asarray(size * phase, dtype)
            value, pair = activation.value(z), activation.wirtinger(z)
            assert value.dtype == pair[0].dtype == dtype
            assert np.isfinite(value)
            assert size_of(value) <= 1.2 * size  # erf grows as 2/sqrt(pi)
            found = nn.wirtinger(activation.value)(z)
            np.testing.assert_allclose(found, pair, rtol=1e-5, atol=1e-6)


def test_right_values_where_squares_are_no_numbers():
    assert nn.ModReLU(-0.5).value(jnp.complex64(3e19)) == pytest.approx(3e19, rel=1e-6)
    assert nn.ModReLU(0.0).value(jnp.complex64(1e-23)) == pytest.approx(1e-23, rel=1e-6)
    assert nn.Cardioid().value(jnp.complex64(3e19)) == pytest.approx(3e19, rel=1e-6)
    # At b = 0 the function is the identity, at the origin too.
    holomorphic, antiholomorphic = nn.wirtinger(nn.ModReLU(0.0).value)(jnp.complex64(0))
    assert (holomorphic, antiholomorphic) == (1, 0)


@pytest.mark.parametrize("name", TAME)
def test_nan_stays_nan(name):
    assert np.isnan(TAME[name].value(jnp.asarray(np.nan + 0j)))


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Erf(), nn.Tanh(), nn.GELU()], ids=lambda a: type(a).__name__)
def test_real_activations_far_out(activation):
    for x in (3e38, -3e38, 1e-38, 0.0):
        x = jnp.float32(x)
        slope = jax.grad(activation.value)(x)
        assert np.isfinite(activation.value(x))
        np.testing.assert_allclose(slope, activation.wirtinger(x)[0], atol=1e-6)
