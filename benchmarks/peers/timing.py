"""Paired timings: all contestants take turns in one run, so a drifting machine slows them alike."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Timing(NamedTuple):
    """What one contestant took.

    Attributes:
        name: of the contestant.
        first: seconds of the first call, compilation included.
        median: median seconds of the later calls.
        ratio: median over the rounds of (its time / our time in the same round).
    """

    name: str
    first: float
    median: float
    ratio: float


def compare(contestants: dict[str, Callable[[], object]], rounds: int, repeat: int = 1) -> list[Timing]:
    """Time contestants in turn; the first one is the one that ratios refer to.

    Args:
        contestants: name to a call that returns when its result is there.
        rounds: how often each takes its turn, after one warm-up call.
        repeat: calls in one turn, for calls too short to time alone.
    """
    first = {name: _seconds(call, 1) for name, call in contestants.items()}
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            taken[name].append(_seconds(call, repeat))
    ours = taken[next(iter(contestants))]
    return [
        Timing(
            name,
            first[name],
            statistics.median(times),
            statistics.median(t / o for t, o in zip(times, ours, strict=True)),
        )
        for name, times in taken.items()
    ]


def _seconds(call, repeat) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat
