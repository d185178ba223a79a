"""A circuit prepared for the JAX path: any device, any derivative, nothing compiled per circuit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ir.program import Program
from . import observe, walk

# Settings are simulated side by side as long as they hold no more numbers than this together.
_BATCH_NUMBERS = 1 << 20


class ScannedCircuit(eqx.Module):
    """Op table and observables as arrays; `lax.scan` walks them.

    The methods have a leading batch axis of B settings and take angles (B, A) padded to `num_angles`.
    """

    num_qubits: int = eqx.field(static=True)
    rows: walk.Rows
    terms: observe.Terms

    def __init__(self, program: Program, dtype, num_angles: int):
        del num_angles  # rows index the angles; padding changes nothing
        self.num_qubits = program.num_qubits
        self.rows = walk.to_rows(program.circuit.op_table, np.dtype(dtype))
        self.terms = observe.to_terms(program, np.dtype(dtype))

    @staticmethod
    def states_held(rows: int) -> int:
        """States of memory that a sweep with C = `rows` cotangents holds."""
        return 4 + 2 * rows

    def states(self, angles):
        """(B, 2^n) final states."""
        return map_settings(self.final_state, angles, 2**self.num_qubits)

    def values(self, angles):
        """(B, K) expectation values."""
        return map_settings(
            lambda angles: observe.expectation(self.final_state(angles), self.terms), angles, 2**self.num_qubits
        )

    def sweeps(self, angles, cotangents):
        """Values (B, K) and gradients (B, C, A) for cotangents (C, K)."""

        def sweep(angles):
            psi = self.final_state(angles)
            lambdas = observe.image(psi, self.terms, cotangents)
            return observe.expectation(psi, self.terms), walk.adjoint_rows(psi, lambdas, self.rows, angles)

        return map_settings(sweep, angles, 2**self.num_qubits)

    def final_state(self, angles):
        """(2^n,) state at angles (A,)."""
        start = walk.initial_state(self.num_qubits, self.rows.cosine.dtype)
        return walk.run_rows(start, self.rows, angles)

    def reverse(self, angles, cotangents):
        """Values (K,) and gradients (C, A) at angles (A,) by JAX's reverse mode through the whole simulation."""

        def values(angles):
            return observe.expectation(self.final_state(angles), self.terms)

        value, pull_back = jax.vjp(values, angles)
        return value, jax.vmap(lambda row: pull_back(row)[0])(jnp.asarray(cotangents, value.dtype))


def map_settings(function, inputs, numbers):
    """Apply a function that holds about `numbers` numbers to every setting, some settings side by side."""
    settings = jax.tree.leaves(inputs)[0].shape[0]
    if settings == 1:
        return jax.tree.map(lambda leaf: leaf[None], function(jax.tree.map(lambda leaf: leaf[0], inputs)))
    batch = max(1, min(settings, _BATCH_NUMBERS // numbers))
    return lax.map(function, inputs, batch_size=batch)
