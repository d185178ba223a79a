"""Devices of PennyLane answer queries, with their noise, their wires and their seeds."""

import jax
import numpy as np
import pennylane as qml
import pytest

import qcgrad as qg
from qcgrad.interop import PennyLaneBackend, StatevectorDevice
from qcgrad.interop.pennylane._exporter import operations
from qcgrad.ir.gates import GATES
from qcgrad.queries import BellSample, Evaluate
from qcgrad.testing import check_backend
from tests import dense
from theory.statistics import counts, key, normal, shifted

CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).rx(1, param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, ["ZZ + 0.5*XI + 2.0*II", "IY"])
PARAMS = np.array([0.5, 1.1])


def depolarized(gate, strength, **options):
    noise = qml.NoiseModel({qml.noise.op_eq(gate): qml.noise.partial_wires(qml.DepolarizingChannel, strength)})
    return qml.add_noise(qml.device("default.mixed", **options), noise)


class Failing(qml.devices.DefaultQubit):
    """Breaks down in the calls given, and returns `spoilt(results)` in the others."""

    def __init__(self, fails_at=(), spoilt=lambda results: results, **options):
        super().__init__(**options)
        self.fails_at, self.spoilt, self.calls = set(fails_at), spoilt, 0

    def execute(self, circuits, execution_config=None):
        self.calls += 1
        if self.calls in self.fails_at:
            raise ConnectionError("queue closed")
        return self.spoilt(super().execute(circuits, execution_config))


@pytest.mark.statistical
@pytest.mark.parametrize(
    "device",
    [
        lambda: qml.device("default.qubit", seed=shifted(1)),
        lambda: qml.device("lightning.qubit", wires=6, seed=shifted(2)),
        lambda: qml.device("default.mixed", wires=["a", 7, "c", 0], seed=shifted(3)),
    ],
    ids=["default.qubit", "lightning.qubit", "default.mixed with wire labels"],
)
def test_devices_answer_rightly(device):
    answered = ("Evaluate", "MeasureBases", "RandomizedMeasure", "BellSample", "MajorityVotes")
    assert check_backend(PennyLaneBackend(device())) == answered


def all_gates():
    yield from (qg.Gate(name, tuple(range(spec.num_wires))[::-1], offset=0.7) for name, spec in GATES.items())
    matrix = dense.state(qg.Circuit(2).h(0).s(0).ry(1, 0.3)).reshape(2, 2)
    yield qg.Gate("unitary", (2, 0), detail=qg.ir.gates.Unitary(np.linalg.qr(np.kron(matrix, [[1, 2], [3j, 1]]))[0]))
    yield qg.Gate("pauli_rot", (2, 0, 1), offset=0.7, detail="XIY")
    yield qg.Gate("pauli_rot", (2,), offset=0.7, detail="I")
    yield qg.Gate("evolution", (1, 2), offset=0.7, detail=qg.PauliSum("ZI + 0.3*ZX"))
    yield qg.Gate("evolution", (1, 2), offset=0.7, detail=qg.PauliSum("ZI + 0.3*XY"))


@pytest.mark.parametrize("gate", list(all_gates()), ids=lambda gate: f"{gate.name}-{gate.wires}")
def test_every_gate_is_the_same_operation(gate):
    start = qg.Circuit(3).ry(0, 0.4).ry(1, 0.9).rx(2, 1.3).cx(0, 2).rz(1, 0.5)
    circuit = qg.Circuit(3, [*start.gates, gate])
    labels = ["a", 5, "b"]
    tape = qml.tape.QuantumScript(operations(circuit, labels), [qml.state()])
    (found,) = qml.execute([tape], qml.device("default.qubit", wires=labels))
    assert abs(np.vdot(found, dense.state(circuit))) == pytest.approx(1, abs=1e-12)


