"""Zero-noise extrapolation: circuits that do the same with more gates, weights, and what of the noise remains."""

from itertools import pairwise

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.folding import extrapolation, folded
from qcgrad.queries import AdjointSweep, Evaluate
from theory.statistics import key, normal

CIRCUIT = (
    qg.Circuit(3).h(0).ry(0, param=0).cx(0, 1).s(1).crx(1, 2, param=1, scale=0.5).t(2).iswap(0, 2).rzz(0, 1, param=0)
)
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZZI + 0.3*IXY + 0.2*III", "YIX"])
PARAMS = np.array([0.7, -1.9])
TRUE = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())


class Fading(qg.AbstractBackend):
    """Every gate multiplies all strings but the identity by the same factor."""

    access = qg.queries.Access.single_copy
    is_traceable = False

    def __init__(self, factor):
        self.factor = factor

    def answer(self, query, key):
        if not isinstance(query, Evaluate):
            return self.refuse(query)
        means = qg.Statevector().answer(query, key)
        left = self.factor**query.program.num_gates
        constants = query.program.constants
        return means._replace(mean=constants + left * (means.mean - constants), bias=np.abs((1 - left) * means.mean))


@pytest.mark.parametrize("scale", [1.0, 1.4, 2.0, 3.0, 4.7])
@pytest.mark.parametrize("min_wires", [1, 2])
def test_folded_circuits_do_the_same_with_more_gates(scale, min_wires):
    found = folded(OBJECTIVE.program, scale, min_wires)
    angles = np.random.default_rng(0).uniform(-3, 3, (4, CIRCUIT.num_angles))
    for one in angles:
        a = qg.Statevector().state(found.program, found.angles(one))
        b = qg.Statevector().state(OBJECTIVE.program, one)
        np.testing.assert_allclose(a, b, atol=1e-12)
    eligible = sum(len(gate.wires) >= min_wires for gate in CIRCUIT.gates)
    added = found.program.num_gates - CIRCUIT.num_gates
    assert added == 2 * round(eligible * (scale - 1) / 2)
    assert found.scale == 1 + added / eligible


def test_pairs_are_spread_over_the_circuit():
    circuit = qg.Circuit(1)
    for k in range(12):
        circuit = circuit.ry(0, param=k)
    found = folded(qg.Expectation(circuit, "Z").program, 1.5)
    np.testing.assert_array_equal(np.bincount(found.owner), [1, 1, 1, 3] * 3)


def test_weights_are_those_of_the_fit():
    rng = np.random.default_rng(0)
    for scales, order in (([1, 3], 1), ([1, 2, 3], 1), ([1, 1.5, 2, 4], 2), ([1, 2, 3, 4], 3)):
        y = rng.normal(size=len(scales))
        expected = np.polynomial.polynomial.polyfit(scales, y, order)[0]
        np.testing.assert_allclose(extrapolation(scales, order) @ y, expected, atol=1e-10)


def test_without_noise_nothing_changes():
    found = qg.estimate(OBJECTIVE, PARAMS, qg.ZeroNoiseExtrapolation(qg.ParameterShift()))
    np.testing.assert_allclose(found.gradient, TRUE.gradient, atol=1e-10)
    np.testing.assert_allclose(found.value, TRUE.value, atol=1e-10)
    assert found.fidelity == "exact"


def test_noise_is_removed_order_by_order_and_the_bound_holds():
    """Each degree of the polynomial leaves a remainder that is less than 0.3 of the one before."""
    noisy, errors = Fading(0.985), []
    for method in (
        qg.ParameterShift(),
        qg.ZeroNoiseExtrapolation(qg.ParameterShift(), (1, 2), 1),
        qg.ZeroNoiseExtrapolation(qg.ParameterShift(), (1, 2, 3), 2),
        qg.ZeroNoiseExtrapolation(qg.ParameterShift(), (1, 2, 3, 4), 3),
    ):
        found = qg.estimate(OBJECTIVE, PARAMS, method, noisy)
        off = np.abs(np.asarray(found.gradient - TRUE.gradient))
        assert (off <= np.asarray(found.bias_bound) + 1e-12).all()
        errors.append(off.max())
    assert all(b < 0.3 * a for a, b in pairwise(errors)), errors


