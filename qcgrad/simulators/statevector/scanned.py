"""A circuit prepared for the JAX path: any device, any derivative, nothing compiled per circuit."""

from collections.abc import Callable
from functools import lru_cache

import equinox as eqx
import jax
import numpy as np
from jax import lax
from jaxtyping import Int, PyTree

from ...array_types import AngleGradients, Array, Cotangents, Expectations, Key, Settings, Shots, States
from ...ir.program import Program
from ...queries import recorded_states, segments
from . import _observe as observe
from . import _sample as sample
from . import _sweep as sweep
from ._register import Register, WholeRegister

# Settings are simulated side by side as long as they hold no more numbers than this together.
_BATCH_NUMBERS = 1 << 20


class ScannedCircuit(eqx.Module):
    """Steps and observables as arrays; `lax.scan` walks them.

    `keeps_all` says whether reverse mode keeps one state a step, or recomputes some; None where it is not used.

    The methods have a leading batch axis of B settings and take angles (B, A) padded to `num_angles`.
    """

    register: Register = eqx.field(static=True)
    steps: sweep.Steps
    terms: observe.Terms
    keeps_all: bool | None = eqx.field(static=True)

    def __init__(
        self,
        program: Program,
        dtype: np.dtype,
        num_angles: int,
        register: Register | None = None,
        keeps_all: bool | None = None,
    ):
        del num_angles  # rows index the angles; padding changes nothing
        self.keeps_all = keeps_all
        self.register = register or WholeRegister(program.num_qubits)
        self.steps, self.terms = _arrays(program, np.dtype(dtype), self.register)
        if keeps_all is not None:
            # Each step that does nothing would take a state of memory as well.
            self.steps = sweep.without_idle(self.steps)

    @staticmethod
    def states_held(rows: int) -> int:
        """States of memory that a sweep with C = `rows` cotangents holds."""
        return 4 + 2 * rows

    def states_recorded(self, rows: int) -> int:
        """States of memory that reverse-mode differentiation with C = `rows` cotangents holds."""
        steps = len(self.steps.kind)
        return recorded_states(steps if self.keeps_all else segments(steps).states, rows)

    def states(self, angles: Settings) -> States:
        """(B, 2^n) final states."""
        return self._map(self._final_state, angles)

    def values(self, angles: Settings) -> Expectations:
        """(B, K) expectation values."""
        return self._map(lambda angles: self._expectation(self._final_state(angles)), angles)

    def sweeps(self, angles: Settings, cotangents: Cotangents) -> tuple[Expectations, AngleGradients]:
        """Values (B, K) and gradients (B, C, A) for cotangents (C, K)."""

        def one(angles):
            gates = sweep.at_angles(self.steps, angles)
            psi = sweep.run(self.register, self.steps, gates)
            lambdas = observe.image(self.register, psi, self.terms, cotangents)
            return self._expectation(psi), sweep.adjoint(self.register, self.steps, gates, psi, lambdas, angles)

        return self._map(one, angles)

    def sampled(
        self, max_shots: int, bases: sample.Bases, angles: Settings, shots: Shots, key: Key, places: Int[Array, "B"]
    ) -> tuple[Expectations, Expectations]:
        """Means (B, K) and variances from `shots` (B,) outcomes in each basis, of the settings `places` of a key."""
        keys = jax.vmap(lambda place: jax.random.fold_in(key, place))(places)

        def one(inputs):
            angles, shots, key = inputs
            psi = self._final_state(angles)
            return sample.sample_expectation(self.register, psi, bases, key, max_shots, shots)

        return self._map(one, (angles, shots, keys), max_shots)

    def _final_state(self, angles):
        """Amplitudes at angles (A,)."""
        return sweep.run(self.register, self.steps, sweep.at_angles(self.steps, angles), self.keeps_all is not False)

    def _expectation(self, psi):
        return observe.expectation(self.register, psi, self.terms)

    def _map(self, function, inputs, numbers=0):
        block_numbers = 4 * self.steps.blocks.x.shape[0] * self.steps.blocks.matrices.shape[-1] ** 2
        return map_settings(function, inputs, max(2**self.register.local_qubits + block_numbers, numbers))


# A circuit is planned once, though it is evaluated often.
@lru_cache(maxsize=64)
def _arrays(program: Program, dtype, register: Register):
    return sweep.to_steps(program.circuit.op_table, register, dtype), observe.to_terms(program, dtype)


def map_settings(function: Callable[[PyTree], PyTree], inputs: PyTree, numbers: int) -> PyTree:
    """Apply a function that holds about `numbers` numbers to every setting, some settings side by side."""
    settings = jax.tree.leaves(inputs)[0].shape[0]
    if settings == 1:
        return jax.tree.map(lambda leaf: leaf[None], function(jax.tree.map(lambda leaf: leaf[0], inputs)))
    batch = max(1, min(settings, _BATCH_NUMBERS // numbers))
    return lax.map(function, inputs, batch_size=batch)
