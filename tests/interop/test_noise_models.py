"""Noise models of Qiskit Aer and PennyLane, taken over: the same density matrices as there."""

import numpy as np
import pennylane as qml
import pytest
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer import noise as aer

import qcgrad as qg
from qcgrad.errors import ImportRefused
from qcgrad.interop import from_aer_noise, from_pennylane_noise, to_pennylane, to_qiskit

CIRCUIT = (
    qg.Circuit(3).h(0).ry(0, param=0).cx(0, 1).rx(1, param=1).cx(2, 1).sx(2).rz(2, param=2).cx(1, 2).ry(2, param=0)
)
PARAMS = np.array([0.7, -1.1, 2.3])


def bound():
    return qg.Expectation(CIRCUIT, "ZII").program.bound(PARAMS[[0, 1, 2, 0]])


def of_aer(model) -> np.ndarray:
    """The density matrix with qubit 0 most significant."""
    circuit: QuantumCircuit = to_qiskit(bound())
    circuit.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=model)
    found = np.asarray(simulator.run(circuit).result().data()["density_matrix"])
    n = CIRCUIT.num_qubits
    axes = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return found.reshape((2,) * (2 * n)).transpose(axes).reshape(2**n, 2**n)


def asymmetric():
    """A two-qubit error that tells its qubits apart."""
    return aer.amplitude_damping_error(0.2).tensor(aer.phase_damping_error(0.3))


def everything():
    model = aer.NoiseModel()
    model.add_all_qubit_quantum_error(asymmetric(), ["cx"])
    model.add_all_qubit_quantum_error(aer.depolarizing_error(0.05, 1), ["ry", "sx"])
    model.add_quantum_error(aer.thermal_relaxation_error(50, 70, 5, 0.2), ["ry"], [2])
    model.add_quantum_error(aer.pauli_error([("X", 0.1), ("I", 0.9)]).compose(aer.reset_error(0.05)), ["h"], [0])
    model.add_quantum_error(aer.depolarizing_error(0.1, 2), ["cx"], [2, 1])
    return model


def test_density_matrices_are_those_of_aer():
    noise = from_aer_noise(everything(), 3)
    np.testing.assert_allclose(qg.DensityMatrix(noise).matrix(CIRCUIT, PARAMS), of_aer(everything()), atol=1e-10)


def test_readout_errors_are_taken_over():
    model = aer.NoiseModel()
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    model.add_readout_error([[0.7, 0.3], [0.05, 0.95]], [1])
    noise = from_aer_noise(model)
    found = qg.estimate(
        qg.Expectation(qg.Circuit(2).ry(0, param=0).x(1), ["ZI", "IZ"]),
        [0.0],
        qg.ParameterShift(),
        qg.DensityMatrix(noise),
    )
    np.testing.assert_allclose(found.value, [0.9 - 0.1, 0.05 - 0.95], atol=1e-10)


def test_mixtures_of_unitaries_stay_mixtures():
    model = aer.NoiseModel()
    model.add_all_qubit_quantum_error(aer.depolarizing_error(0.05, 1), ["ry"])
    (rule,) = from_aer_noise(model).gates
    assert rule.error.operators.shape == (4, 2, 2)
    for operator in rule.error.operators:
        product = operator.conj().T @ operator
        np.testing.assert_allclose(product, product[0, 0] * np.eye(2), atol=1e-12)


def two_qubit_readout():
    model = aer.NoiseModel()
    model.add_readout_error(np.full((4, 4), 0.25), [0, 1])
    return model


def of_gate(name, error=None):
    model = aer.NoiseModel()
    model.add_all_qubit_quantum_error(error or aer.depolarizing_error(0.05, 1), [name])
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: everything(), r"(ry|cx) errs differently on qubits .* num_qubits"),
        (two_qubit_readout, "several qubits together"),
        (lambda: of_gate("u3"), "errors of the gate u3, which circuits here do not have"),
        (lambda: of_gate("measure"), "errors of measuring"),
    ],
)
def test_what_has_no_equivalent_of_aer_is_refused(model, message):
    with pytest.raises(ImportRefused, match=message):
        from_aer_noise(model())


