"""Infinite-width kernels under JAX's transformations: the same numbers, or a refusal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn


def network(activation):
    return nn.serial(nn.Dense(3, 1.2, 0.1), activation, nn.Dense(1, 1.2, 0.1))


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    return rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))


@pytest.mark.parametrize(
    "activation", [nn.SplitReLU(), nn.SplitErf(), nn.SplitGELU(), nn.Polynomial([0, 1, 0.3]), nn.Sine()]
)
def test_closed_forms_are_compiled(activation, x):
    net = network(activation)
    np.testing.assert_allclose(jax.jit(lambda x: net.kernel(x).ntk)(x), net.kernel(x).ntk, rtol=1e-12, atol=1e-12)


def test_closed_forms_have_derivatives(x):
    net, step = network(nn.SplitErf()), 1e-5

    def first(scale):
        return jnp.real(net.kernel(scale * x).ntk[0, 1])

    difference = (first(1 + step) - first(1 - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(first)(1.0), difference, rtol=1e-6)


@pytest.mark.parametrize("activation", [nn.ModReLU(-0.5), nn.Cardioid(), nn.SplitTanh()])
def test_series_refuse_to_be_traced(activation, x):
    with pytest.raises(TypeError, match=r"call net\.kernel outside"):
        jax.jit(lambda x: network(activation).kernel(x).ntk)(x)
