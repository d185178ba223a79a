"""Estimators as gradient methods of QNodes: values and nesting of PennyLane's own transforms, and draws."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
import torch
from pennylane import numpy as pnp

import qcgrad as qg
from qcgrad.interop.pennylane import gradient
from tests.interop.pennylane_circuits import objective_as_qnode
from theory.statistics import key, normal

pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*whose shots are its own:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*is not run on the QNode's device:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*without trainable parameters:UserWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to compute the gradient of a tape:UserWarning"),
    pytest.mark.filterwarnings("ignore:No trainable parameters were specified:UserWarning"),
]

DEVICE = qml.device("default.qubit")
EXACT = gradient(qg.Adjoint())
PENNYLANE = qml.gradients.param_shift
MEASURED = {
    "expval": lambda: [qml.expval(qml.Z(1))],
    "var": lambda: [qml.var(qml.X("a") @ qml.Z(1))],
    "probs": lambda: [qml.probs(wires=[1, "a"])],
    "several expval": lambda: [qml.expval(qml.Z("a")), qml.expval(2 * qml.X(1) - qml.Y("a"))],
    "mixed": lambda: [qml.probs(wires=[1, "a"]), qml.var(qml.Y(1)), qml.expval(qml.Z("a")), qml.probs(wires="a")],
}


def operations():
    return [qml.RX(0.3, "a"), qml.RY(0.4, 1), qml.CNOT([1, "a"]), qml.CRZ(0.7, ["a", 1]), qml.Rot(0.1, 0.5, 0.2, 1)]


def applied(transform, tape, **options):
    """What a transform of a tape gives, executed."""
    tapes, finish = transform(tape, **options)
    return finish(DEVICE.execute(tapes) if tapes else ())


def assert_same(found, expected, *, values=True):
    leaves, structure = qml.pytrees.flatten(found)
    others, other_structure = qml.pytrees.flatten(expected)
    assert structure == other_structure
    assert [np.shape(leaf) for leaf in leaves] == [np.shape(leaf) for leaf in others]
    if values:
        for leaf, other in zip(leaves, others, strict=True):
            np.testing.assert_allclose(leaf, other, atol=1e-9)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("trainable", [[0, 1, 2, 4], [3], []])
@pytest.mark.parametrize("shots", [None, 10, (10, 20), [(10, 3)]])
def test_the_nesting_is_that_of_pennylane(name, trainable, shots):
    tape = qml.tape.QuantumScript(operations(), MEASURED[name](), shots=shots, trainable_params=trainable)
    assert_same(applied(EXACT, tape), applied(PENNYLANE, tape), values=shots is None)


@pytest.mark.parametrize("argnum", [1, [0, 2], []])
def test_parameters_that_are_not_asked_for_have_zeros(argnum):
    tape = qml.tape.QuantumScript(operations(), MEASURED["mixed"]())
    assert_same(applied(EXACT, tape, argnum=argnum), applied(PENNYLANE, tape, argnum=argnum))


@pytest.mark.parametrize("name", ["probs", "mixed"])
def test_a_batch_of_fixed_numbers_has_its_axis_where_pennylane_puts_it(name):
    inputs = [qml.RX(np.array([0.1, 0.2, 0.3]), "a"), *operations()]
    tape = qml.tape.QuantumScript(inputs, MEASURED[name](), trainable_params=[1, 3])
    assert_same(applied(EXACT, tape), applied(PENNYLANE, tape))


def test_a_trainable_batch_is_refused_as_by_pennylane():
    tape = qml.tape.QuantumScript([qml.RX(np.array([0.1, 0.2]), 0)], [qml.expval(qml.Z(0))])
    with pytest.raises(NotImplementedError, match=r"broadcasted parameters.*broadcast_expand"):
        EXACT(tape)


def body(x, weights):
    qml.RX(x[0] * x[1], "a")
    qml.StronglyEntanglingLayers(weights, ["a", 1, "b"])
    qml.CRY(x[1], [1, "a"])
    qml.GlobalPhase(x[0], "b")


def jacobian(qnode, interface, *arguments):
    """The Jacobians of all numbers that a QNode returns, one array for each argument."""
    if interface == "autograd":
        numbers = lambda *given: pnp.concatenate([pnp.reshape(r, (-1,)) for r in _listed(qnode(*given))])  # noqa: E731
        return qml.jacobian(numbers)(*(pnp.array(a) for a in arguments))
    if interface == "torch":
        given = tuple(torch.tensor(a, requires_grad=True) for a in arguments)
        numbers = lambda *given: torch.cat([r.reshape(-1) for r in _listed(qnode(*given))])  # noqa: E731
        return torch.autograd.functional.jacobian(numbers, given)
    numbers = lambda *given: jnp.concatenate([jnp.ravel(r) for r in _listed(qnode(*given))])  # noqa: E731
    found = jax.jacobian(numbers, argnums=tuple(range(len(arguments))))
    return (jax.jit(found) if interface == "jit" else found)(*map(jnp.asarray, arguments))


def _listed(found):
    return found if isinstance(found, (tuple, list)) else [found]


X, WEIGHTS = np.array([0.4, -0.7]), np.linspace(-0.8, 1.2, 9).reshape(1, 3, 3)


@pytest.mark.parametrize(
    ("name", "interface"),
    [*((n, i) for n in MEASURED for i in ("autograd", "jit", "torch")), ("expval", "jax"), ("mixed", "jax")],
)
def test_under_every_interface_it_is_the_derivative(name, interface):
    def circuit(x, weights):
        body(x, weights)
        found = MEASURED[name]()
        return found[0] if len(found) == 1 else tuple(found)

    ours, theirs = (qml.QNode(circuit, DEVICE, diff_method=method) for method in (EXACT, PENNYLANE))
    found = jacobian(ours, interface, X, WEIGHTS)
    for part, expected in zip(found, jacobian(theirs, "autograd", X, WEIGHTS), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-9)


@pytest.mark.parametrize("name", ["expval", "mixed"])
def test_applied_to_a_qnode_it_gives_the_jacobian_by_arguments(name):
    @qml.qnode(DEVICE)
    def circuit(x, weights):
        body(x, weights)
        return tuple(MEASURED[name]())

    point = pnp.array(X), pnp.array(WEIGHTS)
    assert_same(EXACT(circuit)(*point), PENNYLANE(circuit)(*point))
    found = EXACT(circuit)(*(torch.tensor(p, requires_grad=True) for p in point))
    assert_same(
        qml.pytrees.unflatten(
            [leaf.detach().numpy() for leaf in qml.pytrees.flatten(found)[0]], qml.pytrees.flatten(found)[1]
        ),
        PENNYLANE(circuit)(*point),
    )


def test_coefficients_and_matrices_are_differentiated_where_a_framework_does():
    def circuit(x, c):
        matrix = jnp.stack([jnp.stack([jnp.cos(x), -jnp.sin(x)]), jnp.stack([jnp.sin(x), jnp.cos(x)])])
        qml.QubitUnitary(matrix, 0)
        qml.exp(qml.X(0) @ qml.Z(1), 1j * x)
        return qml.expval(qml.Hamiltonian(c, [qml.Z(0), qml.X(0)])), qml.var(qml.Z(0))

    found, expected = (
        jax.jit(jax.jacobian(qml.QNode(circuit, DEVICE, diff_method=method), argnums=(0, 1)))(0.3, np.array([0.2, 0.5]))
        for method in (EXACT, "backprop")
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-9), found, expected)


@pytest.mark.parametrize("name", ["efficient_su2_n2_r1", "h2_givens_n4", "n_local_n4_crx_crz", "xxz_hva_n6_p2"])
def test_circuits_of_the_library_have_their_makers_gradients(name):
    circuit = qg.load_circuit(name)
    qnode = objective_as_qnode(circuit.objective, qml.device("default.qubit"), diff_method=EXACT)
    np.testing.assert_allclose(qml.grad(qnode)(pnp.array(circuit.params)), circuit.gradient, atol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("method", [qg.ParameterShift(shots=20_000), qg.GentleSweep(copies=200_000)])
def test_draws_are_within_their_standard_errors(method):
    """Both miss a derivative by about 0.01; variances are estimated from so many samples that they are known."""
    circuit = qg.load_circuit("efficient_su2_n2_r1")
    drawn = gradient(method, key=key(3))
    qnode = objective_as_qnode(circuit.objective, qml.device("default.qubit"), diff_method=drawn)
    found = qml.grad(qnode)(pnp.array(circuit.params))
    (estimate,) = drawn.estimates
    bound = normal(found.size) * estimate.standard_error + estimate.bias_bound
    assert np.all(np.abs(found - circuit.gradient) <= bound + 1e-12)
    np.testing.assert_allclose(found, estimate.gradient, atol=1e-12)  # each of its parameters drives one gate


@pytest.mark.parametrize("seed", [5, jax.random.key(7)])
def test_noise_is_fresh_at_each_call_and_repeats_with_a_new_transform(seed):
    tape = qml.tape.QuantumScript(operations(), [qml.expval(qml.Z("a"))], shots=(10, 10))

    def calls():
        transform = gradient(qg.ParameterShift(shots=1000), key=seed)
        return np.array([applied(transform, tape) for _ in range(2)])

    first = calls()
    rows = first.reshape(4, -1)  # two calls with two entries of the shot vector
    assert len(np.unique(rows, axis=0)) == 4
    np.testing.assert_array_equal(first, calls())


def test_copies_of_a_qnode_do_not_draw_the_same():
    qnode = qml.QNode(rotated, DEVICE, diff_method=gradient(qg.ParameterShift(shots=1000), key=3))
    first, second = (qml.grad(q)(pnp.array(X)) for q in (qnode, copy.deepcopy(qnode)))
    assert np.all(first != second)


def test_without_a_key_numpys_global_seed_holds():
    tape = qml.tape.QuantumScript(operations(), [qml.expval(qml.Z("a"))])
    found = []
    for _ in range(2):
        np.random.seed(11)  # noqa: NPY002
        found.append(applied(gradient(qg.ParameterShift(shots=100)), tape))
    np.testing.assert_array_equal(*found)


def rotated(x):
    qml.RX(x[0], 0)
    qml.RY(x[1], 0)
    return qml.expval(qml.Z(0))


def test_single_precision_and_jax_without_its_64_bit_mode():
    qnode = qml.QNode(rotated, DEVICE, diff_method=gradient(qg.Adjoint()))
    expected = qml.grad(qnode)(pnp.array(X))
    with jax.enable_x64(False):
        np.testing.assert_allclose(qml.grad(qnode)(pnp.array(X)), expected, atol=1e-12)
        found = jax.jit(jax.grad(qnode))(jnp.array(X))
        assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    tensor = torch.tensor(X, dtype=torch.float32, requires_grad=True)
    qnode(tensor).backward()
    np.testing.assert_allclose(tensor.grad, expected, atol=1e-6)


def test_a_ledger_hears_of_every_run_compiled_ones_too():
    qnode = qml.QNode(rotated, DEVICE, diff_method=gradient(qg.ParameterShift(shots=10), key=1))
    with qg.Tracker() as spent:
        descend = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda _, x: x - 0.1 * jax.grad(qnode)(x), x))
        descend(jnp.array(X)).block_until_ready()
        qml.grad(qnode)(pnp.array(X))
    assert [charge.cost.copies for charge in spent.history] == [50] * 4  # a value and two shifts for each of two angles


def test_batches_of_points_by_vmap():
    qnode = qml.QNode(rotated, DEVICE, diff_method=EXACT)
    points = jnp.array([X, X + 0.1])
    rows = jax.jit(jax.vmap(jax.grad(qnode)))(points)
    np.testing.assert_allclose(rows, [qml.grad(qnode)(pnp.array(p)) for p in points], atol=1e-9)
