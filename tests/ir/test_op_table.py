"""Lowering: what rows a circuit becomes, checked by walking them with dense matrices."""

import numpy as np
from hypothesis import given

import qcgrad as qg
from qcgrad.ir.op_table import MATRIX, PAULI, rotation_coefficients
from tests import dense
from tests.strategies import circuits


def walk(table, angles):
    """Final state by the documented meaning of the columns, with dense matrices."""
    n = table.num_qubits
    psi = np.zeros(2**n, complex)
    psi[0] = 1
    for row in range(table.num_ops):
        if table.kind[row] == MATRIX:
            wires = [n - 1 - position for position in table.wires[row]]
            matrix = table.matrices[table.matrix[row]]
            psi = dense.apply(psi.reshape((2,) * n), matrix, wires).ravel()
            continue
        string = qg.PauliSum.from_masks(n, [table.x[row]], [table.z[row]], [1.0]).matrix()
        if table.slot[row] < 0:
            a, b = table.a[row], table.b[row]
        else:
            t = table.scale[row] * angles[table.slot[row]] + table.offset[row]
            phase = np.exp(0.5j * t * table.kappa[row])
            a, b = phase * np.cos(t / 2), -1j * phase * np.sin(t / 2)
        active = (np.arange(2**n) & table.controls[row]) == table.controls[row]
        psi = np.where(active, a * psi + b * (string @ psi), psi)
    return psi


@given(circuits(max_qubits=4))
def test_walking_the_rows_gives_the_circuits_state(case):
    circuit, params = case
    index, scale, offset = circuit.angle_map
    np.testing.assert_allclose(
        walk(circuit.op_table, scale * params[index] + offset), dense.state(circuit, params), atol=1e-12
    )


def test_slots_follow_the_parameterised_gates_and_fixed_rows_have_none():
    table = qg.Circuit(2).h(0).ry(0, param=5).cx(0, 1).crz(0, 1, param=5).op_table
    assert table.slot.tolist() == [-1, -1, 0, -1, 1]
    assert table.controls.tolist() == [0, 0, 0, 0b10, 0b10]


def test_an_evolution_of_commuting_terms_has_one_row_a_term_and_one_slot():
    table = qg.Circuit(2).evolution(qg.PauliSum({"ZZ": 0.5, "XX": -1.0}), param=0).op_table
    assert table.kind.tolist() == [PAULI, PAULI]
    assert table.slot.tolist() == [0, 0]
    assert table.scale.tolist() == [1.0, -2.0]


def test_narrow_matrices_are_widened_to_the_widest():
    table = qg.Circuit(3).unitary(dense.FIXED["h"], [1]).unitary(dense.FIXED["ccx"], [2, 0, 1]).op_table
    assert table.matrices.shape == (2, 8, 8)
    assert table.matrix_wires == 3


def test_multiples_of_a_quarter_turn_have_exact_coefficients():
    """cos(pi/2) is 6e-17 in floating point; a fixed X must be an exact permutation."""
    a, b = rotation_coefficients(np.array([np.pi, 2 * np.pi, np.pi]), np.array([1, 1, 0]))
    assert a.tolist() == [0, 1, 0]
    assert b.tolist() == [1, 0, -1j]
