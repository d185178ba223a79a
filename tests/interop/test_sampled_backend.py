"""Queries as circuits that another simulator runs, against dense states and against our own sampler."""

import pickle

import jax
import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop.sampler import SampledBackend, bell_circuit, bell_outcomes
from qcgrad.ir.basis_change import basis_change
from qcgrad.ir.mixture import Mixture
from qcgrad.ir.stabilizers import random_stabilizer_bases
from qcgrad.queries import (
    BellSample,
    Ensemble,
    Evaluate,
    MajorityVotes,
    MeasureBases,
    RandomizedMeasure,
    stabilizer_gates,
)
from tests import dense
from tests.simulators.test_multicopy import bell_distribution
from theory.statistics import FALSE_ALARM, assert_frequencies, key, normal, shifted, student, variance_ratio


class Device:
    """A sampler without noise that draws from dense states, and writes down what it ran."""

    def __init__(self, seed=0, fails_at=()):
        self.rng, self.fails_at = np.random.default_rng(seed), set(fails_at)
        self.calls, self.shots = 0, 0

    def __call__(self, pairs):
        self.calls += 1
        if self.calls in self.fails_at:
            raise OSError("the line is dead")
        self.shots += sum(shots for _, shots in pairs)
        return [self.outcomes(*pair) for pair in pairs]

    def outcomes(self, circuit, shots):
        weights = np.abs(dense.state(circuit)) ** 2
        drawn = self.rng.choice(len(weights), size=shots, p=weights / weights.sum())
        return [format(b, f"0{circuit.num_qubits}b") for b in drawn]


def ansatz(n):
    circuit = qg.Circuit(n)
    for q in range(n):
        circuit = circuit.ry(q, 0.4 + q).rz(q, 0.3 * q)
    for q in range(n - 1):
        circuit = circuit.cx(q, q + 1)
    return circuit.rx(0, 0.7)


def program(circuit, observables=None):
    return qg.Expectation(circuit.rz(0, param=0), observables or "Z" * circuit.num_qubits).program


def partner(n):
    generator = np.random.default_rng(n)
    matrix = generator.normal(size=(2**n, 2**n)) + 1j * generator.normal(size=(2**n, 2**n))
    return Ensemble(generator.dirichlet(np.ones(2**n)), np.linalg.qr(matrix)[0].T)


OBJECTIVE = qg.Expectation(qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1), "ZZ + 0.5*XI + 0.3*IX + 2.0*II")
PARAMS = np.array([0.5, 1.1])


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["two copies", "partner", "mixture"])
@pytest.mark.parametrize("n", [2, 3])
def test_bell_outcomes_are_distributed_as_those_of_dense_states(n, kind):
    """8000 pairs from each sampler: a shift of 6 % of the probability between halves of the outcomes is found."""
    source = Mixture([(0.7, ansatz(n)), (0.3, qg.Circuit(n).h(0))]) if kind == "mixture" else program(ansatz(n))
    angles = np.zeros(0 if kind == "mixture" else 1)
    query = BellSample(source, angles, 8000, partner(n) if kind == "partner" else None)
    first = [(0.7, dense.state(ansatz(n))), (0.3, dense.state(qg.Circuit(n).h(0)))][: 2 if kind == "mixture" else 1]
    second = list(zip(*partner(n), strict=True)) if kind == "partner" else first
    exact = sum(p * q * bell_distribution(psi, phi) for p, psi in first for q, phi in second)
    for backend in (qg.Statevector(), SampledBackend(Device(shifted(7)))):
        x, z = backend.answer(query, key(3))
        assert_frequencies(np.bincount(x * 2**n + z, minlength=4**n), exact / exact.sum())


def test_a_bell_circuit_measures_the_product_of_two_states_exactly():
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


def unitary(circuit):
    n = circuit.num_qubits
    flips = [[qg.Gate("x", (q,)) for q in range(n) if j >> (n - 1 - q) & 1] for j in range(2**n)]
    return np.array([dense.state(qg.Circuit(n, [*flip, *circuit.gates])) for flip in flips]).T


