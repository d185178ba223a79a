"""Work for a device in jobs: one after another, again where one is lost, and kept where one is lost for good."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...errors import BackendFailed, QcgradError
from ._bitstrings import Unusable


class Job(NamedTuple):
    """What is submitted together.

    Attributes:
        places: which parts of the work it does.
        submit: does it, and returns one result for each place.
    """

    places: tuple[int, ...]
    submit: Callable[[], Sequence[Any]]


class Kept(NamedTuple):
    """What a failure keeps: results by their places, of work that is recognised by `mark`."""

    mark: Any
    results: dict[int, Any]


def done(
    who: str,
    mark: Any,
    plan_jobs: Callable[[list[int]], Sequence[Job]],
    places: int,
    retries: int = 0,
    before: Kept | None = None,
    known: Callable[[list[Any]], Any] = lambda results: None,
) -> list[Any]:
    """The results of all places.

    Args:
        who: does it, for messages.
        mark: what the work is recognised by when it goes on.
        plan_jobs: the jobs for places that are still missing.
        places: how many there are.
        retries: how often a job that raises is submitted again.
        before: what is there already.
        known: what the results, None where missing, say already.

    Raises:
        BackendFailed: with what was there until then.
        ValueError: `before` belongs to other work.
    """
    if before is not None and (not isinstance(before, Kept) or before.mark != mark):
        raise ValueError("resume: what was answered belongs to other circuits or shots, so give all the same arguments")
    results: dict[int, Any] = {} if before is None else dict(before.results)
    jobs = plan_jobs([place for place in range(places) if place not in results])
    for number, job in enumerate(jobs):
        try:
            found = _submitted(job, retries)
        except QcgradError:
            raise
        except Exception as error:
            again = f", submitted {retries + 1} times" if retries and not isinstance(error, Unusable) else ""
            raise BackendFailed(
                f"{who} failed at job {number + 1} of {len(jobs)}{again}: {_words(error)}. What was answered before is "
                "kept: give this error to qcgrad.estimate(..., resume=error), and only what is missing is asked",
                Kept(mark, results),
                known([results.get(place) for place in range(places)]),
            ) from error
        results.update(zip(job.places, found, strict=True))
    return [results[place] for place in range(places)]


def _submitted(job: Job, retries: int):
    for attempt in range(retries + 1):
        try:
            return job.submit()
        except (QcgradError, Unusable):
            raise  # asking again would give the same
        except Exception:
            if attempt == retries:
                raise
    return ()


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, Unusable) else f"{type(error).__name__}: {error}"
