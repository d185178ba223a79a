"""Many trials of one estimate: the same questions, fresh randomness, nothing else computed twice.

A study repeats an estimate hundreds of times to see how often it is right. Only the draws differ, so
the questions (`Rehearsed`) and the states (`RecallingStatevector`) are worked out once. Every trial still
goes through `qcgrad.estimate`, which charges for it in full.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from ..arrays import is_concrete
from ..estimate import estimate
from ..estimator import AbstractEstimator
from ..ir import Expectation
from ..queries import Evaluate, Means, PointerOutcomes, PointerSweep
from ..simulators import Statevector

TRIALS_AT_ONCE = 100


class Rehearsed(AbstractEstimator):
    """An estimator at one fixed point, whose state before the first round is worked out once if it is not random.

    States are immutable, so starting every trial from the same one changes no result and no cost.

    Args:
        inner: any estimator.
    """

    inner: AbstractEstimator
    remembered: dict

    def __init__(self, inner: AbstractEstimator):
        self.inner = inner
        self.remembered = {}

    @property
    def access(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.access

    @property
    def is_random(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.is_random

    @property
    def is_traceable(self):  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.is_traceable

    def init(self, point, key):
        if self.is_random:
            return self.inner.init(point, key)
        where = (id(point.objective), np.asarray(point.coordinates).tobytes())
        if self.remembered.get("where") != where:
            # The point is kept too: its objective's id stays taken as long as the memory is used.
            self.remembered.update(where=where, point=point, state=self.inner.init(point, None))
        return self.remembered["state"]

    def ask(self, state):
        return self.inner.ask(state)

    def tell(self, state, answers):
        return self.inner.tell(state, answers)

    def read(self, state):
        return self.inner.read(state)

    def value_query(self, point):
        return self.inner.value_query(point)

    def predict(self, point):
        return self.inner.predict(point)


class RecallingStatevector(Statevector):
    """`Statevector` that remembers the last state and the last exact expectation values.

    Sampled expectation values of a single Pauli string are then drawn as what they are, binomial counts
    with the exact mean, instead of simulating every circuit again. Single pointer sweeps are simulated
    `TRIALS_AT_ONCE` at a time and handed out one by one. Other queries go to the simulator.
    """

    def __init__(self, max_bytes: int | None = None):
        super().__init__(max_bytes)
        self._state: tuple[Any, Any] | None = None
        self._means: tuple[Any, np.ndarray] | None = None
        self._sweeps: tuple[Any, Any] | None = None

    def answer(self, query, key):
        if isinstance(query, Evaluate) and query.shots is not None and _is_single_string(query.program):
            return self._draw(query, key)
        if isinstance(query, PointerSweep) and query.batches == 1:
            return self._next_sweep(query, key)
        return super().answer(query, key)

    def state(self, program, angles):
        if self._state is None or not _same_setting(self._state[0], program, angles):
            self._state = ((program, np.array(angles)), np.asarray(super().state(program, angles)))
        return self._state[1]

    def _next_sweep(self, query: PointerSweep, key) -> PointerOutcomes:
        asked = (query.form, query.copies, query.pointer_variance)
        outcomes = None
        if self._sweeps is not None and self._sweeps[0] == asked:
            outcomes = next(self._sweeps[1], None)
        if outcomes is None:
            many: Any = super().answer(dataclasses.replace(query, batches=TRIALS_AT_ONCE), key)
            self._sweeps = (asked, iter(many.means))
            outcomes = next(self._sweeps[1])
        return PointerOutcomes(outcomes[None])

    def _draw(self, query: Evaluate, key) -> Means:
        program: Any = query.program
        if self._means is None or not _same_setting(self._means[0], query.program, query.angles):
            exact: Any = super().answer(Evaluate(query.program, query.angles), None)
            self._means = ((query.program, query.angles), np.asarray(exact.mean))
        x, z, weights = program.terms
        scale = weights[:, (x | z) != 0][0, 0]
        constant = program.constants[0]
        mean = np.clip((self._means[1][:, 0] - constant) / scale, -1, 1)
        shots = np.asarray(query.shots_per_setting)
        outcome = _binomial_means((1 + mean) / 2, shots, key)
        # Sample variance of the mean of +-1 outcomes; NaN for one shot, as the simulator says it.
        variance = (1 - outcome**2) / np.where(shots > 1, shots - 1, np.nan)
        return Means((scale * outcome + constant)[..., None], (scale**2 * variance)[..., None])


def _binomial_means(probability: np.ndarray, shots: np.ndarray, key):
    """Means of `shots` outcomes +-1 that are +1 with `probability`; one draw for each key under `jax.vmap`."""

    def draw(words):
        rows = np.asarray(words).reshape(-1, np.shape(words)[-1])
        counts = [np.random.default_rng(row.tolist()).binomial(shots, probability) for row in rows]
        means = 2 * np.stack(counts) / shots - 1
        return means.reshape(*np.shape(words)[:-1], len(shots)).astype(probability.dtype)

    words = jax.random.key_data(key)
    if is_concrete(words):
        return draw(words)
    # NumPy's binomial is thirty times faster on a CPU than JAX's, which would decide the length of a study.
    result = jax.ShapeDtypeStruct((len(shots),), probability.dtype)
    return jax.pure_callback(draw, result, words, vmap_method="broadcast_all")


def _is_single_string(program) -> bool:
    x, z, _ = program.terms
    return program.num_observables == 1 and int(np.sum((x | z) != 0)) == 1


def _same_setting(remembered, program, angles) -> bool:
    last_program, last_angles = remembered
    # Trials of a rehearsed estimator ask the very same arrays; comparing 16 MiB each time would dominate.
    same_program = last_program is program or last_program == program
    return same_program and (last_angles is angles or np.array_equal(last_angles, angles))


def trial_gradients(objective: Expectation, params, estimator: AbstractEstimator, backend, seed: int):
    """Yield one gradient after another of the same estimate, each from its own random key.

    One-round methods run `TRIALS_AT_ONCE` trials under one `jax.vmap`, adaptive ones one by one.

    Args:
        objective, params, estimator, backend: as for `qcgrad.estimate`.
        seed: of the sequence of keys.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.studies.repeat import RecallingStatevector, trial_gradients
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> trials = trial_gradients(objective, [0.5], qg.ParameterShift(shots=10), RecallingStatevector(), 0)
        >>> next(trials).shape, next(trials).shape
        ((1,), (1,))
    """
    rehearsed = Rehearsed(estimator)

    def gradient(key):
        return estimate(objective, params, rehearsed, backend, key=key).gradient

    key = jax.random.key(seed)
    while True:
        key, used = jax.random.split(key)
        if estimator.is_traceable:
            yield from np.asarray(jax.vmap(gradient)(jax.random.split(used, TRIALS_AT_ONCE)))
        else:
            yield np.asarray(gradient(used))
