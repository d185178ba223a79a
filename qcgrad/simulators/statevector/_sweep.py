"""The JAX interpreter: forward runs and adjoint sweeps over the steps of a plan. Derivation in blocks.md."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex

from ...array_types import AngleGradient, Angles, Array
from ...ir.op_table import OpTable
from ...queries import segments
from . import _fused as fused
from . import _walk as walk
from . import blocks
from ._register import Held, Register, initial_state


class Steps(NamedTuple):
    """A plan as device-ready arrays.

    Attributes:
        kind, index: (S,) as in `blocks.Plan`.
        forward: how each block exchanges qubits before it, planned routes of the register.
        backward: the same on the way back.
        final: the route back to the order of the qubits.
        blocks: (number, rows of a block), counted within the block.
        wide: (number,).
    """

    kind: np.ndarray
    index: np.ndarray
    forward: Any
    backward: Any
    final: Any
    blocks: walk.Rows
    wide: walk.Rows


def to_steps(table: OpTable, register: Register, dtype: np.dtype, width: int | None = None) -> Steps:
    """Plan a table in blocks of `width` qubits and round its constants to the real precision `dtype`."""
    fitting = blocks.WIDTH if jax.default_backend() == "cpu" else blocks.ACCELERATOR_WIDTH
    return steps_of(blocks.plan(table, register.local_qubits, width or fitting), table, register, dtype)


def steps_of(plan: blocks.Plan, table: OpTable, register: Register, dtype: np.dtype) -> Steps:
    """A table's plan, its constants rounded to the real precision `dtype`."""
    wide_table = plan.wide_table
    if table.matrix_wires <= plan.wires.shape[1]:
        # All matrices have the same number of wires, so none of them is wide.
        wide_table = wide_table._replace(wires=table.wires[:, :0], matrices=table.matrices[:0])
    layouts = [(plan.previous, plan.wires), (plan.wires, plan.previous), (plan.final[None],)]
    index = np.int32 if table.num_qubits <= 30 else np.int64
    routes = jax.tree.map(lambda leaf: leaf.astype(index), [register.plan_routes(*pair) for pair in layouts])
    return Steps(
        plan.kind,
        plan.index,
        *routes,
        blocks=walk.to_rows(plan.block_table, dtype, plan.block_rows),
        wide=walk.to_rows(wide_table, dtype, plan.wide_rows),
    )


