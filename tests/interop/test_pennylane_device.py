"""The device `qcgrad.statevector`: values, derivatives, samples, seeds and refusals, against PennyLane's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp
from pennylane.exceptions import DeviceError, QuantumFunctionError, WireError

import qcgrad as qg
from qcgrad.interop import StatevectorDevice
from qcgrad.queries import ReadState
from theory.statistics import assert_frequencies, bernstein, shifted

# PennyLane's own, of its devices, of JAX and of a gradient that is zero.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Casting complex values"),
    pytest.mark.filterwarnings("ignore:jax.core:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Output seems independent"),
]
LABELS = ["a", 7, "c"]
SHOTS = 20_000
X = np.array([0.3, -0.8, 1.2])
Y = 0.7


def gates(x, y):
    """Asymmetric in everything: wires, angles, controls; with parameters shared, scaled and nested in other gates."""
    qml.RY(x[0], "a")
    qml.CRX(x[1], ["a", "c"])
    qml.Rot(x[2], y, 0.3, 7)
    qml.CNOT([7, "c"])
    qml.IsingXY(x[0] * y, ["a", 7])
    qml.ctrl(qml.RZ(y, "a"), control=[7], control_values=[0])
    qml.adjoint(qml.RX(x[1], "c"))
    qml.PauliRot(x[2], "XIZ", ["a", 7, "c"])
    qml.SingleExcitation(x[0], [7, "c"])
    qml.U3(x[1], x[1], x[1], "a")


def several():
    words = qml.dot([0.3, -1.2, 0.4], [qml.X("a"), qml.Z(7) @ qml.Y("c"), qml.I(7)])
    return [qml.expval(qml.Z("a") @ qml.X(7)), qml.expval(words), qml.var(qml.Y("c") + 0.3 * qml.X("a"))]


def flat_qnode(device, measurements=several, **options):
    """A QNode whose results are one vector."""

    @qml.qnode(device, **options)
    def circuit(x, y):
        gates(x, y)
        return measurements()

    def flat(x, y):
        found = circuit(x, y)
        return qml.math.hstack(list(found) if isinstance(found, (list, tuple)) else [found])

    return flat


def ours(**options):
    return StatevectorDevice(wires=LABELS, **options)


def reference():
    return qml.device("default.qubit", wires=LABELS)


def trainable(*values):
    return [pnp.array(value, requires_grad=True) for value in values]


MEASUREMENTS = {
    "several": several,
    "probabilities": lambda: [qml.probs(["c", "a"]), qml.expval(qml.Y(7))],
    "one": lambda: qml.expval(qml.Z("c")),
    "matrix": lambda: qml.expval(qml.Hermitian(np.array([[1.0, 2j], [-2j, 0.3]]), 7)),
    "projector": lambda: [qml.var(qml.Projector([1, 0], ["c", "a"]))],
}


@pytest.mark.parametrize("kind", MEASUREMENTS)
def test_adjoint_derivatives_equal_backpropagation(kind):
    x, y = trainable(X, Y)
    expected_f = flat_qnode(reference(), MEASUREMENTS[kind], diff_method="backprop")
    expected = qml.jacobian(expected_f)(x, y)
    for options in ({}, {"diff_method": "adjoint", "device_vjp": True}):
        f = flat_qnode(ours(), MEASUREMENTS[kind], **options)
        np.testing.assert_allclose(f(x, y), expected_f(x, y), atol=1e-12)
        for got, right in zip(qml.jacobian(f)(x, y), expected, strict=True):
            np.testing.assert_allclose(got, right, atol=1e-10)


@pytest.mark.slow
def test_jax_compiles_differentiates_twice_and_batches():
    f, expected = flat_qnode(ours()), flat_qnode(reference(), diff_method="backprop")
    x, y = jnp.array(X), jnp.array(Y)
    jacobian = jax.jit(jax.jacobian(f, argnums=(0, 1)))(x, y)
    for got, right in zip(jacobian, jax.jacobian(expected, argnums=(0, 1))(x, y), strict=True):
        np.testing.assert_allclose(got, right, atol=1e-10)
    # Its derivative is checked above, so differences of that are a reference for the second: h^2 = 1e-8.
    slope = jax.jit(jax.jacobian(f))
    steps = 1e-4 * np.eye(len(X))
    differences = np.stack([(slope(x + h, y) - slope(x - h, y)) / 2e-4 for h in steps], axis=-1)
    np.testing.assert_allclose(jax.hessian(f)(x, y), differences, atol=1e-6)
    xs = jnp.stack([x, 2 * x, -x])
    many = jax.jit(jax.vmap(f, (0, None)))(xs, y)
    np.testing.assert_allclose(many, [expected(each, y) for each in xs], atol=1e-12)


def test_a_compiled_step_is_one_call_of_the_engine_without_python():
    f = flat_qnode(ours(), MEASUREMENTS["one"])
    program = str(jax.make_jaxpr(jax.value_and_grad(lambda x: f(x, 0.7)[0]))(jnp.array(X)))
    assert "callback" not in program
    assert "ffi_call" in program


def test_torch_differentiates():
    torch = pytest.importorskip("torch")
    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y, dtype=torch.float64, requires_grad=True)
    found = torch.autograd.functional.jacobian(flat_qnode(ours()), (x, y))
    expected = qml.jacobian(flat_qnode(reference(), diff_method="backprop"))(*trainable(X, Y))
    for got, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, right, atol=1e-10)


def test_double_precision_does_not_need_jaxs_64_bit_mode():
    f, expected = flat_qnode(ours()), flat_qnode(reference(), diff_method="backprop")
    with jax.enable_x64(False):
        x, y = trainable(X, Y)
        np.testing.assert_allclose(f(x, y), expected(x, y), atol=1e-12)
        np.testing.assert_allclose(qml.jacobian(f)(x, y)[0], qml.jacobian(expected)(x, y)[0], atol=1e-10)


def test_single_precision_on_demand():
    f = flat_qnode(ours(c_dtype=np.complex64))
    found = f(X, Y)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, flat_qnode(reference())(X, Y), atol=1e-5)


STATES = {
    "state": qml.state,
    "density matrix": lambda: qml.density_matrix(["c", "a"]),
    "purity": lambda: qml.purity([7]),
    "entropy": lambda: qml.vn_entropy(["a"]),
    "mutual information": lambda: qml.mutual_info(["a"], [7]),
    "all probabilities": qml.probs,
}


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("wires", [LABELS, None])
def test_functions_of_the_state(kind, wires):
    def circuit():
        gates(X, Y)
        return STATES[kind]()

    found = qml.QNode(circuit, StatevectorDevice(wires=wires))()
    expected = qml.QNode(circuit, qml.device("default.qubit", wires=wires))()
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_a_batch_of_parameters_is_one_question():
    def circuit(x):
        gates(x, Y)
        return qml.expval(qml.Z("a")), qml.var(qml.X("c"))

    f, expected = (qml.QNode(circuit, device) for device in (ours(), reference()))
    xs = np.stack([X, 2 * X, -X], axis=1)
    with qg.Tracker() as spent:
        found = f(xs)
    np.testing.assert_allclose(found, expected(xs), atol=1e-12)
    assert len(spent.history) == 1
    assert spent.total.circuit_runs == 3


def test_a_batch_of_parameters_has_derivatives():
    def summed(device):
        f = flat_qnode(device, MEASUREMENTS["one"])
        return lambda x: pnp.sum(f(x, Y))

    (xs,) = trainable(np.stack([X, 2 * X], axis=1))
    np.testing.assert_allclose(qml.grad(summed(ours()))(xs), qml.grad(summed(reference()))(xs), atol=1e-10)


def test_structures_are_kept_and_angles_are_not():
    f, expected = flat_qnode(ours()), flat_qnode(reference())
    for k in range(3):
        np.testing.assert_allclose(f(X + k, Y - k), expected(X + k, Y - k), atol=1e-12)


def test_coefficients_of_observables_are_part_of_the_structure():
    device = ours()
    for c in (0.5, -2.0):
        measured = flat_qnode(device, lambda c=c: qml.expval(c * qml.Z("a")))(X, Y)
        np.testing.assert_allclose(measured, flat_qnode(reference(), lambda c=c: qml.expval(c * qml.Z("a")))(X, Y))


def test_angles_of_any_size_and_nan():
    @qml.qnode(StatevectorDevice(wires=1))
    def circuit(x):
        qml.RY(x, 0)
        return qml.expval(qml.Z(0))

    assert circuit(1e6) == pytest.approx(np.cos(1e6), abs=1e-9)
    assert np.isnan(circuit(np.nan))


def test_circuits_without_parameters_and_without_gates():
    device = StatevectorDevice(wires=2)
    assert qml.QNode(lambda: qml.expval(qml.Z(1)), device)() == 1

    def constant(x):
        qml.Hadamard(0)
        return qml.expval(qml.X(0))

    assert qml.grad(qml.QNode(constant, device))(pnp.array(0.3)) == 0
    assert jax.jit(qml.QNode(constant, device))(jnp.array(0.3)) == pytest.approx(1)


def test_products_with_jacobians_agree():
    tape = qml.tape.QuantumScript(
        [qml.RY(0.3, 0), qml.CRX(0.7, [0, 1]), qml.RZ(-0.2, 1)],
        [qml.expval(qml.X(1)), qml.probs([1, 0]), qml.var(qml.Y(1))],
        trainable_params=[0, 1],
    )
    device = StatevectorDevice()
    results, jacobian = device.execute_and_compute_derivatives(tape)
    assert [np.shape(j[0]) for j in jacobian] == [(), (4,), ()]
    rows = np.concatenate([np.stack([np.ravel(d) for d in part], axis=-1) for part in jacobian])
    cotangents = (0.5, np.array([0.1, -0.2, 0.3, 1.0]), -2.0)
    vjp = device.compute_vjp(tape, cotangents)
    np.testing.assert_allclose(vjp, np.concatenate([np.ravel(c) for c in cotangents]) @ rows, atol=1e-12)
    values, along = device.execute_and_compute_jvp(tape, (0.3, -1.0))
    np.testing.assert_allclose(np.concatenate([np.ravel(a) for a in along]), rows @ [0.3, -1.0], atol=1e-12)
    np.testing.assert_allclose(np.hstack(values), np.hstack(results))
    np.testing.assert_allclose(np.hstack(device.execute(tape)), np.hstack(results), atol=1e-12)


def test_nothing_trainable_has_empty_derivatives():
    tape = qml.tape.QuantumScript([qml.RY(0.3, 0)], [qml.expval(qml.Z(0))], trainable_params=[])
    results, jacobian = StatevectorDevice().execute_and_compute_derivatives((tape,))
    assert results[0] == pytest.approx(np.cos(0.3))
    assert np.size(jacobian[0]) == 0
    assert StatevectorDevice().execute_and_compute_derivatives(()) == ((), ())


def test_mid_circuit_measurements_are_deferred():
    def circuit(x):
        qml.RY(x, 0)
        seen = qml.measure(0, reset=True)
        qml.cond(seen, qml.RX)(x, 1)
        return qml.expval(qml.Z(1)), qml.expval(seen)

    found = qml.QNode(circuit, StatevectorDevice())(0.7)
    np.testing.assert_allclose(found, qml.QNode(circuit, qml.device("default.qubit"))(0.7), atol=1e-12)


def test_evolutions_are_exact_and_differentiated():
    commuting, others = 0.3 * qml.Z(0) + 0.7 * qml.Z(0) @ qml.Z(1) + 0.1 * qml.I(0), qml.X(0) + qml.Z(0) @ qml.Y(1)

    @qml.qnode(StatevectorDevice(wires=2))
    def circuit(t):
        qml.RY(0.4, 0)
        qml.RX(-0.9, 1)
        qml.evolve(commuting, t)
        qml.evolve(others, 2 * t)
        return qml.expval(qml.X(0) @ qml.Z(1))

    def exact(t):
        state = np.kron([np.cos(0.2), np.sin(0.2)], [np.cos(0.45), 1j * np.sin(0.45)])
        for operator, time in ((commuting, t), (others, 2 * t)):
            levels, vectors = np.linalg.eigh(qml.matrix(operator, wire_order=[0, 1]))
            state = vectors @ (np.exp(-1j * time * levels) * (vectors.conj().T @ state))
        return (state.conj() @ qml.matrix(qml.X(0) @ qml.Z(1)) @ state).real

    (t,) = trainable(0.37)
    assert circuit(t) == pytest.approx(exact(0.37), abs=1e-12)
    assert qml.grad(circuit)(t) == pytest.approx((exact(0.37 + 1e-5) - exact(0.37 - 1e-5)) / 2e-5, abs=1e-8)


# --- shots ---


def plus(device, shots, measurements):
    @qml.set_shots(shots)
    @qml.qnode(device, diff_method=None)
    def circuit():
        qml.RY(1.1, 0)
        qml.CNOT([0, 1])
        qml.RX(0.4, 1)
        return measurements()

    return circuit()


@pytest.mark.statistical
def test_outcomes_have_the_right_distribution():
    """A deviation of some 0.045 in a mean, or of 420 in a count, is sure to be found."""

    def measurements():
        return [qml.counts(wires=[1, 0], all_outcomes=True), qml.expval(qml.X(0) @ qml.Y(1)), qml.sample(qml.Y(1))]

    found, mean, samples = plus(StatevectorDevice(seed=shifted(7)), SHOTS, measurements)
    exact = [qml.probs([1, 0]), qml.expval(qml.X(0) @ qml.Y(1)), qml.expval(qml.Y(1))]
    probabilities, value, other = plus(StatevectorDevice(), None, lambda: [qml.apply(m) for m in exact])
    assert_frequencies([found[f"{k:02b}"] for k in range(4)], probabilities)
    assert abs(mean - value) < bernstein(1.0, 2.0, SHOTS)
    assert abs(samples.mean() - other) < bernstein(1.0, 2.0, SHOTS)


def test_nesting_of_shot_vectors():
    def measurements():
        return [qml.expval(qml.Z(0) + 0.5 * qml.X(1)), qml.probs([0, 1]), qml.sample(qml.Z(1)), qml.counts(wires=0)]

    found = plus(StatevectorDevice(seed=3), [10, (20, 2)], measurements)
    assert len(found) == 3
    for (mean, probabilities, samples, outcomes), shots in zip(found, (10, 20, 20), strict=True):
        assert np.shape(mean) == ()
        assert probabilities.shape == (4,)
        assert samples.shape == (shots,)
        assert sum(outcomes.values()) == shots


def test_measurements_in_one_basis_share_their_outcomes():
    def measurements():
        return [qml.sample(qml.Z(0)), qml.sample(qml.Z(0) @ qml.X(1)), qml.sample(qml.X(1)), qml.sample(wires=[1, 0])]

    first, both, second, bits = plus(StatevectorDevice(seed=3), 200, measurements)
    np.testing.assert_array_equal(first * second, both)
    assert bits.shape == (200, 2)


def test_seeds_repeat_and_do_not_repeat_within_a_device():
    def draw(device):
        return plus(device, 60, lambda: qml.sample(wires=[0, 1]))

    one, other, keyed = StatevectorDevice(seed=5), StatevectorDevice(seed=5), StatevectorDevice(seed=jax.random.key(5))
    first, second = draw(one), draw(one)
    np.testing.assert_array_equal(first, draw(other))
    np.testing.assert_array_equal(second, draw(other))
    np.testing.assert_array_equal(first, draw(keyed))
    assert np.any(first != second)
    assert np.any(draw(StatevectorDevice()) != draw(StatevectorDevice()))


def test_a_batch_does_not_repeat_its_samples():
    tape = qml.tape.QuantumScript([qml.Hadamard(0)], [qml.sample(wires=0)], shots=60)
    first, second = StatevectorDevice(seed=5).execute((tape, tape))
    assert np.any(first != second)


@pytest.mark.statistical
def test_classical_shadows_estimate_expectation_values():
    """A deviation of 0.3 is sure to be found."""
    found = plus(StatevectorDevice(seed=shifted(11)), SHOTS, lambda: qml.shadow_expval(qml.Z(0) @ qml.X(1)))
    exact = plus(StatevectorDevice(), None, lambda: qml.expval(qml.Z(0) @ qml.X(1)))
    # A snapshot gives 9 times a sign, or zero: its variance is 9 at most.
    assert abs(found - exact) < bernstein(9.0, 18.0, SHOTS)
    bits, recipes = plus(StatevectorDevice(seed=11), 50, lambda: qml.classical_shadow([1, 0]))
    assert bits.shape == recipes.shape == (50, 2)
    assert set(np.unique(recipes)) == {0, 1, 2}


def test_parameter_shift_with_shots_under_jit():
    @qml.set_shots(100)
    @qml.qnode(StatevectorDevice(wires=1, seed=2), diff_method="parameter-shift")
    def circuit(x):
        qml.RX(x, 0)
        return qml.expval(qml.Z(0))

    assert jax.jit(jax.grad(circuit))(jnp.array(np.pi)) == pytest.approx(0.0, abs=1.0)


# --- what is spent ---


def test_ledgers_hear_of_executions_and_derivatives():
    circuit = qml.QNode(lambda x: (qml.RY(x, 0), qml.expval(qml.Z(0)))[1], StatevectorDevice(wires=1))
    with qg.Tracker() as spent:
        qml.grad(circuit)(pnp.array(0.3))
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    assert spent.total == qg.predict_cost(objective, qg.Adjoint())
    with qg.Tracker() as spent, qml.Tracker(circuit.device) as theirs:
        qml.set_shots(circuit, 250)(0.3)
    assert spent.total.copies == spent.total.shots == theirs.totals["shots"] == 250
    with qg.Tracker() as spent:
        jax.jit(jax.grad(circuit))(jnp.array(0.3))
    assert spent.total == qg.predict_cost(objective, qg.Adjoint())
    with qg.Tracker() as spent:
        qml.QNode(lambda: (qml.Hadamard(0), qml.state())[1], StatevectorDevice(wires=3))()
    assert (spent.total.circuit_runs, spent.total.gates, spent.total.peak_bytes) == (1, 1, 2 * 8 * 16)


def test_a_state_is_read_with_its_phase_and_its_cost():
    program = qg.Expectation(qg.Circuit(3).add(qg.Gate("gphase", (), None, 1.0, 0.3)).x(2), "ZZZ").program
    query = ReadState(program, np.zeros(0))
    state = qg.Statevector().answer(query, None).amplitudes
    np.testing.assert_allclose(state[1], np.exp(0.3j), atol=1e-12)
    assert query.cost().flops == program.state_flops > 0
    assert query.access.name == "white_box"


# --- refusals ---


def refused(build, error, match, **options):
    with pytest.raises(error, match=match):
        qml.QNode(build, StatevectorDevice(**options), diff_method=None)()


def test_refusals_name_what_was_given():
    refused(lambda: (qml.AmplitudeDamping(0.1, 0), qml.state())[1], DeviceError, "AmplitudeDamping")
    refused(lambda: (qml.measure(0, postselect=1), qml.state())[1], DeviceError, "postselect=1")
    refused(lambda: qml.sample(wires=0), DeviceError, "analytic")
    refused(lambda: (qml.X(5), qml.state())[1], WireError, "5", wires=2)
    too_large = qml.QNode(lambda: (qml.Hadamard(49), qml.state())[1], StatevectorDevice(wires=50), diff_method=None)
    with pytest.raises(qg.StateTooLarge, match="50 of 50 qubits"):
        too_large()
    small = StatevectorDevice(backend=qg.Statevector(max_bytes=100))
    with pytest.raises(qg.StateTooLarge):
        qml.QNode(lambda: (qml.Hadamard(3), qml.CNOT([3, 1]), qml.CNOT([3, 2]), qml.state())[3], small)()


@pytest.mark.parametrize("seed", ["global", 1.5, True, np.random.default_rng(0), (1, 2)])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(TypeError, match="seed is"):
        StatevectorDevice(seed=seed)


def test_options_that_are_none_are_refused():
    with pytest.raises(ValueError, match="c_dtype"):
        StatevectorDevice(c_dtype=np.float64)
    with pytest.raises(TypeError, match="backend is"):
        StatevectorDevice(backend="native")


def test_methods_that_do_not_apply_are_refused_or_replaced():
    x, y = trainable(X, Y)
    with pytest.raises(QuantumFunctionError, match="backprop"):
        flat_qnode(ours(), diff_method="backprop")(x, y)
    with pytest.raises(QuantumFunctionError, match="adjoint"):
        flat_qnode(ours(), lambda: qml.purity(["a"]), diff_method="adjoint")(x, y)
    with pytest.raises(DeviceError, match="one-shot"):
        qml.set_shots(flat_mcm(), 10)(0.3)


def flat_mcm():
    @qml.qnode(StatevectorDevice(), mcm_method="one-shot")
    def circuit(x):
        qml.RX(x, 0)
        return qml.expval(qml.measure(0))

    return circuit


def test_trainable_coefficients_are_differentiated_by_parameter_shift():
    def circuit(x, c):
        qml.RX(x, 0)
        return qml.expval(qml.Hamiltonian(c, [qml.Z(0), qml.Y(0)]))

    x, c = trainable(0.3, [0.5, -1.0])
    found = qml.grad(qml.QNode(circuit, StatevectorDevice(wires=1)))(x, c)
    expected = qml.grad(qml.QNode(circuit, qml.device("default.qubit", wires=1)))(x, c)
    for got, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, right, atol=1e-10)
    with pytest.raises(QuantumFunctionError, match="adjoint"):
        qml.grad(qml.QNode(circuit, StatevectorDevice(wires=1), diff_method="adjoint"))(x, c)


def test_shifts_of_what_is_not_linear_are_warned_of():
    circuit = qml.QNode(lambda x: (qml.RX(x, 0), qml.CNOT([0, 1]), qml.purity(0))[2], StatevectorDevice(wires=2))
    with pytest.warns(UserWarning, match="not linear in the state"):
        qml.grad(circuit)(pnp.array(0.3))


@pytest.mark.parametrize("word", [lambda: qml.Z(7), lambda: 2.5 * (qml.X(7) @ qml.Y("a"))], ids=["Z", "XY"])
def test_what_commutes_is_read_off_the_same_shots(word):
    device = ours(seed=4)

    @qml.set_shots(700)
    @qml.qnode(device)
    def circuit():
        gates(X, Y)
        return qml.expval(word()), qml.counts(word()), qml.var(word()), qml.sample(word())

    with qml.Tracker(device) as theirs, qg.Tracker() as spent:
        mean, counted, variance, samples = circuit()
    values = np.repeat(list(counted), list(counted.values()))
    np.testing.assert_allclose([mean, variance], [values.mean(), values.var()], atol=1e-12)
    np.testing.assert_array_equal(np.sort(samples), np.sort(values))
    assert spent.total.copies == theirs.totals["shots"] == 700


@pytest.mark.parametrize("method", ["best", "parameter-shift"])
def test_derivatives_by_the_entries_of_a_matrix_are_refused_and_its_values_are_not(method):
    """PennyLane's rule would give 2.2 in place of 1."""

    @qml.qnode(StatevectorDevice(1), diff_method=method)
    def circuit(x, scale):
        qml.RY(x, 0)
        return qml.expval(qml.Hermitian(scale * np.array([[2.0, 0.5], [0.5, 1.0]]), 0))

    x, scale = pnp.array(0.3, requires_grad=True), pnp.array(0.7, requires_grad=True)
    right = 0.7 * (1.5 + 0.5 * np.cos(0.3) + 0.5 * np.sin(0.3))
    np.testing.assert_allclose(circuit(x, scale), right, atol=1e-12)
    np.testing.assert_allclose(
        qml.grad(circuit, argnums=0)(x, scale), 0.7 * 0.5 * (np.cos(0.3) - np.sin(0.3)), atol=1e-12
    )
    with pytest.raises(qml.exceptions.DeviceError, match=r"matrix of the observable .*default.qubit"):
        qml.grad(circuit)(x, scale)
