"""QNodes that compute with their arguments in NumPy, autograd or torch: values, derivatives, refusals."""

import pickle

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
import scipy.special
import torch
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop import from_qnode
from theory.statistics import key, normal

pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Casting complex values:numpy.exceptions.ComplexWarning"),
]

DEVICE = qml.device("default.qubit")
X = np.array([0.3, -0.4, 0.5])
W = np.array([[0.2, -1.1, 0.7], [0.4, 0.3, -0.5], [1.3, 0.1, 0.6]])


def qnode_of(angles, **options):
    @qml.qnode(DEVICE, **options)
    def circuit(x):
        a = angles(x)
        for k in range(3):
            qml.RY(a[k], "abc"[k])
            qml.CRX(2 * a[k] + 0.1, wires=["abc"[k], "cab"[k]])
        return qml.expval(qml.Z("a") @ qml.X("c")), qml.probs(wires=["b", "a"])

    return circuit


def check(qnode, example, value, jacobian):
    """Value and gradient by `estimate`, and both modes of the derivative by `as_jax`, compiled."""
    objective = from_qnode(qnode, example)
    found = qg.estimate(objective, X, qg.Adjoint())
    np.testing.assert_allclose(found.value, value, atol=1e-10)
    np.testing.assert_allclose(found.gradient, jacobian, atol=1e-10)
    f = qg.as_jax(objective, qg.Adjoint())
    np.testing.assert_allclose(jax.jit(jax.jacrev(f))(X), jacobian, atol=1e-10)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(f))(X), jacobian, atol=1e-10)


AUTOGRAD = {
    "pennylane.numpy": lambda x: pnp.sin(x) * pnp.sqrt(pnp.abs(x)),
    "autograd.numpy": lambda x: anp.exp(-(x**2)) + anp.tanh(x @ W),
    "a matrix of NumPy": lambda x: np.dot(W, x),
    "an array of entries": lambda x: pnp.array([x[0], x[1] ** 2, pnp.cos(x[2])]),
    "methods of tensors": lambda x: pnp.where(x > 0, x, 2 * x).reshape((3, 1)).T.ravel() * x.sum(),
    "a norm": lambda x: x / pnp.linalg.norm(x),
}


@pytest.mark.parametrize("name", AUTOGRAD)
def test_autograd_differentiates_what_is_its_own(name):
    qnode = qnode_of(AUTOGRAD[name], diff_method="parameter-shift")
    numbers = lambda x: pnp.concatenate([pnp.reshape(r, (-1,)) for r in qnode(x)])  # noqa: E731
    x = pnp.array(X)
    check(qnode, x, numbers(x), qml.jacobian(numbers)(x))


NUMPY = {
    "functions": lambda np, x: np.exp(-np.square(x)) + np.power(x, 2) * np.sum(x) - np.arctan2(x, 2.0),
    "an array of entries": lambda np, x: np.sin(np.array([x[0], x[1] * x[2], x[2]])),
    "a list": lambda np, x: [np.sin(x[0]), np.cos(x[1]), 2.0 * x[2]],
    "reductions": lambda np, x: np.cumsum(np.cos(x)) * np.mean(x) + np.outer(x, x)[1] / np.linalg.norm(x),
    "stacks": lambda np, x: np.concatenate([np.stack([x[0], x[2]]), np.maximum(x[1:2], -0.5)]),
}


@pytest.mark.parametrize("name", NUMPY)
def test_functions_of_numpy_itself_are_as_good_as_those_of_jax(name):
    found, expected = (
        qg.estimate(from_qnode(qnode_of(lambda x, m=module: NUMPY[name](m, x)), pnp.array(X)), X, qg.Adjoint())
        for module in (np, jnp)
    )
    np.testing.assert_allclose(found.value, expected.value, atol=1e-12)
    np.testing.assert_allclose(found.gradient, expected.gradient, atol=1e-12)


