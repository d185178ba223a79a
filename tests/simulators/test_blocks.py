"""Block fusion: the plan, the unitaries, and fused simulations against dense matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qcgrad as qg
from qcgrad.queries import AdjointSweep, ReverseSweep
from qcgrad.simulators.statevector import _fused as fused
from qcgrad.simulators.statevector import _walk as walk
from qcgrad.simulators.statevector import blocks
from qcgrad.simulators.statevector._register import WholeRegister, swap_bits
from tests import dense
from tests.strategies import circuits

JAX = qg.Statevector(engine="jax")


@given(circuits(max_qubits=8, max_gates=40), st.integers(1, 5))
def test_the_plan_keeps_every_row_once_and_the_order_on_every_qubit(case, width):
    supports = blocks.supports(case[0].op_table)
    steps = blocks.group(supports, width)
    order = [row for step in steps for row in step.rows]
    assert sorted(order) == list(range(len(supports)))
    for qubit in range(case[0].num_qubits):
        touching = [row for row in order if supports[row] >> qubit & 1]
        assert touching == sorted(touching)
    for step in steps:
        union = int(np.bitwise_or.reduce([supports[row] for row in step.rows]))
        assert step.support == union
        assert step.is_wide == (union.bit_count() > width)
        assert not step.is_wide or len(step.rows) == 1


def test_a_long_run_on_few_qubits_becomes_several_blocks_and_barriers_hold():
    """50 rows on one qubit need four blocks of 16; a row behind a wide one never joins a block before it."""
    steps = blocks.group([1] * 50, 3)
    assert [len(step.rows) for step in steps] == [16, 16, 16, 2]
    steps = blocks.group([0b1, 0b111111, 0b1, 0b1000000], 3)
    assert [step.rows for step in steps] == [[0, 3], [1], [2]]


@given(circuits(max_qubits=7, max_gates=30))
def test_blocks_stand_in_front_and_wide_rows_keep_their_weight(case):
    """Every mask of a block fits on its k front qubits; moving a wide row changes no number of qubits."""
    table = case[0].op_table
    plan = blocks.plan(table, case[0].num_qubits)
    width = plan.wires.shape[1]
    inside = plan.block_rows[plan.block_rows >= 0]
    for column in ("x", "z", "controls"):
        masks = getattr(plan.block_table, column)[inside]
        assert np.all(masks < 2**width)
        np.testing.assert_array_equal(np.bitwise_count(masks), np.bitwise_count(getattr(table, column)[inside]))
        wide = plan.wide_rows[plan.wide_rows >= 0]
        moved, original = (np.bitwise_count(getattr(t, column)[wide]) for t in (plan.wide_table, table))
        np.testing.assert_array_equal(moved, original)
    assert sorted([*inside, *plan.wide_rows[plan.wide_rows >= 0]]) == list(range(table.num_ops))


@given(circuits(max_qubits=blocks.WIDTH, max_gates=8))
def test_a_blocks_unitary_is_the_product_of_its_gates(case):
    circuit, params = case
    n, table = circuit.num_qubits, circuit.op_table
    plan = blocks.plan(table, n)
    index, scale, offset = circuit.angle_map
    rows = jax.tree.map(jnp.asarray, walk.to_rows(plan.block_table, np.float64, plan.block_rows))
    product = np.eye(2**n)
    # All qubits fit into one block, in an order of their own.
    for number in plan.index[plan.kind == blocks.BLOCK]:
        product = np.asarray(fused.unitaries(rows, jnp.asarray(params[index] * scale + offset)))[number] @ product
    expected = np.eye(2**n, dtype=complex)
    for gate in circuit.gates:
        angle = gate.offset if gate.param is None else gate.scale * params[gate.param] + gate.offset
        columns = dense.apply(expected.reshape((2,) * n + (-1,)), dense.gate_matrix(gate, angle), gate.wires)
        expected = columns.reshape(2**n, 2**n)
    np.testing.assert_allclose(product, expected, atol=1e-12)


@settings(max_examples=6)
@given(circuits(max_qubits=6, max_gates=30))
def test_fused_states_agree_with_dense_matrices(case):
    circuit, params = case
    index, scale, offset = circuit.angle_map
    program = qg.Expectation(circuit, "Z" * circuit.num_qubits).program
    state = JAX.state(program, params[index] * scale + offset)
    np.testing.assert_allclose(state, dense.state(circuit, params), atol=1e-11)


@settings(max_examples=6)
@given(circuits(max_qubits=6, max_gates=20))
def test_sweeps_agree_with_reverse_mode(case):
    """Transitions of blocks and slopes of wide rows against JAX's own derivative of the forward run."""
    circuit, params = case
    n = circuit.num_qubits
    objective = qg.Expectation(circuit, ["Z" * n, "X" + "I" * (n - 1)])
    angles, rows = objective.coordinates(params), np.array([[1.0, 0.0], [0.3, -2.0], [0.0, 1.0]])
    adjoint = JAX.answer(AdjointSweep(objective.program, angles, rows), None)
    reverse = JAX.answer(ReverseSweep(objective.program, angles, rows), None)
    for found, expected in zip(adjoint, reverse, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_second_derivatives_of_fused_circuits():
    """The Hessian of cos(a) cos(b) on two of six qubits, through blocks and a wide row at angle 0."""
    circuit = qg.Circuit(6).ry(0, param=0).ry(5, param=1).pauli_rot("ZZZZZZ", param=2)
    f = qg.as_jax(qg.Expectation(circuit, "ZIIIIZ"), qg.Adjoint(), JAX)
    a, b = 0.4, 1.1
    same, mixed = -np.cos(a) * np.cos(b), np.sin(a) * np.sin(b)
    expected = [[same, mixed, 0], [mixed, same, 0], [0, 0, 0]]
    np.testing.assert_allclose(jax.hessian(f)(jnp.array([a, b, 0.0])), expected, atol=1e-12)


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_exchanges_follow_their_layouts(first, second):
    """psi[s1(s2(j))] for the pairs of two layouts; each layout undoes itself."""
    register, front = WholeRegister(7), [6, 5, 4]
    layouts = []
    for permutation in (first, second):
        # A bit in front either stays or is free to change places with one behind.
        wires = [wire if wire not in front else f for wire, f in zip(permutation[:3], front, strict=True)]
        layouts.append(np.array([wires]))
    j = np.arange(128)
    s1, s2 = (swap_bits(j, layout[0], 7) for layout in layouts)
    np.testing.assert_array_equal(s1[s1], j)
    tables = register.tables(register.plan_routes(*layouts))
    found = register.exchange(jnp.asarray(j), [table[0] for table in tables])
    np.testing.assert_array_equal(found, j[s1[s2]])


@pytest.mark.parametrize("wires", [[0], [2, 0], [1, 3, 0]])
def test_matrices_are_widened_onto_their_wires(wires):
    matrix = np.random.default_rng(0).normal(size=(2 ** len(wires),) * 2)
    found = blocks.embed(matrix[None], np.array([wires]), 4)[0]
    columns = np.eye(16, dtype=complex).reshape((2,) * 4 + (16,))
    expected = dense.apply(columns, matrix, tuple(3 - wire for wire in wires)).reshape(16, 16)
    np.testing.assert_allclose(found, expected)
