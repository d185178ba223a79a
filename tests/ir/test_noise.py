"""Channels against their textbook definitions, models, and what a measurement depends on with noise."""

import copy
import pickle

import numpy as np
import pytest

import qcgrad as qg
from qcgrad.ir.noise import noise_in_words
from qcgrad.ir.noise.noisy_circuit import ChannelStep, GateStep, noisy

PAULIS = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
RHO = np.array([[0.7, 0.2 - 0.3j], [0.2 + 0.3j, 0.3]])


def applied(channel, rho=RHO):
    return sum(k @ rho @ k.conj().T for k in channel.operators)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (qg.Depolarizing.mixing(0.3), 0.7 * RHO + 0.3 * np.eye(2) / 2),
        (qg.Depolarizing(0.75), np.eye(2) / 2),
        (qg.Depolarizing(0.3), 0.7 * RHO + 0.1 * sum(np.array(p) @ RHO @ np.array(p) for p in PAULIS.values())),
        (qg.PauliChannel({"Y": 0.2, "I": 0.1}), 0.8 * RHO + 0.2 * np.array(PAULIS["Y"]) @ RHO @ np.array(PAULIS["Y"])),
        (qg.AmplitudeDamping(0.36), [[1 - 0.3 * 0.64, RHO[0, 1] * 0.8], [RHO[1, 0] * 0.8, 0.3 * 0.64]]),
        (qg.AmplitudeDamping(1.0, 0.25), np.diag([0.75, 0.25])),
        (qg.PhaseDamping(0.36), [[0.7, RHO[0, 1] * 0.8], [RHO[1, 0] * 0.8, 0.3]]),
        (
            qg.ThermalRelaxation(2.0, 3.0, 1.5, 0.2),
            [
                [0.8 - 0.1 * np.exp(-0.75), RHO[0, 1] * np.exp(-0.5)],
                [RHO[1, 0] * np.exp(-0.5), 0.2 + 0.1 * np.exp(-0.75)],
            ],
        ),
        (qg.ThermalRelaxation(np.inf, np.inf, 1.0), RHO),
        (qg.Kraus([np.diag([1, 0]), [[0, 0], [0, 1j]]]), np.diag([0.7, 0.3])),
    ],
    ids=str,
)
def test_channels_do_what_the_literature_says(channel, expected):
    np.testing.assert_allclose(applied(channel), expected, atol=1e-14)
    by_rows = (channel.superoperator @ RHO.ravel()).reshape(2, 2)
    np.testing.assert_allclose(by_rows, expected, atol=1e-14)
    squares = sum(k.conj().T @ k for k in channel.operators)
    np.testing.assert_allclose(squares, np.eye(2), atol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_half_mixed_states_come_from_depolarizing_any_number_of_qubits(count):
    rho = np.zeros((2**count, 2**count))
    rho[0, 0] = 1
    expected = 0.5 * rho + 0.5 * np.eye(2**count) / 2**count
    np.testing.assert_allclose(applied(qg.Depolarizing.mixing(0.5, count), rho), expected, atol=1e-14)


def test_what_is_drawn_without_looking_at_the_state_is_known():
    p, x, z = qg.PauliChannel({"XZ": 0.1, "YI": 0.2}).pauli_mixture
    np.testing.assert_allclose(p, [0.1, 0.2, 0.7])
    assert (x.tolist(), z.tolist()) == ([[1, 0], [1, 0], [0, 0]], [[0, 1], [1, 0], [0, 0]])
    np.testing.assert_allclose(qg.PhaseDamping(0.36).pauli_mixture[0], [0.9, 0.1])
    assert qg.AmplitudeDamping(0.1).mixture is None
    rotated = qg.Kraus([np.sqrt(0.5) * np.eye(2), np.sqrt(0.5) * np.diag([1, 1j])])
    assert rotated.pauli_mixture is None
    np.testing.assert_allclose(rotated.mixture[0], [0.5, 0.5])


def test_weak_channels_preserve_the_trace_and_do_something():
    for channel in (qg.ThermalRelaxation(1.0, 1.0, 1e-12), qg.AmplitudeDamping(1e-14), qg.Depolarizing(1e-15, 2)):
        assert not channel.is_identity
        squares = sum(k.conj().T @ k for k in channel.operators)
        np.testing.assert_allclose(squares, np.eye(len(squares)), atol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: qg.Depolarizing(1.2), r"Depolarizing probability=1.2: give a number from 0 to 1"),
        (lambda: qg.Depolarizing(-0.1), r"Depolarizing probability=-0.1"),
        (lambda: qg.Depolarizing(float("nan")), r"Depolarizing probability=nan"),
        (lambda: qg.Depolarizing(True), r"Depolarizing probability=True"),
        (lambda: qg.Depolarizing(0.1, 0), r"Depolarizing num_qubits=0: give an integer from 1 to 4"),
        (lambda: qg.Depolarizing.mixing(1.4), r"strength=1.4: give a number from 0 to 1.33333"),
        (lambda: qg.AmplitudeDamping(0.1, 2), r"AmplitudeDamping excited_population=2"),
        (lambda: qg.PhaseDamping("a lot"), r"PhaseDamping gamma='a lot'"),
        (lambda: qg.ThermalRelaxation(1.0, 2.1, 0.1), r"t2=2.1 is more than 2 t1=2.0"),
        (lambda: qg.ThermalRelaxation(0.0, 1.0, 0.1), r"t1=0.0: give a positive time"),
        (lambda: qg.ThermalRelaxation(1.0, 1.0, -1), r"time=-1: give a time of 0 or more"),
        (lambda: qg.PauliChannel({"X": 0.6, "Z": 0.6}), r"add up to 1.2"),
        (lambda: qg.PauliChannel({"X": 0.1, "ZZ": 0.1}), r"lengths \[1, 2\]"),
        (lambda: qg.PauliChannel({"A": 0.1}), r"word 'A'"),
        (lambda: qg.Kraus([0.9 * np.eye(2)]), r"do not preserve the trace: .* reaches 0.19"),
        (lambda: qg.Kraus([np.eye(3)]), r"shape \(1, 3, 3\)"),
        (lambda: qg.Kraus([[[np.nan, 0], [0, 1]]]), r"NaN"),
        (lambda: qg.OverRotation(scale=float("inf")), r"OverRotation scale=inf"),
        (lambda: qg.ReadoutError(1.1), r"ReadoutError one_given_zero=1.1"),
        (lambda: qg.ReadoutError.from_matrix([[0.5, 0.4], [0, 1]]), r"rows add up to 1"),
    ],
)
def test_impossible_noise_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda m: m.add(qg.PhaseDamping(0.1), "hadamard"), r"'hadamard' is not known; the gates are ccx, .*unitary"),
        (lambda m: m.add(qg.Depolarizing(0.1, 2), "h"), r"does not fit h: it acts on 1 qubit"),
        (lambda m: m.add(qg.OverRotation(0.1), "h"), r"does not fit h: it is not one turn"),
        (lambda m: m.add(qg.PhaseDamping(0.1), []), r"gates=\[\]"),
        (lambda m: m.add(qg.PhaseDamping(0.1), qubits=[0, 0]), r"qubits=\[0, 0\]"),
        (lambda m: m.add(qg.PhaseDamping(0.1), qubits=-1), r"qubits=-1"),
        (lambda m: m.add(qg.PhaseDamping(0.1), when="during"), r"when='during'"),
        (lambda m: m.add(0.1), r"error is 0.1"),
        (lambda m: m.add_idle(qg.Depolarizing(0.1, 2)), r"one-qubit channel"),
        (lambda m: m.add_readout(0.1), r"error is 0.1: give a qcgrad.ReadoutError"),
    ],
)
def test_rules_that_cannot_hold_are_refused_by_name(add, message):
    with pytest.raises((ValueError, TypeError), match=message):
        add(qg.NoiseModel())


