"""The check of backends passes right ones and says what is wrong with others."""

from dataclasses import replace

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.interop import SampledBackend
from qcgrad.ir.program import Program
from qcgrad.queries import Access, EstimatePhases, Evaluate, GradientRegisters, Means
from qcgrad.testing import check_backend
from tests import dense


class Dense(qg.AbstractBackend):
    """Exact expectation values by dense matrices, from what the interface promises alone."""

    access = Access.single_copy

    def answer(self, query, key):
        if not isinstance(query, Evaluate) or query.shots is not None:
            return self.refuse(query)
        return self.means(query)

    def means(self, query):
        program = query.program
        circuits = [self.bound(program, angles) for angles in query.angles]
        terms = [dict(zip(o.words, o.coefficients.tolist(), strict=True)) for o in program.observables]
        means = np.array([[dense.expectation(circuit, (), t) for t in terms] for circuit in circuits])
        return Means(means, np.zeros_like(means))

    def bound(self, program, angles):
        return program.bound(angles)


class TwiceScaled(Dense):
    """Takes angles for parameters."""

    def bound(self, program, angles):
        gates, left = [], iter(angles)
        for gate in program.circuit.gates:
            angle = None if gate.param is None else gate.scale * next(left) + gate.offset
            gates.append(gate if angle is None else replace(gate, param=None, scale=1.0, offset=float(angle)))
        return qg.Circuit(program.num_qubits, gates)


class Reversed(Dense):
    """Qubit 0 at the other end."""

    def bound(self, program, angles):
        n = program.num_qubits
        gates = [replace(g, wires=tuple(n - 1 - w for w in g.wires)) for g in program.bound(angles).gates]
        return qg.Circuit(n, gates)


class WithoutIdentity(Dense):
    def means(self, query):
        mean, variance, *_ = super().means(query)
        return Means(mean - query.program.constants, variance)


class FirstObservableOnly(Dense):
    def means(self, query):
        mean, variance, *_ = super().means(query)
        return Means(np.repeat(mean[:, :1], mean.shape[1], axis=1), variance)


class NoControls(Dense):
    """Controlled rotations without their control."""

    def bound(self, program, angles):
        plain = [
            replace(gate, name=gate.name[1:], wires=gate.wires[1:]) if gate.name == "crx" else gate
            for gate in program.bound(angles).gates
        ]
        return qg.Circuit(program.num_qubits, plain)


class NoVariance(qg.AbstractBackend):
    """Samples, but claims to be exact."""

    access = Access.single_copy

    def answer(self, query, key):
        if not isinstance(query, Evaluate) or query.shots is None:
            return self.refuse(query)
        mean, variance, *_ = qg.Statevector().answer(query, key)
        return Means(mean, variance * 0)


class AnyVariance(NoVariance):
    """Wrong, and claims to be unsure enough."""

    def answer(self, query, key):
        mean, variance, *_ = super().answer(query, key)
        return Means(mean + 0.9, variance + 1e6)


class Coherent(qg.AbstractBackend):
    """Circuits that run a preparation many times, and nothing else."""

    access = Access.coherent

    def answer(self, query, key):
        if not isinstance(query, EstimatePhases | GradientRegisters):
            return self.refuse(query)
        found = qg.Statevector().answer(query, key)
        return found._replace(turns=self.turned(found.turns))

    def turned(self, turns):
        return turns


class Backwards(Coherent):
    """The Fourier transform instead of its inverse: walks have both signs, gradients change theirs."""

    def turned(self, turns):
        return -turns


class HalfTurned(Coherent):
    """A reflection with the other sign."""

    def turned(self, turns):
        return turns + 0.5


class RefusesAll(qg.AbstractBackend):
    access = Access.single_copy

    def answer(self, query, key):
        return self.refuse(query)


def test_a_backend_written_from_the_interface_alone_is_right():
    assert check_backend(Dense()) == ("Evaluate",)
    objective = qg.Expectation(qg.Circuit(1).ry(0, param=0, scale=2.0), "Z")
    found = qg.estimate(objective, [0.3], qg.ParameterShift(), Dense())
    np.testing.assert_allclose(found.gradient, [-1.129284947], atol=1e-8)  # -2 sin 0.6


@pytest.mark.parametrize(
    ("backend", "hint"),
    [
        (TwiceScaled(), "scales and offsets: query.angles hold them already, so run query.program.bound"),
        (Reversed(), "order of qubits"),
        (WithoutIdentity(), "identity term"),
        (FirstObservableOnly(), "one column for each"),
        (NoControls(), "controlled gates"),
        (NoVariance(), "plain gates"),
        (AnyVariance(), "plain gates"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, qg.AbstractBackend) else None,
)
def test_a_mistake_is_caught_and_named(backend, hint):
    with pytest.raises(AssertionError, match=rf"backend {type(backend).__name__} answers Evaluate wrongly.*{hint}"):
        check_backend(backend)


def test_our_own_backends_answer_rightly():
    everything = {
        "Evaluate", "AdjointSweep", "ReverseSweep", "MeasureBases", "RandomizedMeasure", "BellSample", "MajorityVotes",
        "PointerSweep", "ThresholdSweep", "MeasureComponent", "EstimatePhases", "GradientRegisters",
    }  # fmt: skip
    assert set(check_backend(qg.Statevector())) == everything
    assert check_backend(qg.Autodiff()) == ("Backward",)


def test_coherent_answers_are_compared_too():
    assert check_backend(Coherent()) == ("EstimatePhases", "GradientRegisters")
    with pytest.raises(AssertionError, match=r"backend Backwards answers .*GradientRegisters wrongly.*QuantumGradient"):
        check_backend(Backwards())
    with pytest.raises(AssertionError, match=r"backend HalfTurned answers EstimatePhases wrongly.*AmplitudeEstimation"):
        check_backend(HalfTurned())


def test_a_sampler_of_bitstrings_answers_rightly():
    rng = np.random.default_rng(5)

    def outcomes(circuit, shots):
        weights = np.abs(dense.state(circuit)) ** 2
        drawn = rng.choice(len(weights), size=shots, p=weights / weights.sum())
        return [format(b, f"0{circuit.num_qubits}b") for b in drawn]

    answered = {"Evaluate", "MeasureBases", "RandomizedMeasure", "BellSample", "MajorityVotes"}
    assert set(check_backend(SampledBackend(lambda pairs: [outcomes(*pair) for pair in pairs]))) == answered


def test_what_answers_nothing_or_is_no_backend_is_named():
    with pytest.raises(AssertionError, match="backend RefusesAll refuses every kind of query"):
        check_backend(RefusesAll())
    with pytest.raises(TypeError, match="give a backend object"):
        check_backend(Dense)


def test_a_program_gives_circuits_of_plain_numbers():
    circuit = qg.Circuit(2).ry(0, param=0, scale=2.0, offset=0.1).cx(0, 1).rx(1, 0.4).rz(0, param=0)
    program = Program(circuit, [qg.PauliSum("ZZ")])
    bound = program.bound([0.7, -0.2])
    assert bound == qg.Circuit(2).ry(0, 0.7).cx(0, 1).rx(1, 0.4).rz(0, -0.2)
    assert bound.num_parameters == 0
    with pytest.raises(ValueError, match=r"angles have shape \(1,\): give one for each parameterised gate, \(2,\)"):
        program.bound([0.7])
    with pytest.raises(ValueError, match=r"angles have shape \(1, 2\)"):
        program.bound([[0.7, 0.1]])
