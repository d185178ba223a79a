"""How far a run got: what a failure of its backend leaves, and where it goes on."""

from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from .array_types import Key
from .backend import AbstractBackend
from .cost import Cost
from .errors import BackendFailed, UnsupportedQuery
from .estimator import AbstractEstimator, total_cost
from .keys import draw_key
from .objective import Point, Reading
from .queries import EXACT, NOISY, AbstractQuery, Evaluate, fidelity_of, together
from .result import Result

Queries = tuple[AbstractQuery, ...]


class Run(NamedTuple):
    """What came out of the loop, on coordinates."""

    reading: Reading
    cost: Cost
    result: Result
    fidelity: str = EXACT


class Progress(NamedTuple):
    """Where a run stands, between two queries.

    Attributes:
        state: the estimator's, before this round.
        key: for the next query.
        cost: of all rounds before this one.
        spent: of all queries that were answered in this call.
        fidelities: of all answers.
        is_bias_known: whether no answer came from a device with noise that stated no bound on its bias.
        answers: to the first queries of this round.
        answered: what the backend had of the query after these, where it failed at it.
    """

    state: Any
    key: Key | None
    cost: Cost = Cost()
    spent: Cost = Cost()
    fidelities: tuple[str, ...] = ()
    is_bias_known: bool = True
    answers: tuple = ()
    answered: Any = None

    def run(self, reading: Reading, cost: Cost, result: Result) -> Run:
        """What came out, with biases of NaN, unknown, where answers came from a device with noise."""
        if not self.is_bias_known:
            nothing = jax.tree.map(lambda leaf: np.full(np.shape(leaf), np.nan, leaf.real.dtype), reading.gradient)
            reading = reading._replace(bias_bound=nothing, value_bias_bound=np.full(np.shape(reading.value), np.nan))
        return Run(reading, cost, result, together(self.fidelities))


class Failure(NamedTuple):
    """What `BackendFailed.progress` holds: the point and the method, where the run stood, what was found until then."""

    point: Point
    estimator: AbstractEstimator
    progress: Progress
    found: Run


def answered(asked: Queries, progress: Progress, estimator: AbstractEstimator, backend: AbstractBackend) -> Progress:
    """The progress once all queries of a round are answered.

    Raises:
        BackendFailed: its `progress` says how far the round got.
    """
    for query in asked[len(progress.answers) :]:
        remaining, used = draw_key(progress.key, query.is_random)
        try:
            answer = answer_of(query, used, estimator, backend, progress.answered)
        except BackendFailed as error:
            # What this backend answered stays its own, whoever goes on from here.
            error.progress = progress._replace(
                fidelities=(*progress.fidelities, backend.fidelity),
                is_bias_known=progress.is_bias_known and backend.fidelity != NOISY,
                answered=error.answered,
            )
            raise
        progress = progress._replace(
            key=remaining,
            spent=progress.spent + query.cost(),
            fidelities=(*progress.fidelities, backend.fidelity, fidelity_of(answer)),
            is_bias_known=progress.is_bias_known and _is_bias_known(answer, backend),
            answers=(*progress.answers, answer),
            answered=None,
        )
    return progress


def answer_of(query: AbstractQuery, key: Key | None, asker: Any, backend: AbstractBackend, before: Any = None) -> Any:
    """A backend's answer, which goes on from what it had `before`; a refusal says for which method it was asked."""
    if isinstance(query, Evaluate) and query.weights is not None and not backend.sums_shifts:
        query = replace(query, weights=None)
    try:
        return backend.answer(query, key) if before is None else backend.resume(query, key, before)
    except UnsupportedQuery as error:
        raise UnsupportedQuery(f"{type(asker).__name__}: {error}") from error


def completed(queries: Queries, answers: tuple) -> tuple:
    """Answers to a round of which only the first parts were answered, with NaN for what is missing."""
    left = [*answers, *[None] * (len(queries) - len(answers))]
    return tuple(query.completed(answer) for query, answer in zip(queries, left, strict=True))


def failure(
    error: BackendFailed, point: Point, estimator: AbstractEstimator, queries: Queries, asked: Queries
) -> Failure:
    """What a failure leaves: complete rounds, and of this one all that can be cut.

    Args:
        error: with a `Progress`.
        point, estimator: of the run.
        queries, asked: the round, and what of it was asked.
    """
    progress: Progress = error.progress
    answers, state = progress.answers, progress.state
    cost = progress.cost + total_cost(asked[: len(answers)])
    is_cut = all(query.is_divisible for query in queries[len(answers) :])
    if is_cut and error.known is not None:
        cost += asked[len(answers)].first(len(error.known.mean)).cost()
        answers = (*answers, error.known)
    if is_cut and answers:
        state = estimator.tell(state, completed(queries, answers))
    found = progress.run(estimator.read(state), cost, Result("backend_failed", str(error)))
    return Failure(point, estimator, progress, found)


def progress_of(resume: BackendFailed, point: Point, estimator: AbstractEstimator) -> Progress:
    """Where an error says that this very estimate stands.

    Raises:
        TypeError: no such error.
        ValueError: one of another estimate.
    """
    if not isinstance(resume, BackendFailed) or not isinstance(resume.progress, Failure):
        raise TypeError(f"resume is {resume!r}: give the BackendFailed that qcgrad.estimate raised, or None")
    before = resume.progress
    if not bool(eqx.tree_equal((before.point, before.estimator), (point, estimator))):
        raise ValueError(
            "resume is the error of another estimate: give the objective, params and estimator at which the backend "
            "failed, or leave it out"
        )
    return before.progress._replace(spent=Cost())


def _is_bias_known(answer, backend) -> bool:
    is_noisy = NOISY in (backend.fidelity, fidelity_of(answer))
    return not is_noisy or getattr(answer, "bias", None) is not None