def without_idle(steps: Steps) -> Steps:
    """The same with few steps that do nothing: one of sixteen lengths between powers of two, and at least 16.

    Circuits of about the same size still share one compiled program.
    """
    used = int(np.count_nonzero(steps.kind != blocks.IDLE))
    grain = max(16, 1 << used.bit_length() >> 5)
    length = min(max(1, -(-used // grain)) * grain, len(steps.kind))
    cut = jax.tree.map(lambda leaf: leaf[:length], (steps.kind, steps.index, steps.forward, steps.backward))
    return steps._replace(**dict(zip(("kind", "index", "forward", "backward"), cut, strict=True)))


class Gates(NamedTuple):
    """Steps at given angles: unitaries (number, 2^k, 2^k) of the blocks, coefficients a + b P of the wide rows."""

    unitaries: jax.Array
    a: jax.Array
    b: jax.Array


def at_angles(steps: Steps, angles: Angles) -> Gates:
    """The gates at angles (A,)."""
    return Gates(fused.unitaries(steps.blocks, angles), *walk.coefficients(steps.wide, angles))


def run(register: Register, steps: Steps, gates: Gates, keeps_all: bool = True) -> Held:
    """The whole circuit on |0...0>; `keeps_all` says whether derivatives may keep one state a step (`segments`)."""
    dimension = gates.unitaries.shape[1]

    def idle(psi, index, route):
        return psi

    def block(psi, index, route):
        psi = register.exchange(psi, route)
        return (gates.unitaries[index] @ psi.reshape(dimension, -1)).ravel()

    def wide(psi, index, route):
        row = _take(steps.wide, index)
        return walk.apply_row(register, psi, row, gates.a[index], gates.b[index], steps.wide.matrices)

    # Derivatives recompute each step from the state before it, so one state a step is all that they keep.
    @jax.checkpoint
    def step(psi, inputs):
        kind, *rest = inputs
        return lax.switch(kind, [idle, block, wide], psi, *rest), None

    start = initial_state(register, gates.unitaries.dtype)
    inputs = (steps.kind, steps.index, register.tables(steps.forward))
    if keeps_all:
        psi, _ = lax.scan(step, start, inputs)
    else:
        shape = segments(len(steps.kind))
        parts = jax.tree.map(lambda leaf: _cut(leaf, *shape), inputs)
        psi, _ = lax.scan(jax.checkpoint(lambda psi, part: lax.scan(step, psi, part)), start, parts)
    return register.exchange(psi, _only(register.tables(steps.final)))


def adjoint(
    register: Register, steps: Steps, gates: Gates, psi: Held, lambdas: Complex[Array, "C held"], angles: Angles
) -> AngleGradient:
    r"""Un-compute psi and the adjoint states together, reading off dF/dangle.

    A block gives T[a, b] = sum over the other qubits of conj(lambda_a) psi_b, with lambda behind and psi before
    it, from which `_fused.gradient` finds the derivatives of all its rows; a wide row gives its slope.

    Args:
        register: where the amplitudes live.
        steps, gates: the circuit at these angles.
        psi: final state.
        lambdas: (C, amplitudes).
        angles: (A,).

    Returns:
        (C, A) gradient.
    """
    count, u = len(lambdas), gates.unitaries
    inverses = steps.wide.matrices.conj().swapaxes(1, 2)
    no_transition = jnp.zeros((count, *u.shape[1:]), u.dtype)
    no_slope = jnp.zeros(count, angles.dtype)

    def idle(states, index, route):
        return states, (no_transition, no_slope)

    def block(states, index, route):
        inverse = u[index].conj().T
        after = states.reshape(1 + count, u.shape[1], -1)
        before = inverse @ after
        transition = jnp.einsum("car,br->cab", after[1:].conj(), before[0])
        moved = jax.vmap(lambda state: register.exchange(state, route))(before.reshape(1 + count, -1))
        return moved, (transition, no_slope)

    def wide(states, index, route):
        row = _take(steps.wide, index)

        def rotated(states):
            return walk.rotate_back(register, states, row, gates.a[index], gates.b[index])

        def multiplied(states):
            matrix = inverses[row.matrix]
            return jax.vmap(lambda state: walk.multiply(register, state, matrix, row.wires))(states), no_slope

        states, slope = lax.cond(row.is_matrix, multiplied, rotated, states) if len(inverses) else rotated(states)
        return states, (no_transition, slope)

    def step(states, inputs):
        kind, *rest = inputs
        return lax.switch(kind, [idle, block, wide], states, *rest)

    final = _only(register.tables(steps.final))
    states = jnp.concatenate([psi[None], lambdas])
    states = jax.vmap(lambda state: register.exchange(state, final))(states)
    inputs = (steps.kind, steps.index, register.tables(steps.backward))
    transitions, slopes = register.total(lax.scan(step, states, inputs, reverse=True)[1])
    # Every block and every row is read once; what other steps would add to them is zero.
    transitions = jnp.zeros((count, *u.shape), u.dtype).at[:, steps.index].add(transitions.swapaxes(0, 1), mode="drop")
    slopes = jnp.zeros((count, *steps.wide.slot.shape), slopes.dtype).at[:, steps.index].add(slopes.T, mode="drop")
    gradient = fused.gradient(steps.blocks, u, transitions, angles)
    return walk.add_by_angle(gradient, steps.wide, slopes)


def _cut(column, count, length):
    """A column of the steps as `count` parts of the same length, zeros behind the last: those are idle."""
    spare = count * length - len(column)
    padded = jnp.pad(jnp.asarray(column), [(0, spare)] + [(0, 0)] * (np.ndim(column) - 1))
    return padded.reshape(count, length, *padded.shape[1:])


def _take(rows: walk.Rows, index):
    return jax.tree.map(lambda column: column[index], walk.without_matrices(rows))


def _only(tables):
    """Tables for one step, out of an axis of one."""
    return jax.tree.map(lambda leaf: leaf[0], tables)
