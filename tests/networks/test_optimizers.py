"""Optimizers of complex parameters descend, and Adam on JAX's gradients as they stand does not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qcgrad.errors import NotApplicable
from qcgrad.networks import Convention, complex_optimizer, conj_grad

TARGET = jnp.array([1.0 - 2.0j, -0.5 + 0.7j])


def loss(z):
    return jnp.sum(jnp.abs(z - TARGET) ** 2)


def trained(optimizer, z, steps, loss=loss):
    def step(carry, _):
        z, state = carry
        updates, state = optimizer.update(jax.grad(loss)(z), state, z)
        return (optax.apply_updates(z, updates), state), None

    return jax.lax.scan(step, (z, optimizer.init(z)), None, steps)[0][0]


START = jnp.array([0.3 + 0.2j, 0.1 - 0.1j])


@pytest.mark.parametrize("kind", ["split", "modulus"])
def test_adam_reaches_the_minimum_and_diverges_without_conjugation(kind):
    assert loss(trained(complex_optimizer(optax.adam(0.02), kind), START, 1500)) < 1e-6
    assert loss(trained(optax.adam(0.02), START, 1500)) > 10 * loss(START)


def test_first_steps_of_adam_have_the_documented_geometry():
    """At the first step Adam's update is -rate sign(g): of Re and Im apart, or the phase of g."""
    gradient = jnp.array([3.0 - 4.0j])  # JAX's; the one that descends against is 3 + 4i
    for kind, expected in (("split", -(1 + 1j)), ("modulus", -(0.6 + 0.8j))):
        optimizer = complex_optimizer(optax.adam(1.0, eps=0.0), kind)
        update, _ = optimizer.update(gradient, optimizer.init(START[:1]), START[:1])
        np.testing.assert_allclose(update, [expected], rtol=1e-12)


def test_the_modulus_kind_turns_with_the_phase_and_the_split_kind_does_not():
    turn = jnp.exp(0.5j)

    def turned(z):
        return loss(z / turn)

    for kind, same in (("modulus", True), ("split", False)):
        plain = trained(complex_optimizer(optax.adam(0.05), kind), START, 20)
        rotated = trained(complex_optimizer(optax.adam(0.05), kind), START * turn, 20, turned)
        assert np.allclose(plain * turn, rotated, atol=1e-10) is same


@pytest.mark.parametrize("kind", ["split", "modulus"])
def test_real_parameters_are_updated_as_by_the_optimizer_itself(kind):
    def mixed(p):
        return jnp.abs(p["w"] * 2 - 1j) ** 2 + (p["b"] - 3) ** 2

    start = {"w": jnp.array(0.5 + 0j), "b": jnp.array(0.0)}
    found = trained(complex_optimizer(optax.adam(0.05), kind), start, 400, mixed)
    alone = trained(optax.adam(0.05), jnp.array(0.0), 400, lambda b: (b - 3) ** 2)
    assert found["b"].dtype == np.float64
    np.testing.assert_allclose(found["b"], alone, rtol=1e-10)
    np.testing.assert_allclose(found["w"], 0.5j, atol=1e-2)


def test_gradients_of_this_library_are_conjugated_first():
    optimizer = complex_optimizer(optax.sgd(0.5))
    gradient = Convention.pytorch.convert(conj_grad(loss)(START), Convention.jax)
    update, _ = optimizer.update(gradient, optimizer.init(START), START)
    np.testing.assert_allclose(START + update, TARGET, atol=1e-12)


def valley(p):
    """Curved and ill-conditioned, of complex and real parameters; its minimum is zero."""
    z, b = p["z"], p["b"]
    return jnp.abs(z[0] - 1 - 1j) ** 2 + 10 * jnp.abs(z[1] - z[0] ** 2) ** 2 + (b - jnp.abs(z[0])) ** 2


def on_parts(q):
    return valley({"z": q["x"] + 1j * q["y"], "b": q["b"]})


def searched(optimizer, function, start, steps):
    """Steps of an optimizer with a line search, which starts from the value and gradient that it kept."""
    value_and_grad = optax.value_and_grad_from_state(function)

    def step(carry, _):
        p, state = carry
        value, grad = value_and_grad(p, state=state)
        updates, state = optimizer.update(grad, state, p, value=value, grad=grad, value_fn=function)
        return (optax.apply_updates(p, updates), state), None

    return jax.lax.scan(step, (start, optimizer.init(start)), None, steps)[0][0]


@pytest.mark.parametrize(
    "optimizer",
    [optax.lbfgs(), optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15, store_grad=True))],
    ids=["lbfgs", "backtracking"],
)
def test_line_searches_are_those_of_real_and_imaginary_parts(optimizer):
    found = searched(complex_optimizer(optimizer), valley, {"z": START, "b": jnp.array(0.0)}, 8)
    real = searched(optimizer, on_parts, {"x": START.real, "y": START.imag, "b": jnp.array(0.0)}, 8)
    np.testing.assert_allclose(found["z"], real["x"] + 1j * real["y"], atol=1e-9)
    np.testing.assert_allclose(found["b"], real["b"], atol=1e-9)
    assert valley(found) < valley({"z": START, "b": 0.0}) / 1.2


@pytest.mark.parametrize("kind", ["split", "modulus"])
def test_values_reach_optimizers_that_ask_for_them(kind):
    """Polyak's step of |z - target|^2 is L/|g|^2 = 1/4 of g = 2 (z - target): half of the way, whichever the kind."""
    optimizer = complex_optimizer(optax.polyak_sgd(max_learning_rate=10.0), kind)
    update, _ = optimizer.update(jax.grad(loss)(START), optimizer.init(START), START, value=loss(START))
    np.testing.assert_allclose(START + update, (START + TARGET) / 2, atol=1e-12)


@pytest.mark.parametrize("kind", ["split", "modulus"])
def test_plateaus_are_seen_inside_chains(kind):
    """The same value again and again: the rate falls by the factor each time."""
    chain = optax.chain(optax.sgd(1.0), optax.contrib.reduce_on_plateau(factor=0.5, patience=1))
    optimizer = complex_optimizer(chain, kind)
    state, sizes = optimizer.init(START), []
    for _ in range(4):
        update, state = optimizer.update(jnp.ones(2) + 0j, state, START, value=1.0)
        sizes.append(abs(complex(update[0])))
    assert sizes[-1] <= 0.5 * sizes[0]


def test_optimizers_without_extra_arguments_ignore_them():
    for kind in ("split", "modulus"):
        optimizer = complex_optimizer(optax.scale(-0.5), kind)
        update, _ = optimizer.update(jax.grad(loss)(START), optimizer.init(START), START, value=1.0, grad=START)
        np.testing.assert_allclose(START + update, TARGET, atol=1e-12)


def test_line_searches_by_modulus_are_refused():
    optimizer = complex_optimizer(optax.lbfgs(), "modulus")
    gradient = jax.grad(loss)(START)
    with pytest.raises(NotApplicable, match=r'grad, value_fn: line searches need real.*kind="split"'):
        optimizer.update(gradient, optimizer.init(START), START, value=1.0, grad=gradient, value_fn=loss)


def test_refusals():
    with pytest.raises(ValueError, match="kind is 'polar'"):
        complex_optimizer(optax.adam(0.1), "polar")
    with pytest.raises(TypeError, match="give an optax optimizer"):
        complex_optimizer("adam")
