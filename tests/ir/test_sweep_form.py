"""States to sweep over, exactly: what their strings average to must add up to values and derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.ir import block_encoding, rows
from qcgrad.ir.pull_back import pull_back
from qcgrad.ir.sweep_form import common_state_form, one_state_forms
from tests import dense
from tests.strategies import circuits, clifford_circuits, pauli_terms


def swept(form):
    """<A> of every string along the un-computation; copies that are left out count as 0."""
    state, undone, found = form.state, 0, []
    for x, z, step in zip(form.x.tolist(), form.z.tolist(), form.step.tolist(), strict=True):
        state = rows.run(form.undo[undone:step], state)
        undone = step
        found.append(rows.expectation(x, z, state))
    return form.acceptance * np.array(found)


def totals(forms, program):
    """Values (K,) and derivatives (K, A) from all forms."""
    value = program.constants.copy()
    gradient = np.zeros((program.num_observables, program.num_angles))
    for form in forms:
        found = swept(form)
        value += form.mixing @ (form.value @ found + form.constants)
        gradient += form.mixing @ (form.gradient @ found).reshape(-1, program.num_angles)
    return value, gradient


@st.composite
def problems(draw):
    circuit, params = draw(circuits(max_qubits=3, max_gates=8))
    observables = [qg.PauliSum(draw(pauli_terms(circuit.num_qubits))) for _ in range(draw(st.integers(1, 2)))]
    return qg.Expectation(circuit, observables), params


@given(problems())
def test_rows_prepare_and_undo_the_circuit(case):
    objective, params = case
    circuit = objective.circuit
    bound = rows.bind(circuit.op_table, objective.coordinates(params))
    state = rows.run(bound, rows.zero_state(circuit.num_qubits))
    np.testing.assert_allclose(state, dense.state(circuit, params), atol=1e-12)
    back = rows.run([row.inverse() for row in reversed(bound)], np.stack([state, 1j * state]))
    start = rows.zero_state(circuit.num_qubits)
    np.testing.assert_allclose(back, np.stack([start, 1j * start]), atol=1e-12)


@pytest.mark.parametrize(("encoding", "share"), [("terms", None), ("block", None), ("block", 0.5), ("block", 0.2)])
@given(case=problems())
def test_one_state_forms_hold_every_derivative(encoding, share, case):
    objective, params = case
    angles = np.asarray(objective.coordinates(params))
    forms = one_state_forms(objective.program, angles, encoding, discards=share is not None)
    if share == 0.2:
        forms = [form if form.applied is None else form.with_reference(share) for form in forms]
    value, gradient = totals(forms, objective.program)
    point = qg.Expectation(objective.circuit, list(objective.program.observables))
    exact = qg.estimate(point, params, qg.Adjoint())
    np.testing.assert_allclose(value, exact.value, atol=1e-10)
    index, scale, _ = objective.circuit.angle_map
    by_parameter = np.zeros(np.shape(exact.gradient))
    np.add.at(by_parameter.T, index, (gradient * scale).T)
    np.testing.assert_allclose(by_parameter, exact.gradient, atol=1e-10)
    for form in forms:
        assert np.linalg.norm(form.state) == pytest.approx(1, abs=1e-12)
        assert np.all(np.diff(form.step) >= 0)
        assert form.gates_until(form.num_components - 1) <= objective.circuit.num_gates


def test_copies_are_left_out_by_the_square_of_the_observable():
    """ZZ + XX on cos(t/2)|00> + sin(t/2)|11> is 1 + sin t of either sign: p = (1 + <O^2>/4)/2, and so on."""
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZZ + XX")
    (form,) = one_state_forms(objective.program, np.array([0.6]), "block", discards=True)
    square = 2 + 2 * np.sin(0.6)
    assert form.acceptance == pytest.approx((1 + square / 4) / 2, abs=1e-12)
    root = np.sqrt(square) / 2
    best = form.with_reference(root / (1 + root))
    assert best.acceptance == pytest.approx(root, abs=1e-12)
    # What one copy adds to the variance of the value: (Lambda + sqrt<O^2>)^2/4.
    assert best.value[0, 0] ** 2 * best.acceptance == pytest.approx((2 + np.sqrt(square)) ** 2 / 4, abs=1e-12)


@given(clifford_circuits())
def test_a_common_state_form_needs_no_undoing(case):
    circuit, params = case
    objective = qg.Expectation(circuit, "Z" * circuit.num_qubits)
    form = common_state_form(pull_back(objective.program, np.asarray(objective.coordinates(params))), outputs=1)
    assert form.has_free_order
    value, gradient = totals([form], qg.Expectation(circuit, "I" * circuit.num_qubits).program)
    exact = qg.estimate(objective, params, qg.Adjoint())
    index, scale, _ = circuit.angle_map
    by_parameter = np.zeros(circuit.num_parameters)
    np.add.at(by_parameter, index, gradient[0] * scale)
    np.testing.assert_allclose(value[0] - 1, exact.value, atol=1e-10)  # the identity added 1
    np.testing.assert_allclose(by_parameter, exact.gradient, atol=1e-10)


@given(pauli_terms(2, max_terms=6))
def test_block_encodings_hold_the_observable(terms):
    observable = qg.PauliSum(terms)
    encoded = block_encoding.controlled(2, observable.x, observable.z, observable.coefficients)
    unitary = rows.run(encoded.rows, np.eye(2**encoded.num_qubits)).T
    half = len(unitary) // 2
    np.testing.assert_allclose(unitary @ unitary.conj().T, np.eye(2 * half), atol=1e-12)
    np.testing.assert_allclose(unitary[:half, :half], np.eye(half), atol=1e-12)  # control 0: nothing happens
    block = unitary[half:, half:]
    np.testing.assert_allclose(block, block.conj().T, atol=1e-12)
    np.testing.assert_allclose(encoded.scale * block[:4, :4], observable.matrix(), atol=1e-12)


def test_an_observable_of_several_strings_is_refused_without_an_encoding():
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0), {"ZI": 1.0, "IZ": 0.5})
    with pytest.raises(qg.NotApplicable, match=r"2 Pauli strings.*encoding='block'"):
        one_state_forms(objective.program, np.zeros(1), "none")
