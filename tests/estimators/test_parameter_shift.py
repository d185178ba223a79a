"""ParameterShift: how shots are split, counted, and turned into variances."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from tests.recorder import Recorder
from theory.statistics import key

OBJECTIVE = qg.Expectation(qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1), "IZ + XI")
PARAMS = np.array([0.6, -0.9])


def asked(estimator, objective=OBJECTIVE, params=PARAMS):
    recorder = Recorder(qg.Statevector())
    e = qg.estimate(objective, params, estimator, recorder, key=jax.random.key(3))
    (query,) = recorder.queries
    return e, query


def test_evaluations_are_the_value_and_every_shift():
    """1 + 2 + 4 settings; each measured in the bases IZ and XI."""
    e, query = asked(qg.ParameterShift(shots=10))
    shift = query.angles - PARAMS
    expected = np.zeros((7, 2))
    expected[1:3, 0] = np.pi / 2, -np.pi / 2
    expected[3:, 1] = np.pi / 2, 3 * np.pi / 2, -np.pi / 2, -3 * np.pi / 2
    np.testing.assert_allclose(shift, expected, atol=1e-12)
    # Two measurement bases: IZ and XI commute qubit by qubit, so one is enough.
    assert (e.cost.circuit_runs, e.cost.shots, e.cost.copies) == (7, 70, 70)


def test_exact_evaluation_counts_runs_but_no_shots():
    e, _ = asked(qg.ParameterShift())
    assert (e.cost.circuit_runs, e.cost.shots, e.cost.copies) == (7, 0, 0)
    assert e.cost.gates == 7 * 2


def test_coefficient_split_keeps_the_total_of_each_gate_and_follows_the_coefficients():
    _, query = asked(qg.ParameterShift(1000, "coefficient"))
    shots = query.shots_per_setting
    assert shots[:3] == (1000, 1000, 1000)
    large, small = np.array([np.sqrt(2) + 1, np.sqrt(2) - 1]) / (2 * np.sqrt(2)) * 2000
    assert shots[3:] == (round(large), round(small), round(large), round(small))


@pytest.mark.statistical
def test_coefficient_split_lowers_the_variance_of_the_four_term_rule():
    """|c| is 0.604 and 0.104 (twice each): sum c^2/n falls by the factor (sum |c|)^2/(4 sum c^2) = 0.67.

    Outcomes have means near 0, so their variances hardly scatter: 0.12 is many times what 20 000 shots are off by.
    """
    objective = qg.Expectation(qg.Circuit(2).h(0).crx(0, 1, param=0), "YX")
    equal = qg.estimate(objective, [0.4], qg.ParameterShift(20_000), key=key(1))
    split = qg.estimate(objective, [0.4], qg.ParameterShift(20_000, "coefficient"), key=key(1))
    assert 0.55 < split.variance[0] / equal.variance[0] < 0.8


def test_a_sequence_gives_every_evaluation_its_shots():
    e, query = asked(qg.ParameterShift((5, 10, 10, 20, 20, 30, 30)))
    assert query.shots_per_setting == (5, 10, 10, 20, 20, 30, 30)
    assert e.cost.shots == 125


def test_a_sequence_of_wrong_length_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match="shots has 3 numbers, but there are 7 circuit evaluations"):
        asked(qg.ParameterShift((5, 10, 10)))


@pytest.mark.statistical
def test_the_variance_is_the_binomial_one():
    """RY(t): outcomes +-1 with mean cos(t +- pi/2), so Var[g] = (1 - sin^2 t)/(2 N); 1 - mean^2 scatters by 0.3 %."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    e = qg.estimate(objective, [0.7], qg.ParameterShift(shots=1_000_000), key=key(0))
    np.testing.assert_allclose(e.variance[0], np.cos(0.7) ** 2 / 2_000_000, rtol=0.03)
    np.testing.assert_allclose(e.value_variance, np.sin(0.7) ** 2 / 1_000_000, rtol=0.03)


def test_one_shot_has_no_variance_and_says_nan():
    e, _ = asked(qg.ParameterShift(shots=1))
    assert np.all(np.isfinite(e.gradient))
    assert np.all(np.isnan(e.variance))
    assert np.isnan(e.value_variance)


def test_coefficient_split_never_leaves_an_evaluation_without_a_variance():
    e, query = asked(qg.ParameterShift(2, "coefficient"))
    assert min(query.shots_per_setting) == 2
    assert np.all(np.isfinite(e.variance))


def test_observables_that_commute_qubit_by_qubit_share_their_shots():
    """ZZ + ZI + IZ needs one basis, + XX a second one."""
    for observable, bases in (("ZZ + ZI + IZ", 1), ("ZZ + ZI + XX", 2)):
        e, _ = asked(qg.ParameterShift(shots=10), qg.Expectation(OBJECTIVE.circuit, observable))
        assert e.cost.circuit_runs == 7 * bases


def test_an_identity_term_is_added_without_measuring():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"I": 3.0})
    e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=10), key=0)
    assert (e.value, e.gradient[0], e.variance[0], e.cost.shots) == (3.0, 0.0, 0.0, 0)


@pytest.mark.statistical
def test_correlations_between_terms_of_one_basis_are_in_the_variance():
    """In a GHZ state ZI and IZ are equal: ZI - IZ has no spread, ZI + IZ four times that of one.

    The mean of 10^4 outcomes is 0.01 from 0, and a variance 2 % too small takes 0.14.
    """
    circuit, shift = qg.Circuit(2).h(0).cx(0, 1).rz(0, param=0), qg.ParameterShift(shots=10_000)
    none = qg.estimate(qg.Expectation(circuit, "ZI - IZ"), [0.1], shift, key=key(0))
    full = qg.estimate(qg.Expectation(circuit, "ZI + IZ"), [0.1], shift, key=key(0))
    assert none.value_variance == 0
    np.testing.assert_allclose(full.value_variance, 4 / 10_000, rtol=0.02)


@pytest.mark.parametrize("k", range(5))
def test_two_copies_of_one_gap_that_differ_by_rounding_do_not_spoil_the_gradient(k):
    """The eigenvalue gap a occurs several times; its copies straddle a rounding boundary at 1e-10."""
    a = 0.30000000005 + k * 1e-3
    hamiltonian = qg.PauliSum({"XII": a / 2, "IYI": a / 2, "IIZ": 0.11})
    circuit = qg.Circuit(3).ry(0, 0.4).ry(1, 0.3).ry(2, 0.7).evolution(hamiltonian, param=0)
    objective = qg.Expectation(circuit, {"ZZX": 1.0, "IZI": 0.5, "ZII": 0.3, "IZX": 0.3})
    shifted = qg.estimate(objective, [0.7], qg.ParameterShift())
    np.testing.assert_allclose(shifted.gradient, qg.estimate(objective, [0.7], qg.Adjoint()).gradient, atol=1e-9)