LAYER = torch.nn.Linear(3, 3, dtype=torch.float64)
TORCH = {
    "functions": lambda x: torch.softmax(x, 0) + torch.sin(x) ** 2,
    "stacks": lambda x: torch.stack([x[0], x[1] * x[2], torch.exp(x[2])]),
    "a layer": lambda x: torch.tanh(LAYER(x)),
}


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("requires_grad", [True, False])
def test_torch_differentiates_what_is_its_own(name, requires_grad):
    qnode = qnode_of(TORCH[name], diff_method="parameter-shift")
    x = torch.tensor(X, requires_grad=requires_grad)
    numbers = lambda x: torch.cat([r.reshape(-1) for r in qnode(x)])  # noqa: E731
    check(qnode, x, numbers(x).detach(), torch.autograd.functional.jacobian(numbers, x))
    objective = from_qnode(qnode, x)
    np.testing.assert_array_equal(*(qg.estimate(objective, p, qg.Adjoint()).gradient for p in (x, X)))


def test_what_jax_can_trace_stays_data():
    objective = from_qnode(qnode_of(lambda x: x * 2), torch.tensor(X))
    assert type(objective.parameter_map).__name__ == "AffineMap"


def test_structures_of_arguments_and_what_is_fixed():
    @qml.qnode(qml.device("default.qubit", wires=["z", "y", "x"]), diff_method="parameter-shift")
    def circuit(p, w, n):
        angles = pnp.tanh(p["a"]) * w
        for k in range(n):
            qml.RY(angles[k], "xyz"[k])
            qml.CNOT(["x", "y"])
        qml.StronglyEntanglingLayers(np.sin(w)[None, :, None] * np.ones((1, 3, 3)), ["z", "x", "y"])
        qml.exp(qml.X("x") @ qml.Z("y"), 1j * pnp.cos(p["b"]))
        return qml.var(qml.X("x")), qml.probs(wires=["z", "x"])

    def numbers(a, b, w):
        return np.concatenate([np.ravel(r) for r in circuit({"a": a, "b": b}, w, 2)])

    a, b, w = np.array([0.1, 0.2, 0.3]), np.array(0.4), np.array([0.5, 0.6, 0.7])
    objective = from_qnode(circuit, {"a": a, "b": b}, w, 2)
    found = qg.estimate(objective, ({"a": a, "b": b}, w), qg.Adjoint())
    parts = found.gradient[0]["a"], found.gradient[0]["b"], found.gradient[1]
    for k, part in enumerate(parts):
        point = [a, b, w]
        steps = 1e-5 * np.eye(point[k].size).reshape(-1, *point[k].shape)
        rows = []
        for step in steps:
            ends = [numbers(*(p + s * step if i == k else p for i, p in enumerate(point))) for s in (1, -1)]
            rows.append((ends[0] - ends[1]) / 2e-5)
        np.testing.assert_allclose(np.reshape(part, (5, -1)), np.array(rows).T, atol=1e-9)
    f = qg.as_jax(objective, qg.Adjoint())
    np.testing.assert_allclose(jax.jacrev(f, argnums=1)({"a": a, "b": b}, jnp.array(w), 2), parts[2], atol=1e-10)


def test_transforms_and_post_processing():
    @qml.transforms.split_non_commuting
    @qml.qnode(DEVICE)
    def circuit(x):
        y = pnp.sin(x)
        qml.RX(y[0], 0)
        qml.RY(y[1] * y[0], 0)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0))

    x = pnp.array([0.3, 0.4])
    found = qg.estimate(from_qnode(circuit, x), x, qg.Adjoint())
    np.testing.assert_allclose(found.gradient, qml.jacobian(lambda x: pnp.stack(circuit(x)))(x), atol=1e-10)


def test_the_users_own_derivatives_hold():
    @autograd.extend.primitive
    def rounded(x):
        return np.asarray(np.round(np.asarray(x), 1))

    autograd.extend.defvjp(rounded, lambda ans, x: lambda cotangent: cotangent)  # straight through

    @qml.qnode(DEVICE)
    def circuit(x):
        qml.RX(rounded(pnp.sin(x)), 0)
        return qml.expval(qml.Z(0))

    found = qg.estimate(from_qnode(circuit, 0.32), 0.32, qg.Adjoint())
    np.testing.assert_allclose(found.gradient, -np.sin(0.3) * np.cos(0.32), atol=1e-12)


