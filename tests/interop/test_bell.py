"""Bell measurements as circuits that another simulator runs, against our own sampler."""

import jax
import numpy as np
import pytest
from qiskit import transpile
from qiskit.primitives import StatevectorSampler

import qcgrad as qg
from qcgrad.interop import to_qiskit
from qcgrad.interop.sampler import SampledBell, bell_circuit, bell_outcomes
from qcgrad.ir.mixture import Mixture
from qcgrad.queries import BellSample, Ensemble, MajorityVotes
from tests import dense
from tests.simulators.test_multicopy import bell_distribution
from theory.statistics import FALSE_ALARM, assert_frequencies, key, normal, shifted


def qiskit_sampler(seed):
    device = StatevectorSampler(seed=seed)

    def sampler(circuit, shots):
        measured = transpile(to_qiskit(circuit), basis_gates=["cx", "u"])
        measured.measure_all()
        found = device.run([measured], shots=shots).result()[0].data.meas
        return [bits[::-1] for bits in found.get_bitstrings()]

    return sampler


def ansatz(n):
    circuit = qg.Circuit(n)
    for q in range(n):
        circuit = circuit.ry(q, 0.4 + q).rz(q, 0.3 * q)
    for q in range(n - 1):
        circuit = circuit.cx(q, q + 1)
    return circuit.rx(0, 0.7)


def program(circuit):
    return qg.Expectation(circuit.rz(0, param=0), "Z" * circuit.num_qubits).program


def partner(n):
    rng = np.random.default_rng(n)
    vectors = np.linalg.qr(rng.normal(size=(2**n, 2**n)) + 1j * rng.normal(size=(2**n, 2**n)))[0].T
    return Ensemble(rng.dirichlet(np.ones(2**n)), vectors)


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["two copies", "partner", "mixture"])
@pytest.mark.parametrize("n", [2, 3])
def test_outcomes_are_distributed_as_those_of_dense_states(n, kind):
    """8000 pairs from each sampler: a shift of 6 % of the probability between halves of the outcomes is found."""
    source = Mixture([(0.7, ansatz(n)), (0.3, qg.Circuit(n).h(0))]) if kind == "mixture" else program(ansatz(n))
    angles = np.zeros(0 if kind == "mixture" else 1)
    query = BellSample(source, angles, 8000, partner(n) if kind == "partner" else None)
    first = [(0.7, dense.state(ansatz(n))), (0.3, dense.state(qg.Circuit(n).h(0)))][: 2 if kind == "mixture" else 1]
    second = list(zip(*partner(n), strict=True)) if kind == "partner" else first
    exact = sum(p * q * bell_distribution(psi, phi) for p, psi in first for q, phi in second)
    for backend in (qg.Statevector(), SampledBell(qiskit_sampler(shifted(7)))):
        x, z = backend.answer(query, key(3))
        assert_frequencies(np.bincount(x * 2**n + z, minlength=4**n), exact / exact.sum())


def test_a_circuit_measures_the_product_of_two_states_exactly():
    """The final distribution of the 2n-qubit circuit gives <P>_psi <P>_phi for all 16 strings on 2 qubits."""
    circuits = ansatz(2), qg.Circuit(2).h(0).s(0).ry(1, 1.1)
    probabilities = np.abs(dense.state(bell_circuit(*circuits))) ** 2
    x, z = bell_outcomes([f"{outcome:04b}" for outcome in range(16)])
    states = [dense.state(circuit) for circuit in circuits]
    for p, q in np.ndindex(4, 4):
        odd = np.bitwise_count(p & z) + np.bitwise_count(q & x) + np.bitwise_count(np.int64(p & q))
        matrix = qg.PauliSum.from_masks(2, [p], [q], [1.0]).matrix()
        exact = np.prod([np.vdot(psi, matrix @ psi).real for psi in states])
        np.testing.assert_allclose(np.sum(probabilities * (-1.0) ** odd), exact, atol=1e-12)


def test_counts_and_strings_decode_alike():
    strings = ["0110", "1011", "0110"]
    by_string, by_count = bell_outcomes(strings), bell_outcomes({"0110": 2, "1011": 1})
    assert list(by_string.x) == [2, 3, 2]
    assert list(by_string.z) == [1, 2, 1]
    assert sorted(by_count.x) == sorted(by_string.x)


@pytest.mark.statistical
def test_votes_on_single_copies_follow_the_state():
    """<Y> = 0.96 on qubit 1 and <Z> = -1 on qubit 0: 21 copies decide both, but for a chance of 1e-13."""
    circuit = qg.Circuit(2).x(0).rx(1, -np.arcsin(0.96))
    masks = np.array([1, 0]), np.array([1, 2])
    query = MajorityVotes(program(circuit), np.zeros(1), *masks, np.array([0.9, 0.9]), 21, is_shared=False)
    signs, failures, fidelity = SampledBell(qiskit_sampler(shifted(1))).answer(query, key(0))
    assert (signs.tolist(), fidelity) == ([1, -1], "exact")
    np.testing.assert_allclose(failures, np.exp(-21 * 0.81 / 2))


@pytest.mark.statistical
def test_bell_shadow_runs_on_another_simulator_in_full():
    """Signs too, by a mimicking state (wrong with probability delta^0.36); tolerances are about 0.3."""
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1), "ZI + XX", ["YI", "XI", "ZY"])
    params = np.array([0.5, 1.1])
    truth = qg.estimate(pool, params, qg.Adjoint()).gradient
    shadow = qg.BellShadow(40_000, "mimicking", delta=FALSE_ALARM**3)
    e = qg.estimate(pool, params, shadow, SampledBell(qiskit_sampler(shifted(5))), key=key(0))
    # The root's slope between <P>^2 and its estimate is at most twice the one at the estimate.
    assert np.all(np.abs(e.gradient - truth) <= 2 * normal(3) * np.sqrt(e.variance) + e.bias_bound + 1e-9)
    assert np.array_equal(np.sign(e.gradient[np.abs(truth) > 0.5]), np.sign(truth[np.abs(truth) > 0.5]))
    with pytest.raises(qg.UnsupportedQuery, match="use signs='mimicking'"):
        qg.estimate(pool, params, qg.BellShadow(20_000), SampledBell(qiskit_sampler(5)), key=0)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: bell_outcomes(["011"]), "3 characters"),
        (lambda: bell_outcomes(["01", "0110"]), "same length"),
        (lambda: bell_outcomes(["0 11"]), "strings of 0 and 1"),
        (lambda: bell_outcomes([]), r"holds \[\]"),
        (lambda: bell_circuit(qg.Circuit(2), qg.Circuit(3)), "second has 3 qubits, but first has 2"),
    ],
)
def test_bad_input_is_named(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_a_sampler_that_loses_shots_is_refused():
    query = BellSample(program(ansatz(2)), np.zeros(1), 10)
    with pytest.raises(ValueError, match="returned 9 outcomes for 10 shots"):
        SampledBell(lambda circuit, shots: ["0000"] * (shots - 1)).answer(query, jax.random.key(0))
    with pytest.raises(TypeError, match="sampler is 'qiskit'"):
        SampledBell("qiskit")  # pyright: ignore[reportArgumentType]
    with pytest.raises(qg.UnsupportedQuery, match="does not answer str"):
        SampledBell(lambda circuit, shots: []).answer("?", None)
