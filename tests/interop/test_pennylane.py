"""QNodes: values and gradients against PennyLane's own, pytrees, classical maps, refusals."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop import from_qnode, from_tape
from tests.dense import expectation

# PennyLane asks JAX in a way that JAX has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core.is_concrete:DeprecationWarning"),
    # Autograd's backward pass through PennyLane's complex observables.
    pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning"),
]

DEVICE = qml.device("default.qubit", wires=4)


def make(body, observable=None):
    """A QNode whose body runs between layers that make every amplitude matter."""

    @qml.qnode(DEVICE)
    def circuit(x):
        for k in range(4):
            qml.RY(0.3 + 0.7 * k, k)
            qml.RZ(1.1 - 0.4 * k, k)
        for k in range(3):
            qml.CNOT([k, k + 1])
        body(x)
        for k in range(4):
            qml.RX(0.9 - 0.3 * k, k)
        qml.CNOT([3, 1])
        return qml.expval(
            qml.X(0) @ qml.Y(1) + 0.5 * qml.Z(2) @ qml.X(3) - 0.2 * qml.Z(1) if observable is None else observable
        )

    return circuit


def check_value(qnode, point):
    """Value against PennyLane's, ours from textbook matrices; compiles nothing but the classical map."""
    objective = from_qnode(qnode, np.asarray(point))
    assert objective.parameter_map is not None
    params = np.asarray(objective.parameter_map(np.asarray(point)))
    observable = objective.program.observables[0]
    terms = dict(zip(observable.words, observable.coefficients, strict=True))
    np.testing.assert_allclose(expectation(objective.circuit, params, terms), qnode(np.asarray(point)), atol=1e-10)


def check(qnode, point, uses_jax=False):
    """Value and gradient against PennyLane's backpropagation."""
    found = qg.estimate(from_qnode(qnode, np.asarray(point)), np.asarray(point), qg.Adjoint())
    if uses_jax:
        value, gradient = jax.jit(jax.value_and_grad(qnode))(jnp.asarray(point))
    else:
        tensor = pnp.array(point, requires_grad=True)
        value, gradient = qnode(tensor), qml.grad(qnode)(tensor)
    np.testing.assert_allclose(found.value, value, atol=1e-10)
    np.testing.assert_allclose(found.gradient, gradient, atol=1e-10)


POINT = [0.4, -0.7, 1.3]
HERMITIAN = np.array([[1.0, 0.3 - 0.2j], [0.3 + 0.2j, -0.7]])
# jax.numpy inside; and with trainable tensors PennyLane itself approximates non-commuting evolution.
USES_JAX = ("classical", "template", "evolve")


