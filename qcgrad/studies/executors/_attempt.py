"""One cell computed, whatever becomes of it: the part that runs in a worker."""

import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

from ...errors import QcgradError, StateTooLarge
from ..cells import Cell
from ..records import Record

# A cell sets options of JAX for the whole process, so threads of a worker take turns.
_ONE_AT_A_TIME = threading.Lock()


class Failure(NamedTuple):
    """Why a cell has no record.

    Attributes:
        verdict: "failed", or "refused" where it would not fit into memory.
        message: one line for people.
        traceback: where it happened; empty where the message says all there is.
    """

    verdict: str
    message: str
    traceback: str = ""


class Finished(NamedTuple):
    """A cell that was tried.

    Attributes:
        cell: as it was given.
        end: its record, or why there is none.
        seconds: that it took.
        worker: host that computed it.
        attempts: times that it was begun; more than one where its workers died.
    """

    cell: Cell
    end: Record | Failure
    seconds: float
    worker: str
    attempts: int = 1


def attempt(
    cell: Cell,
    compute: Callable[[Cell, Callable[[str], None]], Record],
    notify: Callable[[str], None] = lambda message: None,
    *,
    caught: tuple[type[Exception], ...] = (Exception,),
) -> Finished:
    """Compute a cell; an error that is `caught` becomes a `Failure`, others go through.

    Raises:
        KeyboardInterrupt: Ctrl-C, also where JAX wraps it in an error of its own.
    """
    began = time.perf_counter()
    with _ONE_AT_A_TIME:
        try:
            end = compute(cell, notify)
        except caught as error:  # one impossible cell must not cost the others
            if "KeyboardInterrupt" in str(error):  # JAX wraps what interrupts a callback
                raise KeyboardInterrupt from error
            end = failure_of(error)
    return Finished(cell, end, time.perf_counter() - began, socket.gethostname())


def failure_of(error: Exception) -> Failure:
    """An error in the words of the report."""
    if isinstance(error, StateTooLarge):
        return Failure("refused", str(error))
    # A refusal by name says all there is to say; of other errors the kind helps.
    is_refusal = isinstance(error, (QcgradError, ValueError)) and str(error)
    where = "".join(traceback.format_exception(error))
    return Failure("failed", str(error) if is_refusal else f"{type(error).__name__}: {error}", where)


def use_double_precision() -> None:
    """What the command line sets in its own process, in a worker's."""
    import jax

    jax.config.update("jax_enable_x64", True)