@pytest.mark.statistical
def test_methods_that_draw_what_they_evaluate_are_extrapolated_too():
    """Within `normal` standard errors of 20,000 shots."""
    method = qg.ZeroNoiseExtrapolation(qg.WeightedRandomSampling(shots=20_000), (1, 2, 3), 2)
    found = qg.estimate(OBJECTIVE, PARAMS, method, key=key(4))
    errors = np.abs(np.asarray(found.gradient - TRUE.gradient)) / np.sqrt(np.asarray(found.variance))
    assert (errors < normal(errors.size)).all()


def test_the_value_alone_is_extrapolated_too():
    method = qg.ZeroNoiseExtrapolation(qg.ParameterShift(), (1, 2, 3), 2)
    found = qg.estimate(OBJECTIVE, PARAMS, method, Fading(0.99))
    alone = qg.as_jax(OBJECTIVE, method, Fading(0.99))(PARAMS)
    np.testing.assert_allclose(alone, found.value, atol=1e-12)
    with qg.Tracker() as spent:
        qg.as_jax(OBJECTIVE, method, Fading(0.99))(PARAMS)
    assert spent.total.circuit_runs == 3


def test_jit_and_batches_agree():
    method = qg.ZeroNoiseExtrapolation(qg.ParameterShift(shots=50))
    function = qg.as_jax(OBJECTIVE, method)
    points, keys = np.stack([PARAMS, PARAMS + 1]), jax.random.split(key(1), 2)
    together = jax.jit(jax.vmap(jax.jacobian(lambda p, k: function(p, key=k))))(points, keys)
    for point, k, found in zip(points, keys, together, strict=True):
        np.testing.assert_allclose(found, jax.jacobian(lambda p, k=k: function(p, key=k))(point), atol=1e-9)


def test_predicted_costs_are_counted_ones_at_every_scale():
    method = qg.ZeroNoiseExtrapolation(qg.ParameterShift(shots=10), (1, 3))
    found = qg.estimate(OBJECTIVE, PARAMS, method, key=0)
    assert found.cost == qg.predict_cost(OBJECTIVE, method)
    plain = qg.predict_cost(OBJECTIVE, qg.ParameterShift(shots=10))
    assert found.cost.copies == 2 * plain.copies
    assert found.cost.gates > 3.5 * plain.gates


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": (1,)}, "two or more numbers"),
        ({"scales": (2, 3)}, "1 first"),
        ({"scales": (1, 3, 2)}, "each larger"),
        ({"scales": (1, np.nan)}, "scales"),
        ({"scales": (1, 1e6)}, "at most 1000"),
        ({"order": 3}, "determine a polynomial of degree 2 at most"),
        ({"order": 0}, "order=0"),
        ({"min_wires": 0}, "min_wires=0"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        qg.ZeroNoiseExtrapolation(qg.ParameterShift(), **options)


@pytest.mark.parametrize("inner", [qg.Adjoint(), qg.GentleSweep(100), qg.ParameterShift, None])
def test_methods_that_do_not_evaluate_are_refused(inner):
    with pytest.raises(TypeError, match="inner is"):
        qg.ZeroNoiseExtrapolation(inner)


def test_what_cannot_be_extrapolated_is_refused():
    class Sweeping(qg.ParameterShift):
        def plan(self, point, key):
            return (AdjointSweep(point.objective.program, point.coordinates, point.cotangents),)

    with pytest.raises(qg.NotApplicable, match="Sweeping asks AdjointSweep questions"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ZeroNoiseExtrapolation(Sweeping()))
    short = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    with pytest.raises(qg.NotApplicable, match="1 gates cannot be folded to the scales"):
        qg.estimate(short, [0.3], qg.ZeroNoiseExtrapolation(qg.ParameterShift(), (1, 1.5)))
