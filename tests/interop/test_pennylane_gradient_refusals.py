"""Estimators as gradient methods of QNodes: what is refused, and what is said about who works."""

import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
import torch
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop.pennylane import gradient

pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*whose shots are its own:UserWarning"),
]

DEVICE = qml.device("default.qubit")
EXACT = gradient(qg.Adjoint())
X = np.array([0.4, -0.7])


def applied(transform, tape):
    """What a transform of a tape gives, executed."""
    tapes, finish = transform(tape)
    return finish(DEVICE.execute(tapes) if tapes else ())


def rotated(x):
    qml.RX(x[0], 0)
    qml.RY(x[1], 0)
    return qml.expval(qml.Z(0))


@pytest.mark.parametrize("max_diff", [1, 2])
def test_a_second_derivative_is_refused_instead_of_being_zero(max_diff):
    qnode = qml.QNode(rotated, DEVICE, diff_method=EXACT, max_diff=max_diff)
    with pytest.raises(qg.NotApplicable, match="no second derivative"):
        qml.jacobian(qml.grad(qnode))(pnp.array(X))
    with pytest.raises(qg.NotApplicable, match="no second derivative"):
        jax.hessian(qnode)(jnp.array(X))
    with pytest.raises(qg.NotApplicable, match="no second derivative"):
        torch.autograd.functional.hessian(lambda x: qnode(x) ** 2, torch.tensor(X))
    # The graph of a first derivative may be kept, as long as nobody goes through it again.
    found = torch.autograd.functional.jacobian(qnode, torch.tensor(X), create_graph=True)
    np.testing.assert_allclose(found.detach(), qml.grad(qnode)(pnp.array(X)), atol=1e-12)


@pytest.mark.parametrize(
    ("made", "measured", "message"),
    [
        ([qml.ops.MidMeasure(wires=[0])], qml.expval(qml.Z(0)), "mid-circuit measurement: qml.defer_measurements"),
        ([qml.ops.MidMeasure(wires=[0], postselect=1)], qml.expval(qml.Z(0)), "mid-circuit measurement"),
        ([qml.DepolarizingChannel(0.1, 0)], qml.expval(qml.Z(0)), "DepolarizingChannel is a noise channel"),
        ([], qml.state(), "returns state"),
        ([], qml.vn_entropy(wires=0), "returns vnentropy"),
        ([], qml.counts(wires=0), "returns counts"),
        ([], qml.probs(), "name them, qml.probs"),
    ],
)
def test_what_a_pure_state_has_no_derivative_of_is_refused_by_name(made, measured, message):
    tape = qml.tape.QuantumScript([qml.RX(0.3, 0), *made], [measured], trainable_params=[0])
    with pytest.raises(qg.ImportRefused, match=re.escape(message)):
        applied(EXACT, tape)


@pytest.mark.parametrize(
    ("made", "measured", "message"),
    [
        ([qml.QubitUnitary(np.eye(2), 0)], qml.expval(qml.Z(0)), "a matrix or a state of QubitUnitary"),
        ([qml.StatePrep(np.array([1.0, 0.0]), 0)], qml.expval(qml.Z(0)), "a matrix or a state of StatePrep"),
        ([qml.exp(qml.X(0), 0.3j)], qml.expval(qml.Z(0)), "complex: give real angles"),
        ([], qml.expval(qml.Hermitian(np.eye(2), 0)), "stands in the measurement"),
        ([], qml.expval(0.3 * qml.Z(0)), "set tape.trainable_params"),
    ],
)
def test_trainable_numbers_that_are_no_angles_are_refused_by_name(made, measured, message):
    with pytest.raises(qg.ImportRefused, match=re.escape(message)):
        applied(EXACT, qml.tape.QuantumScript([*made, qml.RX(0.3, 0)], [measured]))


def test_trainable_coefficients_of_a_variance_are_refused():
    @qml.qnode(DEVICE, diff_method=EXACT)
    def circuit(c):
        qml.RX(0.3, 0)
        return qml.var(qml.Hamiltonian(c, [qml.Z(0), qml.X(0)]))

    with pytest.raises(qg.ImportRefused, match=r"under qml\.expval only"):
        jax.grad(circuit)(jnp.array([0.1, 0.2]))


def test_where_the_method_does_not_apply_it_says_so():
    tape = qml.tape.QuantumScript([qml.RX(0.3, 0)], [qml.expval(qml.Z(0))])
    with pytest.raises(qg.NotApplicable, match="DirectPauli"):
        applied(gradient(qg.DirectPauli(10)), tape)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((qg.Adjoint,), TypeError, "estimator is"),
        (("parameter-shift",), TypeError, "estimator is 'parameter-shift'"),
        ((qg.Adjoint(), DEVICE), TypeError, "backend is"),
        ((qg.Adjoint(), None, "seed"), TypeError, "key is 'seed'"),
        ((qg.Backprop(),), qg.NotApplicable, "no circuits"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        gradient(*arguments)


def test_the_transform_says_who_works():
    transform = gradient(qg.GentleSweep(copies=1000), qg.Statevector())
    assert "GentleSweep(copies=1000" in repr(transform)
    assert "backend=Statevector" in repr(transform)
    assert repr(transform) in repr(qml.QNode(rotated, DEVICE, diff_method=transform))
    tape = qml.tape.QuantumScript([qml.RX(0.3, 0)], [qml.expval(qml.Z(0))], shots=10)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(2):
            applied(transform, tape)
    found = [str(w.message) for w in said if issubclass(w.category, UserWarning) and "GentleSweep" in str(w.message)]
    assert [("whose shots are its own" in f, "Statevector answered" in f) for f in found] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize(
    ("estimator", "what"),
    [
        (qg.GentleSweep(copies=1000), "jointly measured copies of states included"),
        (qg.AmplitudeEstimation(5), "circuits included that run the preparation and its inverse many times"),
        (qg.QuantumGradient(2), "circuits included that run the preparation and its inverse many times"),
        (qg.ParameterShift(shots=10), None),
        (qg.Adjoint(), None),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_devices_of_today_do_not_run_is_said(estimator, what):
    tape = qml.tape.QuantumScript([qml.RX(0.3, 0)], [qml.expval(qml.Z(0))])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        applied(gradient(estimator), tape)
    found = [str(w.message) for w in said if "is not run on the QNode's device" in str(w.message)]
    assert len(found) == (what is not None)
    assert what is None or f"Statevector answered, {what}; the fidelity of its answers is 'exact'" in found[0]