def test_errors_of_what_never_happens_are_left_out():
    assert from_aer_noise(of_gate("reset")).is_noiseless


def of_pennylane(model) -> np.ndarray:
    device = qml.device("default.mixed", wires=3)

    @qml.qnode(device)
    def state():
        to_pennylane(bound())()
        return qml.density_matrix([0, 1, 2])

    return np.asarray(qml.noise.add_noise(state, model)())


def pennylane_model():
    def relaxing(op, **kwargs):
        for wire in op.wires:
            qml.ThermalRelaxationError(0.1, kwargs["t1"], 40.0, 3.0, wire)

    def crosstalk(op, **kwargs):
        qml.RX(0.2, op.wires[0])
        flip = np.kron([[0, 1], [1, 0]], [[1, 0], [0, -1]])
        qml.QubitChannel([0.9**0.5 * np.eye(4), 0.1**0.5 * flip], op.wires)

    return qml.NoiseModel(
        {
            qml.noise.op_in([qml.RY, qml.SX]): qml.noise.partial_wires(qml.DepolarizingChannel, 0.05),
            qml.noise.op_eq(qml.RY) & qml.noise.wires_in([2]): qml.noise.partial_wires(qml.AmplitudeDamping, 0.2),
            qml.noise.op_eq(qml.CNOT): relaxing,
            qml.noise.op_eq(qml.CNOT) & qml.noise.wires_in([1, 2]): crosstalk,
            qml.noise.op_eq(qml.RX): qml.noise.partial_wires(qml.GeneralizedAmplitudeDamping, 0.3, 0.8),
            qml.noise.op_eq(qml.Hadamard): qml.noise.partial_wires(qml.BitFlip, 0.1),
            qml.noise.op_eq(qml.RZ): qml.noise.partial_wires(qml.PhaseDamping, 0.4),
        },
        t1=50.0,
    )


def test_density_matrices_are_those_of_pennylane():
    noise = from_pennylane_noise(pennylane_model(), CIRCUIT)
    np.testing.assert_allclose(
        qg.DensityMatrix(noise).matrix(CIRCUIT, PARAMS), of_pennylane(pennylane_model()), atol=1e-10
    )


def test_a_pauli_error_keeps_its_imaginary_part():
    """PennyLane's own matrices lose it."""
    model = qml.NoiseModel({qml.noise.op_eq(qml.CNOT): qml.noise.partial_wires(qml.PauliError, "XY", 0.25)})
    (rule, *_) = from_pennylane_noise(model, CIRCUIT).gates
    assert rule.error == qg.PauliChannel({"XY": 0.25})


def by_angle(op, **kwargs):
    qml.PhaseDamping(abs(op.parameters[0]) / 10, op.wires)


def elsewhere(op, **kwargs):
    qml.PauliError("XX", 0.1, [0, 2])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: qml.NoiseModel({qml.noise.op_eq(qml.RX): by_angle}), "rx on qubits .1. depends on its angle"),
        (lambda: qml.NoiseModel({qml.noise.op_eq(qml.CNOT): elsewhere}), r"acts on wires \[0, 2\]"),
        (
            lambda: qml.NoiseModel({}, {qml.noise.meas_eq(qml.expval): qml.noise.partial_wires(qml.PhaseFlip, 0.2)}),
            "in front of measurements",
        ),
    ],
)
def test_what_has_no_equivalent_of_pennylane_is_refused(model, message):
    with pytest.raises(ImportRefused, match=message):
        from_pennylane_noise(model(), CIRCUIT)


def test_what_is_no_model_is_named():
    with pytest.raises(TypeError, match="model is int"):
        from_aer_noise(3)
    with pytest.raises(TypeError, match="model is int"):
        from_pennylane_noise(3, CIRCUIT)
    with pytest.raises(TypeError, match="circuit is int"):
        from_pennylane_noise(pennylane_model(), 3)
