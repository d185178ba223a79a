"""How QNodes are called, what of their arguments is a parameter, and what holds at other points than the example."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from hypothesis import HealthCheck, given, settings

import qcgrad as qg
from qcgrad.interop import from_qnode, from_tape
from qcgrad.ir.parameter_map import AffineMap
from tests.interop.test_traced_maps import POINTS, TRACED, expressions

pytestmark = pytest.mark.filterwarnings("ignore:jax.core.is_concrete:DeprecationWarning")

DEVICE = qml.device("default.qubit", wires=2)


def rotated(a, b):
    """<Z> = cos a cos b."""
    return qml.QNode(lambda x: (qml.RY(a(x), 0), qml.RX(b(x), 0), qml.expval(qml.Z(0)))[2], DEVICE)


def check_elsewhere(a, b, points=POINTS):
    """Imported at one point, evaluated at others, against the formula."""
    objective = from_qnode(rotated(a, b), TRACED)

    def formula(x):
        return jnp.cos(a(x)) * jnp.cos(b(x))

    # Forward mode: JAX has no other derivative of some loops.
    expected = jax.jit(lambda x: (formula(x), jax.jacfwd(formula)(x)))
    for point in points:
        found = qg.estimate(objective, point, qg.Adjoint())
        value, gradient = expected(point)
        np.testing.assert_allclose(found.value, value, atol=1e-12)
        np.testing.assert_allclose(found.gradient, gradient, atol=1e-10)
    return objective


def test_steps_stay_functions_of_the_arguments():
    objective = from_qnode(rotated(lambda x: x[0], lambda x: jnp.floor(x[1])), np.array([0.1, 0.2]))
    found = qg.estimate(objective, [0.1, 2.9], qg.Adjoint())
    np.testing.assert_allclose(found.value, np.cos(0.1) * np.cos(2.0), atol=1e-12)
    np.testing.assert_allclose(found.gradient, [-np.sin(0.1) * np.cos(2.0), 0.0], atol=1e-12)


CLASSICAL = {
    "stopped": (lambda x: jax.lax.stop_gradient(x[0]), lambda x: x[1]),
    "integers": (lambda x: x[0].astype(int), lambda x: x[jnp.argmax(x)]),
    "control flow": (
        lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x[1]),
        lambda x: jax.lax.scan(lambda c, y: (c * y, None), 1.0, x)[0],
    ),
    "a loop of unknown length": (
        lambda x: jax.lax.while_loop(lambda y: y < 3, lambda y: y * 1.5, jnp.abs(x[0])),
        lambda x: x[1],
    ),
    "random keys": (lambda x: jax.random.uniform(jax.random.key(jnp.abs(x[3]).astype(int))) * x[0], lambda x: x[1]),
    "library": (lambda x: qml.math.sin(x[0]) * qml.math.sqrt(2.0), lambda x: jnp.sort(x)[1]),
}


@pytest.mark.parametrize("name", CLASSICAL)
def test_classical_maps_hold_away_from_the_example(name):
    check_elsewhere(*CLASSICAL[name])


@given(expressions, expressions)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_generated_qnodes(a, b):
    check_elsewhere(a, b, POINTS[1:2])


def test_templates_have_affine_maps_and_inputs_without_gates_stay():
    circuit = qml.QNode(
        lambda w, x: (
            qml.AngleEmbedding(x[:2] * 2 + 1, wires=range(2)),
            qml.StronglyEntanglingLayers(w, wires=range(2)),
            qml.expval(qml.Z(0)),
        )[2],
        DEVICE,
    )
    w, x = np.linspace(0.1, 1.3, 12).reshape(2, 2, 3), np.array([0.2, 0.3, 9.0])
    objective = from_qnode(circuit, w, x)
    assert isinstance(objective.parameter_map, AffineMap)
    found = qg.estimate(objective, (w, x), qg.Adjoint())
    reference = jax.jit(jax.grad(circuit, argnums=(0, 1)))(w, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), found.gradient, reference)
    sampled = qg.estimate(objective, (w, x), qg.ParameterShift(shots=100), key=0)
    assert sampled.variance[1][2] == 0  # no gate depends on it
    assert np.all(sampled.variance[0][1:] >= 0)


def test_variances_through_affine_maps_are_those_of_the_written_circuit():
    """RY(x0 + x1), RX(2 x0): the variance of each angle's derivative, weighted and added."""
    circuit = qml.QNode(lambda x: (qml.RY(x[0] + x[1], 0), qml.RX(2 * x[0], 0), qml.expval(qml.Z(0)))[2], DEVICE)
    angles = qg.Expectation(qg.Circuit(2).ry(0, param=0).rx(0, param=1), "ZI")
    method = qg.ParameterShift(shots=100)
    found = qg.estimate(from_qnode(circuit, np.zeros(2)), [0.3, 0.5], method, key=0)
    plain = qg.estimate(angles, [0.8, 0.6], method, key=0)
    np.testing.assert_allclose(
        found.gradient, [plain.gradient[0] + 2 * plain.gradient[1], plain.gradient[0]], atol=1e-12
    )
    np.testing.assert_allclose(
        found.variance, [plain.variance[0] + 4 * plain.variance[1], plain.variance[0]], atol=1e-12
    )


