"""V2 primitives of Qiskit answer queries: Aer with and without noise, and backends with few connections."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    BaseEstimatorV2,
    BaseSamplerV2,
    BitArray,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer import primitives as aer
from qiskit_aer.noise import NoiseModel, depolarizing_error

import qcgrad as qg
from qcgrad.interop import QcgradEstimator, QiskitBackend
from qcgrad.queries import BellSample, Evaluate, MeasureBases
from qcgrad.testing import check_backend
from theory.statistics import counts, key, normal, shifted

# Aer says so of Qiskit's made-up device.
pytestmark = pytest.mark.filterwarnings("ignore:Qiskit backend .* has no QubitProperties")

CIRCUIT = qg.Circuit(3).ry(0, param=0).cx(0, 2).rx(1, param=1).cz(1, 2).h(2)
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZIX + 0.5*YZI + 2.0*III", "IZZ"])
PARAMS = np.array([0.5, 1.1])
LINE = [[i, j] for i in range(6) for j in (i - 1, i + 1) if 0 <= j < 6]
SAMPLED = ("Evaluate", "MeasureBases", "RandomizedMeasure", "BellSample", "MajorityVotes")


def noise(gate, strength, qubits=1):
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(strength, qubits), [gate])
    return model


def on_a_line(seed=None, qubits=6):
    device = GenericBackendV2(
        qubits, ["cx", "rz", "sx", "x"], coupling_map=LINE[: 2 * qubits - 2], noise_info=False, seed=1
    )
    device.set_options(seed_simulator=seed)
    return device


class Counting(BaseSamplerV2):
    """Passes pubs on to a sampler, and writes down what runs; fails in some runs, and spoils results."""

    def __init__(self, inner=None, fails_at=(), spoilt=lambda results: results):
        self.inner = StatevectorSampler(seed=np.random.default_rng(3)) if inner is None else inner
        self.fails_at, self.spoilt = set(fails_at), spoilt
        self.runs, self.shots, self.pubs = 0, 0, []
        self.backend = getattr(self.inner, "_backend", None)

    def run(self, pubs, *, shots=None):
        self.runs += 1
        if self.runs in self.fails_at:
            raise ConnectionError("session expired")
        pubs = [SamplerPub.coerce(pub) for pub in pubs]
        self.pubs += pubs
        self.shots += sum(pub.shots * pub.parameter_values.size for pub in pubs)
        results = self.spoilt(list(self.inner.run(pubs).result()))
        return SimpleNamespace(result=lambda: results)


class Estimating(BaseEstimatorV2):
    """The same for an estimator."""

    def __init__(self, inner, spoilt=lambda results: results):
        self.inner, self.spoilt, self.pubs = inner, spoilt, []
        self.backend = inner.backend

    def run(self, pubs, *, precision=None):
        pubs = [EstimatorPub.coerce(pub) for pub in pubs]
        self.pubs += pubs
        results = self.spoilt(list(self.inner.run(pubs).result()))
        return SimpleNamespace(result=lambda: results)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("primitive", "answered"),
    [
        (lambda: StatevectorEstimator(), ("Evaluate",)),
        (lambda: aer.EstimatorV2(), ("Evaluate",)),
        (lambda: StatevectorSampler(seed=shifted(1)), SAMPLED),
        (lambda: aer.SamplerV2(seed=shifted(2)), SAMPLED),
        (lambda: BackendSamplerV2(backend=on_a_line(shifted(3))), SAMPLED),
        (lambda: BackendEstimatorV2(backend=on_a_line(shifted(4))), ("Evaluate",)),
    ],
    ids=[
        "exact estimator",
        "Aer estimator",
        "exact sampler",
        "Aer sampler",
        "sampler on a line",
        "estimator on a line",
    ],
)
def test_primitives_answer_rightly(primitive, answered):
    assert check_backend(QiskitBackend(primitive())) == answered


@pytest.mark.parametrize(
    ("primitive", "is_noisy"),
    [
        (lambda: StatevectorSampler(), False),
        (lambda: aer.SamplerV2(), False),
        (lambda: aer.SamplerV2(options={"run_options": {"noise_model": noise("x", 0.1)}}), True),
        (lambda: BackendEstimatorV2(backend=AerSimulator()), False),
        (lambda: BackendEstimatorV2(backend=AerSimulator(noise_model=noise("x", 0.1))), True),
        (lambda: BackendSamplerV2(backend=on_a_line()), True),
        (lambda: Counting(), True),
    ],
    ids=["exact", "Aer", "run option", "Aer as a backend", "with noise", "a backend", "unknown"],
)
def test_noise_is_assumed_where_nothing_rules_it_out(primitive, is_noisy):
    assert QiskitBackend(primitive()).is_noisy == is_noisy
    assert not QiskitBackend(primitive(), is_noisy=False).is_noisy


def test_noise_damps_exact_values_as_theory_says():
    """Depolarizing of strength p after RY shrinks <Z> by 1 - p."""
    primitive = aer.EstimatorV2(options={"backend_options": {"noise_model": noise("ry", 0.2)}})
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    e = qg.estimate(objective, [0.5], qg.ParameterShift(), QiskitBackend(primitive))
    np.testing.assert_allclose([e.value, e.gradient[0]], 0.8 * np.array([np.cos(0.5), -np.sin(0.5)]), atol=1e-12)
    assert e.fidelity == "noisy"
    assert np.isnan(e.bias_bound).all()
    assert (e.variance == 0).all()


def test_exact_values_with_noise_are_no_averages_of_trajectories():
    """Of Clifford gates Aer would draw trajectories, and of state vectors too."""
    objective = qg.Expectation(qg.Circuit(1).x(0).h(0).h(0).rz(0, param=0), "Z")
    query = Evaluate(objective.program, np.zeros((1, 1)))
    options = {"noise_model": noise("x", 0.2)}
    found = QiskitBackend(aer.EstimatorV2(options={"backend_options": options})).answer(query, None)
    assert found.mean[0, 0] == pytest.approx(-0.8, abs=1e-12)
    drawn = aer.EstimatorV2(options={"backend_options": options | {"method": "statevector"}})
    with pytest.raises(qg.UnsupportedQuery, match="averages trajectories"):
        QiskitBackend(drawn).answer(query, None)


@pytest.mark.statistical
def test_noise_damps_sampled_values_and_copies_are_those_that_ran():
    """Damped by a fifth, within normal standard errors: 0.1 of 0.38."""
    device = AerSimulator(noise_model=noise("ry", 0.2), seed_simulator=shifted(5))
    sampler = Counting(aer.SamplerV2.from_backend(device, seed=shifted(6)))
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=4000), QiskitBackend(sampler), key=key(0))
    assert e.cost.copies == e.cost.shots == sampler.shots == 12_000
    assert e.fidelity == "noisy"
    assert abs(e.gradient[0] + 0.8 * np.sin(0.5)) <= normal(1) * np.sqrt(e.variance[0])


@pytest.mark.statistical
def test_noise_is_seen_in_pairs():
    """Of a state that shrank by a fifth <Z>^2 is 0.64, so that 18 % of 2000 pairs have a flip; within 6 %."""
    program = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z").program
    device = AerSimulator(noise_model=noise("ry", 0.2), seed_simulator=shifted(7))
    sampler = Counting(aer.SamplerV2.from_backend(device, seed=shifted(8)))
    flips = QiskitBackend(sampler).answer(BellSample(program, np.array([0.0]), 2000), key(0)).x
    low, high = counts(2000, 0.18)
    assert low <= flips.sum() <= high
    assert sampler.shots == 2000


def test_coherent_sweeps_are_refused_with_the_method_that_asked():
    with pytest.raises(qg.UnsupportedQuery, match="GentleSweep: backend QiskitBackend does not answer PointerSweep"):
        qg.estimate(OBJECTIVE, PARAMS, qg.GentleSweep(4000), QiskitBackend(StatevectorSampler()), key=0)


def test_an_estimator_answers_expectation_values_only():
    pool = qg.OperatorPool(qg.Circuit(1).ry(0, param=0), "Z", ["Y"])
    backend = QiskitBackend(StatevectorEstimator())
    with pytest.raises(qg.AccessError, match="QiskitBackend allows single_copy only"):
        qg.estimate(pool, [0.5], qg.BellShadow(100), backend, key=0)
    with pytest.raises(qg.UnsupportedQuery, match="DirectPauli: backend QiskitBackend does not answer MeasureBases"):
        qg.estimate(pool, [0.5], qg.DirectPauli(100), backend, key=0)


@pytest.mark.parametrize("primitive", [StatevectorEstimator, aer.EstimatorV2])
def test_estimators_without_shots_are_not_asked_for_any(primitive):
    with pytest.raises(qg.UnsupportedQuery, match="takes no shots"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=10), QiskitBackend(primitive()), key=0)


@pytest.mark.parametrize(
    "primitive",
    [lambda: StatevectorSampler(), lambda: BackendEstimatorV2(backend=on_a_line())],
    ids=["sampler", "shots"],
)
def test_what_takes_shots_is_not_asked_for_exact_values(primitive):
    with pytest.raises(qg.UnsupportedQuery, match="give shots to the method"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), QiskitBackend(primitive()))


def test_a_precision_stands_for_the_number_of_shots():
    numbers = np.unique(np.geomspace(1, 10**7, 3000).astype(int))
    assert all(math.ceil(1 / (1 / np.sqrt(n - 0.5)) ** 2) == n for n in numbers.tolist())
    estimator = Estimating(BackendEstimatorV2(backend=on_a_line(1)))
    e = qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=50), QiskitBackend(estimator), key=0)
    ran = sum(math.ceil(1 / pub.precision**2) * pub.parameter_values.size for pub in estimator.pubs)
    assert ran == e.cost.copies


def test_one_shot_of_an_estimator_has_no_variance_and_two_have():
    query = Evaluate(OBJECTIVE.program, np.tile(PARAMS, (2, 1)).astype(np.float32), (1, 2))
    found = QiskitBackend(BackendEstimatorV2(backend=on_a_line(1))).answer(query, key(0))
    assert np.isnan(found.variance[0]).all()
    assert np.isfinite(found.variance[1]).all()
    assert found.mean.dtype == np.float32


def test_constants_need_no_circuit():
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "2.5*I")
    for primitive, shots in ((StatevectorEstimator(), None), (BackendEstimatorV2(backend=on_a_line()), 5)):
        e = qg.estimate(objective, [0.3], qg.ParameterShift(shots=shots), QiskitBackend(primitive), key=0)
        assert (float(e.value), e.gradient.tolist()) == (2.5, [0.0])


def test_all_shifts_are_one_pub_and_all_pubs_one_job():
    sampler = Counting()
    qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=3), QiskitBackend(sampler), key=0)
    assert sampler.runs == 1
    assert [pub.parameter_values.shape for pub in sampler.pubs] == [(5,)] * len(OBJECTIVE.program.bases)
    qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=3), QiskitBackend(sampler, max_pubs_per_job=1), key=0)
    assert sampler.runs == 1 + len(OBJECTIVE.program.bases)


def test_circuits_are_written_for_the_device_once():
    sampler = Counting(BackendSamplerV2(backend=on_a_line(1)))
    backend = QiskitBackend(sampler)
    for params in (PARAMS, PARAMS + 0.1):
        qg.estimate(OBJECTIVE, params, qg.ParameterShift(shots=3), backend, key=0)
    allowed = {"cx", "rz", "sx", "x", "measure", "barrier"}
    for pub in sampler.pubs:
        assert set(pub.circuit.count_ops()) <= allowed
        pairs = [[pub.circuit.find_bit(q).index for q in i.qubits] for i in pub.circuit.get_instructions("cx")]
        assert pairs
        assert all(pair in LINE for pair in pairs)
    assert len(backend._transpiled) == len(OBJECTIVE.program.bases)


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["estimator", "sampler"])
def test_layouts_are_followed(kind):
    """Sampled means within 0.1, more than 9 of the largest standard errors that 20,000 shots may have."""
    device = on_a_line(shifted(1))
    manager = generate_preset_pass_manager(1, device, initial_layout=[4, 1, 2], seed_transpiler=1)
    primitive = aer.EstimatorV2() if kind == "estimator" else aer.SamplerV2(seed=shifted(4))
    shots = None if kind == "estimator" else 20_000
    query = Evaluate(OBJECTIVE.program, np.stack([PARAMS, PARAMS + 1]), shots)
    found = QiskitBackend(primitive, pass_manager=manager).answer(query, key(0))
    exact = qg.Statevector().answer(Evaluate(OBJECTIVE.program, query.angles), None).mean
    np.testing.assert_allclose(found.mean, exact, atol=1e-9 if shots is None else 0.1)


def test_too_few_qubits_are_named():
    backend = QiskitBackend(BackendSamplerV2(backend=on_a_line(qubits=2)))
    with pytest.raises(qg.UnsupportedQuery, match=r"takes 3 qubits, but .* has 2: give a larger device"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=5), backend, key=0)


@pytest.mark.parametrize(
    "primitive",
    [
        lambda: StatevectorSampler(seed=7),
        lambda: aer.SamplerV2(seed=7),
        lambda: BackendSamplerV2(backend=AerSimulator(), options={"seed_simulator": 7}),
        lambda: BackendSamplerV2(backend=AerSimulator(seed_simulator=7)),
        lambda: BackendEstimatorV2(backend=AerSimulator(), options={"seed_simulator": 7}),
    ],
    ids=["exact", "Aer", "options", "device", "estimator"],
)
def test_seeds_do_not_repeat_draws_across_circuits_shots_and_keys(primitive):
    """From one seed 60 and 61 shots of one circuit would draw the same 60."""
    circuit = qg.Circuit(1).h(0).rz(0, param=0)
    query = Evaluate(qg.Expectation(circuit, "Z").program, np.zeros((4, 1)), (60, 61, 60, 61))
    backend = QiskitBackend(primitive())
    first, again, other = (backend.answer(query, key(seed)).mean[:, 0] for seed in (0, 0, 1))
    sums = first * [60, 61, 60, 61]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first[0] != first[2] or first[1] != first[3]
    assert abs(sums[0] - sums[1]) != 1 or abs(sums[2] - sums[3]) != 1


@pytest.mark.parametrize("given", [AerSimulator(), StatevectorSampler, "aer", None])
def test_what_is_no_v2_primitive_is_named(given):
    with pytest.raises(TypeError, match="BackendSamplerV2" if isinstance(given, AerSimulator) else "V2 primitive"):
        QiskitBackend(given)


def test_results_that_come_back_in_another_order_are_put_in_order():
    query = MeasureBases(
        OBJECTIVE.program, PARAMS, np.array([[4], [0], [1]]), np.array([[0], [2], [1]]), np.array([50, 50, 50])
    )
    right, turned = (
        QiskitBackend(Counting(spoilt=spoilt)).answer(query, key(0)).counts
        for spoilt in (lambda results: results, lambda results: results[::-1])
    )
    np.testing.assert_array_equal(right, turned)


def without_tags(results):
    for result in results:
        result.metadata.pop("circuit_metadata")
    return results


def of_others(results):
    for result in results:
        result.metadata["circuit_metadata"] = {"qcgrad_pub": 77}
    return results


def cut(results):
    bits = [BitArray(result.data.meas.array[..., 1:, :], result.data.meas.num_bits) for result in results]
    return [SimpleNamespace(data=SimpleNamespace(meas=each), metadata={}) for each in bits]


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (lambda results: results[1:], r"\d results came back for \d pubs"),
        (of_others, r"results of the pubs \[77.* came back"),
        (cut, "9 outcomes came back for 10 shots"),
        (
            lambda results: [SimpleNamespace(data=["c"], metadata={}) for _ in results],
            "no bits of the register 'meas'",
        ),
    ],
)
def test_what_cannot_be_read_is_named(spoilt, message):
    query = Evaluate(OBJECTIVE.program, PARAMS[None], 10)
    with pytest.raises(qg.BackendFailed, match=message):
        QiskitBackend(Counting(spoilt=spoilt)).answer(query, key(0))
    assert np.isfinite(QiskitBackend(Counting(spoilt=without_tags)).answer(query, key(0)).mean).all()


def changed(**data):
    def spoilt(results):
        kept = [{"evs": result.data.evs, "stds": result.data.stds} | data for result in results]
        return [
            SimpleNamespace(data=SimpleNamespace(**each), metadata=result.metadata)
            for each, result in zip(kept, results, strict=True)
        ]

    return spoilt


def more_shots(results):
    for result in results:
        result.metadata["shots"] += 1
    return results


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (changed(evs=np.full((2, 1), np.nan), stds=np.zeros((2, 1))), "not finite|shape"),
        (changed(evs=np.zeros(7), stds=np.zeros(7)), r"values of shape \(7,\) came back"),
        (more_shots, "took 11 shots where 10 were asked"),
    ],
)
def test_what_an_estimator_says_is_checked(spoilt, message):
    backend = QiskitBackend(Estimating(BackendEstimatorV2(backend=on_a_line()), spoilt))
    with pytest.raises(qg.BackendFailed, match=message):
        backend.answer(Evaluate(OBJECTIVE.program, PARAMS[None], 10), key(0))


def test_a_job_that_fails_is_submitted_again_and_then_kept():
    sampler = Counting(fails_at={2, 3})
    backend = QiskitBackend(sampler, max_pubs_per_job=1, retries=1)
    method = qg.ParameterShift(shots=5)
    with pytest.raises(qg.BackendFailed, match="job 2 of 2, submitted 2 times: ConnectionError") as caught:
        qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0)
    ran = sampler.shots
    assert ran == 5 * 5  # one of two bases
    assert np.isnan(caught.value.estimate.value).all()
    e = qg.estimate(OBJECTIVE, PARAMS, method, backend, key=0, resume=caught.value)
    assert np.isfinite(e.gradient).all()
    assert sampler.shots == e.cost.copies == 2 * 5 * 5


def test_an_estimator_of_ours_that_asks_a_device_is_refused_in_favour_of_the_device():
    inside = QcgradEstimator(backend=QiskitBackend(StatevectorSampler(seed=1)))
    for method in (qg.ParameterShift(), qg.ParameterShift(shots=10)):
        with pytest.raises(qg.UnsupportedQuery, match=r"QcgradEstimator asks QiskitBackend.*give that one"):
            qg.estimate(OBJECTIVE, PARAMS, method, QiskitBackend(inside), key=0)
