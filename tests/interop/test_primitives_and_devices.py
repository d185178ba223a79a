"""Our primitives and gradients on devices, as devices, and copied."""

import copy

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel
from qiskit_aer.primitives import SamplerV2

import qcgrad as qg
from qcgrad.interop.qiskit import EstimatorGradient, QcgradEstimator, QcgradSampler, QiskitBackend

ANSATZ, OBSERVABLE, POINT = real_amplitudes(3, reps=1), SparsePauliOp(["XXX", "ZIZ"], [0.7, 1.1]), [0.3] * 6


def sampled(sampler):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    return sampler.run([circuit], shots=1000).result()[0].data.meas.get_bitstrings()


def averaged(estimator):
    return float(estimator.run([(ANSATZ, OBSERVABLE, POINT)]).result()[0].data.evs)


def differentiated(gradient):
    return gradient.run([ANSATZ], [OBSERVABLE], [POINT]).result().gradients[0].tolist()


@pytest.mark.parametrize(
    ("make", "run"),
    [
        (lambda: QcgradSampler(seed=5), sampled),
        (lambda: QcgradEstimator(seed=5, default_precision=0.01), averaged),
        (lambda: EstimatorGradient(qg.ParameterShift(shots=10_000), key=5), differentiated),
    ],
    ids=["sampler", "estimator", "gradient"],
)
def test_copies_draw_from_one_sequence(make, run):
    """Fixed seeds: independent draws of so many shots seldom agree, and with these never."""
    first, second, third = make(), make(), make()
    assert run(first) == run(second)
    assert run(copy.deepcopy(third)) != run(third)


def test_noise_reaches_idle_qubits_too():
    noise = NoiseModel()
    noise.add_all_qubit_readout_error([[0.5, 0.5], [0.5, 0.5]])
    device = SamplerV2(options={"backend_options": {"noise_model": noise}})
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    counts = QcgradSampler(seed=1, backend=device).run([circuit], shots=200).result()[0].data.meas.get_counts()
    assert set(counts) == {"00", "01", "10", "11"}  # each is missing with probability 0.75^200


def test_more_outcomes_than_can_be_counted_are_refused_before_anything_runs():
    device = SamplerV2(options={"backend_options": {"method": "stabilizer"}})
    circuit = QuantumCircuit(50)
    circuit.h(range(50))
    circuit.measure_all()
    with pytest.raises(qg.TooLarge, match=r"all outcomes of 50 commuting strings takes .*measure fewer qubits"):
        QcgradSampler(backend=device).run([circuit], shots=1).result()


def test_our_sampler_as_a_device_draws_with_the_questions_key():
    """200 shots of an even coin, five keys: that all agree by chance has probability 1e-5."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "X")
    backends = [QiskitBackend(QcgradSampler(seed=1)) for _ in range(5)]
    found = [qg.estimate(objective, [0.0], qg.ParameterShift(shots=200), b, key=k) for k, b in enumerate(backends)]
    assert len({float(e.value) for e in found}) > 1
