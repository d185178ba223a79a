"""Numbers on a line through the origin: what is continuous on the plane may have kinks there, or lie on one.

Real numbers, and those behind a real part or imaginary weights, have a part that is exactly zero. Finite networks take
the derivative that `wirtinger` states there; kernels of infinite width must take the same.
"""

import inspect
import itertools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad.networks.activations._improper import GaussianPair
from qcgrad.networks.layers._weights import Weights

from .finite import empirical


def _leaky(x):
    return jnp.where(x > 0, x, 0.1 * x)


KINKED = {
    "split ReLU": nn.SplitReLU(),
    "cardioid": nn.Cardioid(),
    "zReLU": nn.ZReLU(),
    "leaky": nn.Generic(lambda z: _leaky(z.real) + 1j * _leaky(z.imag)),
}
OTHERS = {
    "modulus": nn.Generic(lambda z: jnp.abs(z) + 0j),
    "modReLU": nn.ModReLU(-0.5),
    "radial": nn.RadialProfile(lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2),
    "identity": nn.Identity(),
    "split GELU": nn.SplitGELU(),
    "split erf": nn.SplitErf(),
    "split tanh": nn.SplitTanh(),
    "polynomial": nn.Polynomial([[0, 0.4j], [1.0, 0.2]]),
    "exponential": nn.Exponential(),
    "sine": nn.Sine(),
}
TURNS = {"real": 1, "imaginary": 1j, "turned": np.exp(0.4j)}


def test_every_activation_of_complex_numbers_is_here():
    exported = {
        a
        for a in (getattr(nn, name) for name in nn.__all__)
        if isinstance(a, type) and issubclass(a, nn.AbstractActivation)
    }
    public = {a for a in exported if not a.is_real and not inspect.isabstract(a)}
    assert public == {type(activation) for activation in (KINKED | OTHERS).values()}


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of functions that jump
        yield


def _moments(activation, turn, correlation):
    """The ten expectations of `ImproperDual` at turn * x, x real with variances 1 and 1.3, by brute force."""
    angles, (nodes, weights) = 2 * np.pi * (np.arange(2000) + 0.5) / 2000, np.polynomial.legendre.leggauss(100)
    radii, weights = 4.3 * (nodes + 1), 4.3 * weights
    weights = weights * radii * np.exp(-(radii**2) / 2) / len(angles)
    first = np.cos(angles)[:, None] * radii
    second = 1.3**0.5 * np.cos(angles - np.arccos(correlation))[:, None] * radii
    (f, h, a), (f2, h2, a2) = (
        [np.asarray(part) for part in (activation.value(z), *activation.wirtinger(z))]
        for z in (jnp.asarray(turn * (x + 0j)) for x in (first, second))
    )
    pairs = ((f, f2.conj()), (f, f2), (h, h2.conj()), (a, a2.conj()), (h, a2.conj()), (a, h2.conj()))
    return [np.sum(u * v * weights) for u, v in (*pairs, (h, h2), (a, a2), (h, a2), (a, h2))]


@pytest.mark.parametrize(("name", "turn"), [*itertools.product(KINKED, TURNS), *((name, "real") for name in OTHERS)])
def test_dual_maps_on_a_line_are_brute_force(name, turn):
    """Within 2e-3 (thresholds; all others 1e-4): rules that cross a kink would be 0.01 to 0.2 away."""
    activation, turn = (KINKED | OTHERS)[name], TURNS[turn]
    for correlation in (0.5, -0.9):
        covariance = 1.3**0.5 * correlation + 0j
        variances, square = (jnp.asarray(1.0), jnp.asarray(1.3)), turn**2
        pseudos = [jnp.asarray(square * (v + 0j)) for v in (*variances, covariance)]
        pair = GaussianPair(*variances, *pseudos[:2], jnp.asarray(covariance), pseudos[2])
        found = [complex(moment) for moment in activation.improper_dual(pair)]
        np.testing.assert_allclose(found, _moments(activation, turn, correlation), atol=2e-3)


def _on_a_circle(layout, activation, units=2001):
    """(network, parameters whose hidden weights are equidistant on a circle, inputs).

    Hidden units are functions of two Gaussian numbers. For homogeneous functions the mean over the circle is that over
    the Gaussians, so that this network has the kernel of an infinite one, up to the spacing.
    """
    angles = 2 * np.pi * (np.arange(units) + 0.25) / units
    line = np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)])
    last = Weights(jnp.ones((units, 1), complex), None)
    x = jnp.array([[1.0, 0.4], [-0.3, 1.2]])
    match layout:
        case "real network":
            net = nn.serial(nn.Dense(units, dtype="real"), activation, nn.Dense(1))
            return net, (Weights(jnp.asarray(line), None), (), last), x
        case "imaginary weights":
            net = nn.serial(nn.Dense(units, tau=-1), activation, nn.Dense(1))
            return net, (Weights(jnp.asarray(line / 2**0.5 + 0j), None), (), last), x
        case "real part":
            net = nn.serial(nn.Dense(units), nn.Readout("real"), activation, nn.Dense(1))
            return net, (Weights(jnp.exp(1j * angles)[None], None), (), (), last), x[:, :1] + 1j * x[:, 1:]


@pytest.mark.parametrize("layout", ["real network", "imaginary weights", "real part"])
@pytest.mark.parametrize("name", KINKED)
def test_finite_and_infinite_networks_agree_on_lines(name, layout):
    net, params, x = _on_a_circle(layout, KINKED[name])
    theta, _, ruled = jax.jit(lambda params: empirical(net, params, x, x))(params)
    k = net.kernel(x)
    np.testing.assert_allclose(k.ntk, theta, atol=2e-3)
    np.testing.assert_allclose(k.ntk_rule, ruled, atol=2e-3)