def test_noise_damps_exact_values_as_theory_says():
    """Depolarizing of strength p after RY shrinks <Z> by 1 - 4p/3, by the device's own transform."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    e = qg.estimate(objective, [0.5], qg.ParameterShift(), PennyLaneBackend(depolarized("RY", 0.15, wires=1)))
    np.testing.assert_allclose([e.value, e.gradient[0]], 0.8 * np.array([np.cos(0.5), -np.sin(0.5)]), atol=1e-12)
    assert e.fidelity == "noisy"
    assert np.isnan(e.bias_bound).all()
    assert (e.variance == 0).all()


@pytest.mark.statistical
def test_noise_damps_sampled_values_and_copies_are_those_of_the_device():
    """Damped by a fifth, within normal standard errors: 0.1 of 0.38."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    device = depolarized("RY", 0.15, wires=2, seed=shifted(4))
    with qml.Tracker(device) as ran:
        e = qg.estimate(objective, [0.5], qg.ParameterShift(shots=4000), PennyLaneBackend(device), key=key(0))
        assert (e.cost.copies, e.cost.shots) == (ran.totals["shots"],) * 2
        pairs = PennyLaneBackend(device).answer(BellSample(objective.program, np.array([0.5]), 300), key(1))
    assert ran.totals["shots"] == e.cost.shots + 300
    assert len(pairs.x) == 300
    assert abs(e.gradient[0] + 0.8 * np.sin(0.5)) <= normal(1) * np.sqrt(e.variance[0])


@pytest.mark.statistical
def test_noise_is_seen_in_pairs():
    """Of a state that shrank by a fifth <Z>^2 is 0.64, so that 18 % of 2000 pairs have a flip; within 6 %."""
    program = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z").program
    backend = PennyLaneBackend(depolarized("RY", 0.15, wires=2, seed=shifted(5)))
    flips = backend.answer(BellSample(program, np.zeros(1), 2000), key(0)).x
    low, high = counts(2000, 0.18)
    assert low <= flips.sum() <= high


def test_coherent_sweeps_are_refused_with_the_method_that_asked():
    backend = PennyLaneBackend(qml.device("default.mixed", wires=4))
    with pytest.raises(qg.UnsupportedQuery, match="GentleSweep: backend PennyLaneBackend does not answer PointerSweep"):
        qg.estimate(OBJECTIVE, PARAMS, qg.GentleSweep(4000), backend, key=0)


@pytest.mark.parametrize(
    ("device", "is_noisy"),
    [
        (lambda: qml.device("default.qubit"), False),
        (lambda: qml.device("lightning.qubit", wires=1), False),
        (lambda: qml.device("default.mixed", wires=1), False),
        (lambda: qml.device("default.mixed", wires=1, readout_prob=0.1), True),
        (lambda: depolarized("RY", 0.1, wires=1), True),
        (lambda: StatevectorDevice(1), False),
        (lambda: StatevectorDevice(1, backend=PennyLaneBackend(depolarized("RY", 0.1, wires=1))), True),
        (lambda: Failing(), True),
    ],
    ids=["qubit", "lightning", "mixed", "readout", "added noise", "ours", "ours on a noisy one", "unknown"],
)
def test_noise_is_assumed_where_nothing_rules_it_out(device, is_noisy):
    made = device()
    if isinstance(made, Failing):
        type(made).name = "my.hardware"
    assert PennyLaneBackend(made).is_noisy == is_noisy
    assert not PennyLaneBackend(made, is_noisy=False).is_noisy


def test_the_number_of_shots_is_the_questions():
    with pytest.warns(Warning, match="shots on device"):
        device = qml.device("default.qubit", wires=2, shots=7)
    with qml.Tracker(device) as ran:
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(shots=3), PennyLaneBackend(device), key=0)
    assert ran.totals["shots"] == 5 * 2 * 3  # settings, bases, shots
    with pytest.raises(qg.UnsupportedQuery, match="the device has shots=7, and exact expectation values are asked"):
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), PennyLaneBackend(device))


def test_too_few_wires_are_named():
    backend = PennyLaneBackend(qml.device("default.qubit", wires=2))
    pool = qg.OperatorPool(CIRCUIT, "ZI", ["YI"])
    assert str(qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), backend).result) == "ok"
    with pytest.raises(qg.UnsupportedQuery, match=r"takes 4 wires, but device default.qubit has 2: give .* wires=4"):
        qg.estimate(pool, PARAMS, qg.BellShadow(100), backend, key=0)


@pytest.mark.parametrize(
    "given", ["default.qubit", qml.QNode(lambda: qml.expval(qml.Z(0)), qml.device("default.qubit"))]
)
def test_what_is_no_device_is_named(given):
    with pytest.raises(TypeError, match="give a device of PennyLane"):
        PennyLaneBackend(given)


