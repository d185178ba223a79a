"""Every gate class of Qiskit's library and every way to change a gate: equal to Qiskit's own operator."""

import inspect

import numpy as np
import pytest
import qiskit.circuit.library as library
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    Instruction,
    InverseModifier,
    Parameter,
    PowerModifier,
)
from qiskit.circuit.library import generalized_gates, get_standard_gate_name_mapping
from qiskit.quantum_info import (
    Pauli,
    SparsePauliOp,
    Statevector,
    random_clifford,
    random_hermitian,
    random_unitary,
)

import qcgrad as qg
from qcgrad.interop import from_circuit
from qcgrad.interop.instructions._assemble import assemble
from qcgrad.interop.qiskit._angles import Angles
from qcgrad.interop.qiskit._gates import walk
from qcgrad.ir import rows

pytestmark = pytest.mark.filterwarnings("ignore")  # Qiskit's own deprecations and SciPy's formats

HERMITIAN = np.array([[1, 0.3j], [-0.3j, 0.2]])
CASES = {
    "AndGate": lambda: library.AndGate(3, [1, -1, 0]),
    "BitFlipOracleGate": lambda: library.BitFlipOracleGate("a & b | ~c"),
    "BitwiseXorGate": lambda: library.BitwiseXorGate(3, 5),
    "DiagonalGate": lambda: library.DiagonalGate(list(np.exp(1j * np.arange(8)))),
    "ExactReciprocalGate": lambda: library.ExactReciprocalGate(2, 0.5),
    "FullAdderGate": lambda: library.FullAdderGate(1),
    "GraphStateGate": lambda: library.GraphStateGate([[0, 1, 1], [1, 0, 0], [1, 0, 0]]),
    "HalfAdderGate": lambda: library.HalfAdderGate(2),
    "HamiltonianGate": lambda: library.HamiltonianGate(HERMITIAN, 0.7),
    "HamiltonianGate on 2": lambda: library.HamiltonianGate(random_hermitian(4, seed=1), -0.4),
    "InnerProductGate": lambda: library.InnerProductGate(2),
    "IntegerComparatorGate": lambda: library.IntegerComparatorGate(2, 3),
    "Isometry": lambda: library.Isometry(random_unitary(4, seed=3).data[:, :2], 0, 0),
    "LinearAmplitudeFunctionGate": lambda: library.LinearAmplitudeFunctionGate(2, 0.5, 0.1, (0, 1), (0, 1)),
    "LinearFunction": lambda: library.LinearFunction([[1, 1, 0], [0, 1, 1], [0, 0, 1]]),
    "LinearPauliRotationsGate": lambda: library.LinearPauliRotationsGate(2),
    "MCGupDiag": lambda: generalized_gates.mcg_up_to_diagonal.MCGupDiag(random_unitary(2, seed=1).data, 2, 0, 0),
    "MCMTGate": lambda: library.MCMTGate(library.RYGate(0.3), 2, 2),
    "MCMTGate, open": lambda: library.MCMTGate(library.XGate(), 1, 3, ctrl_state=0),
    "MCPhaseGate": lambda: library.MCPhaseGate(0.3, 3),
    "MCU1Gate": lambda: library.MCU1Gate(0.3, 3),
    "MCXGate": lambda: library.MCXGate(4, ctrl_state=3),
    "MCXGrayCode": lambda: library.MCXGrayCode(4),
    "MCXRecursive": lambda: library.MCXRecursive(5),
    "MCXVChain": lambda: library.MCXVChain(4),
    "MCXVChain, dirty": lambda: library.MCXVChain(4, dirty_ancillas=True),
    "MSGate": lambda: library.MSGate(3, 0.4),
    "ModularAdderGate": lambda: library.ModularAdderGate(2),
    "MultiplierGate": lambda: library.MultiplierGate(1),
    "OrGate": lambda: library.OrGate(3, [1, -1, 0]),
    "PauliEvolutionGate": lambda: library.PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), 0.4),
    "PauliGate": lambda: library.PauliGate("XYZ"),
    "PauliProductRotationGate": lambda: library.PauliProductRotationGate(Pauli("-XYZ"), 0.4),
    "PermutationGate": lambda: library.PermutationGate([2, 0, 1]),
    "PermutationGate on 5": lambda: library.PermutationGate([2, 0, 4, 1, 3]),
    "PhaseOracleGate": lambda: library.PhaseOracleGate("a & b | ~c"),
    "PiecewiseLinearPauliRotationsGate": lambda: library.PiecewiseLinearPauliRotationsGate(
        2, [0, 2], [0.3, 0.4], [0.1, 0.2]
    ),
    "PiecewisePolynomialPauliRotationsGate": lambda: library.PiecewisePolynomialPauliRotationsGate(
        2, [0, 2], [[0.3, 0.4], [0.1, 0.2]]
    ),
    "PiecewiseChebyshevGate": lambda: library.PiecewiseChebyshevGate(lambda x: x / 4, 2, 2, [0, 2]),
    "PolynomialPauliRotationsGate": lambda: library.PolynomialPauliRotationsGate(2, [0.1, 0.2, 0.3]),
    "QFTGate": lambda: library.QFTGate(3),
    "QuadraticFormGate": lambda: library.QuadraticFormGate(2, [[1, 0], [1, 1]], [1, 0], 1),
    "RVGate": lambda: library.RVGate(0.3, 0.4, -0.5),
    "StatePreparation": lambda: library.StatePreparation(np.array([0.6, 0, 0.8j, 0])),
    "StatePreparation of an integer": lambda: library.StatePreparation(5, 3),
    "StatePreparation of a label": lambda: library.StatePreparation("+-rl"),
    "UCGate": lambda: library.UCGate([random_unitary(2, seed=k).data for k in range(4)]),
    "UCPauliRotGate": lambda: library.UCPauliRotGate([0.1, 0.2, 0.3, 0.4], "X"),
    "UCRXGate": lambda: library.UCRXGate([0.1, 0.2, 0.3, 0.4]),
    "UCRYGate": lambda: library.UCRYGate([0.1, 0.2, 0.3, 0.4]),
    "UCRZGate": lambda: library.UCRZGate([0.1, 0.2, 0.3, 0.4]),
    "UniformSuperpositionGate": lambda: library.UniformSuperpositionGate(5, 3),
    "UnitaryGate": lambda: library.UnitaryGate(random_unitary(4, seed=1)),
    "UnitaryGate on 4": lambda: library.UnitaryGate(random_unitary(16, seed=1)),
    "UnitaryGate on 2, 2 controls": lambda: library.UnitaryGate(random_unitary(4, seed=1)).control(2, ctrl_state=1),
    "UnitaryGate on 3, 1 control": lambda: library.UnitaryGate(random_unitary(8, seed=1)).control(1),
    "UnitaryGate with equal eigenvalues": lambda: library.UnitaryGate(np.diag([1, 1, -1, -1])).control(2),
    # Not gates, modified gates, and gates of gates.
    "Clifford": lambda: random_clifford(4, seed=2),
    "Clifford, annotated": lambda: AnnotatedOperation(
        random_clifford(3, seed=2), [ControlModifier(1, 0), InverseModifier()]
    ),
    "RX^0.5": lambda: AnnotatedOperation(library.RXGate(0.4), [PowerModifier(0.5)]),
    "controlled H^0.3": lambda: AnnotatedOperation(library.HGate(), [PowerModifier(0.3), ControlModifier(2)]),
    "U^-1.5": lambda: AnnotatedOperation(library.UnitaryGate(random_unitary(4, seed=1)), [PowerModifier(-1.5)]),
    "nested": lambda: AnnotatedOperation(
        AnnotatedOperation(library.SXGate(), ControlModifier(1, 0)), [PowerModifier(3), ControlModifier(1)]
    ),
    "annotated with ancillas": lambda: AnnotatedOperation(library.MCXVChain(3), [ControlModifier(1, 0)]),
    "annotated control": lambda: library.RYGate(0.3).control(2, annotated=True),
    "annotated power": lambda: library.HGate().power(0.3, annotated=True),
    "controlled phase": lambda: library.GlobalPhaseGate(0.4).control(1, ctrl_state=0),
    "controlled evolution": lambda: library.PauliEvolutionGate(SparsePauliOp(["XXI", "ZIX", "IZY"]), 0.4).control(1),
    "controlled Hamiltonian on 4": lambda: AnnotatedOperation(
        library.HamiltonianGate(random_hermitian(16, seed=1), 0.3), [ControlModifier(1)]
    ),
    "controlled RV": lambda: library.RVGate(0.3, 0.4, -0.5).control(2),
    "controlled QFT": lambda: library.QFTGate(3).control(1, ctrl_state=0),
    "many controls": lambda: library.RXGate(0.3).control(9),
    "controlled iSWAP": lambda: library.iSwapGate().control(2),
    "controlled RCCX": lambda: library.RCCXGate().control(1),
    "inverse": lambda: library.CSXGate().inverse(),
    "power": lambda: library.iSwapGate().power(0.5),
    "repeat": lambda: library.ECRGate().repeat(3),
}  # fmt: skip