@pytest.mark.parametrize(("n", "count"), [(1, 1), (2, 2), (3, 1), (3, 2), (3, 3)])
def test_a_basis_change_turns_commuting_strings_into_strings_of_z(n, count):
    """Also of fewer strings than qubits, of dependent ones and of identities, with no more gates than are charged."""
    xs, zs = random_stabilizer_bases(n, 20, np.random.default_rng(4))
    for x, z in zip(xs[:, :count], zs[:, :count], strict=True):
        x, z = np.append(x, [0, x[0] ^ x[-1]]), np.append(z, [0, z[0] ^ z[-1]])
        change = basis_change(x, z, n)
        assert len(change.gates) <= stabilizer_gates(n)
        u = unitary(qg.Circuit(n, change.gates))
        for given, mask, sign in zip(zip(x, z, strict=True), change.masks, change.signs, strict=True):
            before = qg.PauliSum.from_masks(n, [given[0]], [given[1]], [1.0]).matrix()
            after = qg.PauliSum.from_masks(n, [0], [mask], [float(sign)]).matrix()
            np.testing.assert_allclose(u @ before @ u.conj().T, after, atol=1e-12)


@pytest.mark.statistical
def test_sets_of_strings_are_measured_together():
    """A local set, an entangled one, and one without shots, on 3 qubits; a shift of 6 % of 8000 copies is found."""
    x = np.array([[0b100, 0b010], [0b110, 0b001], [0b001, 0b000]])
    z = np.array([[0b000, 0b010], [0b011, 0b100], [0b000, 0b110]])
    query = MeasureBases(program(ansatz(3)), np.zeros(1), x, z, np.array([8000, 8000, 0]))
    found = SampledBackend(Device(shifted(2))).answer(query, key(1)).counts
    psi = dense.state(ansatz(3))
    for b in range(2):
        matrices = [qg.PauliSum.from_masks(3, [x[b, i]], [z[b, i]], [1.0]).matrix() for i in range(2)]
        p, q = (np.eye(8) + m for m in matrices)
        m, k = (np.eye(8) - m for m in matrices)
        exact = [np.vdot(psi, one @ other @ psi).real / 4 for other in (q, k) for one in (p, m)]
        assert_frequencies(found[b], exact)
    assert found[2].sum() == 0


@pytest.mark.statistical
@pytest.mark.parametrize("ensemble", ["local", "clifford"])
def test_random_bases_give_snapshots_of_the_state(ensemble):
    """Measured strings average to their expectation: <YI>, <IX> and <YX> within 0.2 (4000 copies)."""
    circuit = qg.Circuit(2).rx(0, -0.9).ry(1, 0.6)
    device = Device(shifted(3))
    query = RandomizedMeasure(program(circuit), np.zeros(1), ensemble, 4000)
    found = SampledBackend(device).answer(query, key(2))
    psi = dense.state(circuit)
    for p, q in ((2, 2), (1, 0), (3, 2)):
        exact = np.vdot(psi, qg.PauliSum.from_masks(2, [p], [q], [1.0]).matrix() @ psi).real
        outcomes = []
        for x, z, bits in zip(*found, strict=True):
            for a in range(1, 4):
                picked = [i for i in range(2) if a >> i & 1]
                if (np.bitwise_xor.reduce(x[picked]), np.bitwise_xor.reduce(z[picked])) == (p, q):
                    product = np.eye(4)
                    for i in picked:
                        product = product @ qg.PauliSum.from_masks(2, [x[i]], [z[i]], [1.0]).matrix()
                    string = qg.PauliSum.from_masks(2, [p], [q], [1.0]).matrix()
                    sign = 1 if np.allclose(product, string) else -1
                    outcomes.append(sign * (-1) ** int(np.bitwise_count(np.int64(bits & a))))
        assert abs(np.mean(outcomes) - exact) <= normal(6) / np.sqrt(len(outcomes))
    assert device.shots == 4000


