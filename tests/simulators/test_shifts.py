"""Settings that are shifts of one point: what they look like, and sums of values that are multiples of derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.queries import Evaluate, Means, ShiftedSettings, ShiftSums
from qcgrad.simulators.statevector import native_library
from qcgrad.simulators.statevector._shifts import derivative_factors

POINT, OWNER = np.array([0.1, 0.2, 0.3]), np.array([2, 0, -1])
SETTINGS = ShiftedSettings(POINT, OWNER, np.array([1.0, 2.0, 0.0]), np.array([1.3, 2.1, 9.0]))
ARRAY = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 1.3], [2.1, 0.2, 0.3], [0.1, 0.2, 0.3]])

# Two-term, four-term and phase gates, one of them driven twice, and an observable with a constant.
CIRCUIT = (
    qg.Circuit(3).ry(0, param=0).crx(0, 1, param=1).cp(1, 2, param=2).rzz(0, 2, param=0, scale=-2.0).h(1).rx(1, param=3)
)
OBJECTIVE = qg.Expectation(CIRCUIT, [qg.PauliSum({"ZZI": 1.0, "III": 3.0, "IXY": -0.4}), qg.PauliSum("IIY")])
PARAMS = np.array([0.4, -1.1, 2.0, 0.6])


@pytest.mark.parametrize(
    "index",
    [0, 2, -1, slice(None, 2), slice(1, None), slice(None, None, 2), np.array([3, 1]), [True, False, True, False]],
    ids=str,
)
def test_parts_are_those_of_the_array(index):
    np.testing.assert_array_equal(np.asarray(SETTINGS[index]), ARRAY[index])


def test_it_is_the_array_to_whoever_knows_nothing_of_it():
    assert (SETTINGS.shape, SETTINGS.ndim, len(SETTINGS), SETTINGS.dtype) == ((4, 3), 2, 4, np.float64)
    np.testing.assert_array_equal(np.stack(list(SETTINGS)), ARRAY)
    np.testing.assert_array_equal(jnp.asarray(SETTINGS), ARRAY)
    np.testing.assert_array_equal(SETTINGS[..., [2, 0]], ARRAY[:, [2, 0]])
    np.testing.assert_array_equal(SETTINGS[1:, 2], ARRAY[1:, 2])
    assert isinstance(SETTINGS[:3], ShiftedSettings)


def test_some_angles_of_it_are_those_of_the_array():
    """A shift of an angle that is left out moves nothing."""
    np.testing.assert_array_equal(np.asarray(SETTINGS.on(np.array([1, 2]))), ARRAY[:, [1, 2]])


def test_no_shifts_leave_the_point():
    none = ShiftedSettings(POINT, OWNER[:0], np.zeros(0), np.zeros(0))
    np.testing.assert_array_equal(np.asarray(none), POINT[None])


def test_traced_settings_are_those_of_the_array():
    @jax.jit
    def as_array(point, moved):
        return jnp.asarray(ShiftedSettings(point, OWNER, SETTINGS.shifts, moved))

    np.testing.assert_array_equal(as_array(POINT, SETTINGS.moved), ARRAY)


class OneByOne(qg.AbstractBackend):
    """Answers each value, from an array."""

    access = qg.Statevector.access

    def answer(self, query, key):
        return qg.Statevector().answer(Evaluate(query.program, np.asarray(query.angles), query.shots), key)


@pytest.mark.skipif(native_library.load() is None, reason="the native engine was not built")
def test_sums_are_those_of_the_values_one_by_one():
    """The shift rule holds to 1e-12, whoever adds up; it costs the same."""
    query = qg.ParameterShift().plan(_point(), None)[0]
    assert isinstance(qg.Statevector().answer(query, None), ShiftSums)
    assert isinstance(qg.Statevector(engine="jax").answer(query, None), Means)
    together, alone = (qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), b) for b in (qg.Statevector(), OneByOne()))
    np.testing.assert_allclose(together.gradient, alone.gradient, atol=1e-12)
    np.testing.assert_allclose(together.value, alone.value, atol=1e-12)
    assert together.cost == alone.cost
    assert not together.variance.any()


@pytest.mark.skipif(native_library.load() is None, reason="the native engine was not built")
def test_any_multiple_of_a_derivative_is_found_and_nothing_else():
    r"""F(1/2) - F(-1/2) = 2 sin(1/2) F' for one frequency; a four-term gate needs four terms, and its own weights."""
    program, point = OBJECTIVE.program, np.asarray(_point().coordinates)

    def factors(owner, shifts, weights):
        shifts = np.array(shifts)
        moved = point[np.array(owner)] + shifts
        return derivative_factors(program, ShiftedSettings(point, np.array(owner), shifts, moved), np.array(weights))

    np.testing.assert_allclose(factors([0, 0], [0.5, -0.5], [1.0, -1.0]), [2 * np.sin(0.5), 0, 0, 0, 0])
    np.testing.assert_allclose(factors([3, 3], [0.5, -0.5], [1.0, -1.0])[3], 2 * np.sin(0.5))
    assert factors([0, 0], [0.5, -0.5], [1.0, 1.0]) is None
    assert factors([0, 0], [0.5, -0.4], [1.0, -1.0]) is None
    assert factors([0], [0.5], [1.0]) is None
    assert factors([1, 1], [0.5, -0.5], [1.0, -1.0]) is None
    query = qg.ParameterShift().plan(_point(), None)[0]
    np.testing.assert_allclose(derivative_factors(program, query.angles, query.weights), 1, rtol=1e-12)


def test_a_budget_that_ends_inside_leaves_nan_where_a_shift_is_missing():
    found = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), budget=qg.Budget(circuit_runs=3), throw=False)
    assert np.isfinite(found.value).all()
    assert np.isnan(found.gradient).any()


def _point():
    from qcgrad.objective import point_at

    return point_at(OBJECTIVE, PARAMS)[0]
