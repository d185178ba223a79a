"""Optimizers of complex parameters descend, and Adam on JAX's gradients as they stand does not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qcgrad.networks import Convention, conj_grad, descend

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
    assert loss(trained(descend(optax.adam(0.02), kind), START, 1500)) < 1e-6
    assert loss(trained(optax.adam(0.02), START, 1500)) > 10 * loss(START)


def test_first_steps_of_adam_have_the_documented_geometry():
    """At the first step Adam's update is -rate sign(g): of Re and Im apart, or the phase of g."""
    gradient = jnp.array([3.0 - 4.0j])  # JAX's; the one that descends against is 3 + 4i
    for kind, expected in (("split", -(1 + 1j)), ("modulus", -(0.6 + 0.8j))):
        optimizer = descend(optax.adam(1.0, eps=0.0), kind)
        update, _ = optimizer.update(gradient, optimizer.init(START[:1]), START[:1])
        np.testing.assert_allclose(update, [expected], rtol=1e-12)


def test_the_modulus_kind_turns_with_the_phase_and_the_split_kind_does_not():
    turn = jnp.exp(0.5j)

    def turned(z):
        return loss(z / turn)

    for kind, same in (("modulus", True), ("split", False)):
        plain = trained(descend(optax.adam(0.05), kind), START, 20)
        rotated = trained(descend(optax.adam(0.05), kind), START * turn, 20, turned)
        assert np.allclose(plain * turn, rotated, atol=1e-10) is same


@pytest.mark.parametrize("kind", ["split", "modulus"])
def test_real_parameters_are_updated_as_by_the_optimizer_itself(kind):
    def mixed(p):
        return jnp.abs(p["w"] * 2 - 1j) ** 2 + (p["b"] - 3) ** 2

    start = {"w": jnp.array(0.5 + 0j), "b": jnp.array(0.0)}
    found = trained(descend(optax.adam(0.05), kind), start, 400, mixed)
    alone = trained(optax.adam(0.05), jnp.array(0.0), 400, lambda b: (b - 3) ** 2)
    assert found["b"].dtype == np.float64
    np.testing.assert_allclose(found["b"], alone, rtol=1e-10)
    np.testing.assert_allclose(found["w"], 0.5j, atol=1e-2)


def test_gradients_of_this_library_are_conjugated_first():
    optimizer = descend(optax.sgd(0.5))
    gradient = Convention.pytorch.convert(conj_grad(loss)(START), Convention.jax)
    update, _ = optimizer.update(gradient, optimizer.init(START), START)
    np.testing.assert_allclose(START + update, TARGET, atol=1e-12)


def test_refusals():
    with pytest.raises(ValueError, match="kind is 'polar'"):
        descend(optax.adam(0.1), "polar")
    with pytest.raises(TypeError, match="give an optax optimizer"):
        descend("adam")
