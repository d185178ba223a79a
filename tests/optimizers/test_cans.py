"""iCANS and gCANS: the formulas by hand, as optax transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qcgrad.optimizers import ShotState, gcans, icans

L, ALPHA, MU, BIAS = 4.0, 0.2, 0.5, 0.1
NUMBERS = {"average": MU, "bias": BIAS, "max_shots": 10_000}
FACTOR = 2 * L * ALPHA / (2 - L * ALPHA)
GRADIENTS = np.array([[1.0, -0.5, 0.01], [0.8, -0.1, 0.3]])
VARIANCES = np.array([[4.0, 1.0, 2.0], [0.2, 0.1, 0.4]])


def after(optimizer, updates=2, **extra):
    """Steps and shots after each of the updates."""
    state = optimizer.init(jnp.zeros(3))
    found = []
    for gradient, variance in zip(GRADIENTS[:updates], VARIANCES[:updates], strict=True):
        step, state = optimizer.update(jnp.array(gradient), state, variance=jnp.array(variance), **extra)
        found.append((np.asarray(step), np.asarray(state.shots)))
    return found


def averages():
    """chi, xi and the floor of both updates; the first estimate took two shots for each derivative."""
    shots = [np.full(3, 2), after(icans(ALPHA, L, **NUMBERS))[0][1]]
    chi, xi = np.zeros(3), np.zeros(3)
    for k in range(2):
        chi = MU * chi + (1 - MU) * GRADIENTS[k]
        xi = MU * xi + (1 - MU) * VARIANCES[k] * shots[k]
        yield chi / (1 - MU ** (k + 1)), xi / (1 - MU ** (k + 1)), BIAS * MU**k


def test_icans_asks_for_the_shots_of_its_formula_and_none_for_more_than_the_best():
    for (chi, xi, floor), (step, shots), gradient in zip(
        averages(), after(icans(ALPHA, L, **NUMBERS)), GRADIENTS, strict=True
    ):
        wanted = np.maximum(np.ceil(FACTOR * xi / (chi**2 + floor)), 2)
        gain = ((ALPHA - L * ALPHA**2 / 2) * chi**2 - L * ALPHA**2 * xi / (2 * wanted)) / wanted
        np.testing.assert_array_equal(shots, np.minimum(wanted, wanted[np.argmax(gain)]))
        assert np.any(wanted > shots)
        np.testing.assert_allclose(step, -ALPHA * gradient, atol=1e-15)


def test_icans_counts_what_a_shot_for_a_derivative_costs():
    """Where the first is a thousand times as dear, another one gains most for its cost."""
    (chi, xi, floor), _ = averages()
    wanted = np.maximum(np.ceil(FACTOR * xi / (chi**2 + floor)), 2)
    gain = ((ALPHA - L * ALPHA**2 / 2) * chi**2 - L * ALPHA**2 * xi / (2 * wanted)) / wanted
    best = np.argmax(gain / [1000, 1, 1])
    assert best != np.argmax(gain)
    ((_, shots),) = after(icans(ALPHA, L, **NUMBERS), 1, evaluations=jnp.array([1000.0, 1.0, 1.0]))
    np.testing.assert_array_equal(shots, np.minimum(wanted, wanted[best]))


def test_guarded_steps_are_as_short_as_keeps_the_expected_gain_positive():
    (chi, xi, floor), _ = averages()
    ((step, _),) = after(icans(ALPHA, L, guarded=True, **NUMBERS), 1)
    rates = np.minimum(ALPHA, chi**2 / (L * (chi**2 + xi / 2 + floor)))
    assert rates[2] < rates[0] < ALPHA
    np.testing.assert_allclose(step, -rates * GRADIENTS[0], atol=1e-15)
    assert np.all((rates - L * rates**2 / 2) * chi**2 - L * rates**2 * xi / 4 > 0)


@pytest.mark.parametrize("evaluations", [np.ones(3), np.array([1.0, 4.0, 9.0])], ids=["equal", "different"])
def test_gcans_asks_for_the_shots_that_gain_most_for_their_cost(evaluations):
    """By the formula, and no other shots near it gain more per cost."""
    (chi, xi, floor), _ = averages()
    root = np.sqrt(evaluations)
    expected = np.ceil(FACTOR * np.sqrt(xi) / root * np.sum(root * np.sqrt(xi)) / (np.sum(chi**2) + floor))
    ((step, shots),) = after(gcans(ALPHA, L, **NUMBERS), 1, evaluations=jnp.array(evaluations))
    np.testing.assert_array_equal(shots, expected)
    np.testing.assert_allclose(step, -ALPHA * GRADIENTS[0], atol=1e-15)

    def gain(s):
        whole = (ALPHA - L * ALPHA**2 / 2) * (np.sum(chi**2) + floor) - L * ALPHA**2 / 2 * np.sum(xi / s)
        return whole / np.sum(evaluations * s)

    # Rounding up costs little; a tenth more or less of any costs more.
    exact = FACTOR * np.sqrt(xi) / root * np.sum(root * np.sqrt(xi)) / (np.sum(chi**2) + floor)
    for i in range(3):
        for change in (0.9, 1.1):
            assert gain(exact) > gain(np.where(np.arange(3) == i, change, 1) * exact)


def test_shots_that_were_really_taken_make_the_variance_of_one():
    alike = after(gcans(ALPHA, L, **NUMBERS), 1)[0][1]
    ((_, shots),) = after(gcans(ALPHA, L, **NUMBERS), 1, shots=200)
    np.testing.assert_allclose(shots, 100 * alike, rtol=0.06)


def test_shots_stay_within_their_limits_also_where_gradients_vanish_or_variances_are_unknown():
    optimizer = gcans(ALPHA, L, min_shots=5, max_shots=40, bias=1e-12)
    state = optimizer.init(jnp.zeros(2))
    for gradient, variance in (([0.0, 0.0], [1.0, 0.0]), ([1.0, 1.0], [0.0, 0.0]), ([1.0, 1.0], [jnp.nan, 1.0])):
        _, found = optimizer.update(jnp.array(gradient), state, variance=jnp.array(variance))
        assert set(np.asarray(found.shots).tolist()) <= {5, 40}


def test_any_structure_and_precision_under_jit_and_in_a_chain():
    optimizer = optax.chain(optax.clip(10.0), icans(ALPHA, L), optax.scale(0.5))
    params = {"a": jnp.zeros((2, 2), jnp.float32), "b": [jnp.ones(3, jnp.float32)]}
    gradient = jax.tree.map(lambda leaf: leaf + 0.1, params)
    state = optimizer.init(params)
    step, state = jax.jit(optimizer.update)(gradient, state, params, variance=jax.tree.map(jnp.ones_like, params))
    (shots,) = (part for part in state if isinstance(part, ShotState))
    assert jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype)), step) == {
        "a": ((2, 2), "float32"),
        "b": [((3,), "float32")],
    }
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(shots.shots)} == {"int32"}
    np.testing.assert_allclose(step["a"], -0.5 * ALPHA * gradient["a"], rtol=1e-6)


@pytest.mark.parametrize("make", [icans, gcans])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.5}, r"learning_rate=0.5 with lipschitz=4: steps of 2/L = 0.5 or more may go uphill"),
        ({"learning_rate": -1}, "learning_rate=-1: give a positive number"),
        ({"lipschitz": float("inf")}, "lipschitz=inf"),
        ({"min_shots": 1}, "min_shots=1: give an integer of at least 2"),
        ({"min_shots": True}, "min_shots=True"),
        ({"max_shots": 1.5}, "max_shots=1.5"),
        ({"min_shots": 50, "max_shots": 10}, "max_shots=10: give an integer of at least 50"),
        ({"average": 1.0}, "average=1.0: give a number between 0 and 1"),
        ({"bias": 0}, "bias=0: give a positive number"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(make, change, message):
    with pytest.raises(ValueError, match=message):
        make(**({"learning_rate": ALPHA, "lipschitz": L} | change))


def test_an_update_needs_the_variance_of_its_gradient():
    optimizer = icans(ALPHA, L)
    state = optimizer.init(jnp.zeros(2))
    with pytest.raises(TypeError, match=r"update needs variance=e.variance"):
        optimizer.update(jnp.zeros(2), state)
    with pytest.raises(ValueError, match="variance has 3 numbers, but the gradient has 2"):
        optimizer.update(jnp.zeros(2), state, variance=jnp.zeros(3))