def random_state(num_qubits):
    """Two unitaries that differ send it to different states: it lies in no eigenspace of theirs."""
    rng = np.random.default_rng(num_qubits)
    found = rng.normal(size=(2, 2**num_qubits))
    return (found[0] + 1j * found[1]) / np.linalg.norm(found)


def evolved(circuit, psi):
    """What the importer's instructions make of a state, phase included."""
    instructions = walk(circuit, tuple(range(circuit.num_qubits)), Angles(()))
    phase = sum(i.angle.offset for i in instructions if i.name == "gphase")
    built, _ = assemble(circuit.num_qubits, instructions, 0)
    return np.exp(1j * phase) * rows.run(rows.bind(built.op_table, np.zeros(0)), psi)


def qiskits(circuit, psi):
    """What Qiskit makes of a state; its qubit 0 is the least significant."""
    return Statevector(psi).reverse_qargs().evolve(circuit).reverse_qargs().data


@pytest.mark.parametrize("name", CASES)
def test_gates_equal_qiskits_operator(name):
    operation = CASES[name]()
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, range(operation.num_qubits))
    psi = random_state(operation.num_qubits)
    np.testing.assert_allclose(evolved(circuit, psi), qiskits(circuit, psi), atol=1e-10)


def test_no_gate_class_of_the_library_is_missing():
    """A class that a later Qiskit adds fails here until it is tried."""
    classes = {n for n, c in inspect.getmembers(library, inspect.isclass) if issubclass(c, Gate)}
    standard = {type(gate).__name__ for gate in get_standard_gate_name_mapping().values()}
    standard |= {gate.base_class.__name__ for gate in get_standard_gate_name_mapping().values()}
    # The last one needs clean ancillas, which are not its own.
    elsewhere = {"C3SXGate", "C3XGate", "C4XGate", "GlobalPhaseGate", "WeightedSumGate"}
    missing = classes - standard - elsewhere - {name.split()[0].rstrip(",") for name in CASES}
    assert not missing


