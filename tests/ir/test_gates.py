"""Every gate against textbook matrices and Qiskit's, and generators against their spectra."""

import numpy as np
import pytest
import qiskit.circuit.library as qiskit_gates
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Operator
from scipy.linalg import expm, logm

import qcgrad as qg
from qcgrad.ir.gates import GATES, Gate, MatrixPrimitive, Unitary, frequencies
from tests import dense
from tests.strategies import pauli_terms

ANGLE = 0.7

QISKIT = {
    "id": "IGate", "x": "XGate", "y": "YGate", "z": "ZGate", "h": "HGate", "s": "SGate", "sdg": "SdgGate",
    "t": "TGate", "tdg": "TdgGate", "sx": "SXGate", "sxdg": "SXdgGate", "rx": "RXGate", "ry": "RYGate",
    "rz": "RZGate", "p": "PhaseGate", "cx": "CXGate", "cy": "CYGate", "cz": "CZGate", "ch": "CHGate",
    "csx": "CSXGate", "crx": "CRXGate", "cry": "CRYGate", "crz": "CRZGate", "cp": "CPhaseGate", "rxx": "RXXGate",
    "ryy": "RYYGate", "rzz": "RZZGate", "rzx": "RZXGate", "swap": "SwapGate", "iswap": "iSwapGate",
    "ccx": "CCXGate", "ccz": "CCZGate", "cswap": "CSwapGate", "gphase": "GlobalPhaseGate",
}  # fmt: skip


def matrix_of(gate, angle):
    """Product of the gate's primitives by their definition: exp(-i t (P - kappa)/2) where all controls are 1."""
    n = len(gate.wires)
    total = np.eye(2**n, dtype=complex)
    for p in gate.primitives():
        if isinstance(p, MatrixPrimitive):
            matrix, wires = p.matrix, p.wires
        else:
            t = p.scale * angle + p.offset
            string = dense.word_matrix(p.letters)
            block = expm(-0.5j * t * (string - p.kappa * np.eye(len(string))))
            matrix, wires = dense.controlled(block, len(p.controls)), (*p.controls, *p.wires)
        columns = total.reshape((2,) * n + (-1,))
        total = dense.apply(columns, matrix, wires).reshape(2**n, -1)
    return total


def gate(name, param=None):
    return Gate(name, tuple(range(GATES[name].num_wires)), param, 1.0, 0.0 if param is not None else ANGLE)


@pytest.mark.parametrize("name", GATES)
def test_primitives_multiply_to_the_textbook_gate_phase_included(name):
    np.testing.assert_allclose(matrix_of(gate(name), ANGLE), dense.gate_matrix(gate(name), ANGLE), atol=1e-14)


@pytest.mark.parametrize("name", GATES)
def test_the_gate_is_qiskits_gate_of_that_name(name):
    """Exact, phase included; Qiskit counts qubits from the least significant bit, so they are reversed."""
    make = getattr(qiskit_gates, QISKIT[name])
    theirs = Operator(make(ANGLE) if GATES[name].has_angle else make())
    theirs = np.asarray(theirs.data if name == "gphase" else theirs.reverse_qargs().data)
    np.testing.assert_allclose(matrix_of(gate(name), ANGLE), theirs, atol=1e-14)


@pytest.mark.parametrize("name", [name for name, spec in GATES.items() if spec.num_wires > 0])
def test_every_gate_has_a_method_that_makes_it(name):
    method = getattr(qg.Circuit(3), "add_identity" if name == "id" else name, None)
    wires = range(GATES[name].num_wires)
    if name == "id":
        assert method is None  # "id" would shadow the built-in; it exists for imported circuits
        return
    made = method(*wires, 0.3) if GATES[name].has_angle else method(*wires)
    assert made.gates == (Gate(name, tuple(wires), None, 1.0, 0.3 if GATES[name].has_angle else 0.0),)


def test_stdgates_of_openqasm_3_are_all_known():
    """Those of the standard library that are not listed under another name here (phase = p, CX = cx, u*)."""
    stdgates = "p x y z h s sdg t tdg sx rx ry rz cx cy cz cp crx cry crz ch swap ccx cswap id"
    assert set(stdgates.split()) <= set(GATES)


@pytest.mark.parametrize("word", ["Z", "XY", "IZ", "XYZ", "YIXZ", "II"])
def test_pauli_rotations_of_any_weight(word):
    rotation = Gate("pauli_rot", tuple(range(len(word))), None, 1.0, ANGLE, word)
    np.testing.assert_allclose(matrix_of(rotation, ANGLE), dense.rotation(word, ANGLE), atol=1e-14)


