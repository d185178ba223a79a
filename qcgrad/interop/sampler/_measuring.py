"""What backends have in common that measure circuits elsewhere."""

import abc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from ...array_types import Key
from ...backend import AbstractBackend
from ...draws import generator
from ...errors import UnsupportedQuery
from ...queries import (
    EXACT,
    NOISY,
    AbstractQuery,
    Access,
    BellSample,
    Evaluate,
    Fidelity,
    MajorityVotes,
    Means,
    MeasureBases,
    Overlaps,
    RandomizedMeasure,
)
from . import _bell as bell
from . import _strings as strings
from ._bitstrings import Unusable, outcomes
from ._jobs import Job, done
from ._plans import Plan, Run, evaluate, overlaps

_QUESTIONS = Evaluate | Overlaps | MeasureBases | RandomizedMeasure | BellSample | MajorityVotes


class MeasuringBackend(AbstractBackend):
    """Answers what measured circuits can answer: write `jobs`, and `exact` where expectation values are known."""

    access = Access.multi_copy
    is_traceable = False

    def __init__(self, is_noisy: bool, retries: int):
        if not isinstance(is_noisy, (bool, np.bool_)):
            raise TypeError(f"is_noisy is {is_noisy!r}: give True or False")
        self.is_noisy = bool(is_noisy)
        self.retries = checked("retries", retries, 0)

    @abc.abstractmethod
    def jobs(self, runs: Sequence[Run], places: list[int], key: Key) -> Iterable[Job]:
        """Jobs that measure the runs at these places; each result is a `Bitstrings`."""

    def exact(self, query: Evaluate, before: Any) -> Means:
        """Exact expectation values, of the device as it is."""
        raise UnsupportedQuery(
            f"{type(self).__name__} measures, so it has no exact expectation values: give shots to the method"
        )

    def exact_means(self, query: Evaluate, jobs: Callable[[list[int]], Sequence[Job]], before: Any) -> Means:
        """Exact expectation values (K,) of each setting, by jobs for the settings that are still missing."""

        def finite(job: Job) -> Job:
            return Job(job.places, lambda: [_finite(row, query.program.num_observables) for row in job.submit()])

        def read(rows) -> Means:
            mean = np.asarray(rows, query.angles.dtype).reshape(-1, query.program.num_observables)
            return self._said(Means(mean, np.zeros_like(mean)))

        def known(rows) -> Means | None:
            complete = next((i for i, row in enumerate(rows) if row is None), len(rows))
            return read(rows[:complete]) if complete else None

        def checked_jobs(left):
            return [finite(job) for job in jobs(left)]

        count, mark = query.num_parts, ("exact", query.num_parts)
        return read(done(type(self).__name__, mark, checked_jobs, count, self.retries, before, known))

    @property
    def fidelity(self) -> Fidelity:
        return NOISY if self.is_noisy else EXACT

    def answer(self, query: AbstractQuery, key: Key | None) -> Any:
        return self.resume(query, key, None)

    def resume(self, query: AbstractQuery, key: Key | None, answered: Any) -> Any:
        if isinstance(query, Evaluate) and query.shots is None:
            return self.exact(query, answered)
        if not isinstance(query, _QUESTIONS) or (isinstance(query, Overlaps) and query.shots is None):
            return self.refuse(query)
        if key is None:
            raise ValueError(f"key is missing: {type(query).__name__} with shots draws, give jax.random.key(seed)")
        plan = _plan(query, key)

        def known(found):
            means = plan.known(found)
            return None if means is None else self._said(means)

        shots = tuple(run.shots for run in plan.runs)
        name, count = type(self).__name__, len(plan.runs)
        found = done(
            name, shots, lambda left: self._checked(plan.runs, left, key), count, self.retries, answered, known
        )
        return self._said(plan.read(found))

    def _checked(self, runs, left, key) -> list[Job]:
        """The jobs, with outcomes as masks."""
        # Not the numbers that bases were drawn with.
        rng = generator(jax.random.fold_in(key, 1))

        def checked_job(job: Job) -> Job:
            def submit():
                found = job.submit()
                if not isinstance(found, Iterable):
                    raise Unusable(f"{found!r} came back for {len(job.places)} circuits: return one result for each")
                found = list(found)
                if len(found) != len(job.places):
                    raise Unusable(
                        f"{len(found)} results came back for {len(job.places)} circuits: return one for each"
                    )
                asked = [runs[place] for place in job.places]
                return [
                    outcomes(each, run.circuit.num_qubits, run.shots, rng)
                    for each, run in zip(found, asked, strict=True)
                ]

            return Job(job.places, submit)

        return [checked_job(job) for job in self.jobs(runs, left, jax.random.fold_in(key, 2))]

    def _said(self, answer):
        """The answer, saying what it is: of a device with noise nobody knows a bound on the bias."""
        if isinstance(answer, Means):
            return answer._replace(
                bias=np.full_like(answer.mean, np.nan) if self.is_noisy else None, fidelity=self.fidelity
            )
        return answer._replace(fidelity=self.fidelity) if "fidelity" in answer._fields else answer


def _plan(query: _QUESTIONS, key: Key) -> Plan:
    if isinstance(query, Evaluate):
        return evaluate(query)
    if isinstance(query, Overlaps):
        return overlaps(query)
    if isinstance(query, MeasureBases):
        return strings.measure_bases(query)
    if isinstance(query, RandomizedMeasure):
        return strings.randomized_measure(query, key)
    if isinstance(query, BellSample):
        return bell.bell_sample(query, key)
    return bell.majority_votes(query, key)


def _finite(row, observables: int) -> np.ndarray:
    """The expectation values of a setting, checked."""
    values = np.asarray(row, float).reshape(-1)
    if values.shape != (observables,):
        raise Unusable(f"{len(values)} expectation values came back for {observables} observables")
    if not np.isfinite(values).all():
        raise Unusable(f"the expectation values {values.tolist()} came back, which are not finite")
    return values


def checked(name: str, value: Any, least: int) -> int:
    """An integer of at least so much, or one clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is {value!r}: give an integer of at least {least}")
    return int(value)


def slices(places: list[int], most: int | None) -> list[tuple[int, ...]]:
    """The places in pieces of at most so many; None for one piece."""
    step = max(1, len(places)) if most is None else most
    return [tuple(places[i : i + step]) for i in range(0, len(places), step)]