def test_parameters_inside_of_operators():
    """exp(-i a H) of a dense H and a controlled product: gradients by central differences to 1e-7."""
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(3)
    circuit.append(library.HamiltonianGate(random_hermitian(4, seed=1), a), [2, 0])
    circuit.append(AnnotatedOperation(library.HamiltonianGate(HERMITIAN, b * 2), [ControlModifier(1)]), [0, 1])
    circuit.append(library.MCMTGate(library.RYGate(a + b), 1, 2), [1, 2, 0])
    observable = SparsePauliOp(["XYZ", "ZIX"], [1.0, 0.4])
    objective, point = from_circuit(circuit, observable), np.array([0.4, -0.3])
    found = qg.estimate(objective, point, qg.Adjoint())

    def exact(values):
        return Statevector(circuit.assign_parameters(values)).expectation_value(observable).real

    np.testing.assert_allclose(found.value, exact(point), atol=1e-10)
    h = 1e-5
    slopes = [(exact(point + h * e) - exact(point - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(found.gradient, slopes, atol=1e-7)


def test_sign_and_conjugate_of_parameters():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx((a * b).sign() * a + (2 * b).conjugate(), 0)
    objective = from_circuit(circuit, "Z")
    found = qg.estimate(objective, [0.4, -0.3], qg.Adjoint())
    # cos(-a + 2b)
    np.testing.assert_allclose(found.value, np.cos(-0.4 - 0.6), atol=1e-12)
    np.testing.assert_allclose(found.gradient, -np.sin(-1.0) * np.array([-1.0, 2.0]), atol=1e-12)


REFUSED = {
    "fractional power of a parameterised gate": (
        lambda: AnnotatedOperation(library.RXGate(Parameter("a")), [PowerModifier(0.5)]),
        "fractional power",
    ),
    "annotated reset": (lambda: AnnotatedOperation(library.Initialize([1, 0]), [InverseModifier()]), "reset inside"),
    "measurement of a product": (lambda: library.PauliProductMeasurement(Pauli("XX")), "pauli_product_measurement"),
    "gate that needs ancillas": (lambda: library.WeightedSumGate(2, [1, 1]), "WeightedSum .*no definition"),
    "no definition": (lambda: Gate("opaque", 2, []), "no definition"),
    "no gate": (lambda: Instruction("opaque", 2, 0, []), "no definition"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_equivalent_is_refused_by_name(name):
    make, message = REFUSED[name]
    operation = make()
    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits if isinstance(operation, Instruction) else 0)
    circuit.append(operation, circuit.qubits, circuit.clbits)
    with pytest.raises(qg.ImportRefused, match=message):
        from_circuit(circuit, "Z" * circuit.num_qubits)


def test_definitions_that_multiply_are_refused(monkeypatch):
    monkeypatch.setattr("qcgrad.interop.qiskit._gates._MAX_INSTRUCTIONS", 1000)
    gate = library.HGate()
    for _ in range(11):
        inner = QuantumCircuit(1)
        inner.append(gate, [0])
        inner.append(gate, [0])
        gate = inner.to_gate()
    circuit = QuantumCircuit(1)
    circuit.append(gate, [0])
    with pytest.raises(qg.ImportRefused, match="expands to more than 1,000 gates"):
        from_circuit(circuit, "Z")
