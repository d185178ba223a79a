"""Pull-back to Pauli strings of a common state, against adjoint differentiation."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.ir.pull_back import NotClifford, pull_back
from tests import dense
from tests.strategies import clifford_circuits, pauli_terms


def combined(objective, params):
    """Value and gradient by angle from dense expectations of the common state's strings."""
    angles = np.asarray(objective.coordinates(np.asarray(params, float)))
    parts = pull_back(objective.program, angles)
    psi = dense.state(parts.preparation.circuit)
    n = objective.circuit.num_qubits
    strings = [
        np.real(psi.conj() @ qg.PauliSum.from_masks(n, [x], [z], [1.0]).matrix() @ psi)
        for x, z in zip(parts.x, parts.z, strict=True)
    ]
    strings = np.array(strings)
    return parts, parts.value @ strings + parts.constants, parts.gradient @ strings


def check_against_adjoint(objective, params):
    _, value, gradient = combined(objective, params)
    truth = qg.estimate(objective, params, qg.Adjoint())
    np.testing.assert_allclose(value, np.atleast_1d(truth.value), atol=1e-10)
    index, scale, _ = objective.circuit.angle_map
    by_param = np.zeros((objective.num_outputs, objective.num_parameters))
    np.add.at(by_param.T, index, (gradient.reshape(objective.num_outputs, -1) * scale).T)
    np.testing.assert_allclose(by_param, np.atleast_2d(truth.gradient), atol=1e-10)


@given(clifford_circuits(), st.data())
def test_random_clifford_angles_agree_with_adjoint(case, data):
    circuit, params = case
    observables = [qg.PauliSum(data.draw(pauli_terms(circuit.num_qubits, 3))) for _ in range(2)]
    check_against_adjoint(qg.Expectation(circuit, observables), params)


@pytest.mark.parametrize("turns", range(-4, 5))
@pytest.mark.parametrize("name", ["crx", "cry", "crz", "cp"])
def test_controlled_rotations_at_multiples_of_pi(name, turns):
    """Odd multiples of pi (and of 2 pi for the rotations) are Clifford up to a phase on the control."""
    circuit = qg.Circuit(2).ry(0, 0.4).ry(1, 0.9).rx(0, param=0)
    circuit = getattr(circuit, name)(0, 1, param=1).ry(1, param=2)
    check_against_adjoint(qg.Expectation(circuit, {"XY": 0.7, "ZI": 0.2, "IX": 1.0}), [0.0, turns * np.pi, 0.0])


def test_fixed_unitaries_and_three_qubit_words():
    clifford = dense.FIXED["iswap"] @ dense.FIXED["cx"]
    circuit = qg.Circuit(3).ry(0, 0.4).ry(1, 0.9).ry(2, 0.2).pauli_rot("XYZ", param=0)
    circuit = circuit.unitary(clifford, [2, 0]).unitary(dense.FIXED["s"], [1]).pauli_rot("ZIY", param=1)
    check_against_adjoint(qg.Expectation(circuit, {"XXI": 1.0, "IZY": -0.5, "III": 2.0}), [np.pi / 2, -np.pi])


def test_an_operator_pool_needs_no_more_strings_than_commutators():
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).ry(1, param=1), "ZI + IZ", ["XI", "YI", "XX", "ZZ"])
    objective, params = pool.at(np.array([0.3, 0.8]))
    parts, _, gradient = combined(objective, params)
    # i[ZI, XI] = -2 YI, i[ZI, YI] = 2 XI, i[ZI + IZ, XX] = -2 (YX + XY); ZZ commutes; and ZI, IZ for the value.
    assert len(parts.x) == 6
    np.testing.assert_allclose(gradient * -2.0, qg.estimate(pool, [0.3, 0.8], qg.Adjoint()).gradient, atol=1e-12)


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        (lambda c: c.t(0), r"t on qubits \(0,\) is not Clifford at angle 0\.785398"),
        (lambda c: c.rx(1, 0.3), r"rx on qubits \(1,\) is not Clifford at angle 0\.3"),
        (lambda c: c.pauli_rot("XY", angle=0.1), r"pauli_rot on qubits \(0, 1\)"),
        (lambda c: c.ccx(0, 1, 2), r"ccx on qubits \(0, 1, 2\)"),
        (lambda c: c.crx(0, 1, np.pi / 2), r"crx on qubits \(0, 1\)"),
        (lambda c: c.unitary(dense.ROTATIONS["rx"](0.3), [0]), r"unitary on qubits \(0,\)"),
    ],
)
def test_the_gate_that_is_not_clifford_is_named(suffix, name):
    circuit = suffix(qg.Circuit(3).h(0).ry(0, param=0))
    objective = qg.Expectation(circuit, "ZII")
    with pytest.raises(NotClifford, match=name):
        pull_back(objective.program, np.zeros(1))


@pytest.mark.parametrize("angle", [0.4, 0.05, 1e-3])
def test_a_controlled_rotation_by_a_small_angle_is_not_clifford(angle):
    """<XZ> is cos^2(angle/4)..., not 1: taking it for the identity would be a silent error."""
    objective = qg.Expectation(qg.Circuit(2).h(0).ry(0, param=0).crx(0, 1, angle), "XZ")
    with pytest.raises(NotClifford, match="crx"):
        pull_back(objective.program, np.zeros(1))


@pytest.mark.parametrize("angle", [0.2, 1e-3])
def test_a_fixed_unitary_close_to_a_clifford_is_not_clifford(angle):
    circuit = qg.Circuit(1).ry(0, param=0).unitary(dense.ROTATIONS["rx"](angle), [0])
    with pytest.raises(NotClifford, match="unitary"):
        pull_back(qg.Expectation(circuit, "Z").program, np.zeros(1))


def test_pools_and_circuits_without_any_string_have_zero_gradient():
    """Every commutator vanishes and the observable is the identity: nothing is left to measure."""
    pool = qg.OperatorPool(qg.Circuit(2).h(0), "II", ["ZI", "XX"])
    found = qg.estimate(pool, [], qg.BellShadow(copies=100), key=jax.random.key(0))
    assert found.gradient.tolist() == [0.0, 0.0]
    assert found.bias_bound.tolist() == [0.0, 0.0]
    assert found.value == 1.0
