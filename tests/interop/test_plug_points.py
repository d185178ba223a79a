"""Every circuit of the library through every plug point, against the gradient that its makers worked out."""

import numpy as np
import pennylane as qml
import pytest
from pennylane import numpy as pnp
from qiskit.quantum_info import SparsePauliOp

import qcgrad as qg
from qcgrad.interop import to_pennylane, to_qiskit
from qcgrad.interop.pennylane import gradient
from qcgrad.interop.qiskit import EstimatorGradient, MachineLearningGradient
from qcgrad.library import list_circuits, load_circuit
from theory.statistics import normal, shifted

# Two and a half minutes together, which CI spends on a stage of its own; tests of each plug point have a few circuits.
pytestmark = pytest.mark.slow

NAMES = [circuit.name for circuit in list_circuits()]
SMALL = [circuit.name for circuit in list_circuits() if circuit.num_qubits <= 8]


def qnode_gradient(circuit, device, method):
    qnode = qml.QNode(to_pennylane(circuit.objective), qml.device(device, wires=circuit.num_qubits), diff_method=method)
    return qml.grad(qnode)(pnp.array(circuit.params, requires_grad=True))


def qiskit_gradient(circuit, method):
    words = [word[::-1] for word in circuit.objective.program.observables[0].words]
    observable = SparsePauliOp(words, circuit.objective.program.observables[0].coefficients)
    return method.run([to_qiskit(circuit.circuit)], [observable], [circuit.params]).result()


def through_device(circuit):
    return qnode_gradient(circuit, "qcgrad.statevector", "best")


def through_transform(circuit):
    return qnode_gradient(circuit, "lightning.qubit", gradient(qg.Adjoint()))


def through_qiskit_algorithms(circuit):
    return qiskit_gradient(circuit, EstimatorGradient(qg.Adjoint())).gradients[0]


def through_qiskit_machine_learning(circuit):
    return qiskit_gradient(circuit, MachineLearningGradient(qg.Adjoint())).gradients[0]


def through_torch(circuit):
    torch = pytest.importorskip("torch")
    from qcgrad.interop.torch import as_torch

    params = torch.tensor(circuit.params, requires_grad=True)
    as_torch(circuit.objective, qg.Adjoint())(params).backward()
    return params.grad.numpy()


EXACT = [
    through_device,
    through_transform,
    through_qiskit_algorithms,
    through_qiskit_machine_learning,
    through_torch,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plug", EXACT, ids=lambda plug: plug.__name__)
def test_exact_gradients_are_the_makers(plug, name):
    circuit = load_circuit(name)
    np.testing.assert_allclose(plug(circuit), circuit.gradient, atol=1e-9)


@pytest.mark.statistical
@pytest.mark.parametrize("name", SMALL)
def test_sampled_gradients_are_within_their_standard_errors(name):
    """Tolerances are about 7 standard errors: in Qiskit an error of 14 is found in any component.

    PennyLane's are held to the root of the sum of all variances, since the transform knows them by angles.
    """
    circuit = load_circuit(name)
    method = gradient(qg.ParameterShift(shots=1000), key=shifted(5))
    found = qnode_gradient(circuit, "qcgrad.statevector", method)
    tolerance = normal(len(circuit.gradient))
    by_angles = method.estimates[0]
    scale = np.sqrt(np.sum(np.asarray(by_angles.variance))) + 1e-12
    assert np.abs(found - circuit.gradient).max() < tolerance * scale
    job = qiskit_gradient(circuit, EstimatorGradient(qg.ParameterShift(shots=1000), key=shifted(6)))
    deviations = np.sqrt(job.metadata[0]["variance"]) + 1e-12
    assert np.all(np.abs(job.gradients[0] - circuit.gradient) < tolerance * deviations)
