"""Directions with adaptive shots: the formulas by hand, as an optax transformation, and in the loop."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qcgrad as qg
from qcgrad.optimizers import MinimizationFailed, QuiverState, minimize, quiver
from tests.recorder import Recorder

L, ETA, MU = 4.0, 0.1, 0.5
NUMBERS = {"average": MU, "max_shots": 10_000}
# Slopes along four directions of three parameters, by 50 to 200 shots.
STATS = {
    "slopes": np.array([[1.0, -0.5, 1.2, 0.4]]),
    "slope_variances": np.array([[0.1, 0.01, 0.05, 0.04]]),
    "steps": np.array([0.2, 0.3, 0.2, 0.4]),
    "lengths": np.array([1.5, 2.0, 1.0, 2.5]),
    "scatter": 2,
}
TAKEN = np.array([50, 200, 100, 100])
V = 4
GRADIENT = np.array([0.3, -0.4, 0.1])
PAIR = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).ry(1, param=1), {"ZI": 1.0, "IZ": 0.5})
START = np.array([1.0, 0.7])


def after(optimizer, stats=STATS, gradient=GRADIENT):
    state = optimizer.init(jnp.zeros(3))
    return optimizer.update(jnp.asarray(gradient), state, stats=stats, shots=TAKEN)


def averages():
    """q, the variance by one shot times the step's square, and length times deviation; the first update is all."""
    square = np.mean(STATS["slopes"] ** 2 - STATS["slope_variances"])
    spread = np.mean(STATS["slope_variances"][0] * TAKEN * STATS["steps"] ** 2)
    return square, spread, np.mean(STATS["lengths"] / STATS["steps"]) * np.sqrt(spread)


DIRECTIONS, STEPS = np.array([[1.0, 1.0, -1.0], [2.0, 0.0, 0.5]]), np.array([0.1, 0.4])
SHARE = L * ETA * (V + 2) / (2 * V)


def test_shots_are_those_of_the_whole_steps_formula():
    square, spread, reach = averages()
    step, state = after(quiver(ETA, L, **NUMBERS))
    weight = np.linalg.norm(DIRECTIONS, axis=1) * np.sqrt(spread) / STEPS
    expected = np.ceil(L * ETA / 2 * weight * reach / (square * (1 - SHARE)))
    np.testing.assert_array_equal(state.shots(jnp.asarray(DIRECTIONS), jnp.asarray(STEPS)), expected)
    np.testing.assert_allclose(step, -ETA * GRADIENT, atol=1e-15)


def test_no_other_shots_gain_more_for_what_they_cost():
    """Over draws of two kinds of directions: the expected gain over the expected cost is largest at the formula."""
    lengths, deviations = np.array([1.0, 3.0]), np.array([2.0, 0.7])
    weight, share, square, rate = lengths * deviations, 0.6, 1.3, 0.4

    def ratio(shots):
        return (square * (1 - share) - rate / 2 * np.mean(weight**2 / shots)) / np.mean(shots)

    best = rate * weight * np.mean(weight) / (square * (1 - share))
    for change in ([1.1, 1], [0.9, 1], [1, 1.1], [1, 0.9], [1.1, 1.1], [0.9, 0.9]):
        assert ratio(best) > ratio(best * change)
    # What takes each direction's own share for the whole gain more along steep directions loses.
    assert ratio(best) > 1.05 * ratio(best * [1.7, 0.6])


def test_the_published_formula_and_where_its_denominator_is_kept_up():
    square, spread, _ = averages()
    _, state = after(quiver(ETA, L, allocation="direction", **NUMBERS))
    slopes = DIRECTIONS @ GRADIENT
    denominator = np.maximum(square / SHARE - slopes**2, (1 / SHARE - 1) * square / 2)
    expected = np.ceil(2 * spread / STEPS**2 / denominator)
    np.testing.assert_array_equal(state.shots(jnp.asarray(DIRECTIONS), jnp.asarray(STEPS)), expected)
    # A steep direction takes more, until the denominator is half of its mean.
    steep = np.outer([0.0, 3.0, 5.0, 50.0], GRADIENT / np.linalg.norm(GRADIENT))
    shots = np.asarray(state.shots(jnp.asarray(steep), np.full(4, 0.1)))
    assert shots[0] < shots[2] == shots[3]


