"""Qiskit circuits: every standard gate, qubit order, expressions, and values against Qiskit's own simulator."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    InverseModifier,
    Parameter,
    ParameterVector,
    PowerModifier,
)
from qiskit.circuit.library import (
    PauliEvolutionGate,
    PauliGate,
    StatePreparation,
    UnitaryGate,
    efficient_su2,
    get_standard_gate_name_mapping,
    qaoa_ansatz,
)
from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp, Statevector, random_unitary

import qcgrad as qg
from qcgrad.interop import from_circuit, to_qiskit
from tests.dense import expectation

# Qiskit exponentiates sparse matrices in a format that SciPy converts.
pytestmark = pytest.mark.filterwarnings("ignore:.*CSC:scipy.sparse.SparseEfficiencyWarning")

OBSERVABLE = SparsePauliOp(["IXZ", "ZIY", "YXI", "IIZ"], [0.3, -1.1, 0.7, 0.2])


def exact(circuit, observable, values):
    bound = circuit.assign_parameters(dict(zip(circuit.parameters, values, strict=True)))
    return Statevector(bound).expectation_value(observable).real


def numeric_gradient(circuit, observable, values):
    """Central differences with Richardson extrapolation: an independent check to about 1e-9."""

    def slope(k, h):
        shifts = [np.array(values, dtype=float) for _ in range(2)]
        shifts[0][k] += h
        shifts[1][k] -= h
        return (exact(circuit, observable, shifts[0]) - exact(circuit, observable, shifts[1])) / (2 * h)

    return np.array([(4 * slope(k, 5e-3) - slope(k, 1e-2)) / 3 for k in range(len(values))])


def value(objective, params):
    """Value of a scalar objective from textbook matrices; compiles nothing."""
    if objective.parameter_map is not None:
        params = np.asarray(objective.parameter_map(np.asarray(params)))
    observable = objective.program.observables[0]
    return expectation(objective.circuit, params, dict(zip(observable.words, observable.coefficients, strict=True)))


def check(circuit, observable, values):
    objective = from_circuit(circuit, observable)
    found = qg.estimate(objective, np.asarray(values), qg.Adjoint())
    np.testing.assert_allclose(found.value, exact(circuit, observable, values), atol=1e-10)
    np.testing.assert_allclose(found.gradient, numeric_gradient(circuit, observable, values), atol=1e-7)
    return found


def scrambled(num_qubits=3, seed=0):
    """A circuit with one parameter in which every amplitude differs."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(num_qubits)
    for q in range(num_qubits):
        circuit.u(*rng.uniform(-3, 3, 3), q)
    circuit.rx(Parameter("anchor"), 0)
    for q in range(num_qubits - 1):
        circuit.cx(q, q + 1)
    return circuit


GATES = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in ("measure", "reset", "delay", "barrier")
}


@pytest.mark.parametrize("name", GATES)
def test_every_standard_gate_between_scrambling_layers(name):
    gate = GATES[name].to_mutable()
    num_qubits = max(3, gate.num_qubits)
    rng = np.random.default_rng(len(name))
    gate.params = [float(a) for a in rng.uniform(-3, 3, len(gate.params))]
    circuit = scrambled(num_qubits)
    circuit.append(gate, rng.permutation(num_qubits)[: gate.num_qubits].tolist())
    circuit.compose(scrambled(num_qubits, 1).assign_parameters([0.3]), inplace=True)
    observable = SparsePauliOp(["I" * (num_qubits - 3) + w for w in OBSERVABLE.paulis.to_labels()], OBSERVABLE.coeffs)
    objective = from_circuit(circuit, observable)
    np.testing.assert_allclose(value(objective, [0.4]), exact(circuit, observable, [0.4]), atol=1e-10)


def test_qubit_order():
    circuit = QuantumCircuit(3)
    circuit.rx(Parameter("a"), 0)
    circuit.x(2)
    circuit.cx(2, 1)
    for label, expected in (("IIZ", np.cos(0.4)), ("IZI", -1.0), ("ZII", -1.0)):
        for observable in (SparsePauliOp(label), label[::-1]):
            np.testing.assert_allclose(value(from_circuit(circuit, observable), [0.4]), expected, atol=1e-12)
    # An asymmetric unitary on asymmetric wires.
    unitary = scrambled(3, 5)
    unitary.append(UnitaryGate(random_unitary(8, seed=2)), [2, 0, 1])
    unitary.append(UnitaryGate(random_unitary(4, seed=3)), [1, 2])
    check(unitary, OBSERVABLE, [0.7])


