"""The identities that tie dual maps together."""

import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from tests.networks.test_activations import COMPLEX, REAL

from .test_duals import SMOOTH, rule

pytestmark = pytest.mark.filterwarnings("ignore:ZReLU is discontinuous")


CONTINUOUS = [name for name in COMPLEX if name != "zrelu"]


@pytest.mark.parametrize("name", ["split relu", "split gelu", "cardioid", "modrelu", "mixed polynomial", "sine"])
def test_duals_agree_with_the_generic_expansion(name):
    """Fourier transform and quadrature of the function itself: it shares no formula with the closed forms."""
    entries = 1.3, 0.7, 0.3 + 0.2j
    generic = nn.Generic(COMPLEX[name].value).dual(*entries)
    np.testing.assert_allclose(generic, COMPLEX[name].dual(*entries), atol=1e-8 if name in SMOOTH else 3e-5)


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("ratio", [0.4 + 0.3j, -0.6j, 0.9 - 0.2j])
@pytest.mark.filterwarnings("ignore:the cut series")
def test_price_identity(name, ratio):
    """D = d kappa/dK and E = d kappa/d conj(K), by central differences along 1 and i."""
    activation, q1, q2, h = COMPLEX[name], 0.8, 1.3, 1e-5
    k = jnp.asarray(ratio * np.sqrt(q1 * q2) + h * np.array([0, 1, -1, 1j, -1j]))
    dual = activation.dual(jnp.full(5, q1), jnp.full(5, q2), k)
    along_x, along_y = ((dual.kappa[i] - dual.kappa[i + 1]) / (2 * h) for i in (1, 3))
    assert abs(dual.holomorphic[0] - (along_x - 1j * along_y) / 2) < 1e-8
    assert abs(dual.antiholomorphic[0] - (along_x + 1j * along_y) / 2) < 1e-8


@pytest.mark.parametrize("name", [n for n in COMPLEX if n not in ("modrelu", "generic")])
def test_at_correlation_one_duals_are_mean_squares(name):
    q = 0.9
    s, ws = rule([0.0, 2.0, 9.0], 80)
    angle, wa = rule(np.arange(5) * np.pi / 2, 40)
    z = jnp.asarray(np.sqrt(q) * s[:, None] * np.exp(1j * angle))
    values = (COMPLEX[name].value(z), *COMPLEX[name].wirtinger(z))
    expected = [(ws * s * np.exp(-(s**2))) @ (np.abs(value) ** 2 @ wa) / np.pi for value in values]
    np.testing.assert_allclose(COMPLEX[name].dual(q, q, q + 0j), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.filterwarnings("ignore:the cut series")
def test_duals_are_hermitian_and_independent_at_zero(name):
    activation, k = COMPLEX[name], 0.5 + 0.3j
    forward, backward = activation.dual(0.8, 1.3, k), activation.dual(1.3, 0.8, np.conj(k))
    np.testing.assert_allclose(forward, np.conj(backward), atol=1e-12)
    z = activation.dual(0.8, 1.3, 0j).kappa
    means = [activation.dual(q, q, 0j).kappa.real for q in (0.8, 1.3)]
    assert abs(abs(z) ** 2 - means[0] * means[1]) < 1e-12


@pytest.mark.parametrize("name", [n for n in COMPLEX if COMPLEX[n].symmetry == "phase"])
def test_kernels_of_phase_equivariant_functions_turn_with_their_inputs(name):
    k, turn = 0.6 + 0.2j, np.exp(0.8j)
    plain, turned = (COMPLEX[name].dual(0.8, 1.3, value) for value in (k, turn * k))
    np.testing.assert_allclose(turned, np.array([turn, 1, turn**2]) * np.array(plain), atol=1e-12)


@pytest.mark.parametrize("name", ["polynomial", "exponential", "sine", "identity"])
def test_holomorphic_functions_have_no_second_branch(name):
    assert not np.any(COMPLEX[name].dual(0.8, 1.3, jnp.asarray([0.2 + 0.5j, 0j])).antiholomorphic)


@pytest.mark.parametrize("name", [*COMPLEX, *REAL])
@pytest.mark.filterwarnings("ignore:the cut series")
def test_correlations_above_one_by_rounding_are_cut(name):
    activation = {**COMPLEX, **REAL}[name]
    one = 1.0 if activation.is_real else 1.0 + 0j
    exact, rounded = (activation.dual(1.0, 1.0, jnp.asarray([one * f])) for f in (1.0, 1 + 4e-16))
    assert np.all(np.isfinite(rounded))
    np.testing.assert_allclose(rounded, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in COMPLEX if n != "generic"])
def test_duals_broadcast_and_take_zero_variances(name):
    q1, q2 = jnp.asarray([[0.0], [0.7]]), jnp.asarray([[0.5, 0.9, 0.0]])
    k = 0.5 * jnp.sqrt(q1 * q2) * jnp.asarray([[1, 1j, 1]])
    dual = COMPLEX[name].dual(q1, q2, k)
    assert all(part.shape == (2, 3) and np.all(np.isfinite(part)) for part in dual)
    single = COMPLEX[name].dual(0.7, 0.9, k[1, 1])
    np.testing.assert_allclose([part[1, 1] for part in dual], single, atol=1e-14)