@pytest.mark.parametrize("backend", [qg.DensityMatrix, qg.Trajectories])
def test_qubits_that_are_not_there_are_named(backend):
    noise = qg.NoiseModel().add_readout(qg.ReadoutError(0.1), [0, 7])
    objective = qg.Expectation(qg.Circuit(2).ry(0, param=0), "ZI")
    with pytest.raises(ValueError, match=r"names qubit 7: the circuit has qubits 0 to 1"):
        qg.estimate(objective, [0.1], qg.ParameterShift(shots=10), backend(noise), key=0)


def test_models_are_values():
    model = qg.NoiseModel().add(qg.Depolarizing(0.1), "cx").add_idle(qg.Kraus([np.eye(2)]))
    other = qg.NoiseModel().add(qg.Depolarizing(0.1), ["cnot"]).add_idle(qg.Kraus([np.eye(2)]))
    assert model == other
    assert hash(model) == hash(other)
    assert pickle.loads(pickle.dumps(model)) == copy.deepcopy(model) == model
    assert model != model.add_readout(qg.ReadoutError(0.1))
    assert "Depolarizing(probability=0.1, num_qubits=1) after cx" in repr(model)
    assert qg.NoiseModel().is_noiseless
    assert qg.NoiseModel().add(qg.Depolarizing(0.0)).add(qg.OverRotation()).is_noiseless
    assert not model.is_noiseless


