"""Trajectories whose errors are Pauli strings: no state decides which, so they are angles of a circuit.

Every channel becomes an RX and an RZ on each of its qubits, which turn by pi or not at all. All trajectories are then
settings of one circuit, and whichever engine runs circuits runs them.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from ...array_types import Angles, Array, Keys
from ...ir.gates import Gate
from ...ir.noise.noisy_circuit import NoisyCircuit
from ..statevector import _engines as engines
from ..statevector import _walk as walk
from ._layout import TableProgram, laid_out, padded_angles


class DrawnErrors(eqx.Module):
    """A noisy circuit whose channels are mixtures of Pauli strings.

    Attributes:
        circuit: prepared for an engine.
        order: where each angle comes from, `Layout.places`.
        thresholds: (C, m) sums of the probabilities of each channel's strings.
        turns: (C, m, s) the angles that each string has; s of the widest channel.
    """

    num_qubits: int = eqx.field(static=True)
    circuit: engines.NativeCircuit | engines.ScannedCircuit
    order: np.ndarray
    thresholds: np.ndarray
    turns: np.ndarray

    def __init__(self, circuit: NoisyCircuit, dtype: np.dtype):
        self.num_qubits, channels = circuit.num_qubits, circuit.channels
        layout = laid_out(circuit, [_turned(step.wires) for step in channels])
        program = TableProgram(layout.table)
        native = engines.is_native(program, "auto", None)
        prepare = engines.NativeCircuit if native else engines.ScannedCircuit
        self.circuit = prepare(program, np.dtype(dtype), walk.bucket(len(layout.kind)))
        mixtures = [found for step in channels if (found := step.channel.pauli_mixture) is not None]
        most = walk.bucket(max((len(p) for p, _, _ in mixtures), default=1), 2)
        wide = 2 * max((step.channel.width for step in channels), default=1)
        rows = walk.bucket(len(channels), 16)
        self.thresholds = np.ones((rows, most), dtype)
        self.turns = np.zeros((rows, most, wide), dtype)
        for c, (p, x, z) in enumerate(mixtures):
            self.thresholds[c, : len(p) - 1] = np.cumsum(p)[:-1]
            self.turns[c, : len(p), : 2 * x.shape[1]] = np.pi * np.stack([x, z], axis=2).reshape(len(p), -1)
        used = [c * wide + s for c, step in enumerate(channels) for s in range(2 * len(step.wires))]
        self.order = layout.places(padded_angles(circuit), np.array(used, np.int64), rows * wide)

    def states(self, gates: Float[Array, "N A"], turns: Float[Array, "N 2n"], keys: Keys) -> Complex[Array, "N 2**n"]:
        """Final states of N trajectories at padded gate angles, turned to be measured."""
        errors = jax.vmap(self._errors)(keys)
        return self.circuit.states(jnp.concatenate([gates, errors, turns], axis=1)[:, self.order])

    def _errors(self, key) -> Angles:
        rows = self.thresholds.shape[0]
        uniform = jax.random.uniform(key, (rows, 1), self.thresholds.dtype)
        which = jnp.sum(uniform >= self.thresholds[:, :-1], axis=1)
        return jnp.asarray(self.turns)[jnp.arange(rows), which].ravel()


def _turned(wires: tuple[int, ...]) -> list[Gate]:
    return [Gate(name, (wire,), param=0) for wire in wires for name in ("rx", "rz")]
