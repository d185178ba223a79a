"""The two engines of the statevector simulator against each other, dense matrices and Qiskit."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, reject, settings

import qcgrad as qg
from qcgrad.interop.qiskit import to_qiskit
from qcgrad.queries import AdjointSweep, Evaluate
from qcgrad.simulators.statevector import _kernels as kernels
from qcgrad.simulators.statevector import native_library
from qcgrad.simulators.statevector.scanned import ScannedCircuit
from tests import dense
from tests.strategies import circuits

if native_library.load() is None:
    pytest.skip("the native engine was not built", allow_module_level=True)

NATIVE, JAX = qg.Statevector(engine="native"), qg.Statevector(engine="jax")


def hardware_efficient(num_qubits, layers):
    circuit, p = qg.Circuit(num_qubits), 0
    for _ in range(layers):
        for q in range(num_qubits):
            circuit = circuit.rz(q, param=p).ry(q, param=p + 1).rz(q, param=p + 2)
            p += 3
        for q in range(num_qubits):
            circuit = circuit.cnot(q, (q + 1) % num_qubits)
    terms = [("ZZ", (q, (q + 1) % num_qubits), 1.0) for q in range(num_qubits)]
    terms += [("X", (q,), 0.5) for q in range(num_qubits)]
    return circuit, qg.PauliSum.from_sparse(terms, num_qubits)


# Qiskit exponentiates sparse matrices, and SciPy comments on their format.
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@settings(max_examples=60)
@given(circuits())
def test_states_agree_with_dense_matrices_and_with_qiskit(case):
    """Every kind of gate, phases included; Qiskit up to a global phase, its qubits in reverse."""
    from qiskit.quantum_info import Operator

    circuit, params = case
    n = circuit.num_qubits
    program = qg.Expectation(circuit, "Z" * n).program
    index, scale, offset = circuit.angle_map
    state = np.asarray(NATIVE.state(program, params[index] * scale + offset))
    np.testing.assert_allclose(state, dense.state(circuit, params), atol=1e-12)
    try:
        exported = to_qiskit(circuit)
    except qg.ImportRefused:  # what Qiskit would only approximate
        reject()
    bound = exported.assign_parameters([params[int(p.name.split("[")[1][:-1])] for p in exported.parameters])
    column = Operator(bound).data[:, 0].reshape((2,) * n).transpose(range(n)[::-1]).ravel()
    assert abs(abs(np.vdot(column, state)) - 1) < 1e-10


@settings(max_examples=20)
@given(circuits())
def test_values_and_sweeps_agree(case):
    """Two observables, three cotangents: both engines to 1e-11."""
    circuit, params = case
    n = circuit.num_qubits
    terms = [{"Z" * n: 1.0, "X" + "I" * (n - 1): 0.3}, {"Y" * n: -0.7, "I" * n: 2.0}]
    objective = qg.Expectation(circuit, [qg.PauliSum(t) for t in terms])
    angles = objective.coordinates(params)
    sweep = AdjointSweep(objective.program, angles, np.array([[1.0, 0.0], [0.0, 1.0], [0.4, -2.0]]))
    for found, expected in zip(NATIVE.answer(sweep, None), JAX.answer(sweep, None), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11)
    settings_ = angles + np.array([[0.0], [0.3], [-1.0]])
    evaluate = Evaluate(objective.program, settings_)
    np.testing.assert_allclose(NATIVE.answer(evaluate, None).mean, JAX.answer(evaluate, None).mean, atol=1e-11)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-11), (np.float32, 1e-5)])
@pytest.mark.parametrize(("num_qubits", "layers"), [(1, 1), (6, 3), (13, 2), (16, 1)])
def test_gradients_agree_with_the_double_precision_jax_path(num_qubits, layers, dtype, tolerance):
    """One tile, several tiles, and both precisions; errors are relative to the observable's terms."""
    if num_qubits == 1:
        circuit, observable = qg.Circuit(1).ry(0, param=0).rz(0, param=1), qg.PauliSum("X")
    else:
        circuit, observable = hardware_efficient(num_qubits, layers)
    objective = qg.Expectation(circuit, observable)
    params = np.random.default_rng(0).uniform(-3, 3, circuit.num_parameters)
    exact = qg.estimate(objective, params, qg.Adjoint(), JAX)
    found = qg.estimate(objective, params.astype(dtype), qg.Adjoint(), NATIVE)
    assert found.gradient.dtype == dtype
    scale = np.abs(observable.coefficients).sum() if dtype == np.float32 else 1
    np.testing.assert_allclose(found.gradient, exact.gradient, atol=tolerance * scale)
    np.testing.assert_allclose(found.value, exact.value, atol=tolerance * scale)


def test_batches_agree_with_single_calls():
    """vmap over parameters, over cotangents, over both, and twice."""
    circuit, observable = hardware_efficient(4, 2)
    objective = qg.Expectation(circuit, [observable, qg.PauliSum("ZXYI")])
    f = qg.as_jax(objective, qg.Adjoint(), NATIVE)
    params = jnp.asarray(np.random.default_rng(1).uniform(-3, 3, (2, 3, circuit.num_parameters)))
    single = jnp.stack([jnp.stack([jax.jacrev(f)(p) for p in row]) for row in params])
    np.testing.assert_allclose(jax.vmap(jax.vmap(jax.jacrev(f)))(params), single, atol=1e-12)

    def pulled(p, cotangent):
        return jax.vjp(f, p)[1](cotangent)[0]

    cotangents = jnp.asarray([[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]])
    rows = jax.vmap(pulled, (0, 0))(params[0], cotangents)
    expected = jnp.stack([pulled(p, c) for p, c in zip(params[0], cotangents, strict=True)])
    np.testing.assert_allclose(rows, expected, atol=1e-12)
    shared = jax.vmap(pulled, (None, 0))(params[0, 0], cotangents)
    np.testing.assert_allclose(shared, cotangents @ single[0, 0], atol=1e-12)