BODIES = {
    "rotations": lambda x: (qml.RX(x[0], 0), qml.RY(x[1], 1), qml.RZ(x[2], 2), qml.PhaseShift(x[0], 3)),
    "u": lambda x: (qml.U1(x[0], 0), qml.U2(x[0], x[1], 1), qml.U3(x[0], x[1], x[2], 2), qml.Rot(x[2], x[1], x[0], 3)),
    "controlled": lambda x: (qml.CRX(x[0], [0, 2]), qml.CRY(x[1], [3, 1]), qml.CRZ(x[2], [2, 3])),
    "controlled 2": lambda x: (qml.ControlledPhaseShift(x[0], [0, 2]), qml.CRot(x[0], x[1], x[2], [3, 1])),
    "ising": lambda x: (qml.IsingXX(x[0], [0, 2]), qml.IsingYY(x[1], [3, 1]), qml.IsingZZ(x[2], [2, 3])),
    "ising xy": lambda x: (
        qml.IsingXY(x[0], [0, 2]),
        qml.PauliRot(x[1], "XIYZ", [3, 2, 0, 1]),
        qml.MultiRZ(x[2], [0, 2, 3]),
    ),
    "fixed": lambda x: (qml.S(0), qml.T(1), qml.SX(2), qml.adjoint(qml.S(1)), qml.adjoint(qml.SX(3)), qml.RX(x[0], 0)),
    "fixed 2": lambda x: (
        qml.CY([0, 1]),
        qml.CZ([1, 3]),
        qml.CH([2, 0]),
        qml.SWAP([0, 3]),
        qml.ISWAP([1, 2]),
        qml.RX(x[0], 1),
    ),
    "fixed 3": lambda x: (
        qml.Toffoli([0, 3, 1]),
        qml.CSWAP([2, 0, 3]),
        qml.CCZ([1, 0, 2]),
        qml.ECR([0, 1]),
        qml.RX(x[0], 1),
    ),
    "excitations": lambda x: (qml.SingleExcitation(x[0], [0, 1]), qml.DoubleExcitation(x[1], [0, 1, 2, 3])),
    "excitations 2": lambda x: (qml.SingleExcitationPlus(x[0], [0, 1]), qml.OrbitalRotation(x[1], [0, 1, 2, 3])),
    "ctrl": lambda x: (
        qml.ctrl(qml.RX(x[0], 0), [1, 2], control_values=[0, 1]),
        qml.ctrl(qml.SingleExcitation(x[1], [0, 1]), 2),
        qml.ctrl(qml.S(0), 3),
        qml.ctrl(qml.GlobalPhase(x[2]), 1),
        qml.MultiControlledX([0, 1, 2, 3], [1, 0, 1]),
    ),
    "ctrl of templates": lambda x: qml.ctrl(qml.Rot(x[0], x[1], x[2], 0), [1, 2, 3]),
    "adjoint": lambda x: (
        qml.adjoint(qml.Rot(x[0], x[1], x[2], 0)),
        qml.adjoint(qml.ISWAP([0, 2])),
        qml.pow(qml.RX(x[0], 1), 2),
    ),
    "unitary": lambda x: (
        qml.QubitUnitary(qml.matrix(qml.CRX(0.3, [0, 1]) @ qml.RY(0.2, 0)), [2, 0]),
        qml.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), [1, 3]),
        qml.RX(x[0], 2),
    ),
    "evolve": lambda x: (
        qml.evolve(qml.Z(0) @ qml.Z(2) + 0.3 * qml.X(1), x[0]),
        qml.exp(qml.X(3) @ qml.Y(0), 0.5j * x[1]),
        qml.evolve(qml.X(0) + 0.7 * qml.Z(0) @ qml.Y(2), x[2]),
    ),
    "trotter": lambda x: qml.ApproxTimeEvolution(qml.X(0) + 0.7 * qml.Z(0) @ qml.Y(2), x[0], 2),
    "classical": lambda x: (qml.RX(jnp.sin(x[0]) * x[1], 0), qml.RY(x.sum() / 3, 1), qml.RZ(qml.math.exp(-x[2]), 1)),
    "template": lambda x: qml.StronglyEntanglingLayers(jnp.outer(jnp.arange(4.0), x).reshape(1, 4, 3), wires=range(4)),
    "embedding": lambda x: (qml.AngleEmbedding(x, wires=[0, 1, 2]), qml.IQPEmbedding(x, wires=[1, 2, 3])),
    "prod": lambda x: (qml.RX(x[0], 0) @ qml.RY(x[1], 0), qml.QFT([0, 1, 2]), qml.Barrier([0, 1])),
    "state": lambda x: (qml.RX(x[0], 0), qml.GroverOperator([0, 1, 2])),
    "powers": lambda x: (
        qml.pow(qml.RX(7 * x[0], 0), 0.5),
        qml.pow(qml.PhaseShift(x[1], 1), -0.3),
        qml.ctrl(qml.pow(qml.IsingXX(x[2], [2, 3]), 1.5), 0),
        qml.pow(qml.S(2), 0.3),
    ),
    "evolve matrices": lambda x: (
        qml.evolve(qml.Hermitian(HERMITIAN, 2), x[0]),
        qml.exp(qml.Hermitian(np.kron(HERMITIAN, HERMITIAN.T), [3, 1]), 0.5j * x[1]),
        qml.adjoint(qml.evolve(qml.Hadamard(0), x[2])),
        qml.evolve(qml.Projector([1, 0], [0, 3]), x[2]),
    ),
    "excitations 3": lambda x: (
        qml.DoubleExcitationPlus(x[0], [2, 0, 3, 1]),
        qml.DoubleExcitationMinus(x[1], [0, 1, 2, 3]),
        qml.SingleExcitationMinus(x[2], [3, 1]),
    ),
    "jax constants": lambda x: [
        (qml.RX(x[k] * jnp.exp(0.2 * k), int(k)), qml.QubitUnitary(jnp.fliplr(jnp.eye(2)) * jnp.exp(0.3j), int(k)))
        for k in jnp.arange(3)
    ],
}


@pytest.mark.parametrize("name", BODIES)
def test_operators(name):
    check_value(make(BODIES[name]), POINT)


@pytest.mark.parametrize("name", ["u", "ctrl", "excitations", "classical", "template", "evolve"])
def test_gradients(name):
    check(make(BODIES[name]), POINT, uses_jax=name in USES_JAX)