def one(angle):
    @qml.qnode(DEVICE)
    def circuit(x):
        qml.RX(angle(x), 0)
        return qml.expval(qml.Z(0))

    return circuit


def test_functions_of_scipy():
    found = qg.estimate(from_qnode(one(scipy.special.expit), 0.3), 0.3, qg.Adjoint())
    s = scipy.special.expit(0.3)
    np.testing.assert_allclose(found.gradient, -np.sin(s) * s * (1 - s), atol=1e-12)


def test_single_precision_stays():
    objective = from_qnode(one(lambda x: pnp.sin(x)), np.float32(0.3))
    found = qg.estimate(objective, np.float32(0.3), qg.Adjoint())
    assert found.gradient.dtype == np.float32
    np.testing.assert_allclose(found.gradient, -np.sin(np.sin(0.3)) * np.cos(0.3), atol=1e-6)


@pytest.mark.statistical
def test_draws_and_their_variances_go_through_the_chain_rule():
    objective = from_qnode(qnode_of(AUTOGRAD["autograd.numpy"]), pnp.array(X))
    found = qg.estimate(objective, X, qg.ParameterShift(shots=20_000), key=key(2))
    exact = qg.estimate(objective, X, qg.Adjoint())
    assert np.all(np.abs(found.gradient - exact.gradient) <= normal(found.gradient.size) * found.standard_error + 1e-12)
    inside = jax.jit(jax.vmap(lambda x: qg.estimate(objective, x, qg.ParameterShift()).gradient))(jnp.array([X, -X]))
    np.testing.assert_allclose(inside[0], exact.gradient, atol=1e-10)


def test_a_circuit_that_changes_is_refused():
    @qml.qnode(DEVICE)
    def circuit(x):
        y = pnp.sin(x)
        (qml.RX if y > 0 else qml.RY)(y, 0)
        qml.RZ(0.1 if y < 0.9 else 0.2, 0)
        return qml.expval(qml.X(0))

    objective = from_qnode(circuit, 0.3)
    qg.estimate(objective, 0.5, qg.Adjoint())
    for x in (-0.3, 1.5):  # another gate, and another constant
        with pytest.raises(qg.ImportRefused, match="must be the same for all"):
            qg.estimate(objective, x, qg.Adjoint())


def test_second_derivatives_and_pickles_are_refused():
    objective = from_qnode(one(lambda x: pnp.sin(x)), 0.3)
    with pytest.raises(qg.NotApplicable, match="once: for second derivatives"):
        jax.hessian(qg.as_jax(objective, qg.Adjoint()))(0.3)
    with pytest.raises(pickle.PicklingError, match="a framework that is not JAX"):
        pickle.dumps(objective)


@pytest.mark.parametrize(
    ("angle", "message"),
    [
        (lambda x: float(pnp.sin(x)), "autograd says"),
        (lambda x: pnp.sin(x).missing, "no attribute 'missing'"),
        (lambda x: pnp.sin(x) * 1j, "complex parameter"),
        (lambda x: pnp.stack([x, x]) * np.ones(2), "broadcasting is not supported"),
    ],
)
def test_what_no_framework_sees_is_refused_with_its_words(angle, message):
    with pytest.raises(qg.ImportRefused, match=message):
        from_qnode(one(angle), 0.3)


def test_boxes_of_autograd_are_as_before():
    before = dict(autograd.tracer.Box.type_mappings)
    from_qnode(one(lambda x: np.sin(x)), 0.3)
    with pytest.raises(qg.ImportRefused):
        from_qnode(one(lambda x: float(np.sin(x))), 0.3)
    after = autograd.tracer.Box.type_mappings
    assert {name: after[name] for name in before} == before
