"""Real activations that are equivalent to complex ones."""

import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad.errors import NotApplicable
from tests.networks.test_activations import COMPLEX

from .test_duals import SMOOTH

pytestmark = pytest.mark.filterwarnings("ignore:ZReLU is discontinuous")


def three_layers(dual, activation_of, gram, variance_weight):
    """K and Theta of three layers by hand: Theta <- K + sigma_w^2 (D o Theta + E o conj Theta)."""
    kernel = theta = jnp.asarray(gram)
    for _ in range(3):
        q = jnp.real(jnp.diag(kernel))
        d = dual(activation_of(float(q[0])), q[:, None], q[None], kernel)
        kernel = variance_weight * d.kappa
        theta = kernel + variance_weight * (d.holomorphic * theta + d.antiholomorphic * jnp.conj(theta))
    return kernel, theta


@pytest.mark.parametrize("name", ["split erf", "mixed polynomial", "sine", "split relu", "modrelu", "cardioid"])
def test_real_gram_matrices_reduce_to_a_real_network(name):
    """Equal norms. With a kink, D of a series cut at degree 400 lacks 1/20 at correlation one, little below."""
    inputs = np.random.default_rng(5).normal(size=(4, 6))
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    activation, weight = COMPLEX[name], 1.5

    def evaluate(a, q1, q2, k):
        return a.dual(q1, q2, k)

    theirs = three_layers(evaluate, lambda q: activation, inputs @ inputs.T + 0j, weight)
    ours = three_layers(
        evaluate, lambda q: nn.equivalent_real_activation(activation, q, degree=400), inputs @ inputs.T, weight
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert np.max(np.abs(np.imag(other))) < 1e-12
        error, size = np.abs(mine - other), np.max(np.abs(other))
        assert np.max(error) < (1e-9 if name in SMOOTH else 0.05) * size
        assert np.max(error - np.diag(np.diag(error))) < 5e-5 * size


def test_the_equivalent_function_itself_has_the_dual_map():
    """E[sigma_eq(u) sigma_eq(v)] by quadrature of its values, against kappa of the complex function."""
    q, rho = 1.2, 0.6
    equivalent = nn.equivalent_real_activation(nn.SplitErf(), q, degree=100)
    x, w = np.polynomial.hermite_e.hermegauss(120)
    w = w / w.sum()
    u = np.sqrt(q) * (x[:, None] + 0 * x)
    v = np.sqrt(q) * (rho * x[:, None] + np.sqrt(1 - rho**2) * x)
    kept = np.abs(x) < 9
    values = (np.where(kept[:, None] & (np.abs(v) < 9), equivalent.function(jnp.asarray(y)), 0) for y in (u, v))
    first, second = values
    assert abs(w @ (first * second) @ w - nn.SplitErf().dual(q, q, rho * q + 0j).kappa.real) < 1e-7


@pytest.mark.parametrize("name", ["split relu", "cardioid", "modrelu", "zrelu"])
def test_closed_form_energies_are_those_of_the_expansion(name):
    """The default takes them from values on a grid; kinks cost it digits."""
    from qcgrad.networks.activations._angular import energies_by_quadrature

    np.testing.assert_allclose(
        COMPLEX[name].energies(0.8, 8),
        energies_by_quadrature(COMPLEX[name], 0.8, 8),
        atol=2e-3 if name == "zrelu" else 2e-4,
    )


def test_equivalent_activations_say_where_they_hold():
    series = nn.equivalent_real_activation(nn.SplitReLU(), variance=2.0)
    with pytest.raises(NotApplicable, match="variance 2 and got 1"):
        series.dual(1.0, 1.0, 0.5)
    with pytest.raises(TypeError, match="ReLU is real already"):
        nn.equivalent_real_activation(nn.ReLU())