@pytest.mark.statistical
def test_votes_on_single_copies_follow_the_state():
    """<Y> = 0.96 on qubit 1 and <Z> = -1 on qubit 0: 21 copies decide both, but for a chance of 1e-13."""
    circuit = qg.Circuit(2).x(0).rx(1, -np.arcsin(0.96))
    masks = np.array([1, 0]), np.array([1, 2])
    query = MajorityVotes(program(circuit), np.zeros(1), *masks, np.array([0.9, 0.9]), 21, is_shared=False)
    signs, failures, fidelity = SampledBackend(Device(shifted(1)), is_noisy=False).answer(query, key(0))
    assert (signs.tolist(), fidelity) == ([1, -1], "exact")
    np.testing.assert_allclose(failures, np.exp(-21 * 0.81 / 2))


@pytest.mark.statistical
def test_bell_shadow_runs_on_another_simulator_in_full():
    """Signs too, by a mimicking state (wrong with probability delta^0.36); tolerances are about 0.3."""
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1), "ZI + XX", ["YI", "XI", "ZY"])
    truth = qg.estimate(pool, PARAMS, qg.Adjoint()).gradient
    shadow = qg.BellShadow(40_000, "mimicking", delta=FALSE_ALARM**3)
    e = qg.estimate(pool, PARAMS, shadow, SampledBackend(Device(shifted(5)), is_noisy=False), key=key(0))
    # The root's slope between <P>^2 and its estimate is at most twice the one at the estimate.
    assert np.all(np.abs(e.gradient - truth) <= 2 * normal(3) * np.sqrt(e.variance) + e.bias_bound + 1e-9)
    assert np.array_equal(np.sign(e.gradient[np.abs(truth) > 0.5]), np.sign(truth[np.abs(truth) > 0.5]))
    with pytest.raises(qg.UnsupportedQuery, match=r"BellShadow: .* use signs='mimicking'"):
        qg.estimate(pool, PARAMS, qg.BellShadow(20_000), SampledBackend(Device()), key=0)


@pytest.mark.statistical
def test_sampled_means_have_the_mean_and_variance_of_the_truth():
    """400 means of 20 shots, two bases, strings that share shots: variances are unbiased within 60 %."""
    query = Evaluate(OBJECTIVE.program, np.tile(PARAMS, (400, 1)), 20)
    found = SampledBackend(Device(shifted(4)), is_noisy=False).answer(query, key(0))
    exact = qg.Statevector().answer(Evaluate(OBJECTIVE.program, PARAMS[None]), None).mean[0, 0]
    means, variances = found.mean[:, 0], found.variance[:, 0]
    assert abs(means.mean() - exact) <= student(2, 399) * means.std(ddof=1) / 20
    low, high = variance_ratio(399)
    # The mean of 400 reported variances of 20 shots each is off by a few percent itself.
    assert low / 1.06 < means.var(ddof=1) / variances.mean() < high * 1.06


def test_the_numbers_of_shots_may_differ_and_one_shot_has_no_variance():
    query = Evaluate(OBJECTIVE.program, np.tile(PARAMS, (3, 1)).astype(np.float32), (1, 2, 50))
    device = Device()
    found = SampledBackend(device).answer(query, key(0))
    assert np.isnan(found.variance[0, 0])
    assert np.isfinite(found.variance[1:]).all()
    assert found.mean.dtype == found.variance.dtype == np.float32
    assert (device.calls, device.shots) == (1, query.cost().copies)


def test_a_constant_needs_no_circuit():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "2.5*I")
    device = Device()
    e = qg.estimate(objective, [0.3], qg.ParameterShift(shots=10), SampledBackend(device, is_noisy=False), key=0)
    assert (float(e.value), e.gradient.tolist(), device.shots) == (2.5, [0.0], 0)


