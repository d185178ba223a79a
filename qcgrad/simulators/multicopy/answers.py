"""Which simulation answers which question about several copies."""

from collections.abc import Callable

from ...queries import BellSample, MajorityVotes, MeasureComponent, PointerSweep, ThresholdSweep
from . import bell, pointers, thresholds, votes

QUESTIONS = BellSample | MajorityVotes | PointerSweep | MeasureComponent | ThresholdSweep
"""What `answer` takes."""


def answer(query: QUESTIONS, key, state: Callable):
    """The record that the query's docstring names.

    Args:
        query: what is asked.
        key: JAX random key.
        state: function from a program and its angles to amplitudes (2^n,).
    """
    if isinstance(query, BellSample):
        return bell.sample(bell.copies(query.program, query.angles, state), query.pairs, key, query.partner)
    if isinstance(query, MajorityVotes):
        return votes.draw(bell.copies(query.program, query.angles, state), query, key)
    if isinstance(query, PointerSweep):
        return pointers.sweep(query, key)
    if isinstance(query, MeasureComponent):
        return pointers.measure_component(query, key)
    return thresholds.run(query, key)
