"""Observables that vanish, cancel, repeat, or have coefficients of any size: the right numbers, or one refusal."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qcgrad as qg
from tests import dense

# Clifford behind its first parameterised gate at the angles below, so that every method applies.
CIRCUIT = qg.Circuit(2).ry(0, 0.3).rx(1, 0.4).cx(0, 1).rx(1, param=0).ry(0, param=1)
PARAMS = [np.pi / 2, 0.0]
EXACT = [qg.Adjoint(), qg.ParameterShift()]
SAMPLED = [
    qg.ParameterShift(shots=100),
    qg.ParameterShift(100, "coefficient"),
    qg.GentleSweep(2000),
    qg.GentleSweep(2000, encoding="block"),
    qg.GentleSweep(2000, 1.0, encoding="none"),
    qg.GentleSweep(2000, extrapolate=True),
    qg.GentleSweep(2000, 1.0, batches=1),
    qg.ReadOnceTomography(2000),
    qg.OnlineTomography(0.4, 0.05),
    qg.OnlineTomography(0.4, 0.05, encoding="block"),
    qg.OnlineTomography(0.4, 0.05, order="random"),
    qg.OnlineTomography(0.4, 0.05, hypothesis="product"),
    qg.BellShadow(2000),
    qg.BellShadow(2000, "mimicking"),
    qg.DirectPauli(2000),
    qg.MutuallyUnbiasedBases(2000),
    qg.CliffordShadow(200),
    qg.LocalShadow(2000),
]
named = {"ids": lambda value: f"{type(value).__name__}" if isinstance(value, qg.AbstractEstimator) else None}
ZERO = [("ZZ", 1.0), ("ZZ", -1.0)]
IDENTITY = [("II", 2.0), ("ZI", 0.0)]


def test_what_cancels_is_left_out_of_a_sum():
    assert qg.PauliSum([("ZZ", 1.0), ("XI", 0.5), ("ZZ", -1.0)]) == qg.PauliSum("0.5*XI")
    assert qg.PauliSum(ZERO) == qg.PauliSum({"II": 0.0}) == qg.PauliSum({"XY": 0.0})
    assert qg.PauliSum(ZERO).num_qubits == 2
    assert qg.PauliSum("ZZ") - qg.PauliSum("ZZ") + qg.PauliSum("XX") == qg.PauliSum("XX")
    with pytest.raises(ValueError, match="add up to more than a float holds"):
        qg.PauliSum([("Z", 1e308), ("Z", 1e308)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", EXACT + SAMPLED, **named)
def test_an_observable_that_is_constant_has_derivative_zero_without_error(method, dtype):
    params = np.array(PARAMS, dtype)
    for observable, value in ((ZERO, 0.0), ([("II", 0.0)], 0.0), (IDENTITY, 2.0)):
        objective = qg.Expectation(CIRCUIT, observable)
        found = qg.estimate(objective, params, method, key=0)
        tolerance = 1e-6 if method in EXACT and value else 0.0
        np.testing.assert_allclose(found.gradient, [0, 0], atol=tolerance)
        np.testing.assert_allclose(found.value, value, atol=tolerance)
        for spread in (found.variance, found.value_variance, found.bias_bound):
            np.testing.assert_array_equal(spread, 0)
        assert found.result == "ok"
        # Nothing needs to be measured, and a prediction knows.
        assert found.cost == qg.predict_cost(objective, method, dtype=dtype)
        assert found.cost.copies == 0


@pytest.mark.parametrize("method", EXACT + SAMPLED, **named)
def test_what_cancels_beside_other_terms_changes_nothing(method):
    plain = qg.estimate(qg.Expectation(CIRCUIT, {"ZI": 0.5}), PARAMS, method, key=0)
    padded = qg.Expectation(CIRCUIT, [("YX", 3.0), ("ZI", 0.2), ("YX", -3.0), ("ZI", 0.3), ("XX", 0.0)])
    found = qg.estimate(padded, PARAMS, method, key=0)
    np.testing.assert_array_equal(found.gradient, plain.gradient)
    np.testing.assert_array_equal(found.variance, plain.variance)
    assert found.cost == plain.cost


@pytest.mark.parametrize("method", EXACT + SAMPLED, **named)
def test_one_zero_entry_of_a_vector_objective_is_zero_and_spoils_no_other(method):
    objective = qg.Expectation(CIRCUIT, ["ZI", qg.PauliSum(ZERO)])
    found = qg.estimate(objective, PARAMS, method, key=0)
    alone = qg.estimate(qg.Expectation(CIRCUIT, "ZI"), PARAMS, method, key=0)
    np.testing.assert_allclose(found.gradient, [alone.gradient, [0, 0]], atol=1e-15)
    np.testing.assert_allclose(found.value, [alone.value, 0], atol=1e-15)
    np.testing.assert_array_equal(found.variance[1], 0)
    np.testing.assert_array_equal(found.value_variance[1], 0)


@pytest.mark.parametrize("method", [qg.GentleSweep(2000), qg.OnlineTomography(0.4, 0.05), qg.BellShadow(2000)], **named)
def test_an_evolution_under_a_hamiltonian_that_cancels_does_nothing(method):
    circuit = qg.Circuit(1).ry(0, 0.4).evolution(qg.PauliSum([("Z", 1.0), ("Z", -1.0)]), param=0)
    found = qg.estimate(qg.Expectation(circuit, "X"), [0.3], method, key=0)
    np.testing.assert_array_equal(found.gradient, [0])
    np.testing.assert_array_equal(found.variance, [0])


@pytest.mark.parametrize("method", SAMPLED, **named)
@pytest.mark.parametrize(
    ("dtype", "size", "flow"),
    [
        (np.float64, 1e160, "over"),
        (np.float64, 1e-300, "under"),
        (np.float32, 1e19, "over"),
        (np.float32, 1e160, "over"),
        (np.float32, 1e-20, "under"),
    ],
)
def test_coefficients_whose_squares_are_no_numbers_are_refused_where_variances_are_reported(method, dtype, size, flow):
    objective = qg.Expectation(CIRCUIT, ["ZI", {"ZI": size}])
    message = (
        f"observable 1 has coefficients of size {size:.3g}, whose variances {flow}flow in {np.dtype(dtype)}: rescale"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        qg.estimate(objective, np.array(PARAMS, dtype), method, key=0)


@pytest.mark.parametrize("method", EXACT, **named)
def test_exact_methods_refuse_only_what_overflows_itself(method):
    found = qg.estimate(qg.Expectation(CIRCUIT, {"ZI": 1e160}), PARAMS, method)
    plain = qg.estimate(qg.Expectation(CIRCUIT, "ZI"), PARAMS, method)
    np.testing.assert_allclose(found.gradient, 1e160 * plain.gradient, rtol=1e-12, atol=1e145)
    with pytest.raises(ValueError, match=r"1e\+160, whose values overflow in float32: .* or give float64"):
        qg.estimate(qg.Expectation(CIRCUIT, {"ZI": 1e160}), np.array(PARAMS, np.float32), method)


COEFFICIENTS = st.sampled_from([0.0, 1.0, -1.0, 0.3, 1e160, -1e160, 1e-300, 5e-324, 1e20, -1e-20])
ANGLES = st.sampled_from([0.0, -0.0, np.pi, -np.pi, 1e8, -1e8, 5e-324, 1e-40, 0.7])


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["ZI", "XY", "II", "YZ"]), COEFFICIENTS), min_size=1, max_size=5),
    st.lists(ANGLES, min_size=2, max_size=2),
    st.sampled_from([np.float32, np.float64]),
)
def test_any_coefficients_at_any_angles_are_right_to_rounding_or_refused_by_name(terms, angles, dtype):
    circuit = qg.Circuit(2).ry(0, 0.9).cx(0, 1).rx(0, param=0).cry(0, 1, param=1)
    params = np.array(angles, dtype)
    objective = qg.Expectation(circuit, terms)
    # Reduced angles and unit strings, in float64.
    words = {word for word, _ in terms}
    turned = np.arctan2(np.sin(np.float64(params) / 2), np.cos(np.float64(params) / 2)) * 2
    unit = {word: qg.estimate(qg.Expectation(circuit, word), turned, qg.Adjoint()) for word in words}
    assert all(abs(unit[w].value - dense.expectation(circuit, turned, {w: 1.0})) < 1e-12 for w in words)
    right = sum(c * np.asarray(unit[word].gradient) for word, c in terms)
    scale = sum(abs(c) for _, c in terms)
    rounding = {np.float32: 1e-5, np.float64: 1e-12}[dtype]
    for method in (qg.Adjoint(), qg.ParameterShift(), qg.ParameterShift(shots=50)):
        found = answer_or_refusal(objective, params, method)
        if isinstance(found, ValueError):
            assert re.search(r"observable 0 has coefficients of size .* (over|under)flow in float", str(found))
            assert not 1e-14 < scale < 1e17
            continue
        assert found.result == "ok"
        # Shots: at most 10 standard deviations of 50 outcomes of size `scale`; the two-term and four-term rules at
        # most add two such errors, so that a false alarm is less likely than 1e-20.
        is_sampled = getattr(method, "shots", None) is not None
        np.testing.assert_allclose(found.gradient, right, rtol=0, atol=(10 if is_sampled else rounding) * scale)
        assert np.all(np.isfinite(found.variance))


def answer_or_refusal(objective, params, method):
    try:
        return qg.estimate(objective, params, method, key=1)
    except ValueError as error:
        return error
