r"""Trajectories of any channels: quantum jumps, drawn from the state as it is.

Of \(|\psi\rangle\) a channel makes \(K_m|\psi\rangle/\sqrt{p_m}\) with probability \(p_m = \|K_m\psi\|^2\). Gates and
channels on few qubits are fused into blocks, and what happens within a block depends on the rest of the state only
through the reduced density matrix R of its qubits: with M the product of what happened so far,
\(p_m = \mathrm{tr}(K_m M R M^\dagger K_m^\dagger)\) up to M's normalisation. So a block reads the state once, draws all
of its jumps on small matrices, and writes the state once.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Complex, Float

from ...array_types import Array, Key, Keys
from ...ir.gates import MatrixPrimitive
from ...ir.noise.noisy_circuit import ChannelStep, NoisyCircuit
from ...ir.op_table import MATRIX, OpTable
from ..density._doubled import widened
from ..statevector import _sweep as sweep
from ..statevector import _walk as walk
from ..statevector import blocks
from ..statevector._register import WholeRegister, initial_state
from ..statevector.scanned import map_settings
from ._layout import laid_out, padded_angles

# Blocks are many passes over the states: fewer of these side by side stay in the cache; measured at 12 qubits.
_PASSES = 8
# A trajectory multiplies small matrices of its own for every row of a block, so blocks are as narrow as gates are.
_WIDTH = 2


class Jumps(eqx.Module):
    """A noisy circuit with any channels.

    Attributes:
        steps: the plan; what stands for channels in it are matrices.
        operators: (F, m, 2^k, 2^k) Kraus operators of each matrix; those of gates have one alone.
        effects: (F, m, 4^k) transposed K^dagger K of each, flat.
        order: where each angle comes from, `Layout.places`.
    """

    register: WholeRegister = eqx.field(static=True)
    steps: sweep.Steps
    operators: np.ndarray
    effects: np.ndarray
    order: np.ndarray

    def __init__(self, circuit: NoisyCircuit, dtype: np.dtype):
        placed = widened(circuit.steps, circuit.num_qubits)
        kraus = [(step, w) for step, w in zip(circuit.steps, placed, strict=True) if isinstance(step, ChannelStep)]
        layout = laid_out(circuit, [[_Placeholder(step, wires)] for step, wires in kraus])
        table = layout.table
        self.register = WholeRegister(circuit.num_qubits)
        plan = blocks.plan(table, circuit.num_qubits, max(_WIDTH, table.matrix_wires))
        self.steps = sweep.steps_of(plan, table, self.register, np.dtype(dtype))
        self.operators = _operators(circuit, table, plan).astype(np.result_type(dtype, np.complex64))
        # (K^dagger K)^T = K^T conj(K)
        squares = self.operators.swapaxes(2, 3) @ self.operators.conj()
        self.effects = squares.reshape(*squares.shape[:2], -1)
        self.order = layout.places(padded_angles(circuit), np.zeros(0, np.int64), 0)

    @property
    def num_qubits(self) -> int:
        """n."""
        return self.register.num_qubits

    def states(self, gates: Float[Array, "N A"], turns: Float[Array, "N 2n"], keys: Keys) -> Complex[Array, "N 2**n"]:
        """Final states of N trajectories at padded gate angles, turned to be measured."""
        angles = jnp.concatenate([gates, turns], axis=1)[:, self.order]
        small = self.operators[0].size + 4 * self.operators.shape[-1] ** 2
        numbers = 2**self.register.num_qubits + small
        return map_settings(self._trajectory, (angles, keys), _PASSES * numbers)

    def _trajectory(self, inputs):
        angles, key = inputs
        register, steps = self.register, self.steps
        a, b = walk.coefficients(steps.blocks, angles)
        wide_a, wide_b = walk.coefficients(steps.wide, angles)
        uniforms = drawn_uniforms(key, len(self.operators), angles.dtype)

        def idle(psi, index, route):
            return psi

        def block(psi, index, route):
            front = register.exchange(psi, route).reshape(self.operators.shape[-1], -1)
            rows = jax.tree.map(lambda column: column[index], walk.without_matrices(steps.blocks))
            happened = self._happened(front @ front.conj().T, rows, a[index], b[index], uniforms)
            return (happened @ front).ravel()

        def wide(psi, index, route):
            row = jax.tree.map(lambda column: column[index], walk.without_matrices(steps.wide))
            return walk.rotate(register, psi, row, wide_a[index], wide_b[index])

        def step(psi, inputs):
            kind, *rest = inputs
            return lax.switch(kind, [idle, block, wide], psi, *rest), None

        start = initial_state(register, self.operators.dtype)
        inputs = (steps.kind, steps.index, register.tables(steps.forward))
        psi, _ = lax.scan(step, start, inputs)
        final = jax.tree.map(lambda leaf: leaf[0], register.tables(steps.final))
        return register.exchange(psi, final)

    def _happened(self, reduced, rows: walk.Rows, a, b, uniforms):
        """The product of a block's gates and of what its channels did, drawn one after another."""
        small = WholeRegister(self.operators.shape[-1].bit_length() - 1)

        def turn(product, row, a, b):
            return jax.vmap(lambda column: walk.rotate(small, column, row, a, b), 1, 1)(product)

        def jump(product, row, a, b):
            now = product @ reduced @ product.conj().T
            # p_m = tr(K_m^dagger K_m rho): the operators meet the state as one matrix.
            p = jnp.real(jnp.asarray(self.effects)[row.matrix] @ now.ravel())
            ends = jnp.cumsum(jnp.maximum(p, 0))
            which = jnp.sum(uniforms[row.matrix] * ends[-1] >= ends[:-1])
            # Rounding must not choose what cannot happen.
            which = jnp.where(p[which] > 0, which, jnp.argmax(p))
            return jnp.asarray(self.operators)[row.matrix, which] @ product / jnp.sqrt(p[which])

        def step(product, inputs):
            row, *rest = inputs
            return lax.cond(row.is_matrix, jump, turn, product, row, *rest), None

        identity = jnp.eye(self.operators.shape[-1], dtype=self.operators.dtype)
        return lax.scan(step, identity, (rows, a, b))[0]