def test_pytree_arguments_integers_and_flat_vectors():
    @qml.qnode(DEVICE)
    def circuit(weights, depth, scale, mode="y", offset=0.0):
        for layer in range(depth):
            for k, angle in enumerate(weights["angles"][layer]):
                qml.RX(angle * scale, k)
                qml.RZ(weights["bias"][0] ** 2 + offset, k)
            qml.CNOT([0, 1])
        (qml.RY if mode == "y" else qml.RX)(scale, 1)
        return qml.expval(qml.Z(0) @ qml.Y(1))

    weights = {"angles": jnp.array([[0.1, 0.2], [-0.5, 0.9]]), "bias": [jnp.asarray(0.3), None, 3]}
    objective = from_qnode(circuit, weights, 2, 0.7, mode="y", offset=0.4)
    plain = {"angles": weights["angles"], "bias": [weights["bias"][0], None, None]}
    found = qg.estimate(objective, (plain, 0.7), qg.Adjoint())
    gradients = jax.jit(
        jax.grad(lambda a, b, s: circuit({"angles": a, "bias": [b]}, 2, s, mode="y", offset=0.4), argnums=(0, 1, 2))
    )(weights["angles"], weights["bias"][0], 0.7)
    np.testing.assert_allclose(found.gradient[0]["angles"], gradients[0], atol=1e-10)
    np.testing.assert_allclose(found.gradient[0]["bias"][0], gradients[1], atol=1e-10)
    np.testing.assert_allclose(found.gradient[1], gradients[2], atol=1e-10)
    flat = np.concatenate([np.ravel(weights["angles"]), [0.3, 0.7]])
    raveled = qg.estimate(objective, flat, qg.Adjoint()).gradient
    np.testing.assert_allclose(raveled, np.concatenate([np.ravel(g) for g in gradients]), atol=1e-10)
    assert objective.num_parameters == 6


