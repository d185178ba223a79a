"""Shift rules: exact on the trigonometric polynomials they are made for, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.estimators.single_copy.shifts._shift_rules import shift_rule

FREQUENCIES = [(1.0,), (2.0,), (0.5, 1.0), (1.0, 2.0, 3.0), (0.3, 0.6, 0.9, 1.2), (0.6, 1.0, 1.6), (1.0, np.pi)]


@pytest.mark.parametrize("frequencies", FREQUENCIES)
@pytest.mark.parametrize("at", [0.0, 0.8, -2.3])
def test_rules_differentiate_every_frequency(frequencies, at):
    """f = sum cos(w t + phase): sum of c f(t + s) is f'."""
    rule = shift_rule(frequencies)
    omega = np.array(frequencies)
    phase = 0.3 * np.arange(len(omega))

    def f(t):
        return np.cos(np.multiply.outer(t, omega) + phase).sum(axis=-1)

    exact = -np.sum(omega * np.sin(omega * at + phase))
    np.testing.assert_allclose(rule.coefficients @ f(at + rule.shifts), exact, atol=1e-10)
    assert len(rule.shifts) == 2 * len(frequencies)


def test_the_two_term_rule():
    rule = shift_rule((1.0,))
    np.testing.assert_allclose(rule.shifts, [np.pi / 2, -np.pi / 2])
    np.testing.assert_allclose(rule.coefficients, [0.5, -0.5])


def test_the_four_term_rule_of_controlled_rotations():
    """Coefficients (sqrt 2 +- 1)/(4 sqrt 2) at shifts pi/2 and 3 pi/2 (Anselmetti et al. 2021)."""
    rule = shift_rule((0.5, 1.0))
    np.testing.assert_allclose(np.abs(rule.shifts), [np.pi / 2, 3 * np.pi / 2] * 2)
    sizes = np.array([np.sqrt(2) + 1, np.sqrt(2) - 1]) / (4 * np.sqrt(2))
    np.testing.assert_allclose(rule.coefficients, [sizes[0], -sizes[1], -sizes[0], sizes[1]])


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True))
def test_any_few_well_separated_frequencies_have_a_rule(multiples):
    frequencies = tuple(sorted(0.25 * m for m in multiples))
    rule = shift_rule(frequencies)
    derivative = np.array([rule.coefficients @ np.sin(w * rule.shifts) for w in frequencies])
    np.testing.assert_allclose(derivative, frequencies, atol=1e-9)


def test_no_frequency_needs_no_evaluation():
    assert shift_rule(()).shifts.shape == (0,)


def test_indistinguishable_frequencies_are_refused_by_name():
    with pytest.raises(ValueError, match=r"frequencies \[1\.0, 1\.0000000001"):
        shift_rule((1.0, 1.0 + 1e-10))


def test_a_gate_without_a_known_spectrum_is_named():
    hamiltonian = qg.PauliSum({"ZZIIIII": 1.0, "IXIIIII": 0.5, "IIZZZZZ": 0.3})
    objective = qg.Expectation(qg.Circuit(7).ry(0, param=0).evolution(hamiltonian, param=1), "Z" * 7)
    with pytest.raises(qg.NotApplicable, match=r"spectrum of gate evolution on qubits .* \(parameterised gate 1\)"):
        qg.estimate(objective, np.zeros(2), qg.ParameterShift())
    with pytest.raises(qg.NotApplicable, match="gate evolution"):
        qg.predict_cost(objective, qg.ParameterShift())


def test_a_gate_with_too_many_frequencies_is_named():
    levels = qg.PauliSum({"ZIIIII": 1.0, "IZIIII": 0.437, "IIZIII": 0.211, "IIIZII": 0.0937})
    objective = qg.Expectation(qg.Circuit(6).evolution(levels, param=0), "X" * 6)
    with pytest.raises(qg.NotApplicable, match=r"evolution.* has \d+ frequencies, at most 32"):
        qg.estimate(objective, np.zeros(1), qg.ParameterShift())