@pytest.mark.parametrize(
    "method",
    [
        qg.ParameterShift(shots=50),
        qg.ParameterShift(shots=50, split="coefficient"),
        qg.DirectPauli(300),
        qg.LocalShadow(200),
        qg.CliffordShadow(200),
        qg.MutuallyUnbiasedBases(250),
        qg.BellShadow(500, "mimicking"),
    ],
    ids=lambda method: type(method).__name__,
)
def test_the_shots_that_are_charged_are_the_shots_that_ran(method):
    circuit = qg.Circuit(2).ry(0, param=0, scale=2.0).cx(0, 1).rx(1, param=1)
    pool = qg.OperatorPool(circuit, "ZI + 0.5*XX", ["YI", "XZ", "IX"])
    device = Device()
    e = qg.estimate(pool, PARAMS, method, SampledBackend(device), key=key(0))
    assert e.cost.shots == device.shots
    assert device.calls <= 5  # one batch for each question


def test_noise_of_unknown_size_is_said_whatever_the_method():
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["Y"])
    for method in (qg.ParameterShift(shots=20), qg.DirectPauli(200), qg.LocalShadow(200)):
        noisy, ideal = (
            qg.estimate(pool, [0.5], method, SampledBackend(Device(), is_noisy=i), key=0) for i in (1 > 0, 1 < 0)
        )
        assert (noisy.fidelity, ideal.fidelity) == ("noisy", "exact")
        assert np.isnan(noisy.bias_bound).all()
        assert np.isnan(noisy.value_bias_bound)
        assert (ideal.bias_bound == 0).all()
        np.testing.assert_array_equal(noisy.gradient, ideal.gradient)


def test_exact_values_and_coherent_sweeps_are_refused_with_the_method_that_asked():
    backend = SampledBackend(Device())
    with pytest.raises(qg.UnsupportedQuery, match=r"ParameterShift: .* no exact expectation values: give shots"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), backend)
    with pytest.raises(qg.UnsupportedQuery, match=r"GentleSweep: backend SampledBackend does not answer PointerSweep"):
        qg.estimate(OBJECTIVE, PARAMS, qg.GentleSweep(4000), backend, key=0)
    with pytest.raises(qg.AccessError, match="white_box"):
        qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint(), backend)


@pytest.mark.statistical
def test_a_function_of_jax_calls_it_on_the_host_and_tracing_through_it_is_refused():
    backend, method = SampledBackend(Device(shifted(1)), is_noisy=False), qg.ParameterShift(shots=400)
    f = qg.as_jax(OBJECTIVE, method, backend)
    value, gradient = jax.jit(jax.value_and_grad(f))(PARAMS, jax.random.key(0))
    truth = qg.estimate(OBJECTIVE, PARAMS, qg.Adjoint())
    assert abs(value - truth.value) < 0.6
    assert np.all(np.abs(gradient - truth.gradient) < 0.6)
    with pytest.raises(qg.NotApplicable, match="SampledBackend cannot be traced by JAX"):
        jax.jit(lambda p: qg.estimate(OBJECTIVE, p, method, backend, key=0).value)(PARAMS)


FORMS = {
    "strings": list,
    "a generator": lambda strings: (bits for bits in strings),
    "counts": lambda strings: {bits: strings.count(bits) for bits in strings},
    "an array of integers": lambda strings: np.array([[int(b) for b in bits] for bits in strings]),
    "an array of booleans": lambda strings: np.array([[b == "1" for b in bits] for bits in strings]),
    "an array of strings": np.array,
}


@pytest.mark.parametrize("form", FORMS)
def test_outcomes_may_be_written_in_many_ways(form):
    query = Evaluate(OBJECTIVE.program, PARAMS[None], 30)
    given, written = (
        SampledBackend(lambda pairs, w=w: list(map(w, Device(1)(pairs)))).answer(query, key(0))
        for w in (list, FORMS[form])
    )
    np.testing.assert_allclose(given.mean, written.mean, atol=1e-12)
    np.testing.assert_allclose(given.variance, written.variance, atol=1e-12)


