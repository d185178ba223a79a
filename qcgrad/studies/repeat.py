"""Many trials of one estimate: the same questions, fresh randomness, nothing else computed twice.

A study repeats an estimate hundreds of times to see how often it is right. Only the draws differ, so an estimator's
first state and the exact expectation values (`Recalling`) are worked out once. Every trial still goes through the
driver, which charges for it in full.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ..array_types import Array, Key
from ..arrays import is_concrete
from ..backend import AbstractBackend, resolve
from ..estimate import run
from ..estimator import AbstractEstimator
from ..objective import AbstractObjective, point_at
from ..queries import AbstractQuery, Access, Evaluate, Means, PointerOutcomes, PointerSweep
from ..simulators import Statevector

TRIALS_AT_ONCE = 100


class Recalling(AbstractBackend):
    """A backend that remembers the last exact expectation values, and sweeps that were simulated together.

    Sampled expectation values of a single Pauli string are drawn as what they are, binomial counts with the exact
    mean, instead of simulating every circuit again. Single pointer sweeps are simulated `TRIALS_AT_ONCE` at a time and
    handed out one by one. Other queries go to the backend inside.

    Args:
        inner: answers what is not remembered; it has to know exact expectation values. Default: `Statevector`.
    """

    def __init__(self, inner: AbstractBackend | None = None):
        self.inner = Statevector() if inner is None else inner
        self._means: tuple[Any, np.ndarray] | None = None
        self._sweeps: tuple[Any, Iterator[np.ndarray]] | None = None

    @property
    def access(self) -> Access:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.inner.access

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        if isinstance(query, Evaluate) and query.shots is not None and _is_single_string(query.program):
            return self._draw(query, key)
        if isinstance(query, PointerSweep) and query.batches == 1:
            return self._next_sweep(query, key)
        return self.inner.answer(query, key)

    def _next_sweep(self, query: PointerSweep, key: Key | None) -> PointerOutcomes:
        asked = (query.form, query.copies, query.pointer_variance)
        outcomes = None
        if self._sweeps is not None and self._sweeps[0] == asked:
            outcomes = next(self._sweeps[1], None)
        if outcomes is None:
            many: Any = self.inner.answer(dataclasses.replace(query, batches=TRIALS_AT_ONCE), key)
            self._sweeps = (asked, iter(many.means))
            outcomes = next(self._sweeps[1])
        return PointerOutcomes(outcomes[None])

    def _draw(self, query: Evaluate, key: Key | None) -> Means:
        program: Any = query.program
        if self._means is None or not _same_setting(self._means[0], query.program, query.angles):
            exact: Any = self.inner.answer(Evaluate(query.program, query.angles), None)
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
    # Trials from one first state ask the very same arrays; comparing 16 MiB each time would dominate.
    same_program = last_program is program or last_program == program
    return same_program and (last_angles is angles or np.array_equal(last_angles, angles))


def trial_gradients(
    objective: AbstractObjective, params: Any, estimator: AbstractEstimator, backend: AbstractBackend | None, seed: int
) -> Iterator[Float[np.ndarray, "*gradient"]]:
    """Yield one gradient after another of the same estimate, each from its own random key.

    One-round methods run `TRIALS_AT_ONCE` trials under one `jax.vmap`, adaptive ones one by one. Where nothing is
    drawn for the questions, their first state is worked out once: states are immutable.

    Args:
        objective, params, estimator, backend: as for `qcgrad.estimate`.
        seed: of the sequence of keys.

    Example:
        >>> import jax, qcgrad as qg
        >>> from qcgrad.studies.repeat import Recalling, trial_gradients
        >>> jax.config.update("jax_enable_x64", True)
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> trials = trial_gradients(objective, [0.5], qg.ParameterShift(shots=10), Recalling(), 0)
        >>> next(trials).shape, next(trials).shape
        ((1,), (1,))
    """
    point, params = point_at(objective, params)
    answering = resolve(backend, point.objective)
    start = None if estimator.is_random else estimator.init(point, None)

    def gradient(key: Key) -> Array:
        reading = run(point, estimator, answering, key, start=start).reading
        rows = point.objective.to_params(params, reading).gradient
        return rows if point.objective.is_vector else rows[0]

    key = jax.random.key(seed)
    while True:
        key, used = jax.random.split(key)
        if estimator.is_traceable:
            yield from np.asarray(jax.vmap(gradient)(jax.random.split(used, TRIALS_AT_ONCE)))
        else:
            yield np.asarray(gradient(used))
