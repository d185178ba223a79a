"""Conventions: conversions are exact, invertible, and leave real derivatives alone."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qcgrad.networks import Convention

# L = 3x - 4y: d_x = 3, d_y = -4.
VALUES = {Convention.jax: 3 + 4j, Convention.pytorch: 3 - 4j, Convention.mathematical: 1.5 - 2j}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(Convention, repeat=2)))
def test_conversions_of_a_known_derivative(source, target):
    found = source.convert(jnp.array(VALUES[source]), target)
    assert complex(found) == VALUES[target]
    assert complex(target.convert(found, source)) == VALUES[source]


def test_jax_is_what_jax_returns():
    assert complex(jax.grad(lambda z: 3 * z.real - 4 * z.imag)(0.5 + 0.5j)) == VALUES[Convention.jax]


def test_real_leaves_are_the_same_in_every_convention():
    tree = {"real": jnp.array([1.0, -2.0], jnp.float32), "complex": jnp.array([1j])}
    found = Convention.jax.convert(tree, Convention.mathematical)
    np.testing.assert_array_equal(found["real"], tree["real"])
    assert found["real"].dtype == np.float32
    np.testing.assert_array_equal(found["complex"], [-0.5j])
