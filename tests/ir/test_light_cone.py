"""Which gates and qubits are simulated, and masks on any number of qubits."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import qcgrad as qg
from qcgrad.ir import light_cone, pauli
from qcgrad.ir.program import Program
from qcgrad.ir.stabilizers import group_elements
from qcgrad.ir.strings import distinct

WIDTHS = (3, 62, 63, 64, 65, 200)


def word(num_qubits, **letters):
    """Letters on qubits q3=..., identity elsewhere."""
    found = ["I"] * num_qubits
    for name, letter in letters.items():
        found[int(name[1:])] = letter
    return "".join(found)


@pytest.mark.parametrize("n", WIDTHS)
def test_observables_of_any_width_add_multiply_and_compare(n):
    first = qg.PauliSum({"X" * n: 1.0, "Z" * n: 2.0, "Y" + "I" * (n - 1): -0.5})
    assert first.words == ("X" * n, "Z" * n, "Y" + "I" * (n - 1))
    twice = first + qg.PauliSum({"Z" * n: 2.0})
    assert twice == qg.PauliSum({"X" * n: 1.0, "Z" * n: 4.0, "Y" + "I" * (n - 1): -0.5}) != first
    assert hash(first) == hash(qg.PauliSum(list(zip(first.words, first.coefficients, strict=True))))
    assert first.support == tuple(range(n))
    # Strings commute where they anticommute on an even number of qubits.
    assert qg.PauliSum({"X" * n: 1.0, "Z" * n: 1.0}).is_commuting == (n % 2 == 0)


@pytest.mark.parametrize("n", WIDTHS)
def test_products_and_groups_of_strings_of_any_width(n):
    x, z = (pauli.mask_array([value], n) for value in (1 << (n - 1) | 1, 1))
    # (X on qubit 0, Y on the last) times (Y, I) = i (Z, Y).
    px, pz, power = pauli.product(x, z, pauli.mask_array([1 << (n - 1)], n), pauli.mask_array([1 << (n - 1)], n))
    assert (pauli.word(int(px[0]), int(pz[0]), n), int(power[0])) == ("Z" + "I" * (n - 2) + "Y", 1)
    both = pauli.mask_array([[1 << (n - 1) | 1, 0]], n), pauli.mask_array([[0, 1 << (n - 1) | 1]], n)
    ex, ez, sign = group_elements(*both)  # XX ZZ = -YY on the outer qubits
    assert (int(ex[0, 3]), int(ez[0, 3]), int(sign[0, 3])) == (int(both[0][0, 0]), int(both[1][0, 1]), -1)
    assert distinct(np.tile(x, 3), np.tile(z, 3))[2].tolist() == [0, 0, 0]


@given(st.integers(1, 130), st.data())
def test_bits_are_taken_out_and_put_back(n, data):
    qubits = data.draw(st.lists(st.integers(0, n - 1), unique=True, min_size=1))
    mask = data.draw(st.integers(0, 2**n - 1))
    small = pauli.squeezed(mask, qubits, n)
    for new, old in enumerate(qubits):
        assert bool(int(small) & pauli.bit(new, len(qubits))) == bool(mask & pauli.bit(old, n))
    kept = sum(mask & pauli.bit(q, n) for q in qubits)
    assert int(pauli.spread(small, qubits, n)) == kept
    assert pauli.from_bits(np.array([bool(mask & pauli.bit(q, n)) for q in range(n)])) == mask


def test_gates_outside_of_the_cone_and_identities_are_left_out():
    circuit = (
        qg.Circuit(5).ry(0, param=0).cx(0, 1).ry(2, param=1).cx(1, 2).rz(0, param=0).pauli_rot("XIX", (3, 1, 4), 0.3)
    )
    # Backwards from qubit 1: the last gate does nothing to it, cx(1, 2) and all before it does.
    assert light_cone.seen_gates(circuit.gates, [1]) == [0, 1, 2, 3]
    assert light_cone.seen_gates(circuit.gates, [0]) == [0, 1, 4]
    part = Program(circuit, [qg.PauliSum("ZIIII")]).seen
    assert (part.qubits, part.program.num_gates, part.angles.tolist()) == ((0, 1), 3, [0, 2])
    assert part.expand(np.array([[1.0, 2.0]]), 3).tolist() == [[1.0, 0.0, 2.0]]


@given(data=st.data())
@settings(max_examples=25)
def test_values_and_gradients_are_those_of_the_whole_circuit(data):
    """Random circuits on 5 qubits against the same with a controlled gate from every qubit on, so that all is seen."""
    gates = data.draw(st.lists(st.tuples(st.sampled_from(["ry", "rx", "cx", "crz", "pauli_rot"]),
                                         st.permutations(range(5))), max_size=8))  # fmt: skip
    circuit = qg.Circuit(5).ry(0, param=0)
    for k, (name, (a, b, *_)) in enumerate(gates):
        if name == "cx":
            circuit = circuit.cx(a, b)
        elif name == "crz":
            circuit = circuit.crz(a, b, param=k % 3)
        elif name == "pauli_rot":
            circuit = circuit.pauli_rot("XI", (a, b), param=k % 3)
        else:
            circuit = getattr(circuit, name)(a, param=k % 3)
    observable = data.draw(st.lists(st.text("IXYZ", min_size=5, max_size=5), min_size=1, max_size=3, unique=True))
    terms = [(w, 0.5 + k) for k, w in enumerate(observable)]
    params = np.array([0.3, -0.7, 1.1])[: circuit.num_parameters]
    found = qg.estimate(qg.Expectation(circuit, terms), params, qg.Adjoint())
    # The identity, written so that nothing can be left out: rotations by 0 of all qubits, in X and Y.
    held = circuit.pauli_rot("XXXXX", angle=0.0).pauli_rot("ZZZZZ", angle=0.0)
    whole = qg.estimate(qg.Expectation(held, [*terms, ("ZZZZZ", 0.0), ("XXXXX", 0.0)]), params, qg.Adjoint())
    np.testing.assert_allclose(found.value, whole.value, atol=1e-12)
    np.testing.assert_allclose(found.gradient, whole.gradient, atol=1e-12)


def test_measurement_bases_stay_those_that_are_charged():
    """ZI and ZZ become one string where qubit 1 is idle, but bases, supports and coefficients stay as they were."""
    program = Program(qg.Circuit(3).ry(0, param=0), [qg.PauliSum({"ZII": 1.0, "ZZI": 2.0, "XIX": 3.0, "IIZ": 4.0})])
    part = program.seen.program
    assert part.num_qubits == 2  # qubit 2 is idle, but X is measured on it
    assert len(part.bases) == len(program.bases)
    assert [basis.coefficients.tolist() for basis in part.bases] == [b.coefficients.tolist() for b in program.bases]
    assert part.basis_rotations == program.basis_rotations


def test_costs_count_the_circuit_as_given_and_the_memory_that_is_used():
    wide = qg.Expectation(qg.Circuit(100).ry(0, param=0).rx(7, param=1), word(100, q0="Z"))
    cost = qg.estimate(wide, np.array([0.1, 0.2]), qg.Adjoint()).cost
    assert cost == qg.predict_cost(wide, qg.Adjoint())
    assert (cost.qubits, cost.gates, cost.peak_bytes) == (100, 6, 3 * 16 * 2)