def layered(x, depth, w, mode="y"):
    for _ in range(depth):
        qml.RX(x * w[0], 0)
    (qml.RY if mode == "y" else qml.RZ)(w[1], 0)
    return qml.expval(qml.Z(0))


W = jnp.array([0.2, 0.4])


def test_as_jax_is_called_as_the_qnode_is():
    circuit = qml.QNode(layered, DEVICE)
    f = qg.as_jax(from_qnode(circuit, 0.3, 2, W, mode="y"), qg.Adjoint())
    expected = circuit(0.3, 2, W)
    for value in (f(0.3, 2, W), f(0.3, 2, W, mode="y"), f(0.3, W), f((0.3, W)), jax.jit(f)(0.3, W)):
        np.testing.assert_allclose(value, expected, atol=1e-12)
    ours = jax.grad(f, argnums=(0, 2))(0.3, 2, W)
    theirs = jax.grad(circuit, argnums=(0, 2))(0.3, 2, W)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), ours, theirs)
    sampled = qg.as_jax(from_qnode(circuit, 0.3, 2, W), qg.ParameterShift(shots=10))
    assert np.isfinite(jax.jit(jax.grad(sampled))(0.3, W, key=jax.random.key(0)))
    for call, error, message in (
        (lambda: f(0.3, 3, W), ValueError, "argument depth differs"),
        (lambda: f(0.3, W, mode="z"), ValueError, "argument mode differs"),
        (lambda: f(0.3, 2, W, 1.0), TypeError, r"4 arguments: the QNode was imported with 3 \(x, depth, w\)"),
        (lambda: jax.jit(f)(0.3, 2, W), TypeError, "argument depth was fixed"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_operators_as_arguments_are_fixed():
    @qml.qnode(DEVICE)
    def circuit(x, hamiltonian, gates):
        qml.RY(x, 0)
        qml.apply(gates["last"])
        return qml.expval(hamiltonian)

    hamiltonian = 0.5 * qml.Z(0) + 2.0 * qml.X(0)
    objective = from_qnode(circuit, 0.3, hamiltonian, {"last": qml.RZ(0.7, 0)})
    found = qg.estimate(objective, 0.3, qg.Adjoint())
    np.testing.assert_allclose(found.value, 0.5 * np.cos(0.3) + 2 * np.sin(0.3) * np.cos(0.7), atol=1e-12)
    np.testing.assert_allclose(found.gradient, -0.5 * np.sin(0.3) + 2 * np.cos(0.3) * np.cos(0.7), atol=1e-12)
    f = qg.as_jax(objective, qg.Adjoint())
    np.testing.assert_allclose(f(0.3, hamiltonian, {"last": qml.RZ(0.7, 0)}), found.value, atol=1e-12)
    with pytest.raises(ValueError, match="hamiltonian differs"):
        f(0.3, 0.6 * qml.Z(0) + 2.0 * qml.X(0), {"last": qml.RZ(0.7, 0)})


@pytest.mark.parametrize(
    "angle",
    [lambda x: 2 * x[0] + x[1], lambda x: jnp.sin(x[0]) * x[1], lambda x: jnp.sort(x)[0] + jax.nn.relu(x[1])],
)
def test_objectives_copy_and_pickle(angle):
    objective = from_qnode(rotated(angle, lambda x: x[2]), TRACED)
    expected = qg.estimate(objective, POINTS[1], qg.Adjoint()).gradient
    for other in (copy.deepcopy(objective), copy.copy(objective), pickle.loads(pickle.dumps(objective))):
        assert other.parameter_map == objective.parameter_map
        assert other.program == objective.program
        np.testing.assert_allclose(qg.estimate(other, POINTS[1], qg.Adjoint()).gradient, expected, atol=1e-12)
        gradient = jax.grad(qg.as_jax(other, qg.Adjoint()))(jnp.asarray(POINTS[1]))
        np.testing.assert_allclose(gradient, expected, atol=1e-12)


def test_objectives_with_processed_results_pickle():
    circuit = qml.QNode(lambda x: (qml.RY(x, 0), qml.var(qml.Z(0)))[1], DEVICE)
    restored = pickle.loads(pickle.dumps(from_qnode(circuit, 0.3)))
    np.testing.assert_allclose(qg.estimate(restored, 0.4, qg.Adjoint()).gradient, np.sin(0.8), atol=1e-12)


def test_shots_are_said_not_dropped():
    circuit = rotated(lambda x: x[0], lambda x: x[1])
    with pytest.warns(UserWarning, match=r"has shots=10, .*ParameterShift\(shots=10\)"):
        objective = from_qnode(qml.set_shots(circuit, 10), TRACED)
    assert objective.program == from_qnode(circuit, TRACED).program
    tape = qml.tape.QuantumScript([qml.RX(0.1, 0)], [qml.expval(qml.Z(0))], shots=[10, 20])
    with pytest.warns(UserWarning, match="shots=30"):
        from_tape(tape)


def test_what_a_device_adds_is_refused():
    noisy = qml.device("default.mixed", wires=1, readout_prob=0.1)
    transformed = qml.transforms.cancel_inverses(qml.device("default.qubit", wires=1))
    for device, message in ((noisy, "readout_prob=0.1"), (transformed, "transform was applied to the device")):
        circuit = qml.QNode(lambda x: (qml.RX(x, 0), qml.expval(qml.Z(0)))[1], device)
        with pytest.raises(qg.ImportRefused, match=message):
            from_qnode(circuit, 0.3)


STRUCTURES = {
    "wire": (lambda x: qml.RX(0.3, wires=jnp.abs(x[0]).astype(int)), "a wire depends on the arguments"),
    "list of wires": (lambda x: qml.RX(0.3, wires=[0, 1][jnp.abs(x[0]).astype(int)]), "the value of an argument"),
    "loop bound": (lambda x: [qml.RX(x[0], 0) for _ in range(jnp.floor(x[3]).astype(int))], "a loop or a condition"),
    "condition": (lambda x: qml.RX(x[0], 0) if x[0] > 0 else qml.RY(x[0], 0), "a loop or a condition on it"),
    "for_loop": (lambda x: qml.for_loop(0, x[3].astype(int), 1)(lambda _: qml.RX(x[0], 0))(), "a loop or a condition"),
    "cond": (lambda x: qml.cond(x[0] > 0, qml.RX)(x[1], 0), "a loop or a condition on it"),
    "gate in a scan": (
        lambda x: jax.lax.scan(lambda c, y: (c, qml.RX(y, 0).data[0]), 0.0, x),
        "write that one in Python",
    ),
    "gate in a cond": (
        lambda x: jax.lax.cond(x[0] > 0, lambda y: qml.RX(y, 0).data[0], lambda y: qml.RY(y, 0).data[0], x[1]),
        "write that one in Python",
    ),
    "callback": (
        lambda x: qml.RX(jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), float), x[0]), 0),
        "JAX cannot differentiate",
    ),
    "matrix": (lambda x: qml.QubitUnitary(jnp.diag(jnp.exp(1j * x[:2])), 0), "the matrix of QubitUnitary depends"),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_circuits_that_depend_on_values_are_refused(name):
    body, message = STRUCTURES[name]
    circuit = qml.QNode(lambda x: (qml.RY(x[1], 1), body(x), qml.expval(qml.Z(0)))[2], DEVICE)
    with pytest.raises(qg.ImportRefused, match=message):
        from_qnode(circuit, TRACED)
