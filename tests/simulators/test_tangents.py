"""Derivatives of states and the geometric tensor, against differences of states written down independently."""

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.geometry import tangents
from qcgrad.queries import Access
from tests import dense
from tests.recorder import Recorder

CIRCUIT = (
    qg.Circuit(3)
    .ry(0, param=0)
    .crx(0, 2, param=1, scale=-1.5)
    .cp(2, 1, param=0, offset=0.2)
    .evolution(qg.PauliSum("ZX + 0.3*XZ"), (2, 1), param=2)
    .h(1)
    .ry(1, param=3)
)
PARAMS = np.array([0.3, -0.8, 0.5, 1.1])


def states(params):
    return dense.state(CIRCUIT, params)


def differences(params, step=1e-3):
    """(N, 2^n) derivatives by central differences, right to about step^4."""
    found = []
    for direction in np.eye(len(params)):
        near, far = (states(params + h * direction) - states(params - h * direction) for h in (step, 2 * step))
        found.append((8 * near - far) / (12 * step))
    return np.array(found)


def test_overlaps_are_those_of_the_derivatives_of_the_state():
    found = tangents(qg.Expectation(CIRCUIT, ["XIZ", "YYI"]), PARAMS)
    moved, psi = differences(PARAMS), states(PARAMS)
    np.testing.assert_allclose(found.gram, moved.conj() @ moved.T, atol=1e-9)
    np.testing.assert_allclose(found.overlap, moved @ psi.conj(), atol=1e-9)
    images = np.stack([qg.PauliSum(word).matrix() @ psi for word in ("XIZ", "YYI")])
    np.testing.assert_allclose(found.observed, images.conj() @ moved.T, atol=1e-9)


def test_twice_the_real_overlaps_are_the_gradient():
    objective = qg.Expectation(CIRCUIT, "XIZ + 0.5*IYI")
    found = 2 * tangents(objective, PARAMS).observed[0].real
    np.testing.assert_allclose(found, qg.estimate(objective, PARAMS, qg.Adjoint()).gradient, atol=1e-12)


@pytest.mark.parametrize("phase_fix", [True, False])
def test_the_geometric_tensor_is_hermitian_and_right(phase_fix):
    found = qg.geometric_tensor(qg.Expectation(CIRCUIT, "ZII"), PARAMS, phase_fix=phase_fix)
    moved, psi = differences(PARAMS), states(PARAMS)
    overlap = moved @ psi.conj() * phase_fix
    np.testing.assert_allclose(found, moved.conj() @ moved.T - np.outer(overlap.conj(), overlap), atol=1e-9)
    np.testing.assert_allclose(found, found.conj().T, atol=1e-15)
    assert np.linalg.eigvalsh(found).min() > -1e-12


def test_a_parameter_map_is_followed():
    """One parameter that drives two angles: the tensor is that of the angles between the map's Jacobian."""
    jacobian = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, -0.5]])
    mapped = qg.Expectation(CIRCUIT, "ZII", lambda t: jacobian @ t["a"], example={"a": np.zeros(2)})
    inner = qg.geometric_tensor(qg.Expectation(CIRCUIT, "ZII"), jacobian @ np.array([0.2, 0.4]))
    found = qg.geometric_tensor(mapped, {"a": np.array([0.2, 0.4])})
    np.testing.assert_allclose(found, jacobian.T @ inner @ jacobian, atol=1e-12)


def test_only_chosen_derivatives_are_carried_and_charged():
    objective = qg.Expectation(CIRCUIT, "ZII")
    with qg.Tracker() as spent:
        found = tangents(objective, PARAMS, chosen=[2, 0])
    np.testing.assert_allclose(found.gram, tangents(objective, PARAMS).gram[np.ix_([2, 0], [2, 0])], atol=1e-14)
    assert spent.by_estimator["GeometricTensor"].gates == 3 * CIRCUIT.num_gates


def test_idle_qubits_cost_nothing_and_those_that_are_measured_count():
    wide = qg.Circuit(40).ry(3, param=0).cx(3, 39)
    plain = tangents(qg.Expectation(wide, "IIIZ" + 36 * "I"), [0.4])
    np.testing.assert_allclose(plain.observed, [[-np.sin(0.4) / 2]], atol=1e-15)
    flipped = tangents(qg.Expectation(wide, "X" + 39 * "I"), [0.4])
    np.testing.assert_allclose(flipped.observed, [[0.0]], atol=1e-15)


def test_a_pool_has_the_covariances_of_its_operators():
    """Q_jk = <P_j P_k> - <P_j><P_k> where |d_j psi> = i P_j |psi>."""
    circuit = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
    found = qg.geometric_tensor(qg.OperatorPool(circuit, "ZI", ["YI", "XZ"]), PARAMS[:2])
    psi = dense.state(circuit, PARAMS[:2])
    images = np.stack([dense.apply_word(psi, word) for word in ("YI", "XZ")])
    means = images @ psi.conj()
    np.testing.assert_allclose(found, images.conj() @ images.T - np.outer(means.conj(), means), atol=1e-12)


def test_what_has_no_pure_state_is_refused_by_name():
    mixture = qg.Mixture([(0.5, qg.Circuit(1).h(0)), (0.5, qg.Circuit(1))])
    with pytest.raises(qg.NotApplicable, match=r"MixedExpectation has no circuit of one pure state"):
        qg.geometric_tensor(qg.OperatorPool(mixture, "Z", ["Y"]), np.zeros(0))
    with pytest.raises(TypeError, match="objective is 3"):
        qg.geometric_tensor(3, PARAMS)
    hardware = Recorder(qg.Statevector(), Access.single_copy)
    with pytest.raises(qg.AccessError, match=r"TangentSweep needs white_box.*backend Recorder"):
        qg.geometric_tensor(qg.Expectation(CIRCUIT, "ZII"), PARAMS, hardware)
    with pytest.raises(TypeError, match="traced by JAX"):
        jax.jit(lambda p: qg.geometric_tensor(qg.Expectation(CIRCUIT, "ZII"), p))(PARAMS)


def test_states_that_would_not_fit_are_refused_before_anything_is_allocated():
    with pytest.raises(qg.StateTooLarge, match="this query holds 20 of them"):
        qg.geometric_tensor(qg.Expectation(CIRCUIT, "ZII"), PARAMS, qg.Statevector(max_bytes=2000))
