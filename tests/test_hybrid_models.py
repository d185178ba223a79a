"""Circuits inside networks of flax and equinox, trained by optax: three lines around `as_jax`, no layer of our own."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qcgrad as qg
from qcgrad.queries import AdjointSweep, Evaluate
from tests.recorder import Recorder
from theory.statistics import key, normal

# Two inputs, four weights; two outputs.
CIRCUIT = (
    qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1)
    .ry(0, param=2).rz(1, param=3).cx(1, 0).ry(0, param=4).ry(1, param=5)
)  # fmt: skip
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZI", "IX"])
X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.random.default_rng(1).normal(size=(6, 2))


def rotation(letter, angle):
    generator = {"y": jnp.array([[0, -1j], [1j, 0]]), "z": jnp.array([[1, 0], [0, -1]])}[letter]
    return jnp.cos(angle / 2) * jnp.eye(2) - 1j * jnp.sin(angle / 2) * generator


def dense(angles):
    """The same circuit in plain JAX, one matrix after another."""
    eye = jnp.eye(2)
    down = jnp.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    up = jnp.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
    gates = [("y", 0, 0), ("y", 1, 1), down, ("y", 0, 2), ("z", 1, 3), up, ("y", 0, 4), ("y", 1, 5)]
    psi = jnp.array([1.0, 0, 0, 0]) + 0j
    for gate in gates:
        if isinstance(gate, tuple):
            letter, qubit, param = gate
            one = rotation(letter, angles[param])
            gate = jnp.kron(one, eye) if qubit == 0 else jnp.kron(eye, one)
        psi = gate @ psi
    observables = jnp.stack(
        [jnp.kron(jnp.diag(jnp.array([1.0, -1.0])), eye), jnp.kron(eye, jnp.array([[0, 1.0], [1.0, 0]]))]
    )
    return jnp.einsum("i,kij,j->k", psi.conj(), observables, psi).real


class Hybrid(eqx.Module):
    """A linear layer, the circuit on its outputs with weights of its own, a linear layer."""

    first: eqx.nn.Linear
    weights: jax.Array
    last: eqx.nn.Linear
    circuit: object = eqx.field(static=True)

    def __init__(self, circuit):
        keys = jax.random.split(jax.random.key(0), 3)
        self.first = eqx.nn.Linear(3, 2, key=keys[0])
        self.weights = jax.random.normal(keys[1], (4,))
        self.last = eqx.nn.Linear(2, 2, key=keys[2])
        self.circuit = circuit

    def __call__(self, x, *draws):
        return self.last(self.circuit(jnp.concatenate([self.first(x), self.weights]), *draws))


def loss(model, x, y, *keys):
    return jnp.mean((jax.vmap(model)(x, *keys) - y) ** 2)


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ParameterShift()], ids=lambda e: type(e).__name__)
def test_an_equinox_model_has_the_gradients_of_one_in_plain_jax(estimator):
    ours = eqx.filter_jit(eqx.filter_value_and_grad(loss))(Hybrid(qg.as_jax(OBJECTIVE, estimator)), X, Y)
    theirs = eqx.filter_jit(eqx.filter_value_and_grad(loss))(Hybrid(dense), X, Y)
    pairs = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_batch_is_one_question_for_the_values_and_one_for_the_gradients():
    recorder = Recorder(qg.Statevector())
    eqx.filter_value_and_grad(loss)(Hybrid(qg.as_jax(OBJECTIVE, qg.Adjoint(), recorder)), X, Y)
    assert [type(query) for query in recorder.queries] == [Evaluate, AdjointSweep]


@pytest.mark.parametrize("estimator", [qg.Adjoint(), qg.ParameterShift()], ids=lambda e: type(e).__name__)
def test_the_native_engine_gets_a_batch_as_one_call(estimator):
    """One custom call with an axis of 6 times as many settings in the compiled program, not a loop of six."""
    backend = qg.Statevector()
    f = qg.as_jax(OBJECTIVE, estimator, backend)
    points = jnp.zeros((6, 6))
    text = jax.jit(jax.vmap(f)).lower(points).as_text()
    if "qcgrad_value" not in text:
        pytest.skip("built without the native engine")
    assert text.count("@qcgrad_value") == 1
    assert "while" not in text
    gradient = jax.jit(jax.vmap(jax.grad(lambda t: f(t).sum()))).lower(points).as_text()
    assert "while" not in gradient
    assert gradient.count("@qcgrad_value_and_vjp") + gradient.count("@qcgrad_value(") <= 2


def test_optax_trains_it_in_a_scan():
    model = Hybrid(qg.as_jax(OBJECTIVE, qg.Adjoint()))
    params, static = eqx.partition(model, eqx.is_array)
    optimizer = optax.adam(0.05)

    def step(carry, _):
        params, state = carry
        value, gradient = jax.value_and_grad(lambda p: loss(eqx.combine(p, static), X, Y))(params)
        updates, state = optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), value

    _, losses = jax.jit(lambda carry: jax.lax.scan(step, carry, length=30))((params, optimizer.init(params)))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.statistical
def test_examples_of_a_batch_draw_with_keys_of_their_own_and_the_tracker_counts_them():
    """400 entries of 40 shots: their mean is within 6.2 standard errors, 0.05, of the exact value."""
    estimator = qg.ParameterShift(shots=40)
    f, exact = qg.as_jax(OBJECTIVE, estimator), qg.as_jax(OBJECTIVE, qg.Adjoint())
    point = jnp.arange(6.0) / 5
    with qg.Tracker() as spent:
        found = jax.jit(jax.vmap(f, in_axes=(None, 0)))(point, jax.random.split(key(0), 400))
    # Z and X on different qubits are measured together.
    assert spent.total.copies == 400 * 40
    assert len(np.unique(found[:, 0])) > 5
    assert np.all(np.abs(found.mean(0) - exact(point)) < normal(2) / np.sqrt(400 * 40))


def test_a_sampled_model_trains_with_fresh_keys_and_counts_under_jit():
    model = Hybrid(qg.as_jax(OBJECTIVE, qg.ParameterShift(shots=100)))
    keys = jax.random.split(jax.random.key(1), 6)
    with qg.Tracker() as spent:
        value, gradient = eqx.filter_jit(eqx.filter_value_and_grad(loss))(model, X, Y, keys)
    # Each example: the value, and value and twelve shifts for the gradient of two outputs.
    assert spent.total.copies == 6 * (1 + 13) * 100
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_a_flax_nnx_model_has_the_gradients_of_one_in_plain_jax_and_trains():
    nnx = pytest.importorskip("flax.nnx")

    class Model(nnx.Module):
        def __init__(self, circuit, rngs):
            self.first = nnx.Linear(3, 2, rngs=rngs, param_dtype=float)
            self.weights = nnx.Param(jax.random.normal(rngs.params(), (4,)))
            self.last = nnx.Linear(2, 2, rngs=rngs, param_dtype=float)
            self.circuit = circuit

        def __call__(self, x):
            angles = self.first(x)
            return self.last(jax.vmap(lambda a: self.circuit(jnp.concatenate([a, self.weights[...]])))(angles))

    @nnx.jit
    def value_and_grad(model):
        return nnx.value_and_grad(lambda m: jnp.mean((m(X) - Y) ** 2))(model)

    with jax.numpy_rank_promotion("allow"):  # flax adds biases to batches
        ours, plain = (Model(f, nnx.Rngs(0)) for f in (qg.as_jax(OBJECTIVE, qg.Adjoint()), dense))
        (value, gradient), (expected, rows) = value_and_grad(ours), value_and_grad(plain)
        np.testing.assert_allclose(value, expected, atol=1e-12)
        for found, row in zip(jax.tree.leaves(gradient), jax.tree.leaves(rows), strict=True):
            np.testing.assert_allclose(found, row, atol=1e-12)
        optimizer = nnx.Optimizer(ours, optax.adam(0.05), wrt=nnx.Param)
        for _ in range(15):
            last, gradient = value_and_grad(ours)
            optimizer.update(ours, gradient)
    assert last < 0.9 * value


def test_a_flax_linen_layer_holds_the_weights():
    nn = pytest.importorskip("flax.linen")
    f = qg.as_jax(OBJECTIVE, qg.Adjoint())

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x):
            weights = self.param("weights", nn.initializers.normal(1.0), (4,), float)
            return jax.vmap(lambda one: f(jnp.concatenate([one, weights])))(x)

    x = jnp.asarray(X[:, :2])
    params = Layer().init(jax.random.key(0), x)
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(Layer().apply(p, x) ** 2)))(params)
    weights = params["params"]["weights"]
    expected = jax.grad(lambda w: sum(jnp.sum(dense(jnp.concatenate([one, w])) ** 2) for one in x))(weights)
    np.testing.assert_allclose(gradient["params"]["weights"], expected, atol=1e-12)
