"""The statevector simulator against dense matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import unitary_group

import qcgrad as qg
from qcgrad.queries import AdjointSweep, Evaluate
from qcgrad.simulators.statevector import _kernels as kernels
from qcgrad.simulators.statevector import _walk as walk
from qcgrad.simulators.statevector import native_library
from qcgrad.simulators.statevector._register import WholeRegister
from tests import dense
from tests.strategies import circuits, pauli_terms
from theory.statistics import assert_frequencies, key

ENGINES = ["jax", "native"] if native_library.load() is not None else ["jax"]
on_every_engine = pytest.mark.parametrize("engine", ENGINES)


def angles_of(circuit, params):
    index, scale, offset = circuit.angle_map
    return np.asarray(params)[index] * scale + offset


@on_every_engine
@given(circuits())
def test_states_of_random_circuits_phase_included(engine, case):
    circuit, params = case
    program = qg.Expectation(circuit, "Z" * circuit.num_qubits).program
    state = qg.Statevector(engine=engine).state(program, angles_of(circuit, params))
    np.testing.assert_allclose(state, dense.state(circuit, params), atol=1e-12)


@on_every_engine
@settings(max_examples=15)
@given(circuits(max_qubits=4), st.data())
def test_expectations_of_random_observables(engine, case, data):
    circuit, params = case
    terms = [data.draw(pauli_terms(circuit.num_qubits, 7)) for _ in range(2)]
    program = qg.Expectation(circuit, [qg.PauliSum(t) for t in terms]).program
    settings = angles_of(circuit, params) + np.array([[0.0], [0.1], [-0.2]])
    mean, variance, *_ = qg.Statevector(engine=engine).answer(Evaluate(program, settings), None)
    psi = dense.state(circuit, params)
    exact = [np.real(psi.conj() @ dense.observable_matrix(t) @ psi) for t in terms]
    assert mean.shape == (3, 2)
    np.testing.assert_allclose(mean[0], exact, atol=1e-11)
    assert not variance.any()


@on_every_engine
@settings(max_examples=10)
@given(circuits(max_qubits=3, max_gates=8), st.data())
def test_sweeps_are_central_differences_of_the_dense_expectation(engine, case, data):
    """Step 1e-4 of a smooth function: agreement to 1e-5, for both white-box methods and two outputs."""
    circuit, params = case
    terms = [data.draw(pauli_terms(circuit.num_qubits, 3)) for _ in range(2)]
    objective = qg.Expectation(circuit, [qg.PauliSum(t) for t in terms])
    differences = np.zeros((2, len(params)))
    for i, step in enumerate(np.eye(len(params)) * 1e-4):
        for k, t in enumerate(terms):
            up, down = dense.expectation(circuit, params + step, t), dense.expectation(circuit, params - step, t)
            differences[k, i] = (up - down) / 2e-4
    for estimator in (qg.Adjoint(), qg.ReverseMode()):
        found = qg.estimate(objective, params, estimator, qg.Statevector(engine=engine))
        np.testing.assert_allclose(found.gradient, differences, atol=2e-5 * max(1, np.abs(differences).max()))


@on_every_engine
def test_cotangents_are_linear_combinations_of_the_rows(engine):
    circuit = qg.Circuit(2).ry(0, param=0).crx(0, 1, param=1)
    program = qg.Expectation(circuit, ["ZI", "IY"]).program
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, -2.0]])
    _, gradient = qg.Statevector(engine=engine).answer(AdjointSweep(program, np.array([0.4, 1.2]), rows), None)
    np.testing.assert_allclose(gradient[2], 0.5 * gradient[0] - 2 * gradient[1], atol=1e-12)


@on_every_engine
def test_wide_unitaries_act_on_their_wires_in_order(engine):
    matrix = unitary_group.rvs(8, random_state=1)
    circuit = (
        qg.Circuit(4).h(1).ry(3, 0.4).unitary(matrix, [3, 0, 2]).unitary(unitary_group.rvs(2, random_state=2), [1])
    )
    state = qg.Statevector(engine=engine).state(qg.Expectation(circuit, "ZZZZ").program, np.zeros(0))
    np.testing.assert_allclose(state, dense.state(circuit), atol=1e-13)


@pytest.mark.statistical
@on_every_engine
@pytest.mark.parametrize("observable", ["ZZZ", "XYZ", "YXI"])
def test_sampled_outcomes_follow_the_exact_distribution(engine, observable):
    """4000 outcomes of a product basis, 8 in number: a shift of 7 % of the probability between halves is found."""
    circuit = qg.Circuit(3).ry(0, 1.2).ry(1, 1.3).cry(0, 1, 0.5).cx(1, 2).rz(0, 0.4).rx(2, 1.1)
    # The value of this observable tells all outcomes of its basis apart.
    letters = [letter if letter != "I" else "Z" for letter in observable]
    terms = {"".join(letter if q == k else "I" for q, letter in enumerate(letters)): 2.0**-k for k in range(3)}
    program = qg.Expectation(circuit, qg.PauliSum(terms)).program
    assert len(program.bases) == 1
    shots = 4000
    counts = np.zeros(8)
    settings = np.zeros((shots, 0))
    mean = qg.Statevector(engine=engine).answer(Evaluate(program, settings, 1), key(2)).mean
    # sum_k 2^-k (-1)^{b_k} = 1.75 - 2 sum_k 2^-k b_k
    outcome = np.round((1.75 - np.asarray(mean)[:, 0]) / 2 * 4).astype(int)
    np.add.at(counts, outcome, 1)
    psi = dense.state(circuit).reshape(2, 2, 2)
    to_z = {"X": dense.FIXED["h"], "Y": dense.FIXED["h"] @ dense.FIXED["sdg"], "Z": np.eye(2)}
    for q, letter in enumerate(letters):
        psi = dense.apply(psi, to_z[letter], (q,))
    assert_frequencies(counts, np.abs(psi.ravel()) ** 2)


@on_every_engine
def test_outcomes_of_probability_zero_are_never_drawn(engine):
    """A GHZ state has no odd parity: 10^4 shots of ZZ give exactly 1."""
    program = qg.Expectation(qg.Circuit(2).h(0).cx(0, 1), "ZZ").program
    mean, variance, *_ = qg.Statevector(engine=engine).answer(
        Evaluate(program, np.zeros((1, 0)), 10_000), jax.random.key(0)
    )
    assert (mean.item(), variance.item()) == (1.0, 0.0)


@pytest.mark.statistical
@on_every_engine
def test_settings_with_different_shots_get_their_own(engine):
    """The spread of the mean follows each setting's own number of shots, not the largest.

    It is that of a fair coin but for the square of the mean, and a mean of 10^4 outcomes is 0.01 from 0, not 0.2.
    """
    program = qg.Expectation(qg.Circuit(1).h(0), "Z").program
    _, variance, *_ = qg.Statevector(engine=engine).answer(
        Evaluate(program, np.zeros((3, 0)), (10_000, 100_000, 1)), key(0)
    )
    np.testing.assert_allclose(variance[:2, 0], [1 / 10_000, 1 / 100_000], rtol=0.05)
    assert np.isnan(variance[2, 0])


@given(st.integers(1, 300), st.sampled_from([2, 4, 16]))
def test_buckets_are_powers_of_two_that_hold_the_length(length, smallest):
    size = walk.bucket(length, smallest)
    assert size >= length
    assert size == smallest or size < 2 * length
    assert size.bit_count() == 1


def run_rows(psi, rows, angles):
    """All rows on a state (4,), one by one."""
    register = WholeRegister(2)
    columns = (walk.without_matrices(rows), *walk.coefficients(rows, angles))
    for i in range(len(rows.x)):
        row, a, b = jax.tree.map(lambda column, i=i: column[i], columns)
        psi = walk.apply_row(register, psi, row, a, b, rows.matrices)
    return psi


@pytest.mark.slow
def test_padding_rows_change_nothing():
    table = qg.Circuit(2).h(0).crx(0, 1, param=0).unitary(dense.FIXED["iswap"], [1, 0]).op_table
    rows = walk.to_rows(table, np.dtype(np.float64))
    assert len(rows.x) == 64
    rows = jax.tree.map(jnp.asarray, rows)
    psi = unitary_group.rvs(4, random_state=0)[:, 0]
    cut = jax.tree.map(lambda column: column[: table.num_ops], rows)._replace(matrices=rows.matrices)
    padded, unpadded = (run_rows(jnp.asarray(psi), r, jnp.array([0.3])) for r in (rows, cut))
    np.testing.assert_array_equal(padded, unpadded)


@on_every_engine
@pytest.mark.parametrize(
    "estimator", [qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift(), qg.ParameterShift(shots=50)]
)
def test_float32_parameters_give_complex64_results_close_to_complex128(engine, estimator):
    circuit = qg.Circuit(3).ry(0, param=0).crx(0, 1, param=1).cx(1, 2).rzz(0, 2, param=2)
    objective = qg.Expectation(circuit, {"ZZI": 1.0, "XIX": 0.5})
    params = np.array([0.4, 1.1, -0.6])
    single = qg.estimate(objective, params.astype(np.float32), estimator, qg.Statevector(engine=engine), key=0)
    double = qg.estimate(objective, params, estimator, qg.Statevector(engine=engine), key=0)
    for field in ("value", "gradient", "variance", "bias_bound"):
        assert getattr(single, field).dtype == np.float32
    if estimator.access.name == "white_box" or estimator.shots is None:
        np.testing.assert_allclose(single.gradient, double.gradient, atol=2e-6)
    assert qg.Statevector(engine=engine).state(objective.program, params.astype(np.float32)).dtype == np.complex64
    assert qg.Statevector(engine=engine).state(objective.program, params).dtype == np.complex128


@on_every_engine
def test_a_second_circuit_of_the_same_size_compiles_nothing(engine):
    def circuit(kind):
        c = qg.Circuit(5)
        for layer in range(4):
            for q in range(5):
                c = c.ry(q, param=5 * layer + q) if (q + kind) % 2 else c.rx(q, param=5 * layer + q)
            c = c.cx(0, 4).cz(1, 3) if kind else c.cz(0, 2).ccx(3, 4, 1)
        return c

    kernel_of = {
        qg.Adjoint(): kernels.sweeps,
        qg.ReverseMode(): kernels.reverse,
        qg.ParameterShift(): kernels.values,
    }
    for estimator, kernel in kernel_of.items():
        qg.estimate(qg.Expectation(circuit(0), "ZZZZZ + XXXXX"), np.ones(20), estimator, qg.Statevector(engine=engine))
        before = kernel._cache_size()
        qg.estimate(qg.Expectation(circuit(1), "ZZZZZ + XYXXX"), np.ones(20), estimator, qg.Statevector(engine=engine))
        assert kernel._cache_size() == before


def chain(num_qubits):
    """All qubits turn, and the last one depends on all."""
    circuit = qg.Circuit(num_qubits).ry(0, param=0)
    for q in range(num_qubits - 1):
        circuit = circuit.h(q + 1).cx(q, q + 1)
    return circuit


def test_a_state_that_does_not_fit_is_refused_with_its_bytes():
    """40 qubits in complex128 take 2^44 bytes; nothing is allocated before the refusal."""
    objective = qg.Expectation(chain(40), 39 * "I" + "Z")
    for estimator in (qg.Adjoint(), qg.ReverseMode(), qg.ParameterShift()):
        with pytest.raises(qg.StateTooLarge, match=r"40 qubits in complex128 takes 17,592,186,044,416 bytes"):
            qg.estimate(objective, [0.0], estimator, key=0)


def test_the_memory_limit_counts_the_states_a_query_holds():
    objective = qg.Expectation(chain(4), "IIIZ")
    enough = qg.Statevector(max_bytes=6 * 16 * 16, engine="jax")
    assert qg.estimate(objective, [0.1], qg.Adjoint(), enough).result == "ok"
    with pytest.raises(qg.StateTooLarge, match=r"1,535 bytes .* are allowed"):
        qg.estimate(objective, [0.1], qg.Adjoint(), qg.Statevector(max_bytes=6 * 16 * 16 - 1, engine="jax"))
    with pytest.raises(MemoryError, match="holds"):
        qg.estimate(objective, [0.1], qg.ReverseMode(), qg.Statevector(max_bytes=256))


@pytest.mark.parametrize("limit", [0, -5, 2.5, True])
def test_a_memory_limit_that_is_no_number_of_bytes_is_named(limit):
    with pytest.raises(ValueError, match=f"max_bytes={limit}"):
        qg.Statevector(max_bytes=limit)
