"""Sampling in the native engine: its distribution, its variances, its random numbers, its limits, its threads."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.queries import Evaluate
from qcgrad.simulators.statevector import native_library
from tests import dense
from tests.simulators.test_engines import hardware_efficient
from tests.simulators.test_statevector import chain
from tests.strategies import circuits, pauli_terms
from theory.statistics import assert_frequencies, counts, empirical_bernstein, key, normal, variance_ratio

if native_library.load() is None:
    pytest.skip("the native engine was not built", allow_module_level=True)

NATIVE, JAX = qg.Statevector(engine="native"), qg.Statevector(engine="jax")
DEFAULT_THREADS = native_library.load().qcgrad_num_threads()


@pytest.fixture
def threads():
    """Sets the number of threads for one test."""
    yield qg.set_num_threads
    qg.set_num_threads(DEFAULT_THREADS)


def sampled(program, angles, shots, seed=0, backend=NATIVE):
    return [np.asarray(part) for part in backend.answer(Evaluate(program, angles, shots), key(seed))[:2]]


def large_circuit(num_qubits, layers):
    """Several tiles, all three letters, identity and strings that share a basis."""
    circuit, observable = hardware_efficient(num_qubits, layers)
    n = num_qubits
    extra = qg.PauliSum({"Y" * n: 0.7, "I" * n: 2.0, "YX" + "I" * (n - 4) + "ZX": -0.4})
    program = qg.Expectation(circuit, [observable, extra]).program
    return program, np.random.default_rng(n).uniform(-3, 3, (3, program.num_angles))


@pytest.mark.statistical
@pytest.mark.parametrize("letters", ["ZZZ", "XYZ", "YXY"])
def test_outcome_frequencies_are_the_squared_amplitudes(letters):
    """All 8 outcomes of a basis from 200 000 shots: a shift of 1 % of the probability between halves is found."""
    circuit = qg.Circuit(3).ry(0, 1.2).ry(1, 1.3).cry(0, 1, 0.5).cx(1, 2).rz(0, 0.4).rx(2, 1.1)
    # Projectors on the 8 outcomes are Pauli sums over one basis.
    subsets = ["".join(p if (mask >> q) & 1 else "I" for q, p in enumerate(letters)) for mask in range(8)]
    parity = np.array([[(mask & outcome).bit_count() & 1 for mask in range(8)] for outcome in range(8)])
    projectors = [qg.PauliSum(dict(zip(subsets, (1 - 2.0 * row) / 8, strict=True))) for row in parity]
    program = qg.Expectation(circuit, projectors).program
    assert len(program.bases) == 1
    shots = 200_000
    mean, variance = sampled(program, np.zeros((1, 0)), shots)
    psi = dense.state(circuit)
    exact = np.array([np.real(psi.conj() @ observable.matrix() @ psi) for observable in projectors])
    assert_frequencies(np.round(mean[0] * shots), exact)
    np.testing.assert_allclose(variance[0], mean[0] * (1 - mean[0]) / (shots - 1), rtol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("shots", [100, 100_000])
def test_the_variance_is_that_of_a_coin(shots):
    """<Z> = cos t from N outcomes m = mean: the unbiased variance of the mean is (1 - m^2) / (N - 1), exactly."""
    program = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z").program
    angles = np.array([[0.3], [1.2], [2.9]])
    mean, variance = sampled(program, angles, shots)
    np.testing.assert_allclose(variance, (1 - mean**2) / (shots - 1), rtol=1e-9)
    low, high = counts(shots, (1 + np.cos(angles)) / 2, len(angles))
    ups = np.round(shots * (1 + mean) / 2)
    assert np.all((low <= ups) & (ups <= high))


@pytest.mark.statistical
def test_variances_of_bases_add_up():
    """Outcomes of <Z> and of 3 <X> are independent, though they share a circuit: their variances add."""
    z, x = (qg.Expectation(qg.Circuit(1).ry(0, param=0), {p: c}).program for p, c in (("Z", 1.0), ("X", 3.0)))
    both = qg.Expectation(qg.Circuit(1).ry(0, param=0), {"Z": 1.0, "X": 3.0}).program
    angles, shots = np.full((4000, 1), 0.8), 50
    means, variances = sampled(both, angles, shots)
    exact = (np.sin(0.8) ** 2 + 9 * np.cos(0.8) ** 2) / shots
    assert len(both.bases) == len(z.bases) + len(x.bases)
    low, high = variance_ratio(3999)  # 0.87 and 1.14
    assert low < means.var(ddof=1) / exact < high
    assert abs(means.mean() - np.cos(0.8) - 3 * np.sin(0.8)) < normal() * np.sqrt(exact / 4000)
    # A variance from 50 outcomes spreads by at most sqrt(2 / 50), so the mean of 4000 by 0.32 %.
    np.testing.assert_allclose(variances.mean(), exact, rtol=normal() * 0.0032)


@settings(max_examples=8)
@given(circuits(), st.data())
def test_the_same_key_gives_the_outcomes_of_the_jax_path(case, data):
    """Both engines draw the same numbers; 37 of 64 drawn count. Rounding flips an outcome with probability 1e-13."""
    circuit, params = case
    n = circuit.num_qubits
    program = qg.Expectation(circuit, [qg.PauliSum(data.draw(pauli_terms(n, 5))) for _ in range(2)]).program
    index, scale, offset = circuit.angle_map
    angles = (np.asarray(params)[index] * scale + offset) + np.array([[0.0], [0.3], [-1.0]])
    for found, expected in zip(*(sampled(program, angles, 37, backend=b) for b in (NATIVE, JAX)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("num_qubits", [5, 13, 15])
def test_states_of_several_tiles_give_the_outcomes_of_the_jax_path(num_qubits, threads):
    threads(3)
    program, angles = large_circuit(num_qubits, 2)
    for found, expected in zip(*(sampled(program, angles, (400, 7, 1), backend=b) for b in (NATIVE, JAX)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11, rtol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("num_qubits", [6, 15])
def test_float32_results_are_close_to_the_exact_ones(num_qubits):
    """Single precision has its own random numbers, so the comparison is with the exact value, to within 0.4."""
    program, angles = large_circuit(num_qubits, 1)
    exact = NATIVE.answer(Evaluate(program, angles), None).mean
    mean, variance = sampled(program, angles.astype(np.float32), 20_000)
    assert mean.dtype == variance.dtype == np.float32
    largest = 2 * np.array([np.abs(observable.coefficients).sum() for observable in program.observables])
    assert np.all(np.abs(mean - exact) < empirical_bernstein(variance, largest, 20_000, mean.size))
    double = sampled(program, angles, 20_000)[1]
    np.testing.assert_allclose(variance, double, rtol=0.1)


def test_identities_cost_no_measurement():
    program = qg.Expectation(qg.Circuit(2).ry(0, param=0), [qg.PauliSum({"II": 2.5}), qg.PauliSum("II")]).program
    mean, variance = sampled(program, np.zeros((3, 1)), 10)
    np.testing.assert_array_equal(mean, np.tile([2.5, 1.0], (3, 1)))
    assert not variance.any()


def test_one_shot_has_no_variance():
    program = qg.Expectation(qg.Circuit(1).h(0), ["Z", "X"]).program
    mean, variance = sampled(program, np.zeros((1, 0)), 1)
    assert (abs(mean[0, 0]), mean[0, 1]) == (1.0, 1.0)
    assert np.isnan(variance).all()


def test_nan_reaches_the_caller_and_stays_in_its_setting():
    program = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1), ["ZZ", "XX"]).program
    mean, variance = sampled(program, np.array([[0.3], [np.nan]]), 10)
    assert np.isfinite([mean[0], variance[0]]).all()
    assert np.isnan([mean[1], variance[1]]).all()


@pytest.mark.parametrize("num_qubits", [4, 15])
def test_vmap_is_a_loop(num_qubits):
    """Over keys, over parameters, over both, and twice, to 1e-12."""
    circuit, observable = hardware_efficient(num_qubits, 1)
    f = jax.jit(qg.as_jax(qg.Expectation(circuit, [observable, -observable]), qg.ParameterShift(shots=20), NATIVE))
    params = jnp.asarray(np.random.default_rng(1).uniform(-3, 3, (2, circuit.num_parameters)))
    keys = jax.random.split(jax.random.key(3), 2)
    loop = jnp.stack([jnp.stack([f(p, k) for k in keys]) for p in params])
    np.testing.assert_allclose(jax.vmap(f)(params, keys), loop[jnp.arange(2), jnp.arange(2)], atol=1e-12)
    np.testing.assert_allclose(jax.vmap(f, (None, 0))(params[0], keys), loop[0], atol=1e-12)
    np.testing.assert_allclose(jax.vmap(f, (0, None))(params, keys[0]), loop[:, 0], atol=1e-12)
    twice = jax.vmap(jax.vmap(f, (None, 0)), (0, None))(params, keys)
    np.testing.assert_allclose(twice, loop, atol=1e-12)
    gradient = jax.vmap(jax.jacrev(f), (None, 0))(params[0], keys)
    np.testing.assert_allclose(gradient[1], jax.jacrev(f)(params[0], keys[1]), atol=1e-12)


def test_samples_have_no_derivative_of_their_own():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    with pytest.raises(qg.NotApplicable, match="sampled expectation value has no derivative"):
        jax.grad(lambda p: qg.estimate(objective, p, qg.ParameterShift(shots=5), NATIVE, key=0).value)(jnp.ones(1))


@pytest.mark.statistical
def test_many_shots_need_memory_for_their_random_numbers_only():
    """2^20 shots of 12 qubits: 2 numbers a shot and basis are allowed, and no more; a table (S, 2^n) would be 34 GB."""
    program = qg.Expectation(qg.Circuit(12).ry(0, param=0), "Z" + 11 * "I").program
    shots, angles = 2**20, np.array([[0.4]])
    mean, variance = sampled(program, angles, shots, backend=qg.Statevector(max_bytes=16 * shots, engine="native"))
    assert abs(mean[0, 0] - np.cos(0.4)) < normal() * np.sqrt(variance[0, 0])
    with pytest.raises(qg.StateTooLarge, match=r"1,048,576 draws take 16,777,216 bytes .* 16,777,215 bytes"):
        sampled(program, angles, shots, backend=qg.Statevector(max_bytes=16 * shots - 1, engine="native"))


def test_sampling_holds_two_states_and_exact_values_one():
    program = qg.Expectation(chain(10), 9 * "I" + "X").program
    state, angles = 16 * 2**10, np.array([[0.4]])
    assert sampled(program, angles, 5, backend=qg.Statevector(max_bytes=2 * state, engine="native"))
    with pytest.raises(qg.StateTooLarge, match="holds 2 of them"):
        sampled(program, angles, 5, backend=qg.Statevector(max_bytes=2 * state - 1, engine="native"))
    exact = Evaluate(program, angles)
    assert qg.Statevector(max_bytes=state, engine="native").answer(exact, None)
    with pytest.raises(qg.StateTooLarge, match="holds 1 of them"):
        qg.Statevector(max_bytes=state - 1, engine="native").answer(exact, None)


@pytest.mark.parametrize(("num_qubits", "shots"), [(6, 5000), (15, 5000)])
def test_results_are_bitwise_reproducible_for_a_number_of_threads(num_qubits, shots, threads):
    """And differ in the last bits at most between numbers of threads, which change the order of sums."""
    program, angles = large_circuit(num_qubits, 1)
    found = {}
    for count in (1, 2, 3):
        threads(count)
        assert native_library.describe()["threads"] == count
        found[count], again = (sampled(program, angles, shots) for _ in range(2))
        assert [a.tobytes() for a in found[count]] == [a.tobytes() for a in again]
        np.testing.assert_allclose(found[count], found[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("count", [0, -1, True, 2.0, "4", None])
def test_a_number_of_threads_that_is_none_is_named(count):
    with pytest.raises(ValueError, match=f"count={count!r}: give a positive number of threads"):
        qg.set_num_threads(count)


_INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np, jax, qcgrad as qg
sys.path.insert(0, os.getcwd())
from tests.simulators.test_engines import hardware_efficient
circuit, observable = hardware_efficient(22, 12)
objective, params = qg.Expectation(circuit, observable), np.full(circuit.num_parameters, 0.3, np.float32)
sent = []
def interrupt():
    time.sleep(4)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
# Whoever runs the suite in the background has children that ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=interrupt).start()
try:
    qg.estimate(objective, params, qg.ParameterShift(shots=100), key=0)
except BaseException as error:
    assert isinstance(error, KeyboardInterrupt) or "interrupt" in str(error), repr(error)
    print("returned", time.monotonic() - sent[0])
"""


def test_ctrl_c_returns_from_a_long_sampling():
    """The gradient would take minutes; after the signal it returns (bound: five seconds)."""
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, timeout=120)
    assert "returned" in done.stdout, done.stderr[-2000:]
    assert float(done.stdout.split()[1]) < 5