def test_pennylane_tensors_and_fixed_data():
    @qml.qnode(qml.device("default.qubit"))
    def circuit(weights, data):
        qml.AngleEmbedding(data, wires=[0, 1])
        qml.RX(weights[0, 1] * data[0], 0)
        qml.RY(weights[1, 0] + weights[0, 0], 1)
        qml.CNOT([0, 1])
        return qml.expval(qml.Z(1))

    weights = pnp.array([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)
    data = pnp.array([0.5, -0.6], requires_grad=False)
    objective = from_qnode(circuit, weights, data)
    found = qg.estimate(objective, np.asarray(weights), qg.Adjoint())
    np.testing.assert_allclose(found.gradient, qml.grad(circuit)(weights, data), atol=1e-10)
    assert objective.num_parameters == 4


def test_vector_valued_and_wire_labels():
    @qml.qnode(qml.device("default.qubit", wires=["b", 7, "a"]))
    def circuit(x):
        qml.RX(x, "a")
        qml.CNOT(["a", "b"])
        return qml.expval(qml.Z("b")), qml.expval(qml.Y("a") @ qml.X("b")), qml.expval(qml.Projector([1], "a"))

    objective = from_qnode(circuit, 0.4)
    found = qg.estimate(objective, 0.4, qg.Adjoint())
    np.testing.assert_allclose(found.value, circuit(0.4), atol=1e-10)
    np.testing.assert_allclose(found.gradient, jax.jacobian(lambda x: jnp.stack(circuit(x)))(0.4), atol=1e-10)
    assert [g.wires for g in objective.circuit.gates] == [(2,), (2, 0)]


def test_observables():
    matrix = HERMITIAN
    for observable in (
        qml.Hermitian(matrix, 2),
        qml.Hermitian(np.kron(matrix, matrix.T), [3, 1]),
        qml.Hamiltonian([0.3, -0.4], [qml.Z(0) @ qml.X(3), qml.Identity(1)]),
        qml.Hadamard(1) @ qml.Z(0),
        2.0 * qml.Hermitian(matrix, 2) @ qml.Z(0),
    ):
        check_value(make(BODIES["rotations"], observable), POINT)


def test_single_precision_and_mixed():
    qnode = make(BODIES["classical"])
    found = qg.estimate(
        from_qnode(qnode, np.array([0.4, -0.7, 1.3], np.float32)), np.array([0.4, -0.7, 1.3], np.float32), qg.Adjoint()
    )
    assert found.gradient.dtype == np.float32
    np.testing.assert_allclose(found.gradient, jax.grad(qnode)(jnp.array([0.4, -0.7, 1.3])), atol=1e-5)


def test_equal_values_are_not_shared():
    @qml.qnode(DEVICE)
    def circuit(x, y):
        qml.RX(x, 0)
        qml.RY(y, 0)
        return qml.expval(qml.Z(0))

    assert from_qnode(circuit, 0.3, 0.3).circuit.num_angles == 2
    np.testing.assert_allclose(
        qg.estimate(from_qnode(circuit, 0.3, 0.3), (0.3, 0.3), qg.Adjoint()).gradient,
        [-np.sin(0.3) * np.cos(0.3)] * 2,
        atol=1e-12,
    )


def test_traceable():
    objective = from_qnode(make(BODIES["classical"]), jnp.array([0.4, -0.7, 1.3]))
    points = jnp.array([[0.4, -0.7, 1.3], [0.1, 0.2, 0.3]])
    inside = jax.jit(jax.vmap(lambda p: qg.estimate(objective, p, qg.ParameterShift()).gradient))(points)
    for point, row in zip(points, inside, strict=True):
        np.testing.assert_allclose(row, jax.jit(jax.grad(make(BODIES["classical"])))(point), atol=1e-10)


def test_transforms_of_the_qnode_are_applied():
    @qml.transforms.cancel_inverses
    @qml.qnode(DEVICE)
    def circuit(x):
        qml.H(0)
        qml.H(0)
        qml.RX(x, 0)
        return qml.expval(qml.Z(0))

    assert from_qnode(circuit, 0.3).circuit.num_gates == 1


def test_from_tape():
    operations = [qml.RX(0.1, 0), qml.Rot(0.2, 0.3, 0.4, "b"), qml.QubitUnitary(np.eye(2), 0), qml.CNOT([0, "b"])]
    tape = qml.tape.QuantumScript(operations, [qml.expval(0.3 * qml.Z("b"))])
    objective = from_tape(tape)
    found = qg.estimate(objective, [0.1, 0.2, 0.3, 0.4], qg.Adjoint())
    np.testing.assert_allclose(found.value, 0.3 * np.cos(0.1) * np.cos(0.3), atol=1e-12)
    tape.trainable_params = [0, 2]
    assert from_tape(tape).num_parameters == 2
    np.testing.assert_allclose(
        qg.estimate(from_tape(tape), [0.1, 0.3], qg.Adjoint()).gradient, found.gradient[jnp.array([0, 2])], atol=1e-12
    )


def returning(measurement, operation=None):
    @qml.qnode(DEVICE)
    def circuit(x):
        qml.RX(x, 0)
        if operation is not None:
            operation(x)
        return measurement(x) if callable(measurement) else measurement

    return circuit


def _if_positive(x):
    if x > 0:
        qml.X(0)


REFUSED = [
    (returning(lambda x: qml.probs(op=qml.X(0))), "only qml.probs"),
    (returning(lambda x: qml.sample(wires=0)), "returns sample"),
    (returning(lambda x: qml.state()), "returns state"),
    (returning(lambda x: qml.expval(x * qml.Z(0))), "an observable depends on the arguments"),
    (returning(lambda x: qml.expval(1j * qml.Z(0))), "not Hermitian"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.measure(0)), "mid-circuit measurement"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.RX(np.array([0.1, 0.2]), 0)), "broadcasting"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.RX(math.sin(x), 0)), "jax.numpy or qml.math"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.RX(float(x), 0)), "jax.numpy or qml.math"),
    (returning(lambda x: qml.expval(qml.Z(0)), _if_positive), "condition on it"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.exp(qml.Z(0), 0.3)), "imaginary"),
    (returning(lambda x: x), "which is no measurement"),
    (returning(lambda x: (qml.expval(qml.Z(0)), qml.expval(qml.X(0)))[::-1]), "in the order in which"),
    (returning(lambda x: (qml.expval(qml.Z(0)), qml.expval(qml.X(0)))[0]), "return all measurements"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.X(1) + qml.Z(1)), "among the QNode's gates"),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.Hermitian(np.eye(2), 1)), "among the QNode's gates"),
    (
        returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.SpecialUnitary(jnp.stack([x, x, x]), 1)),
        "SpecialUnitary",
    ),
    (returning(lambda x: qml.expval(qml.Z(0)), lambda x: qml.RX(1j * x, 1)), "complex parameter"),
]


@pytest.mark.parametrize("k", range(len(REFUSED)))
def test_refusals(k):
    qnode, message = REFUSED[k]
    with pytest.raises(qg.ImportRefused, match=message):
        from_qnode(qnode, 0.3)


def test_more_refusals():
    mixed = qml.device("default.mixed", wires=1)

    @qml.qnode(mixed)
    def noisy(x):
        qml.RX(x, 0)
        qml.DepolarizingChannel(0.1, 0)
        return qml.expval(qml.Z(0))

    with pytest.raises(qg.ImportRefused, match="noise channel"):
        from_qnode(noisy, 0.3)
    with pytest.raises(qg.ImportRefused, match="give the arguments"):
        from_qnode(make(BODIES["rotations"]))
    with pytest.raises(TypeError, match="give a pennylane"):
        from_qnode(lambda x: x, 0.3)
