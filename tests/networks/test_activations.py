"""Activations: values, derivatives, symmetries, certificates, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad import networks as nn
from qcgrad.networks.activations._real import AbstractRealActivation

COMPLEX = {
    "identity": nn.Identity(),
    "split relu": nn.SplitReLU(),
    "split erf": nn.SplitErf(),
    "split tanh": nn.SplitTanh(),
    "split gelu": nn.SplitGELU(),
    "cardioid": nn.Cardioid(),
    "modrelu": nn.ModReLU(-0.5),
    "zrelu": nn.ZReLU(),
    "squash": nn.RadialProfile(lambda r: r / (1 + r), lambda r: 1 / (1 + r) ** 2),
    "polynomial": nn.Polynomial([0.1, 1.0, 0.3j]),
    "mixed polynomial": nn.Polynomial([[0.0, 0.2, 0.1], [1.0, 0.0, 0.3]]),
    "exponential": nn.Exponential(),
    "sine": nn.Sine(),
    "generic": nn.Generic(lambda z: z * jnp.exp(-(jnp.abs(z) ** 2))),
}
REAL = {
    "relu": nn.ReLU(),
    "erf": nn.Erf(),
    "tanh": nn.Tanh(),
    "gelu": nn.GELU(),
    "series": nn.HermiteSeries([0.1, 1, 0.5]),
}
POINTS = 1.3 * np.random.default_rng(0).normal(size=(2, 12))
Z = jnp.asarray(POINTS[0] + 1j * POINTS[1])


@pytest.mark.parametrize("name", COMPLEX)
def test_wirtinger_pairs_are_the_derivatives(name):
    """Central differences along 1 and i; no point lies within the step of a kink."""
    activation, h = COMPLEX[name], 1e-6
    along_x = (activation.value(Z + h) - activation.value(Z - h)) / (2 * h)
    along_y = (activation.value(Z + 1j * h) - activation.value(Z - 1j * h)) / (2 * h)
    holomorphic, antiholomorphic = activation.wirtinger(Z)
    np.testing.assert_allclose(holomorphic, (along_x - 1j * along_y) / 2, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(antiholomorphic, (along_x + 1j * along_y) / 2, rtol=1e-7, atol=1e-8)
    assert holomorphic.shape == antiholomorphic.shape == Z.shape


@pytest.mark.parametrize("name", REAL)
def test_real_slopes_are_the_derivatives(name):
    activation, x, h = REAL[name], jnp.asarray(POINTS[0]), 1e-6
    slope, zero = activation.wirtinger(x)
    np.testing.assert_allclose(slope, (activation.value(x + h) - activation.value(x - h)) / (2 * h), atol=1e-8)
    assert not np.any(zero)


@pytest.mark.parametrize("name", COMPLEX)
def test_backpropagation_is_finite_at_the_origin(name):
    """JAX differentiates both branches of a `where`: 0/0 in one of them would make gradients NaN."""
    gradient = jax.grad(lambda z: jnp.sum(jnp.abs(COMPLEX[name].value(z) - 1) ** 2))(jnp.asarray([0j, 1e-300, 1.0]))
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("name", COMPLEX)
def test_full_wirtinger_rule_is_jaxs_gradient(name):
    def loss(z, rule):
        return jnp.sum(jnp.abs(COMPLEX[name].apply((), z, rule) - 0.3j) ** 2)

    np.testing.assert_allclose(jax.grad(loss)(Z, nn.FullWirtinger()), jax.grad(loss)(Z, None), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", COMPLEX)
def test_declared_symmetry_holds(name):
    activation, turn = COMPLEX[name], np.exp(0.7j)
    value = activation.value(Z)
    if activation.symmetry == "phase":
        np.testing.assert_allclose(activation.value(turn * Z), turn * value, atol=1e-12)
    elif activation.symmetry == "split":
        np.testing.assert_allclose(value.real, activation.value(Z.real + 0j).real, atol=1e-12)
        np.testing.assert_allclose(value, 1j * jnp.conj(activation.value(1j * jnp.conj(Z))), atol=1e-12)
    elif activation.symmetry == "holomorphic":
        assert nn.is_holomorphic(activation.value, Z)


def test_symmetry_of_polynomials_follows_from_their_coefficients():
    assert nn.Polynomial([[0, 0], [1, 0], [0, 0.5]]).symmetry == "phase"
    assert nn.Polynomial([0, 1, 1]).symmetry == "holomorphic"
    assert nn.Polynomial([[0, 1]]).symmetry == "none"


@pytest.mark.parametrize(
    "activation", [COMPLEX["split relu"], COMPLEX["cardioid"], COMPLEX["modrelu"], COMPLEX["sine"]]
)
def test_single_precision_stays_single(activation):
    z = Z.astype(jnp.complex64)
    assert activation.value(z).dtype == activation.wirtinger(z)[0].dtype == np.complex64
    q = jnp.ones(12, jnp.float32)
    assert {part.dtype for part in activation.dual(q, q, z / 10)} == {np.dtype(np.complex64)}


@pytest.mark.parametrize("name", REAL)
def test_real_activations_refuse_complex_numbers(name):
    with pytest.raises(TypeError, match=r"acts on real numbers and got complex128.*dtype='real'"):
        REAL[name].value(Z)
    with pytest.raises(TypeError, match="acts on real numbers"):
        REAL[name].dual(1.0, 1.0, 0.5j)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.ModReLU(0.5), r"b=0.5: .*diverges logarithmically, so there is no finite NTK; give b <= 0"),
        (lambda: nn.ModReLU(float("nan")), "give b <= 0"),
        (lambda: nn.ModReLU(-float("inf")), "zero everywhere"),
        (lambda: nn.RadialProfile(lambda r: r + 0.5, lambda r: 1 + 0 * r), "diverges logarithmically"),
        (lambda: nn.RadialProfile(lambda r: r, lambda r: 1 + 0 * r, threshold=-1.0), "threshold=-1.0"),
        (lambda: nn.RadialProfile(lambda r: r / (r - 1), lambda r: -1 / (r - 1) ** 2), "finite"),
        (
            lambda: nn.RadialProfile(lambda r: jnp.expm1(r * r), lambda r: 2 * r * jnp.exp(r * r)),
            r"grows as exp\(r\^2\)",
        ),
        (lambda: nn.RadialProfile(lambda r: r / (1 + r), lambda r: 5 + 0 * r), "derivative of profile"),
        (lambda: nn.Generic(lambda z: z * jnp.expm1(jnp.abs(z) ** 2)), r"grows as exp\(r\^2\)"),
        (lambda: nn.Polynomial([]), "give finite numbers"),
        (lambda: nn.Polynomial([1.0, float("nan")]), "give finite numbers"),
        (lambda: nn.Polynomial(np.zeros((2, 2, 2))), "1-D"),
        (lambda: nn.Generic(jnp.tanh), "meromorphic"),
        (lambda: nn.Generic(lambda z: jnp.tanh(z)), "diverge"),
        (lambda: nn.Generic(lambda z: 1 / (z - 1.2)), "diverge"),
        (lambda: nn.Generic(lambda z: z + z / jnp.abs(z)), "diverge"),
        (lambda: nn.Generic(jnp.conj, harmonics=0), "harmonics=0"),
        (lambda: nn.HermiteSeries([]), "at least one"),
        (lambda: nn.HermiteSeries([1.0], variance=0.0), "variance=0.0"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_has_no_kernel_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_discontinuous_functions_warn_when_a_kernel_is_asked():
    assert not nn.ZReLU().certificate.is_true_linearization
    with pytest.warns(UserWarning, match="ZReLU is discontinuous.*not the kernel of training"):
        nn.ZReLU().dual(1.0, 1.0, 0.5 + 0j)
    generic = nn.Generic(nn.ZReLU().value)
    assert not generic.certificate.is_true_linearization
    with pytest.warns(UserWarning, match="not that of training"):
        generic.dual(1.0, 1.0, 0.5 + 0j)


def test_a_cut_series_warns_where_it_may_be_wrong():
    with pytest.warns(UserWarning, match="raise harmonics or terms"):
        nn.Generic(nn.ModReLU(-0.5).value).dual(1.0, 1.0, 0.99 + 0j)


@pytest.mark.parametrize("name", COMPLEX)
def test_certificates_of_continuous_functions(name):
    certificate = COMPLEX[name].certificate
    assert certificate.has_kernel
    assert certificate.is_true_linearization == (name != "zrelu")


def test_a_profile_that_jumps_is_not_a_true_linearization():
    step = nn.RadialProfile(lambda r: r, lambda r: 1 + 0 * r, threshold=1.0)
    assert step.certificate.has_kernel
    assert not step.certificate.is_true_linearization


def test_modrelu_is_a_radial_profile():
    profile = nn.RadialProfile(lambda r: r - 0.5, lambda r: 1 + 0 * r, threshold=0.5)
    np.testing.assert_allclose(profile.value(Z), nn.ModReLU(-0.5).value(Z))
    expected = jnp.where(jnp.abs(Z) > 0.5, (jnp.abs(Z) - 0.5) * Z / jnp.abs(Z), 0)
    np.testing.assert_allclose(nn.ModReLU(-0.5).value(Z), expected, atol=1e-15)


def test_every_real_activation_is_marked_real():
    assert all(isinstance(a, AbstractRealActivation) and a.is_real for a in REAL.values())
    assert not any(a.is_real for a in COMPLEX.values())


def test_energies_of_high_degree_do_not_overflow():
    """The gamma functions in zReLU's coefficients do, beyond degree 170; E|phi|^2 = 1/4 bounds their sum."""
    totals = [np.sum(np.square(nn.equivalent_real_activation(nn.ZReLU(), degree=n).coefficients)) for n in (128, 400)]
    assert totals[0] < totals[1] < 0.25
