"""Wirtinger derivatives in closed form; gradients against JAX, torch and by hand; refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.networks import (
    Convention,
    cauchy_riemann_residual,
    conj_grad,
    holomorphic_derivative,
    is_holomorphic,
    value_and_conj_grad,
    wirtinger,
)
from tests.networks.losses import CASES, Z

POINT = 0.7 - 1.2j
CLOSED = {
    # name: (f, df/dz, df/dz-bar)
    "square": (lambda z: z**2, 2 * POINT, 0),
    "conjugate": (jnp.conj, 0, 1),
    "modulus squared": (lambda z: jnp.abs(z) ** 2, np.conj(POINT), POINT),
    "real part": (jnp.real, 0.5, 0.5),
    "imaginary part": (jnp.imag, -0.5j, 0.5j),
    "modulus": (jnp.abs, np.conj(POINT) / (2 * abs(POINT)), POINT / (2 * abs(POINT))),
    "phase": (lambda z: z / jnp.abs(z), 0.5 / abs(POINT), -0.5 * POINT**2 / abs(POINT) ** 3),
    "mixed": (lambda z: z**3 * jnp.conj(z) ** 2, 3 * abs(POINT) ** 4, 2 * POINT**3 * np.conj(POINT)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    f, holomorphic, anti = CLOSED[name]
    found = wirtinger(f)(POINT)
    np.testing.assert_allclose(found, (holomorphic, anti), atol=1e-12)


def test_the_chain_rule_holds_with_both_derivatives():
    def f(z):
        return jnp.conj(z) * jnp.exp(z)

    def g(w):
        return w**2 * jnp.conj(w)

    w = f(POINT)
    (f1, f2), (g1, g2) = wirtinger(f)(POINT), wirtinger(g)(w)
    composed = wirtinger(lambda z: g(f(z)))(POINT)
    np.testing.assert_allclose(composed, (g1 * f1 + g2 * jnp.conj(f2), g1 * f2 + g2 * jnp.conj(f1)), rtol=1e-12)


def test_pytrees_and_several_arguments_keep_their_structure():
    def f(tree, w):
        return tree["a"] @ jnp.conj(w) + tree["b"]

    tree, w = {"a": jnp.ones((2, 3)) + 1j, "b": jnp.zeros(2) + 0j}, jnp.arange(3.0) + 1j
    (d_tree, d_w), (bar_tree, bar_w) = wirtinger(f, argnums=(0, 1))(tree, w)
    assert (d_tree["a"].shape, d_tree["b"].shape, bar_w.shape) == ((2, 2, 3), (2, 2), (2, 3))
    np.testing.assert_allclose(d_tree["b"], np.eye(2))
    np.testing.assert_allclose(d_tree["a"][0, 0], w.conj())
    np.testing.assert_allclose(bar_w, tree["a"])
    assert not np.any(d_w)
    assert not np.any(bar_tree["a"])


def test_single_precision_stays_single():
    dz, dzbar = wirtinger(lambda z: z * jnp.conj(z))(jnp.complex64(1 + 2j))
    assert (dz.dtype, dzbar.dtype) == (np.complex64, np.complex64)
    np.testing.assert_allclose((dz, dzbar), (1 - 2j, 1 + 2j))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gradients_of_five_losses_in_every_convention(case):
    np.testing.assert_allclose(conj_grad(case.jax)(Z), case.gradient, atol=1e-12)
    value, half = value_and_conj_grad(case.jax, convention=Convention.mathematical)(Z)
    np.testing.assert_allclose(value, case.jax(Z))
    np.testing.assert_allclose(2 * half, case.gradient, atol=1e-12)
    np.testing.assert_allclose(half, wirtinger(case.jax)(jnp.asarray(Z))[1], atol=1e-12)
    np.testing.assert_allclose(conj_grad(case.jax, convention=Convention.jax)(Z), jax.grad(case.jax)(Z), atol=1e-12)
    assert float(case.jax(Z - 1e-3 * case.gradient)) < float(case.jax(Z))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_torch_agrees_under_its_convention(case):
    torch = pytest.importorskip("torch")
    z = torch.tensor(Z, requires_grad=True)
    case.torch(torch, z).backward()
    np.testing.assert_allclose(z.grad.numpy(), conj_grad(case.jax, convention=Convention.pytorch)(Z), atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_losses_of_complex_weights_return_the_gradient_that_descends(case):
    loss = qg.Loss(lambda w, x: w, lambda w, y: case.jax(w), (np.zeros(1), np.zeros(1)))
    e = qg.estimate(loss, Z, qg.Backprop())
    np.testing.assert_allclose(e.gradient, case.gradient, atol=1e-12)


def test_cauchy_riemann_tells_holomorphic_functions():
    for f, expected in [(jnp.exp, True), (jnp.sin, True), (lambda z: z**3, True), (jnp.conj, False), (jnp.real, False)]:
        assert is_holomorphic(f, POINT) is expected
    np.testing.assert_allclose(cauchy_riemann_residual(lambda z: z + 0.25 * jnp.conj(z), POINT), 0.25)
    tree = {"a": jnp.array([POINT]), "b": jnp.array([POINT])}
    np.testing.assert_allclose(cauchy_riemann_residual(lambda t: t["a"] * t["b"] + 2 * jnp.conj(t["b"]), tree), 2)


def test_a_holomorphic_derivative_of_anything_else_is_refused():
    """JAX returns u_x - i u_y, here 2 conj z, which is no derivative of |z|^2."""
    np.testing.assert_allclose(holomorphic_derivative(jnp.sin)(POINT), np.cos(POINT), atol=1e-12)
    np.testing.assert_allclose(holomorphic_derivative(jnp.sin)(POINT), jax.grad(jnp.sin, holomorphic=True)(POINT))
    silent = jax.grad(lambda z: z * jnp.conj(z), holomorphic=True)(POINT)
    np.testing.assert_allclose(silent, 2 * np.conj(POINT), atol=1e-12)
    with pytest.raises(qg.NotApplicable, match="not holomorphic at this point"):
        holomorphic_derivative(lambda z: z * jnp.conj(z))(POINT)


def test_refusals_name_what_to_do():
    with pytest.raises(TypeError, match="are by complex variables"):
        wirtinger(lambda z: z**2)(2.0)
    with pytest.raises(TypeError, match=r"argument .*'b'.* has dtype float64"):
        wirtinger(lambda t: t["a"] * t["b"])({"a": 1j, "b": 1.0})
    with pytest.raises(TypeError, match="reduce it first"):
        conj_grad(lambda z: z**2)(POINT)
    with pytest.raises(TypeError, match="give a Convention"):
        conj_grad(jnp.abs, convention="torch")