def test_counts_are_put_in_random_order():
    """Sorted as they come, the first half of the outcomes would differ from the second."""
    query = BellSample(program(ansatz(2)), np.zeros(1), 400)
    x, _ = SampledBackend(lambda pairs: [{"0000": 200, "0001": 200}]).answer(query, key(0))
    assert 50 < np.sum(x[:200]) < 150


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda pairs: [["00"] * (s - 1) for _, s in pairs], "9 outcomes came back for 10 shots"),
        (lambda pairs: [["00"] * (s + 1) for _, s in pairs], "11 outcomes came back for 10 shots"),
        (
            lambda pairs: [["00"] * s for _, s in pairs][1:],
            "2 results came back for 3 circuits|1 results .* 2 circuits",
        ),
        (lambda pairs: [["000"] * s for _, s in pairs], "bitstrings of 3 bits came back for 2 qubits"),
        (lambda pairs: [["0 0"] * s for _, s in pairs], "a space stands between registers"),
        (lambda pairs: [{0: s} for _, s in pairs], "write all bits, format"),
        (lambda pairs: [{"0x0": s} for _, s in pairs], "write all bits, format"),
        (lambda pairs: [{"00": 1.0} for _, s in pairs], "a count is 1.0: give how often"),
        (lambda pairs: [{"00": -1} for _, s in pairs], "a count is -1"),
        (lambda pairs: [np.full((s, 2), np.nan) for _, s in pairs], "an array holds nan"),
        (lambda pairs: [["00"] * (s - 1) + ["0"] for _, s in pairs], "all of the same length"),
        (lambda pairs: ["00" for _ in pairs], "give one bitstring for each shot"),
        (lambda pairs: [None for _ in pairs], "None came back"),
        (lambda pairs: None, "None came back for 2 circuits: return one result for each"),
        (lambda pairs: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_read_is_named(answer, message):
    query = Evaluate(OBJECTIVE.program, PARAMS[None], 10)
    with pytest.raises(qg.BackendFailed, match=message):
        SampledBackend(answer).answer(query, key(0))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: bell_outcomes(["011"]), "3 characters"),
        (lambda: bell_outcomes(["01", "0110"]), "same length"),
        (lambda: bell_outcomes(["0 11"]), "strings of 0 and 1"),
        (lambda: bell_outcomes([]), r"holds \[\]"),
        (lambda: bell_circuit(qg.Circuit(2), qg.Circuit(3)), "second has 3 qubits, but first has 2"),
        (lambda: SampledBackend(Device(), retries=-1), "retries is -1"),
        (lambda: SampledBackend(Device(), max_circuits=0), "max_circuits is 0"),
    ],
)
def test_bad_input_is_named(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_what_is_no_function_or_no_query_is_named():
    with pytest.raises(TypeError, match="sampler is 'qiskit'"):
        SampledBackend("qiskit")  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="is_noisy is 'no'"):
        SampledBackend(len, is_noisy="no")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="key is missing: Evaluate with shots draws"):
        SampledBackend(Device()).answer(Evaluate(OBJECTIVE.program, PARAMS[None], 10), None)
    with pytest.raises(qg.UnsupportedQuery, match="does not answer str"):
        SampledBackend(Device()).answer("?", None)  # pyright: ignore[reportArgumentType]


def test_a_call_that_fails_is_made_again():
    device = Device(fails_at={1, 2, 4})
    e = qg.estimate(
        OBJECTIVE, PARAMS, qg.ParameterShift(shots=5), SampledBackend(device, max_circuits=5, retries=2), key=0
    )
    assert str(e.result) == "ok"
    assert device.shots == e.cost.copies