def test_a_question_is_one_batch_and_draws_are_independent_and_follow_seeds():
    query = Evaluate(OBJECTIVE.program, np.tile(PARAMS, (6, 1)), 40)
    device = Failing(seed=3)
    first = PennyLaneBackend(device).answer(query, key(0)).mean
    assert device.calls == 1
    assert len(np.unique(first[:, 0])) > 2
    again = PennyLaneBackend(Failing(seed=3)).answer(query, key(0)).mean
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(PennyLaneBackend(device).answer(query, key(0)).mean, first)


def test_nothing_is_queued_where_a_qnode_is_being_recorded():
    with qml.queuing.AnnotatedQueue() as queue:
        qg.estimate(OBJECTIVE, PARAMS, qg.ParameterShift(), PennyLaneBackend(qml.device("default.qubit")))
    assert not len(queue)


def test_float32_and_functions_of_jax():
    backend = PennyLaneBackend(qml.device("default.qubit"))
    found = backend.answer(Evaluate(OBJECTIVE.program, PARAMS[None].astype(np.float32)), None)
    assert found.mean.dtype == np.float32
    scalar = qg.Expectation(CIRCUIT, "ZZ + 0.5*XI")
    gradient = jax.jit(jax.grad(qg.as_jax(scalar, qg.ParameterShift(), backend)))(PARAMS)
    np.testing.assert_allclose(gradient, qg.estimate(scalar, PARAMS, qg.Adjoint()).gradient, atol=1e-9)
    with pytest.raises(qg.NotApplicable, match="PennyLaneBackend runs elsewhere"):
        jax.hessian(qg.as_jax(scalar, qg.ParameterShift(), backend))(PARAMS)


@pytest.mark.parametrize("shots", [None, 20])
def test_what_was_answered_before_a_failure_is_kept(shots):
    method, asked = qg.ParameterShift(shots=shots), {"key": 0}
    whole = qg.estimate(OBJECTIVE, PARAMS, method, PennyLaneBackend(Failing(seed=3), max_circuits=3), **asked)
    device = Failing(seed=3, fails_at={2})
    backend = PennyLaneBackend(device, max_circuits=3)
    with pytest.raises(qg.BackendFailed, match=r"failed at job 2 of .*: ConnectionError: queue closed") as e:
        qg.estimate(OBJECTIVE, PARAMS, method, backend, **asked)
    np.testing.assert_array_equal(e.value.estimate.value, whole.value)
    with qml.Tracker(device) as ran:
        rest = qg.estimate(OBJECTIVE, PARAMS, method, backend, **asked, resume=e.value)
    np.testing.assert_array_equal(rest.gradient, whole.gradient)
    assert rest.cost == whole.cost
    assert ran.totals["simulations"] == (5 if shots is None else 10) - 3
    assert device.calls == (3 if shots is None else 5)


@pytest.mark.parametrize(
    ("spoilt", "shots", "message"),
    [
        (lambda results: [(np.nan, 1.0) for _ in results], None, "nan.* came back, which are not finite"),
        (lambda results: [(0.5,) for _ in results], None, "1 expectation values came back for 2 observables"),
        (lambda results: results[1:], None, "1 results came back for 2 circuits|IndexError"),
        (lambda results: [bits[1:] for bits in results], 10, "9 outcomes came back for 10 shots"),
        (lambda results: [bits * np.nan for bits in results], 10, "an array holds nan"),
    ],
)
def test_what_cannot_be_read_is_named(spoilt, shots, message):
    query = Evaluate(OBJECTIVE.program, np.tile(PARAMS, (2, 1)), shots)
    with pytest.raises(qg.BackendFailed, match=message):
        PennyLaneBackend(Failing(spoilt=spoilt)).answer(query, key(0))


def test_a_device_of_our_own_is_as_noisy_as_who_answers_in_it_and_as_its_transforms():
    def fidelity(device):
        return str(PennyLaneBackend(device).fidelity)

    noisy = PennyLaneBackend(qml.device("default.mixed", wires=2, readout_prob=0.1), is_noisy=True)
    own = qml.device("qcgrad.statevector", wires=2)
    turned = qml.NoiseModel({qml.noise.op_eq("RY"): qml.noise.partial_wires(qml.RX, 0.1)})
    assert fidelity(own) == "exact"
    assert fidelity(qml.device("qcgrad.statevector", wires=2, backend=noisy)) == "noisy"
    assert fidelity(qml.add_noise(own, turned)) == "noisy"