def test_parameters_come_in_qiskits_order():
    vector = ParameterVector("x", 11)
    circuit = QuantumCircuit(1)
    for k in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9):
        circuit.rx(vector[k], 0) if k % 2 else circuit.rz(vector[k], 0)
    circuit.ry(Parameter("before"), 0)
    check(circuit, SparsePauliOp("X"), np.linspace(-1, 1, 12))


EXPRESSIONS = [
    lambda a, b: 2 * a + 0.5,
    lambda a, b: a * b,
    lambda a, b: (a + 2 * b - 1) / 3,
    lambda a, b: 1 / (a + 2) - b.sin() * a.cos(),
    lambda a, b: (a * b).exp() ** 2 + b.tan(),
    lambda a, b: (a / 4).arcsin() + (b / 4).arccos() + b.arctan(),
    lambda a, b: (a + 3).log() - a.abs(),
    lambda a, b: 2**a - 3 - (1 - b),
    lambda a, b: (a**3) * (b**2) - a + a,
]


@pytest.mark.parametrize("k", range(len(EXPRESSIONS)))
def test_parameter_expressions(k):
    a, b = Parameter("a"), Parameter("b")
    expression = EXPRESSIONS[k](a, b)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.ry(expression, 0)
    circuit.u(expression, b, a * 2, 1)
    circuit.cx(0, 1)
    circuit.cu(a, 0.3, expression / 2, b, 1, 0)
    circuit.rx(expression, 1)
    check(circuit, SparsePauliOp(["XZ", "YI"], [1.0, 0.4]), [0.6, -0.8])


def test_affine_expressions_need_no_map():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(2 * a - 0.5, 0)
    circuit.ry((b - 1) / 4, 0)
    objective = from_circuit(circuit, "Z")
    assert objective.parameter_map is None
    assert [(g.param, g.scale, g.offset) for g in objective.circuit.gates] == [(0, 2.0, -0.5), (1, 0.25, -0.25)]


def test_assigned_expressions_and_subcircuits():
    a, b, c = Parameter("a"), Parameter("b"), Parameter("c")
    inner = QuantumCircuit(2, name="inner", global_phase=a / 2)
    inner.rx(a, 0)
    inner.cx(0, 1)
    inner.rz(a * b, 1)
    circuit = scrambled()
    circuit.append(inner.to_gate(), [2, 0])
    circuit.append(inner.to_gate().control(1, ctrl_state=0), [1, 0, 2])
    circuit.append(inner.to_gate().inverse(), [0, 1])
    circuit = circuit.assign_parameters({a: c * 2 + 1})
    check(circuit, OBSERVABLE, [0.3, 0.5, 0.7])


def test_controlled_and_annotated_operations():
    t = Parameter("t")
    circuit = scrambled(4)
    base = QuantumCircuit(1)
    base.rx(t, 0)
    base.h(0)
    base.p(0.3, 0)
    circuit.append(base.to_gate().control(3, ctrl_state=5), [3, 0, 2, 1])
    circuit.mcx([0, 1, 2], 3)
    circuit.mcp(t, [3, 1], 0)
    circuit.append(AnnotatedOperation(base.to_gate(), [InverseModifier(), ControlModifier(2, 1)]), [1, 3, 0])
    circuit.append(AnnotatedOperation(UnitaryGate(random_unitary(2, seed=1)), [PowerModifier(2)]), [2])
    observable = SparsePauliOp(["IXZY", "ZZIX"], [1.0, -0.4])
    check(circuit, observable, [0.3, -0.6])


def test_pauli_evolution():
    t, s = Parameter("t"), Parameter("s")
    circuit = scrambled()
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZZ", "XX", "II"], [0.5, -0.3, 0.2]), time=t), [2, 0])
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZIZ", "XII"], [0.5, 0.7]), time=s * t), [0, 2, 1])
    circuit.append(PauliEvolutionGate(Pauli("YZ"), time=0.3), [1, 2])
    circuit.append(PauliGate("XYZ"), [0, 2, 1])
    circuit.append(StatePreparation([0.6, 0.8]), [1])
    check(circuit, OBSERVABLE, [0.3, 0.5, -0.8])


