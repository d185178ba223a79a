"""Circuits that conserve the number of ones, in their subspace: as the statevector simulator, and beyond it."""

import numpy as np
import pytest

import qcgrad as qg
from theory.statistics import key, normal

SPLITTER = qg.PauliSum({"XY": 0.5, "YX": -0.5})
CIRCUIT = (
    qg.Circuit(5)
    .x(0)
    .x(3)
    .evolution(SPLITTER, [0, 1], param=0)
    .evolution(qg.PauliSum({"XX": 0.7, "YY": 0.7, "ZI": 0.3, "II": 0.4}), [3, 2], param=1, scale=2.0)
    .rz(1, param=2)
    .cp(0, 3, param=3)
    .iswap(1, 4)
    .evolution(SPLITTER, [4, 2], param=0, offset=0.2)
    .swap(0, 2)
    .s(2)
    .rzz(1, 3, param=4)
    .evolution(SPLITTER, [1, 3], param=5)
    .cz(0, 1)
)
OBSERVABLES = ["ZIIII + 0.5*IXXII + 0.5*IYYII", "IIZZI + 0.2*IIIII + 0.3*XIIII", "XZZZY"]
PARAMS = np.array([0.4, -1.1, 0.7, 2.0, -0.3, 0.9])


def objective(observables=OBSERVABLES):
    return qg.Expectation(CIRCUIT, observables)


@pytest.mark.parametrize("method", [qg.Adjoint(), qg.ParameterShift()], ids=["adjoint", "shift"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_gradients_are_those_of_all_amplitudes(method, dtype):
    params = PARAMS.astype(dtype)
    right = qg.estimate(objective(), params, qg.Adjoint())
    found = qg.estimate(objective(), params, method, qg.HammingWeight())
    for a, b in ((found.value, right.value), (found.gradient, right.gradient)):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, atol=1e-10 if dtype == np.float64 else 1e-5)


def test_one_particle_on_many_qubits_turns_as_a_rotation():
    """n = 60, all 1770 pairs: the amplitudes are a column of the product of plane rotations, with its derivative."""
    n, circuit = 60, qg.Circuit(60).x(7)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    for k, pair in enumerate(pairs):
        circuit = circuit.evolution(SPLITTER, pair, param=k)
    params = np.random.default_rng(0).uniform(-np.pi, np.pi, len(pairs))

    def probability(params):
        vector = np.zeros(n)
        vector[7] = 1
        for (i, j), t in zip(pairs, params, strict=True):
            a, b = vector[i], vector[j]
            # exp(-i t (XY - YX)/2) turns |10> and |01> into each other, by t.
            vector[i], vector[j] = np.cos(t) * a + np.sin(t) * b, np.cos(t) * b - np.sin(t) * a
        return vector[3] ** 2

    one = qg.Expectation(circuit, qg.PauliSum({"I" * n: 0.5, "III" + "Z" + "I" * (n - 4): -0.5}))
    found = qg.estimate(one, params, qg.Adjoint(), qg.HammingWeight())
    np.testing.assert_allclose(found.value, probability(params), atol=1e-10)
    for k in (0, 600, 1769):
        moved = np.eye(len(params))[k] * 1e-5
        slope = (probability(params + moved) - probability(params - moved)) / 2e-5
        np.testing.assert_allclose(found.gradient[k], slope, atol=1e-8)


@pytest.mark.statistical
def test_shots_have_the_mean_and_the_variance_of_the_outcomes():
    """Within `normal` standard errors."""
    diagonal = qg.Expectation(CIRCUIT, ["ZIIII + 0.5*IZZII", "IIZZI + 0.2*IIIII"])
    right = qg.estimate(diagonal, PARAMS, qg.Adjoint())
    found = qg.estimate(diagonal, PARAMS, qg.ParameterShift(shots=20_000), qg.HammingWeight(), key=key(0))
    errors = np.abs(np.asarray(found.gradient - right.gradient)) / np.sqrt(np.asarray(found.variance) + 1e-12)
    assert (errors < normal(errors.size)).all()
    alone = qg.estimate(diagonal, PARAMS, qg.ParameterShift(shots=1), qg.HammingWeight(), key=key(1))
    assert np.isnan(alone.variance).all()


def test_gates_that_change_the_number_of_ones_are_named():
    for circuit, name in (
        (qg.Circuit(2).x(0).ry(1, param=0), "ry on qubits (1,)"),
        (qg.Circuit(2).rz(0, param=0).x(1), "x on qubits (1,)"),
        (qg.Circuit(2).x(0).rxx(0, 1, param=0), "rxx on qubits (0, 1)"),
    ):
        with pytest.raises(qg.NotApplicable, match=name.replace("(", r"\(").replace(")", r"\)")):
            qg.estimate(qg.Expectation(circuit, "ZI"), [0.3], qg.Adjoint(), qg.HammingWeight())


def test_what_cannot_be_measured_or_held_is_refused():
    with pytest.raises(qg.NotApplicable, match="strings of X or Y are measured in bases"):
        qg.estimate(objective(), PARAMS, qg.ParameterShift(shots=10), qg.HammingWeight(), key=0)
    half = qg.Circuit(100)
    for q in range(50):
        half = half.x(q)
    with pytest.raises(qg.TooLarge, match="basis states of 100 qubits with 50 ones"):
        qg.estimate(qg.Expectation(half.rz(0, param=0), "Z" + 99 * "I"), [0.3], qg.Adjoint(), qg.HammingWeight())
    with pytest.raises(qg.UnsupportedQuery, match="HammingWeight does not answer PointerSweep"):
        qg.estimate(objective(), PARAMS, qg.GentleSweep(1000), qg.HammingWeight(), key=0)
    with pytest.raises(ValueError, match="key is missing"):
        qg.estimate(objective(), PARAMS, qg.ParameterShift(shots=10), qg.HammingWeight())