@given(st.integers(1, 3).flatmap(lambda n: pauli_terms(n, 4)), st.floats(-4, 4))
def test_evolution_is_the_exponential_of_its_hamiltonian(terms, angle):
    """Both ways: as rotations where the terms commute, through the eigenbasis where they do not."""
    hamiltonian = qg.PauliSum(terms)
    evolution = Gate("evolution", tuple(range(hamiltonian.num_qubits)), None, 1.0, angle, hamiltonian)
    exact = expm(-1j * angle * dense.observable_matrix(terms))
    np.testing.assert_allclose(matrix_of(evolution, angle), exact, atol=1e-12)


def generator_gaps(g):
    """Positive differences of the eigenvalues of G in exp(-i angle G), from the dense matrix."""
    levels = np.linalg.eigvals(1j * logm(dense.gate_matrix(g, 0.05)) / 0.05).real
    gaps = np.abs(levels[:, None] - levels).ravel()
    return np.unique(np.round(gaps[gaps > 1e-8], 8))


@pytest.mark.parametrize("name", [name for name, spec in GATES.items() if spec.has_angle and spec.num_wires])
def test_frequencies_are_the_generators_eigenvalue_differences(name):
    np.testing.assert_allclose(frequencies(gate(name, param=0)), generator_gaps(gate(name, param=0)), atol=1e-7)


@given(st.integers(1, 3).flatmap(lambda n: pauli_terms(n, 3)))
def test_frequencies_of_an_evolution_are_the_hamiltonians_eigenvalue_differences(terms):
    hamiltonian = qg.PauliSum(terms)
    evolution = Gate("evolution", tuple(range(hamiltonian.num_qubits)), 0, 1.0, 0.0, hamiltonian)
    np.testing.assert_allclose(frequencies(evolution), generator_gaps(evolution), atol=1e-7)


def test_frequencies_of_a_wide_commuting_evolution_contain_all_differences():
    """Above six qubits the sums of +-c_t are used: perhaps too many, never too few."""
    hamiltonian = qg.PauliSum({"ZZIIIII": 1.0, "IIZZIII": 0.5, "IIIIIZZ": 0.25})
    found = frequencies(Gate("evolution", tuple(range(7)), 0, 1.0, 0.0, hamiltonian))
    signs = np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, -1).T
    levels = signs @ [1.0, 0.5, 0.25]
    gaps = np.abs(levels[:, None] - levels).ravel()
    assert set(np.round(gaps[gaps > 0], 9)) <= set(np.round(found, 9))


def test_frequencies_that_rounding_splits_are_one():
    """Eigenvalues carry rounding errors; two copies of one gap must not count as two frequencies."""
    split = []
    for k in range(200):
        a = round(0.3 + 0.5e-10 + k * 1e-4, 12)
        hamiltonian = qg.PauliSum({"XII": a / 2, "IYI": a / 2, "IIZ": 0.11})
        found = np.array(frequencies(Gate("evolution", (0, 1, 2), 0, 1.0, 0.0, hamiltonian)))
        if np.diff(found).min() < 1e-8:
            split.append(a)
    assert split == []


def test_a_generator_proportional_to_the_identity_has_no_frequency():
    assert frequencies(Gate("pauli_rot", (0, 1), 0, 1.0, 0.0, "II")) == ()
    assert frequencies(Gate("evolution", (0,), 0, 1.0, 0.0, qg.PauliSum({"I": 2.0}))) == ()


def test_a_wide_noncommuting_spectrum_is_not_known():
    hamiltonian = qg.PauliSum({"ZZIIIII": 1.0, "IXIIIII": 0.5, "IIZZZZZ": 0.3})
    assert frequencies(Gate("evolution", tuple(range(7)), 0, 1.0, 0.0, hamiltonian)) is None


def test_unitary_keeps_its_matrix_and_refuses_what_is_none():
    swap = dense.FIXED["swap"]
    unitary = Unitary(swap)
    assert unitary == Unitary(swap.copy())
    assert hash(unitary) == hash(Unitary(swap.copy()))
    with pytest.raises(ValueError, match="read-only"):
        unitary.matrix[0, 0] = 2
    with pytest.raises(ValueError, match=r"not unitary.*reaches 3\.0e\+00"):
        Unitary([[2, 0], [0, 1]])
    with pytest.raises(ValueError, match=r"shape \(3, 3\)"):
        Unitary(np.eye(3))
    with pytest.raises(ValueError, match=r"shape \(16, 16\)"):
        Unitary(np.eye(16))