def test_library_ansatz_and_vector_valued():
    circuit = efficient_su2(3, reps=1)
    observables = [OBSERVABLE, Pauli("XIZ"), {"ZII": 2.0}, SparseObservable("IZX")]
    values = np.linspace(-1, 1.4, circuit.num_parameters)
    found = qg.estimate(from_circuit(circuit, observables), values, qg.Adjoint())
    plain = [OBSERVABLE, Pauli("XIZ"), SparsePauliOp("IIZ", 2.0), SparsePauliOp("IZX")]
    np.testing.assert_allclose(found.value, [exact(circuit, o, values) for o in plain], atol=1e-10)
    check(qaoa_ansatz(SparsePauliOp(["ZZI", "IZZ", "ZIZ"]), reps=2), OBSERVABLE, [0.1, 0.2, -0.3, 0.4])


def test_equal_values_are_not_shared():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    circuit.ry(b, 0)
    circuit.rx(a, 0)
    assert [g.param for g in from_circuit(circuit, "Z").circuit.gates] == [0, 1, 0]


def refused(build, message, observable="Z"):
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("a"), 0)
    build(circuit)
    with pytest.raises(ValueError, match=message):
        from_circuit(circuit, observable)


def test_refusals():
    refused(lambda c: c.if_test((c.clbits[0], 1), QuantumCircuit(1), [0], []), "control flow .if_else")
    refused(lambda c: c.append(_opaque(), [0]), "opaque on qubits .0. has no definition")
    refused(lambda c: None, "not Hermitian", SparsePauliOp("Z", 1j))
    refused(lambda c: None, "acts on 2 qubits, the circuit on 1", SparsePauliOp("ZZ"))
    refused(lambda c: None, "unbound parameters", SparsePauliOp(["Z"], np.array([Parameter("w")])))
    with pytest.raises(TypeError, match="give a qiskit"):
        from_circuit("x", "Z")


def _opaque():
    from qiskit.circuit import Gate

    return Gate("opaque", 1, [])


def test_export_is_equal_in_every_amplitude():
    rng = np.random.default_rng(3)
    circuit = qg.Circuit(3).h(1).ry(0, param=0, scale=2.0, offset=0.1).sxdg(2).iswap(0, 2).rzx(2, 1, param=1).p(1, 0.4)
    circuit = circuit.pauli_rot("XYZ", (2, 0, 1), param=2).csx(0, 2).unitary(random_unitary(4, seed=1).data, (2, 0))
    circuit = circuit.evolution(qg.PauliSum("XX + 0.5*ZZ"), (2, 1), param=0).evolution(
        qg.PauliSum("XI + 0.5*ZZ"), (0, 2), 0.3
    )
    circuit = circuit.ccz(0, 1, 2).cswap(2, 0, 1).crx(1, 0, param=1)
    exported = to_qiskit(circuit)
    values = rng.uniform(-2, 2, 3)
    back = from_circuit(exported, OBSERVABLE)
    direct = qg.Expectation(
        circuit, [(w[::-1], c) for w, c in zip(OBSERVABLE.paulis.to_labels(), OBSERVABLE.coeffs.real, strict=True)]
    )
    expected = qg.estimate(direct, values, qg.Adjoint())
    np.testing.assert_allclose(exact(exported, OBSERVABLE, values), expected.value, atol=1e-10)
    np.testing.assert_allclose(qg.estimate(back, values, qg.Adjoint()).gradient, expected.gradient, atol=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits_of_all_standard_gates(seed):
    rng = np.random.default_rng(seed)
    vector = ParameterVector("t", 4)
    circuit = QuantumCircuit(4)
    names = sorted(n for n, g in GATES.items() if 1 <= g.num_qubits <= 3)
    for name in rng.choice(names, 30):
        gate = GATES[name].to_mutable()
        gate.params = [float(rng.uniform(-2, 2)) * vector[rng.integers(4)] for _ in gate.params]
        circuit.append(gate, rng.permutation(4)[: gate.num_qubits].tolist())
    for k in range(4):
        circuit.ry(vector[k], k)
    observable = SparsePauliOp(["XYIZ", "ZIXI", "IIYX"], [1.0, 0.5, -0.7])
    values = rng.uniform(-2, 2, 4)
    if seed == 0:
        check(circuit, observable, values)
    np.testing.assert_allclose(value(from_circuit(circuit, observable), values), exact(circuit, observable, values))