def test_what_was_answered_before_a_failure_is_kept_and_the_rest_is_asked():
    """The value and the first shifted settings are known; going on gives what one run gives, and no copy twice."""
    method = qg.ParameterShift(shots=5)
    whole = qg.estimate(OBJECTIVE, PARAMS, method, SampledBackend(Device(8), max_circuits=3), key=0)
    device = Device(8, fails_at={3, 4})
    backend = SampledBackend(device, max_circuits=3)
    with qg.Tracker() as spent:
        with pytest.raises(qg.BackendFailed, match=r"OSError: the line is dead.*resume=error") as caught:
            qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0)
        error = pickle.loads(pickle.dumps(caught.value))
        known = error.estimate
        assert str(known.result) == "backend_failed"
        assert known.value == whole.value
        assert np.isfinite(known.gradient).tolist() == [True, False]
        assert known.gradient[0] == whole.gradient[0]
        assert known.cost.copies == 30  # three settings in two bases
        with pytest.raises(qg.BackendFailed) as again:
            qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0, resume=error)
        e = qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0, resume=again.value)
    np.testing.assert_array_equal(e.gradient, whole.gradient)
    assert e.cost == whole.cost
    assert device.shots == spent.total.copies == whole.cost.copies


def test_methods_in_rounds_go_on_in_the_round_that_failed():
    pool = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).ry(1, param=1).cx(0, 1), "ZI + XX", ["YI", "XI", "ZY"])
    method = qg.BellShadow(2000, "mimicking")
    whole, first = Device(3), Device(3)
    right = qg.estimate(pool, PARAMS, method, SampledBackend(whole), key=0)
    assert whole.calls > 2
    first.fails_at = {whole.calls}
    backend = SampledBackend(first)
    with pytest.raises(qg.BackendFailed) as caught:
        qg.estimate(pool, PARAMS, method, backend, key=0)
    e = qg.estimate(pool, PARAMS, method, backend, key=0, resume=caught.value)
    np.testing.assert_array_equal(e.gradient, right.gradient)
    assert e.cost == right.cost


def test_an_error_of_another_estimate_is_refused():
    backend = SampledBackend(Device(fails_at={1}))
    with pytest.raises(qg.BackendFailed) as caught:
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=5), backend, key=0)
    for params, method in ((PARAMS + 1, qg.ParameterShift(shots=5)), (PARAMS, qg.ParameterShift(shots=6))):
        with pytest.raises(ValueError, match="the error of another estimate"):
            qg.estimate(OBJECTIVE, params, method, backend, key=0, resume=caught.value)
    with pytest.raises(TypeError, match="resume is 3"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=5), backend, key=0, resume=3)  # pyright: ignore[reportArgumentType]


def test_what_a_noisy_backend_answered_stays_noisy_whoever_goes_on():
    calls = []

    def sampler(batch):
        calls.append(batch)
        if len(calls) == 4:
            raise OSError("the line is dead")
        return [np.zeros((shots, circuit.num_qubits), int) for circuit, shots in batch]

    method = qg.ParameterShift(shots=5)
    with pytest.raises(qg.BackendFailed) as caught:
        qg.estimate(OBJECTIVE, PARAMS, method, SampledBackend(sampler, max_circuits=1), key=0)
    ideal = SampledBackend(lambda batch: [np.zeros((s, c.num_qubits), int) for c, s in batch], is_noisy=False)
    finished = qg.estimate(OBJECTIVE, PARAMS, method, ideal, key=0, resume=caught.value)
    for e in (caught.value.estimate, finished):
        assert "noisy" in e.fidelity
        assert np.isnan(e.bias_bound).all()


def test_a_backend_that_cannot_go_on_says_that_it_asks_again():
    method = qg.ParameterShift(shots=5)
    with pytest.raises(qg.BackendFailed) as caught:
        qg.estimate(OBJECTIVE, PARAMS, method, SampledBackend(Device(fails_at={2}), max_circuits=3), key=0)
    with pytest.warns(UserWarning, match="Statevector cannot go on inside a question.*Evaluate is dropped"):
        found = qg.estimate(OBJECTIVE, PARAMS, method, key=0, resume=caught.value)
    assert np.isfinite(found.gradient).all()