def test_results_are_bitwise_reproducible():
    circuit, observable = hardware_efficient(15, 2)
    objective = qg.Expectation(circuit, observable)
    params = np.linspace(-1, 2, circuit.num_parameters)
    first, second = (np.asarray(qg.estimate(objective, params, qg.Adjoint(), NATIVE).gradient) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_second_derivatives_are_right_on_both_engines():
    """Through `as_jax`; differentiating a native gradient by hand is refused."""
    objective, point = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), jnp.array([0.3])
    for backend in (NATIVE, JAX):
        second = jax.hessian(qg.as_jax(objective, qg.Adjoint(), backend))(point)
        np.testing.assert_allclose(second, [[-np.cos(0.3)]], atol=1e-12)
    with pytest.raises(qg.NotApplicable, match="first derivatives only"):
        jax.jacrev(lambda p: qg.estimate(objective, p, qg.Adjoint(), NATIVE).gradient)(point)


def test_jax_differentiates_native_values_by_the_adjoint_method():
    """The exact value inside a user's own JAX function, without as_jax."""
    circuit, observable = hardware_efficient(3, 1)
    objective = qg.Expectation(circuit, observable)
    params = jnp.linspace(-1.0, 1.0, circuit.num_parameters)
    found = jax.grad(lambda p: qg.estimate(objective, p, qg.ParameterShift(), NATIVE).value)(params)
    np.testing.assert_allclose(found, qg.estimate(objective, params, qg.Adjoint(), JAX).gradient, atol=1e-11)


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(ValueError, match="engine='gpu': give 'auto', 'native' or 'jax'"):
        qg.Statevector(engine="gpu")


_INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np, qcgrad as qg
sys.path.insert(0, os.getcwd())
from tests.simulators.test_engines import hardware_efficient
circuit, observable = hardware_efficient(24, 80)
objective, params = qg.Expectation(circuit, observable), np.full(circuit.num_parameters, 0.3, np.float32)
sent, started = [], time.process_time()
def interrupt():
    while time.process_time() < started + 4:  # by then everything around the engine is prepared
        time.sleep(0.1)
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)
# Whoever runs the suite in the background has children that ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=interrupt).start()
try:
    qg.estimate(objective, params, qg.Adjoint())
except BaseException as error:
    assert isinstance(error, KeyboardInterrupt) or "interrupt" in str(error), repr(error)
    print("returned", time.process_time() - sent[0])
"""


def test_ctrl_c_returns_from_a_long_gradient():
    """In processor seconds, whoever else computes: the gradient takes about 20, a return less than one."""
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, timeout=120)
    assert "returned" in done.stdout, done.stderr[-2000:]
    assert float(done.stdout.split()[1]) < 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matrix_products_ask_for_full_precision(dtype):
    """A bug: an accelerator rounded the factors to 10 bits, and gradients in single precision were wrong by 4e-3."""
    circuit, observable = hardware_efficient(4, 2)
    program = qg.Expectation(circuit, observable).program
    prepared = ScannedCircuit(program, np.dtype(dtype), program.num_angles)
    angles = jnp.zeros((1, program.num_angles), dtype)
    for kernel, arguments in (
        (kernels.values, (angles,)),
        (kernels.sweeps, (angles, jnp.ones((1, 1), dtype))),
        (kernels.reverse, (angles[0], jnp.ones((1, 1), dtype))),
    ):
        products = [line for line in kernel.lower(prepared, *arguments).as_text().splitlines() if "dot_general" in line]
        assert len(products) >= 2
        assert all("precision = [HIGHEST, HIGHEST]" in line for line in products)


_IGNORED = """
import os, signal, sys, threading, time
import numpy as np, qcgrad as qg
sys.path.insert(0, os.getcwd())
from tests.simulators.test_engines import hardware_efficient
circuit, observable = hardware_efficient(18, 4)
objective, params = qg.Expectation(circuit, observable), np.full(circuit.num_parameters, 0.3, np.float32)
signal.signal(signal.SIGINT, signal.SIG_IGN)
first = qg.estimate(objective, params, qg.Adjoint())
is_over = threading.Event()
def interrupt():
    while not is_over.wait(0.001):
        os.kill(os.getpid(), signal.SIGINT)
thread = threading.Thread(target=interrupt)
thread.start()
second = qg.estimate(objective, params, qg.Adjoint())
is_over.set()
thread.join()
assert np.array_equal(first.gradient, second.gradient)
print("finished")
"""


def test_ctrl_c_stops_nothing_where_it_is_ignored():
    """In the background of a shell: the gradient is that of an undisturbed run."""
    done = subprocess.run([sys.executable, "-c", _IGNORED], capture_output=True, text=True, timeout=120)
    assert "finished" in done.stdout, done.stderr[-2000:]
