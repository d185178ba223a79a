"""Every method of the catalogue with noise: right for the noisy function, within its bias bound, or refused by name."""

from dataclasses import replace

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.catalogue import methods
from qcgrad.errors import AccessError, UnsupportedQuery
from qcgrad.estimate import run
from qcgrad.ir.noise.noisy_circuit import ChannelStep, noisy
from qcgrad.objective import point_at
from qcgrad.queries import Access, Evaluate, Means
from tests import dense
from theory.statistics import key, normal

# Without noise cos b (cos a + sin a / 2).
CIRCUIT = qg.Circuit(2).ry(0, param=0).cx(0, 1).ry(1, param=1)
OBJECTIVE = qg.Expectation(CIRCUIT, "IZ + 0.5*XX")
PARAMS = np.array([0.4, -0.9])
NOISE = (
    qg.NoiseModel().add(qg.Depolarizing(0.01)).add(qg.Depolarizing(0.015, 2), "cx").add_readout(qg.ReadoutError(0.01))
)
# Behind a gate on one qubit, and behind CX.
ONE, TWO = 1 - 4 * 0.01 / 3, 1 - 16 * 0.015 / 15
# IZ is ZZ in front of CX, and XX is XI: three and four letters meet noise of one qubit; readout scales every letter.
IZ, XX = ONE**3 * TWO * 0.98, 0.5 * ONE**4 * TWO * 0.98**2
# Where derivatives are on one common state: a pool's.
POOL = qg.OperatorPool(qg.Circuit(2).ry(0, param=0).cx(0, 1), "ZI + 0.5*XX", ["YX", "XY"])

SAMPLING = [m for m in methods().values() if m.access == Access.single_copy and m.differentiates == "circuits"]
OTHERS = [m for m in methods().values() if m.access > Access.single_copy and m.differentiates == "circuits"]


def closed_form():
    """Of cos b (IZ cos a + XX sin a)."""
    a, b = PARAMS
    return np.array([np.cos(b) * (XX * np.cos(a) - IZ * np.sin(a)), -np.sin(b) * (IZ * np.cos(a) + XX * np.sin(a))])


class Exact(qg.AbstractBackend):
    """Expectation values by density matrices, Kraus operator by Kraus operator, whatever the shots."""

    access = Access.single_copy
    is_traceable = False

    def __init__(self, noise):
        self.noise, self.programs = noise, []

    def answer(self, query, key):
        assert isinstance(query, Evaluate)
        self.programs.append(query.program)
        means = np.array([self.values(query.program, angles) for angles in query.angles])
        return Means(means, np.zeros_like(means))

    def values(self, program, angles):
        n = program.num_qubits
        rho = np.zeros((2**n, 2**n), complex)
        rho[0, 0] = 1
        circuit, driven = noisy(program.circuit, self.noise), iter(angles)
        for step in circuit.steps:
            if isinstance(step, ChannelStep):
                kraus = [spread(k, step.wires, n) for k in step.channel.operators]
            else:
                angle = step.gate.offset if step.gate.param is None else next(driven)
                kraus = [spread(dense.gate_matrix(step.gate, step.factor * angle + step.shift), step.gate.wires, n)]
            rho = sum(k @ rho @ k.conj().T for k in kraus)
        return [
            sum(c * self.read(rho, w, circuit) for w, c in zip(o.words, o.coefficients, strict=True))
            for o in program.observables
        ]

    @staticmethod
    def read(rho, word, circuit):
        operator = np.eye(1)
        for letter, error in zip(word, circuit.readout, strict=True):
            up, down = (0, 0) if error is None else (error.one_given_zero, error.zero_given_one)
            single = (down - up) * np.eye(2) + (1 - up - down) * dense.PAULIS[letter]
            operator = np.kron(operator, np.eye(2) if letter == "I" else single)
        return np.trace(operator @ rho).real


def spread(matrix, wires, n):
    """A matrix on some of n qubits as one on all."""
    columns = [dense.apply(column.reshape((2,) * n), matrix, wires).ravel() for column in np.eye(2**n, dtype=complex)]
    return np.array(columns).T


class Told(qg.AbstractBackend):
    """Expectation values of a backend, whatever the shots."""

    access = Access.single_copy

    def __init__(self, inner):
        self.inner = inner

    def answer(self, query, key):
        return self.inner.answer(replace(query, shots=None, weights=None), key)


def instance(method, point):
    """The one for an accuracy; with few directions where a method draws them."""
    made = method.make.for_accuracy(point, 0.5, 0.05)
    is_large = made.predict(point).circuit_runs > 200
    return method.changed(made, **{method.make.accuracy_option: 40}) if is_large else made