def test_without_a_learning_rate_curvature_takes_a_quarter_of_the_gain():
    step, state = after(quiver(None, L, **NUMBERS))
    np.testing.assert_allclose(step, -GRADIENT / (2 * L * (V + 2) / V), atol=1e-15)
    assert float(state.shots.share) == pytest.approx(0.25)


def test_a_gradient_is_not_taken_to_be_smaller_than_its_average_scatters():
    """Four slopes whose squares are no larger than their noise tell it from zero down to sqrt(2/4) of the squares."""
    optimizer = quiver(ETA, L, **NUMBERS)
    _, state = after(optimizer, STATS | {"slope_variances": np.ones((1, V))})
    squares = np.mean(STATS["slopes"] ** 2)
    assert float(state.shots.square) == pytest.approx(squares / np.sqrt(2))
    for _ in range(20):
        _, state = optimizer.update(jnp.asarray(GRADIENT), state, stats=STATS | {"slope_variances": np.ones((1, V))})
    # Of slopes whose weights halve with each step three are as good as all.
    assert float(state.shots.square) == pytest.approx(squares / np.sqrt(3 * V / 2))


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"slopes": np.zeros((1, V))}, 40),  # noise is all there is
        ({"slopes": np.zeros((1, V)), "slope_variances": np.zeros((1, V))}, 5),  # nothing to be found
        ({"slope_variances": np.zeros((1, V))}, 5),
        ({"slope_variances": np.full((1, V), np.nan)}, 5),  # single shots
    ],
    ids=["no gradient", "neither gradient nor noise", "no noise", "unknown noise"],
)
@pytest.mark.parametrize("allocation", ["step", "direction"])
def test_shots_stay_within_their_limits(stats, expected, allocation):
    optimizer = quiver(ETA, L, allocation=allocation, min_shots=5, max_shots=40)
    _, state = after(optimizer, STATS | stats, np.zeros(3))
    np.testing.assert_array_equal(state.shots(jnp.asarray(DIRECTIONS), jnp.asarray(STEPS)), expected)


def test_any_structure_and_precision_under_jit_and_in_a_chain():
    optimizer = optax.chain(optax.clip(10.0), quiver(None, L), optax.scale(0.5))
    params = {"a": jnp.zeros((2, 2), jnp.float32), "b": [jnp.ones(3, jnp.float32)]}
    gradient = jax.tree.map(lambda leaf: leaf + 0.1, params)
    step, state = jax.jit(optimizer.update)(gradient, optimizer.init(params), params, stats=STATS, shots=TAKEN)
    assert jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype)), step) == {
        "a": ((2, 2), "float32"),
        "b": [((3,), "float32")],
    }
    (kept,) = (part for part in state if isinstance(part, QuiverState))
    assert kept.shots.square.dtype == np.float32
    np.testing.assert_allclose(step["a"], -0.5 * gradient["a"] / (2 * L * (V + 2) / V), rtol=1e-6)


@pytest.mark.parametrize("allocation", ["step", "direction"])
@pytest.mark.parametrize("directions", [1, 3])
def test_small_problems_are_solved_and_shots_grow_as_the_gradient_shrinks(allocation, directions):
    optimizer = quiver(None, 1.5, allocation=allocation, average=0.9)
    method = qg.ForwardGradient(directions, shots=2)
    found = minimize(PAIR, START, optimizer, method, key=1, steps=300, budget=qg.Budget(copies=100_000))
    exact = qg.estimate(PAIR, found.params, qg.Adjoint()).value
    assert exact < -1.5 + 0.02
    spent = np.diff(found.copies)
    assert spent[-5:].mean() > 10 * spent[:5].mean()


