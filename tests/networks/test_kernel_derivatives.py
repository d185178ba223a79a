"""Derivatives of infinite-width kernels by the inputs, where inputs are equal, opposite, collinear or zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn

COMPLEX = [
    nn.SplitReLU(), nn.SplitErf(), nn.SplitGELU(), nn.Polynomial([0, 1, 0.3]), nn.Polynomial([[0, 0.4j], [1, 0.2]]),
    nn.Sine(), nn.Exponential(),
]  # fmt: skip
REAL = [nn.ReLU(), nn.Erf(), nn.GELU()]
POINT = np.array([[0.6 - 0.3j, -0.4 + 0.5j, 0.2 + 0.3j]])
ALONG = np.array([[0.7 + 0.2j, 0.1 - 0.9j, -0.5 + 0.4j]])
#: The first inputs move with t, the others stand still.
MOVING, STILL = np.array([[1], [1], [-1], [2]]), np.array([[1], [-1], [2], [0]])


def network(activation, tau=0.0, sigma_b=0.0):
    """Without biases, so that collinear inputs stay collinear in every layer."""
    scales = {"sigma_w": 0.9, "sigma_b": sigma_b} | ({"dtype": "real"} if activation.is_real else {"tau": tau})
    dense = nn.Dense(2, **scales)
    return nn.serial(dense, activation, dense, activation, dense)


def entries(net, is_real=False, dtype=np.complex128, still=True):
    """All kernels of one moving input with others, real and imaginary parts, as a compiled function of t."""
    point, along = (jnp.asarray(z, dtype) for z in (POINT, ALONG))
    point, along = (z.real if is_real else z for z in (point, along))

    def function(t):
        moving = point + t * along
        others = [jnp.asarray(MOVING, point.dtype) * moving]
        if still:
            others += [jnp.asarray(STILL, point.dtype) * point]
        k = net.kernel(moving, jnp.concatenate(others))
        found = jnp.stack([k.nngp, k.ntk, k.ntk_pseudo, k.ntk_rule])
        return jnp.stack([jnp.real(found), jnp.imag(found)])

    return function


def slope(f, h=1e-5):
    return (f(h) - f(-h)) / (2 * h)


@pytest.mark.parametrize("activation", [*COMPLEX, *REAL], ids=lambda a: f"{type(a).__name__}-{a.symmetry}")
def test_derivatives_of_closed_forms_are_those_of_differences(activation):
    """Central differences also where only one of two coincident inputs moves: the middle of a cone is 0."""
    f = entries(network(activation), activation.is_real)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(f))(0.0), slope(jax.jit(f)), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("activation", [nn.SplitReLU(), nn.ReLU(), nn.SplitErf()], ids=lambda a: type(a).__name__)
def test_second_derivatives_of_what_moves_together(activation):
    f, h = jax.jit(entries(network(activation), activation.is_real, still=False)), 1e-3
    difference = (f(h) - 2 * f(0.0) + f(-h)) / h**2
    np.testing.assert_allclose(jax.jit(jax.jacfwd(jax.jacfwd(f)))(0.0), difference, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.SplitReLU()], ids=lambda a: type(a).__name__)
def test_gradients_of_the_diagonal_backwards(activation):
    """A homogeneous network's is proportional to |x|^2, also at x = 0; eager and compiled."""
    net = network(activation)
    x = jnp.concatenate([jnp.asarray(POINT), 0 * jnp.asarray(POINT)])
    x = x.real if activation.is_real else x

    def diagonal(x):
        return jnp.sum(jnp.diagonal(net.kernel(x).nngp).real)

    gradient = jax.grad(diagonal)(x)
    np.testing.assert_allclose(jax.jit(jax.grad(diagonal))(x), gradient, atol=1e-12)
    np.testing.assert_allclose(gradient, 2 * x.conj() * diagonal(x[:1]) / jnp.sum(jnp.abs(x) ** 2), atol=1e-12)


def test_derivatives_in_single_precision():
    net = network(nn.SplitReLU())
    found = jax.jit(jax.jacfwd(entries(net, dtype=np.complex64)))(jnp.float32(0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, jax.jit(jax.jacfwd(entries(net)))(0.0), rtol=2e-3, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_derivatives_with_improper_weights(tau):
    """Split functions are exact there too: by their components, some of which have no variance for real data."""
    f = entries(network(nn.SplitReLU(), tau, 0.3), is_real=tau == 1)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(f))(0.0), slope(jax.jit(f)), rtol=1e-6, atol=1e-6)


def test_derivatives_of_image_kernels():
    conv = nn.Conv1D(2, (2,), padding="circular", dtype="real")
    net = nn.serial(conv, nn.ReLU(), nn.GlobalAveragePool(), nn.Dense(1, dtype="real"))
    x = jnp.asarray([[[0.3], [-0.2], [0.5]]])

    def f(t):
        return net.kernel(jnp.concatenate([x * (1 + t), x])).nngp

    np.testing.assert_allclose(jax.jit(jax.jacfwd(f))(0.0), slope(jax.jit(f)), atol=1e-8)
