"""Directions with shots of their own, and directions made of parameters: costs, limits, unbiasedness, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from theory.statistics import key, normal

# Parameter 0 drives three angles with scales, parameter 2 none, parameter 1 a controlled rotation.
SHARED = qg.Expectation(
    qg.Circuit(2).ry(0, param=0).cx(0, 1).crx(0, 1, param=1).rx(1, param=0, scale=-0.5, offset=0.2).rz(0, param=3)
    .ry(1, param=0, scale=2.0),
    {"ZX": 1.0, "YI": 0.5, "II": 3.0},
)  # fmt: skip
ANGLES = np.array([0.4, -0.9, 0.7, 1.3])
PRODUCT = qg.Expectation(qg.Circuit(3).ry(0, param=0).ry(1, param=1).ry(2, param=2), "ZII + IZI + IIZ")


def truth(objective, params):
    return np.asarray(qg.estimate(objective, params, qg.Adjoint()).gradient)


@pytest.mark.parametrize("moving", ["angles", "parameters"])
@pytest.mark.parametrize("shots", [(7, 10, 3, 20), 5])
def test_each_direction_takes_its_shots_and_costs_what_was_predicted(shots, moving):
    method = qg.ForwardGradient(3, shots=shots, moving=moving)
    e = qg.estimate(SHARED, ANGLES, method, key=0)
    assert e.cost == qg.predict_cost(SHARED, method)
    copies = 2 * (7 + 2 * 33) if isinstance(shots, tuple) else 2 * 7 * 5
    assert (e.cost.copies, e.cost.circuit_runs) == (copies, 2 * 7)
    assert np.asarray(e.stats["slopes"]).shape == np.asarray(e.stats["slope_variances"]).shape == (1, 3)
    assert e.variance[2] == e.gradient[2] == 0


@pytest.mark.parametrize("shots", [(4, 9, 5), 6])
def test_signs_are_simultaneous_perturbations(shots):
    method = qg.ForwardGradient(2, shots=shots, step=0.4)
    e = qg.estimate(SHARED, ANGLES, method, key=3)
    if isinstance(shots, int):
        same = qg.estimate(SHARED, ANGLES, qg.SPSA(2, 0.4, shots), key=3)
        np.testing.assert_array_equal(e.gradient, same.gradient)
        np.testing.assert_array_equal(e.variance, same.variance)
    by_hand = np.asarray(e.stats["slopes"])[0] @ np.asarray(drawn(SHARED, method, 3)) / 2
    np.testing.assert_allclose(e.gradient, by_hand @ jacobian(SHARED), atol=1e-12)


def drawn(objective, method, seed):
    """What the driver lets the method draw with that seed."""
    point = qg.objective.point_at(objective, ANGLES)[0]
    return method.drawn(point, jax.random.split(jax.random.key(seed))[1]).drawn


def jacobian(objective):
    return np.asarray(jax.jacobian(objective.coordinates)(jnp.asarray(ANGLES)))


def test_coordinates_a_quarter_turn_away_are_the_shift_rule():
    """Where all three angles add up to a right angle, every outcome is certain; a difference over pi is 2/pi of it."""
    objective, params = qg.Expectation(qg.Circuit(1).ry(0, param=0).ry(0, param=1).ry(0, param=2), "Z"), [np.pi / 6] * 3
    method = qg.ForwardGradient(5, "coordinate", shots=(1, 1, 2, 1, 3, 1), step=np.pi / 2 / np.sqrt(3))
    e = qg.estimate(objective, params, method, key=2)
    point = qg.objective.point_at(objective, params)[0]
    times = np.count_nonzero(method.drawn(point, jax.random.split(jax.random.key(2))[1]).drawn, axis=0)
    shift = qg.estimate(objective, params, qg.ParameterShift())
    np.testing.assert_allclose(e.gradient, 2 / np.pi * shift.gradient * times * 3 / 5, atol=1e-12)


def test_one_parameter_has_one_direction_however_many_gates_it_drives():
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=0, scale=0.3).ry(0, param=0, scale=-2.0)
    objective = qg.Expectation(circuit, {"ZX": 1.0, "ZI": 0.5})
    for distribution in ("rademacher", "sphere", "coordinate"):
        e = qg.estimate(objective, [0.7], qg.ForwardGradient(3, distribution, moving="parameters"), key=0)
        np.testing.assert_allclose(e.gradient, truth(objective, [0.7]), atol=1e-12)
        np.testing.assert_allclose(e.variance, 0, atol=1e-12)


@pytest.mark.statistical
@pytest.mark.parametrize("distribution", ["rademacher", "gaussian"])
def test_directions_of_parameters_scatter_by_their_number(distribution):
    """(P + kappa - 2)|g|^2 / K for three parameters of five gates, and the mean within its standard errors."""
    right = truth(SHARED, ANGLES)
    e = qg.estimate(SHARED, ANGLES, qg.ForwardGradient(4000, distribution, moving="parameters"), key=key(4))
    assert np.all(np.abs(e.gradient - right) <= normal(4) * np.sqrt(e.variance) + 1e-12)
    expected = (3 + {"rademacher": 1, "gaussian": 3}[distribution] - 2) * np.sum(right**2)
    # One squared product scatters by less than three times its mean.
    assert np.asarray(e.variance).sum() * 4000 == pytest.approx(expected, rel=normal() * 3 / np.sqrt(4000))


@pytest.mark.statistical
@pytest.mark.parametrize("method", [
    qg.ForwardGradient(4, shots=(2, 4, 8, 16, 32), step=0.3),
    qg.ForwardGradient(4, "gaussian", shots=(2, 32, 4, 8, 16), moving="parameters"),
], ids=["signs-of-angles", "gaussian-of-parameters"])  # fmt: skip
def test_unequal_shots_are_unbiased_and_so_are_their_variances(method):
    """Of 600 estimates: means within normal errors and the bias bound, variances within that of their own mean."""
    run = jax.jit(jax.vmap(lambda k: qg.estimate(SHARED, jnp.asarray(ANGLES), method, key=k)))
    e = run(jax.random.split(key(5), 600))
    gradient, right = np.asarray(e.gradient), truth(SHARED, ANGLES)
    spread = gradient.var(axis=0, ddof=1)
    bias = np.asarray(e.bias_bound).mean(axis=0)
    assert np.all(np.abs(gradient.mean(axis=0) - right) <= normal(4) * np.sqrt(spread / 600) + bias)
    squares, reported = ((gradient - gradient.mean(axis=0)) ** 2).sum(axis=1), np.asarray(e.variance).sum(axis=1)
    off = (squares - reported).mean() / ((squares - reported).std() / np.sqrt(600))
    assert abs(off) < normal()
    # Of the noise of shots alone each slope knows, too: what it is by one shot does not depend on how many there were.
    noise = np.asarray(e.stats["slope_variances"])[:, 0] * np.asarray(e.stats["steps"]) ** 2
    of_one = noise * np.array(method.shots[1:])
    np.testing.assert_allclose(of_one.mean(axis=0), of_one.mean(), rtol=0.25)


@pytest.mark.statistical
def test_second_moments_are_those_of_slopes_and_their_shots():
    """E|g_hat|^2 of cos(a + b), over all four signs by hand: within errors of 3000 estimates (five percent)."""
    angle, h, shots = 0.8, 0.5, np.array([2, 7, 20])
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).ry(0, param=1), "Z")
    method = qg.ForwardGradient(3, shots=(1, *shots), step=h)
    run = jax.jit(jax.vmap(lambda k: qg.estimate(objective, jnp.array([angle, 0.0]), method, key=k).gradient))
    squares = np.square(np.asarray(run(jax.random.split(key(6), 3000)))).sum(axis=1)
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    up, down = (np.cos(angle + side * h * signs.sum(axis=1)) for side in (1, -1))
    slopes, of_one = (up - down) / (2 * h), (2 - up**2 - down**2) / (4 * h**2)
    same = sum(np.mean(2 * (slopes**2 + of_one / each)) for each in shots) / 9
    expected = same + (1 - 1 / 3) * np.sum(np.mean(slopes[:, None] * signs, axis=0) ** 2)
    assert abs(squares.mean() - expected) < normal() * squares.std() / np.sqrt(3000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.ForwardGradient(0), "directions=0: give a positive integer"),
        (lambda: qg.ForwardGradient(2, shots=(5, -1, 5)), "shots=-1: give a positive integer"),
        (lambda: qg.ForwardGradient(2, shots=(5, 0, 5)), "shots=0: give a positive integer"),
        (lambda: qg.ForwardGradient(2, shots=[5, 2.5, 5]), "shots=2.5: give a positive integer"),
        (lambda: qg.ForwardGradient(2, shots=(5, 5)), "shots has 2 numbers, but there are 3: one for the value"),
        (lambda: qg.ForwardGradient(2, moving="gates"), "moving='gates': give 'angles' or 'parameters'"),
    ],
)
def test_wrong_shots_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_step_that_the_fewest_shots_swamp_is_refused():
    with pytest.raises(ValueError, match="noise of 3 shots can swamp it"):
        qg.estimate(PRODUCT, ANGLES[:3], qg.ForwardGradient(2, shots=(100, 1000, 3), step=0.01), key=0)


def test_methods_without_directions_say_so():
    point = qg.objective.point_at(PRODUCT, ANGLES[:3])[0]
    for ask in (lambda: qg.Adjoint().drawn(point, key(0)), lambda: qg.Adjoint().directed(2, np.array([2]))):
        with pytest.raises(qg.NotApplicable, match="Adjoint has no shots for each direction"):
            ask()
    with pytest.raises(qg.NotApplicable, match="take no steps: give shots"):
        qg.ForwardGradient(2).drawn(point, key(0))