def test_each_direction_takes_what_the_optimizer_asks_for_and_costs_add_up():
    recorder, states = Recorder(qg.Statevector()), []

    def update(updates, state, params=None, **told):
        states.append(told["shots"])
        return inner.update(updates, state, params, **told)

    # So close to where a step gains nothing that many shots are asked for.
    inner = quiver(0.66, 1.5, average=0.5)
    spy = optax.GradientTransformationExtraArgs(inner.init, update)
    method = qg.ForwardGradient(3, "gaussian", shots=2)
    found = minimize(PAIR, START, spy, method, recorder, key=0, steps=6)
    for query, shots in zip(recorder.queries, states, strict=True):
        assert query.shots_per_setting == (2, *shots, *shots)
    assert len(set(states[-1].tolist())) > 1, "Gaussian directions differ in length, and so in shots"
    assert found.total == sum((query.cost() for query in recorder.queries), qg.Cost())


def test_a_run_that_goes_on_is_the_run_that_did_not_stop():
    arguments = PAIR, START, quiver(None, 1.5), qg.ForwardGradient(2)
    whole = minimize(*arguments, key=3, steps=6)
    half = minimize(*arguments, key=3, steps=3)
    rest = minimize(*arguments, key=3, steps=6, start=half)
    np.testing.assert_array_equal(rest.params, whole.params)
    assert rest.total == whole.total


def test_a_constant_objective_takes_its_steps():
    objective = qg.Expectation(PAIR.circuit, {"II": 2.0})
    found = minimize(objective, START, quiver(None, 1.0), qg.ForwardGradient(1), key=0, steps=3)
    assert (found.result, found.total.copies) == ("steps_exhausted", 0)
    np.testing.assert_array_equal(found.params, START)


def test_parameters_of_several_gates_move_as_such():
    circuit = qg.Circuit(2).ry(0, param=2).cx(0, 1).ry(1, param=2, scale=-0.5).rx(1, param=1)
    objective = qg.Expectation(circuit, {"ZI": 1.0, "IX": 0.5})
    start = np.array([0.1, 0.7, 1.0])
    found = minimize(objective, start, quiver(None, 3.0), qg.ForwardGradient(moving="parameters"), key=0, steps=5)
    assert np.all(np.asarray(found.params)[1:] != start[1:])
    assert found.params[0] == start[0], "no gate takes it"
    with pytest.raises(qg.NotApplicable, match=r'move several angles or some by a factor: give .*moving="parameters"'):
        minimize(objective, start, quiver(None, 3.0), qg.ForwardGradient(), key=0, steps=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": qg.ParameterShift(10)}, qg.NotApplicable, "ParameterShift has no directions"),
        (
            {"optimizer": quiver(0.9, 1.5)},
            MinimizationFailed,
            "along so few random directions steps of 0.667",
        ),
        ({"optimizer": optax.chain(quiver(0.1, 1.0), quiver(0.1, 1.0))}, ValueError, "several parts that ask"),
        ({"key": None}, ValueError, "key is missing"),
        (
            {"objective": qg.Expectation(PAIR.circuit, "ZI", lambda t: t**2, example=np.ones(2))},
            qg.NotApplicable,
            "the map between the two is not affine",
        ),
    ],
)
def test_wrong_arguments_are_named(change, error, message):
    given = {"objective": PAIR, "params": START, "optimizer": quiver(0.1, 1.5), "estimator": qg.ForwardGradient(1)}
    with pytest.raises(error, match=message):
        minimize(**(given | {"key": 0, "steps": 2} | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.5}, "learning_rate=0.5 with lipschitz=4"),
        ({"learning_rate": -1}, "learning_rate=-1: give a positive number"),
        ({"lipschitz": 0, "learning_rate": None}, "lipschitz=0: give a positive number"),
        ({"min_shots": 1}, "min_shots=1: give an integer of at least 2"),
        ({"allocation": "all"}, "allocation='all': give 'step' or 'direction'"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        quiver(**({"learning_rate": ETA, "lipschitz": L} | change))


def test_an_update_needs_slopes_along_directions():
    for stats in (None, {"degrees_of_freedom": 3}):
        with pytest.raises(TypeError, match=r"update needs stats=e.stats with slopes along random directions"):
            after(quiver(ETA, L), stats)