def wires_of(circuit, model):
    return [step.wires for step in noisy(circuit, model).steps if isinstance(step, ChannelStep)]


def test_noise_happens_where_the_rule_says():
    circuit = qg.Circuit(3).h(0).cx(0, 1).cx(1, 0).rz(2, 0.1)
    one, two = qg.PhaseDamping(0.1), qg.Depolarizing(0.1, 2)
    assert wires_of(circuit, qg.NoiseModel().add(one)) == [(0,), (0,), (1,), (1,), (0,), (2,)]
    assert wires_of(circuit, qg.NoiseModel().add(one, ["cx", "h"], qubits=0)) == [(0,), (0,), (0,)]
    assert wires_of(circuit, qg.NoiseModel().add(two)) == [(0, 1), (1, 0)]
    assert wires_of(circuit, qg.NoiseModel().add(two, "cx", wires=(1, 0))) == [(1, 0)]
    assert wires_of(circuit, qg.NoiseModel().add(two, qubits=[0, 2])) == []
    before = noisy(circuit, qg.NoiseModel().add(one, "rz", when="before")).steps
    assert [type(step) for step in before[-2:]] == [ChannelStep, GateStep]


def test_idle_noise_fills_the_steps_in_which_a_qubit_waits():
    """Steps: h(0) | cx(0, 1) | x(2) runs in the first; qubit 1 waits one step, qubit 2 one, qubit 3 two."""
    circuit = qg.Circuit(4).h(0).cx(0, 1).x(2)
    assert wires_of(circuit, qg.NoiseModel().add_idle(qg.PhaseDamping(0.1))) == [(1,), (2,), (3,), (3,)]
    assert wires_of(circuit, qg.NoiseModel().add_idle(qg.PhaseDamping(0.1), 2)) == [(2,)]


def test_light_cones_hold_channels_and_keep_qubits_that_noise_moves():
    circuit = qg.Circuit(4).ry(0, param=0).cx(0, 1).ry(2, param=1).rx(3, param=2)
    model = qg.NoiseModel().add(qg.AmplitudeDamping(0.1)).add_idle(qg.Depolarizing(0.1))
    part = noisy(circuit, model).seen({1, 3})
    assert part.qubits == (0, 1, 3)
    assert part.angles.tolist() == [0, 2]
    idle = noisy(circuit, model).seen({2})
    assert len(idle.circuit.channels) == 2  # one of its gate, one while it waits


@pytest.mark.parametrize(
    ("words", "model"),
    [
        (["depolarizing=0.01"], qg.NoiseModel().add(qg.Depolarizing(0.01))),
        (["Depolarizing = 0.01, 2 @ cx, cz"], qg.NoiseModel().add(qg.Depolarizing(0.01, 2), ["cx", "cz"])),
        (["thermal_relaxation=inf,70,0.1@x"], qg.NoiseModel().add(qg.ThermalRelaxation(np.inf, 70, 0.1), "x")),
        (["over-rotation=0.02,-0.1@rx"], qg.NoiseModel().add(qg.OverRotation(0.02, -0.1), "rx")),
        (["readout-error=0.02@0,2"], qg.NoiseModel().add_readout(qg.ReadoutError(0.02), [0, 2])),
        ([], qg.NoiseModel()),
    ],
)
def test_models_are_written_in_words(words, model):
    assert noise_in_words(words) == model


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("depolarizing=1.5", r"noise 'depolarizing=1.5': Depolarizing probability=1.5: give a number from 0 to 1"),
        ("depolarizing=-0.1", "from 0 to 1"),
        ("depolarizing=nan", "give a finite number"),
        ("depolarizing", "0 numbers are given; write depolarizing=PROBABILITY,NUM_QUBITS"),
        ("depolarizing=0.1,2,3", "3 numbers are given"),
        ("depolarizing=a", "'a' is no number"),
        ("depolarizing=0.1,5", "num_qubits=5"),
        ("depolarizing=0.1@cq", "'cq' is not known"),
        ("depolarising=0.1", "'depolarising' is not known; write one of depolarizing=PROBABILITY"),
        ("readout-error=0.1@cx", "'cx' is no qubit"),
        ("thermal-relaxation=1,3,0.1", "no channel does that"),
    ],
)
def test_words_that_are_no_noise_are_named(word, message):
    with pytest.raises(ValueError, match=message):
        noise_in_words([word])
