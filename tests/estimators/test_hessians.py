"""Second derivatives by shifts and from exact gradients, against JAX's of a dense reference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.curvature import Hessian
from qcgrad.estimate import run
from qcgrad.matrices import directions, second_derivatives
from qcgrad.objective import point_at
from theory.statistics import key, normal

CIRCUIT = (
    qg.Circuit(2)
    .ry(0, param=0)
    .crx(0, 1, param=1, scale=-1.5, offset=0.2)
    .rx(1, param=0, scale=0.7)
    .evolution(qg.PauliSum("ZX + 0.3*XI"), (0, 1), param=2)
    .ry(0, param=3)
)
PARAMS = np.array([0.3, -0.8, 0.5, 1.1])
VECTOR = qg.Expectation(CIRCUIT, ["ZI + 0.5*XX + 2*II", "IY"])
MAPPED = qg.Expectation(
    CIRCUIT,
    "ZI + 0.5*XX",
    lambda t: jnp.stack([t["a"][0] * t["b"], t["a"][1] ** 2, jnp.sin(t["b"]), t["a"][0]]),
    example={"a": np.zeros(2), "b": 0.0},
)
POINT = {"a": np.array([0.4, 0.7]), "b": np.array(0.6)}
EXACT = [qg.SecondOrderShift(), qg.ShiftedAdjoint()]


def reference(objective, params):
    """By JAX, through the simulator's own programs."""
    f = qg.as_jax(objective, qg.Adjoint())
    flat, restore = jax.flatten_util.ravel_pytree(params)
    return jax.hessian(lambda numbers: f(restore(numbers)))(flat)


@pytest.mark.parametrize("method", EXACT, ids=lambda m: type(m).__name__)
def test_hessians_are_exact_with_shared_parameters_controls_and_several_outputs(method):
    found = qg.hessian(VECTOR, PARAMS, method)
    np.testing.assert_allclose(found.matrix, reference(VECTOR, PARAMS), atol=1e-10)
    exact = qg.estimate(VECTOR, PARAMS, qg.Adjoint())
    np.testing.assert_allclose(found.first_order.gradient, exact.gradient, atol=1e-10)
    np.testing.assert_allclose(found.first_order.value, exact.value, atol=1e-12)
    assert not found.variance.any()
    assert not found.bias_bound.any()


@pytest.mark.parametrize("method", EXACT, ids=lambda m: type(m).__name__)
def test_maps_that_bend_add_their_second_derivatives(method):
    found = qg.hessian(MAPPED, POINT, method)
    np.testing.assert_allclose(found.matrix, reference(MAPPED, POINT), atol=1e-10)
    assert set(found.first_order.gradient) == {"a", "b"}


def test_circuits_are_counted():
    """Two-term gates 2 each, the four-term gate 4, the evolution 2 for its one gap; pairs multiply."""
    terms = [2, 4, 2, 2, 2]
    pairs = (sum(terms) ** 2 - sum(t * t for t in terms)) // 2
    with qg.Tracker() as spent:
        found = qg.hessian(MAPPED, POINT, qg.SecondOrderShift())
    assert found.cost.circuit_runs == 1 + sum(terms) + pairs
    assert spent.by_estimator == {"Hessian": found.cost}
    plain = qg.Circuit(3).rx(0, param=0).ry(1, param=1).cx(0, 1).rz(1, param=2).rx(1, param=3)
    two_term = qg.hessian(qg.Expectation(plain, "IZI"), PARAMS, qg.SecondOrderShift(shots=10), key=0)
    assert two_term.cost.circuit_runs == 1 + 2 * 4**2


@pytest.mark.statistical
def test_variances_are_those_of_the_sample_where_entries_share_evaluations():
    """Of 400 runs; the mean of the reported variances against the spread, and unbiased means."""
    exact, runs = reference(MAPPED, POINT), 400
    point, params = point_at(MAPPED, POINT)
    bends = second_derivatives(MAPPED, params)
    asker = Hessian(qg.SecondOrderShift(shots=50), directions(MAPPED, params, point.coordinates), bends)
    readings = [run(point, asker, qg.Statevector(), key(seed)).reading for seed in range(runs)]
    matrices = np.array([reading.gradient[0] for reading in readings])
    reported = np.mean([reading.variance[0] for reading in readings], axis=0)
    assert np.all(np.abs(matrices.mean(axis=0) - exact) < normal(exact.size) * np.sqrt(reported / runs))
    ratio = matrices.var(axis=0, ddof=1) / reported
    # The relative standard error of a variance is sqrt(2 / runs), and outcomes have lighter tails than normal ones.
    assert np.all(np.abs(ratio - 1) < normal(exact.size) * np.sqrt(2 / runs))


def test_a_single_shot_has_no_variance_and_one_key_one_answer():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
    found = qg.hessian(objective, [0.3, 0.2], qg.SecondOrderShift(shots=1), key=3)
    assert np.isnan(found.variance).all()
    again = qg.hessian(objective, [0.3, 0.2], qg.SecondOrderShift(shots=1), key=3)
    assert np.array_equal(found.matrix, again.matrix)
    with pytest.raises(ValueError, match="key is missing"):
        qg.hessian(objective, [0.3, 0.2], qg.SecondOrderShift(shots=1))


def test_float32_constants_and_one_parameter():
    with_identity = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=2.0), {"Z": 1.0, "I": 5.0})
    for method in EXACT:
        found = qg.hessian(with_identity, np.float32([0.3]), method)
        assert found.matrix.dtype == np.float32
        np.testing.assert_allclose(found.matrix, [[-4 * np.cos(0.6)]], atol=1e-5)
        constant = qg.hessian(qg.Expectation(qg.Circuit(1).ry(0, param=0), {"I": 2.0}), [0.3], method)
        assert constant.matrix.tolist() == [[0.0]]


def test_what_has_no_hessian_is_refused_by_name():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    with pytest.raises(TypeError, match=r"method is .*give a method for this matrix, .*SecondOrderShift"):
        qg.hessian(objective, [0.1], qg.Adjoint())
    with pytest.raises(TypeError, match="traced by JAX"):
        jax.jit(lambda p: qg.hessian(objective, p, qg.SecondOrderShift()).matrix)(np.zeros(1))
    with pytest.raises(TypeError, match="estimator is SecondOrderShift"):
        qg.estimate(objective, [0.1], qg.SecondOrderShift())
    with pytest.raises(ValueError, match="shots=0: give a positive integer"):
        qg.SecondOrderShift(shots=0)
    near = qg.Circuit(2).evolution(qg.PauliSum("ZI + 1.0000001*IZ"), (0, 1), param=0)
    for method in EXACT:
        with pytest.raises(
            qg.NotApplicable, match=r"evolution .* condition number of any shift rule .* at most 1e\+06"
        ):
            qg.hessian(qg.Expectation(near, "XX"), [0.1], method)