@pytest.mark.parametrize("method", SAMPLING, ids=lambda method: method.name)
def test_exact_means_are_those_of_dense_matrices_and_the_bias_bound_holds(method):
    """Ancilla circuits and all; methods that evaluate the circuit itself give the derivative of the noisy function."""
    if method.make.needs_common_state:
        pytest.skip("asks no expectation values")
    point, _ = point_at(OBJECTIVE, PARAMS)
    made = instance(method, point)
    reference = Exact(NOISE)
    expected = run(point, made, reference, key(1)).reading.gradient[0]
    found = run(point, made, Told(qg.DensityMatrix(NOISE)), key(1)).reading
    np.testing.assert_allclose(found.gradient[0], expected, atol=1e-9)
    plain = run(point, made, Told(qg.Statevector()), key(1)).reading
    rule = 0 if plain.bias_bound is None else plain.bias_bound[0]
    # What a method draws, both share, and so both scatter alike.
    assert np.all(np.abs(found.gradient[0] - plain.gradient[0]) <= found.bias_bound[0] + 1e-9)
    if all(program.circuit == CIRCUIT for program in reference.programs) and not made.is_random:
        assert np.all(np.abs(found.gradient[0] - closed_form()) <= rule + 1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("method", SAMPLING, ids=lambda method: method.name)
def test_with_shots_every_method_is_within_its_standard_errors_of_its_exact_means(method):
    """What reads strings of a common state, with noise of gates alone: 2 <XX> - <ZI>, and the same of -YY and IZ."""
    if method.make.needs_common_state:
        objective, params, noise = POOL, PARAMS[:1], replace(NOISE, readout=())
        made = method.make.for_accuracy(point_at(objective, params)[0], 0.1, 0.05)
        expected = 2 * np.sin(PARAMS[0]) * ONE**3 * TWO - np.cos(PARAMS[0]) * ONE**2 * TWO
    else:
        objective, params, noise = OBJECTIVE, PARAMS, NOISE
        made = instance(method, point_at(objective, params)[0])
        expected = qg.estimate(objective, params, made, Told(qg.DensityMatrix(noise)), key=key(2)).gradient
    found = qg.estimate(objective, params, made, qg.Trajectories(noise), key=key(2))
    errors = np.abs(found.gradient - expected)
    assert np.all(errors <= normal(errors.size) * found.standard_error + 1e-9)


@pytest.mark.parametrize("method", OTHERS, ids=lambda method: method.name)
@pytest.mark.parametrize("backend", [qg.DensityMatrix(NOISE), qg.Trajectories(NOISE)], ids=lambda b: type(b).__name__)
def test_what_needs_pure_states_or_amplitudes_is_refused_by_name(method, backend):
    objective, params = (POOL, PARAMS[:1]) if method.make.needs_common_state else (OBJECTIVE, PARAMS)
    if method.make is qg.IQPSampling:
        objective = qg.Expectation(qg.Circuit(2).rx(0, param=0).rxx(0, 1, param=1), "ZI")
    point, _ = point_at(objective, params)
    made = method.make.for_accuracy(point, 0.5, 0.05)
    with pytest.raises((AccessError, UnsupportedQuery), match=f"{method.make.__name__}|{type(backend).__name__}"):
        qg.estimate(objective, params, made, backend, key=0)


def test_an_ancilla_has_the_noise_of_its_gates():
    """RY, then H on the ancilla and CY: four qubits of gates err, and each takes its share of ZY."""
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
    backend = qg.DensityMatrix(qg.NoiseModel().add(qg.Depolarizing(0.03)))
    left = 1 - 4 * 0.03 / 3
    found = qg.estimate(objective, [0.5], qg.HadamardTest(), backend)
    np.testing.assert_allclose(found.gradient, [-(left**4) * np.sin(0.5)], atol=1e-12)
    with pytest.raises(ValueError, match="names qubit 1: the circuit has qubits 0 to 0"):
        qg.estimate(
            objective, [0.5], qg.HadamardTest(), qg.DensityMatrix(backend.noise.add(qg.PhaseDamping(0.1), qubits=1))
        )


def test_hessians_are_those_of_the_noisy_function():
    a, b = PARAMS
    found = qg.hessian(OBJECTIVE, PARAMS, qg.SecondOrderShift(), qg.DensityMatrix(NOISE))
    by_both = -np.sin(b) * (XX * np.cos(a) - IZ * np.sin(a))
    value = np.cos(b) * (IZ * np.cos(a) + XX * np.sin(a))
    np.testing.assert_allclose(found.matrix, [[-value, by_both], [by_both, -value]], atol=1e-9)
    right = qg.hessian(OBJECTIVE, PARAMS, qg.SecondOrderShift())
    assert np.all(np.abs(found.matrix - right.matrix) <= found.bias_bound + 1e-12)


def test_metrics_carry_the_bias_of_noise_or_are_refused_by_name():
    """The second layer's is the variance of X/2 behind RY: one minus the square of what noise leaves of sin a."""
    backend, objective = qg.DensityMatrix(NOISE), qg.Expectation(qg.Circuit(1).ry(0, param=0).rx(0, param=1), "Z")
    right = qg.metric_tensor(objective, PARAMS, qg.BlockDiagonalMetric())
    found = qg.metric_tensor(objective, PARAMS, qg.BlockDiagonalMetric(), backend)
    np.testing.assert_allclose(found.matrix[1, 1], (1 - (0.98 * ONE * np.sin(PARAMS[0])) ** 2) / 4, atol=1e-12)
    off = np.abs(found.matrix - right.matrix)
    assert np.max(off) > 1e-3
    assert np.all(off <= found.bias_bound + 1e-12)
    sampled = qg.metric_tensor(objective, PARAMS, qg.BlockDiagonalMetric(100), backend, key=0)
    assert np.all(np.isnan(sampled.bias_bound))
    for method in (qg.OverlapShift(), qg.QNSPSA(4), qg.TangentMetric()):
        with pytest.raises((AccessError, UnsupportedQuery), match="DensityMatrix"):
            qg.metric_tensor(objective, PARAMS, method, backend, key=0)
