"""Groups of strings that are measured together: how many there are, and what their circuits measure."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir import pauli
from qcgrad.ir.measured_groups import GROUPINGS, commuting_groups, half_ranges, measured_groups
from qcgrad.queries import Evaluate

MOLECULES = ["lih_givens_n6", "lih_givens_n10", "h4_givens_n8", "h3_plus_givens_n6"]


@pytest.mark.parametrize("name", MOLECULES)
def test_never_more_groups_than_qiskit_finds(name):
    from qiskit.quantum_info import SparsePauliOp

    program = qg.load_circuit(name).objective.program
    x, z, _ = program.terms
    found = commuting_groups(x, z)
    assert np.array_equal(np.sort(np.concatenate(found)), np.flatnonzero(x | z))
    for group in found:
        a, b = x[group], z[group]
        assert np.all(pauli.commute(a[:, None], b[:, None], a, b))
    words = [word[::-1] for word in program.observables[0].words if set(word) != {"I"}]
    assert len(found) <= len(SparsePauliOp(words).group_commuting())
    assert len(found) <= len(program.bases)


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_groups_add_up_to_the_observables(grouping):
    """Exact values of all groups' circuits, of two observables that share strings, and the identity's constants."""
    circuit = qg.Circuit(3).ry(0, param=0).cx(0, 1).rx(2, param=1).cz(1, 2).rx(1, param=2)
    program = qg.Expectation(
        circuit, [{"XXI": 0.7, "YYI": -1.2, "ZZI": 0.4, "IIX": 2.0, "III": 3.0}, {"YYI": 0.3, "XYZ": 1.0, "ZIZ": 0.1}]
    ).program
    angles = np.array([[0.4, 1.1, -0.7]])
    backend = qg.Statevector()
    groups = measured_groups(program, grouping)
    assert all(len(group.program.bases) == 1 for group in groups)
    means = [backend.answer(Evaluate(group.program, angles), None).mean for group in groups]
    truth = backend.answer(Evaluate(program, angles), None).mean
    np.testing.assert_allclose(
        sum(means) + program.constants, truth, atol=1e-6 if not jax.config.x64_enabled else 1e-12
    )


def test_ranges_are_those_of_the_sum():
    """XX + YY + ZZ lies between -3 and 1; strings that are independent reach every sign."""
    program = qg.Expectation(qg.Circuit(2).h(0), "XX + YY + ZZ").program
    (group,) = measured_groups(program, "commuting")
    np.testing.assert_allclose(group.ranges, [2.0])
    np.testing.assert_allclose(
        half_ranges(np.array([1, 2, 4]), np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 3.0]])), [3.5, 3]
    )


def test_many_qubits_and_many_independent_strings():
    """More than 62 qubits, whose masks are Python's integers; more strings than are enumerated."""
    n = 70
    words = {"I" * q + "Z" + "I" * (n - q - 1): 1.0 for q in range(20)} | {"I" * (n - 2) + "XX": 1.0}
    program = qg.Expectation(qg.Circuit(n).ry(0, param=0), {**words, "I" * (n - 2) + "ZZ": 0.5}).program
    groups = measured_groups(program, "commuting")
    assert len(groups) == 1
    np.testing.assert_allclose(groups[0].ranges, [21.5])


def test_a_basis_change_leaves_other_qubits_alone():
    program = qg.Expectation(qg.Circuit(4).ry(0, param=0), {"IXXI": 1.0, "IZZI": 1.0, "IYYI": 1.0}).program
    (group,) = measured_groups(program, "commuting")
    assert {wire for gate in group.program.circuit.gates[1:] for wire in gate.wires} == {1, 2}


def test_a_constant_has_no_groups():
    program = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"I": 2.0}).program
    assert [measured_groups(program, grouping) for grouping in GROUPINGS] == [(), ()]
