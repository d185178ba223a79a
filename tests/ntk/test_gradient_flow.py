"""Closed-form training against numerical integration of the same flow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

from qcgrad import networks as nn
from qcgrad import ntk


def _normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, complex)


def _kernels(num_train=4, num_test=3):
    """Theta and Theta-tilde of random features: J J^H and J J^T, for training inputs and from test inputs to them."""
    features = _normal(1, num_train + num_test, 12) + 0.6 * _normal(2, num_train + num_test, 12).conj()
    theta, tilde = features @ features.conj().T, features @ features.T
    train, test = slice(num_train), slice(num_train, None)
    return theta[train, train], tilde[train, train], theta[test, train], tilde[test, train]


def _integrated(theta, tilde, theta_test, tilde_test, y, f0, g0, time):
    """df/dt = -(Theta e + Theta-tilde conj e)/2 by Runge-Kutta."""
    n = len(y)

    def velocity(_, state):
        error = state[:n] - y
        both = np.vstack([theta, theta_test]), np.vstack([tilde, tilde_test])
        return -(both[0] @ error + both[1] @ error.conj()) / 2

    start = np.concatenate([f0, g0])
    end = scipy.integrate.solve_ivp(velocity, (0, time), start, rtol=1e-10, atol=1e-10).y[:, -1]
    return end[:n], end[n:]


@pytest.mark.parametrize("circular", [True, False])
def test_flow_equals_its_integral(circular):
    theta, tilde, theta_test, tilde_test = _kernels()
    if circular:
        tilde, tilde_test = 0 * tilde, 0 * tilde_test
    y, f0, g0 = _normal(3, 4), _normal(4, 4), _normal(5, 3)
    pseudos = {} if circular else {"pseudo": tilde, "test_pseudo": tilde_test}
    flow = ntk.gradient_flow(
        theta, y, jnp.array([0.0, 0.3]), initial=f0, test_theta=theta_test, test_initial=g0, **pseudos
    )
    expected = _integrated(*(np.asarray(a) for a in (theta, tilde, theta_test, tilde_test, y, f0, g0)), 0.3)
    np.testing.assert_allclose(flow.train[0], f0, atol=1e-12)
    np.testing.assert_allclose(flow.test[0], g0, atol=1e-12)
    np.testing.assert_allclose(flow.train[1], expected[0], atol=1e-7)
    np.testing.assert_allclose(flow.test[1], expected[1], atol=1e-7)


def test_circular_flow_is_a_matrix_exponential():
    theta = _kernels()[0]
    y, f0 = _normal(3, 4), _normal(4, 4)
    flow = ntk.gradient_flow(theta, y, 0.2, initial=f0)
    np.testing.assert_allclose(flow.train, y + jax.scipy.linalg.expm(-theta * 0.1) @ (f0 - y), atol=1e-10)


def test_real_networks_lose_no_factor():
    """Real outputs: df/dt = -Theta e, also through the complex equation with Theta-tilde = Theta."""
    theta = _kernels()[0].real
    y = _normal(3, 4).real
    real = ntk.gradient_flow(theta, y, 0.1).train
    np.testing.assert_allclose(real, y - jax.scipy.linalg.expm(-theta * 0.1) @ y, atol=1e-10)
    as_complex = ntk.gradient_flow(theta + 0j, y + 0j, 0.1, pseudo=theta + 0j).train
    np.testing.assert_allclose(as_complex, real, atol=1e-10)


def test_training_ends_at_the_targets_and_at_kernel_regression():
    theta, _, theta_test, _ = _kernels()
    y = _normal(3, 4, 2)
    flow = ntk.gradient_flow(theta, y, jnp.inf, test_theta=theta_test)
    assert flow.train.shape == (4, 2)
    assert flow.test.shape == (3, 2)
    np.testing.assert_allclose(flow.train, y, atol=1e-10)
    np.testing.assert_allclose(flow.test, theta_test @ jnp.linalg.solve(theta, y), atol=1e-9)


def test_small_steps_on_a_wide_network_follow_the_prediction():
    """Full training of width 1024 from its own start and its infinite-width kernel: within 10 % of the residual."""
    net = nn.serial(nn.Dense(1024, sigma_b=0.3), nn.SplitReLU(), nn.Dense(1, sigma_b=0.3))
    x, y = _normal(1, 3, 4), _normal(2, 3)
    params = net.init(jax.random.key(3), (4,))
    start = net.apply(params, x)[:, 0]

    def loss(params):
        return 0.5 * jnp.sum(jnp.abs(net.apply(params, x)[:, 0] - y) ** 2)

    step, steps = 0.02, 50

    @jax.jit
    def descend(params):
        # The derivative by real unit-variance parameters is sqrt(1/2) of that by Re and Im, for each of two factors.
        return jax.tree.map(lambda p, g: p - step / 2 * g.conj(), params, jax.grad(loss)(params))

    for _ in range(steps):
        params = descend(params)
    predicted = ntk.gradient_flow(net.kernel(x).ntk, y, step * steps, initial=start).train
    moved = net.apply(params, x)[:, 0]
    assert float(jnp.linalg.norm(moved - start)) > 0.5 * float(jnp.linalg.norm(y - start))
    assert float(jnp.linalg.norm(moved - predicted)) < 0.1 * float(jnp.linalg.norm(start - y))


def test_singular_kernels():
    """Duplicate inputs: the mean of their targets is met, their difference never; no limit for test inputs."""
    theta = jnp.ones((2, 2), complex)
    flow = ntk.gradient_flow(theta, jnp.array([1.0 + 0j, 3.0]), jnp.inf)
    np.testing.assert_allclose(flow.train, [2.0, 2.0], atol=1e-12)
    finite = ntk.gradient_flow(theta, jnp.array([1.0 + 0j, 3.0]), 1.0, test_theta=theta[:1])
    np.testing.assert_allclose(finite.test, finite.train[:1], atol=1e-12)
    with pytest.raises(ValueError, match="condition number is"):
        ntk.gradient_flow(theta, jnp.ones(2, complex), jnp.inf, test_theta=theta[:1])


_EYE = jnp.eye(2, dtype=complex)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((_EYE, jnp.ones(3), 1.0), "targets must be"),
        ((_EYE[:, :1], jnp.ones(2), 1.0), "square"),
        ((jnp.zeros((0, 0), complex), jnp.ones(0), 1.0), "N >= 1"),
        ((_EYE, jnp.ones(2), -1.0), "times must be >= 0"),
        ((_EYE.real, jnp.ones(2, complex), 1.0), "complex but the kernel is real"),
        ((-_EYE, jnp.ones(2), 1.0), "positive semidefinite"),
        ((_EYE + jnp.array([[0, 1], [0, 0]]), jnp.ones(2), 1.0), "Hermitian"),
        ((_EYE * jnp.nan, jnp.ones(2), 1.0), "finite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        ntk.gradient_flow(*arguments)


def test_kernels_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="test_theta must be"):
        ntk.gradient_flow(_EYE, jnp.ones(2), 1.0, test_theta=jnp.ones((3, 3), complex))
    with pytest.raises(ValueError, match="one shape"):
        ntk.gradient_flow(_EYE, jnp.ones(2), 1.0, pseudo=jnp.ones((3, 3), complex))
    with pytest.raises(ValueError, match="leave it out"):
        ntk.gradient_flow(_EYE.real, jnp.ones(2), 1.0, pseudo=jnp.zeros((2, 2)))
    with pytest.raises(ValueError, match="initial must be"):
        ntk.gradient_flow(_EYE, jnp.ones(2), 1.0, initial=jnp.ones((2, 3)))