def drawn_uniforms(key: Key, count: int, dtype: np.dtype) -> Float[Array, "F"]:
    """A number for each matrix of a circuit: with it a channel chooses its operator."""
    return jax.random.uniform(key, (count,), dtype)


class _Placeholder:
    """A channel as one matrix, as `op_table.lower` takes gates."""

    param, offset = None, 0.0

    def __init__(self, step: ChannelStep, wires: tuple[int, ...]):
        self._step, self._wires = step, wires

    def primitives(self) -> list[MatrixPrimitive]:
        return [MatrixPrimitive(np.eye(2 ** len(self._wires)), self._wires)]


def _operators(circuit: NoisyCircuit, table: OpTable, plan: blocks.Plan) -> np.ndarray:
    """(F, m, 2^k, 2^k) Kraus operators of the table's matrices within their blocks, padded with zeros."""
    found = []
    for step in circuit.steps:
        if isinstance(step, ChannelStep):
            found.append(step.channel.operators)
        else:
            found += [p.matrix[None] for p in step.primitives() if isinstance(p, MatrixPrimitive)]
    width = plan.wires.shape[1]
    rows, most = walk.bucket(len(found), 16), walk.bucket(max(map(len, found), default=1), 2)
    out = np.zeros((rows, most, 2**width, 2**width), np.complex128)
    # Matrices begin with the qubits that they leave alone.
    wires = plan.wide_table.wires[table.kind == MATRIX] - (circuit.num_qubits - width)
    for f, kraus in enumerate(found):
        idle = np.eye(2**table.matrix_wires // kraus.shape[1])
        whole = np.stack([np.kron(idle, operator) for operator in kraus])
        out[f, : len(kraus)] = blocks.embed(whole, np.broadcast_to(wires[f], (len(kraus), len(wires[f]))), width)
    return out
