"""Which simulation answers which question about several copies."""

from collections.abc import Callable
from dataclasses import replace

from ...ir import pauli
from ...queries import BellSample, MajorityVotes, MeasureComponent, PointerSweep, ThresholdSweep
from . import bell, copies, pointers, thresholds, votes

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
        return _bell_sample(query, key, state)
    if isinstance(query, MajorityVotes):
        found, qubits = copies.seen(query.program, query.x, query.z, query.angles, state)
        x, z = (pauli.squeezed(masks, qubits, query.program.num_qubits) for masks in (query.x, query.z))
        return votes.draw(found, replace(query, x=x, z=z), key)
    if isinstance(query, PointerSweep):
        return pointers.sweep(query, key)
    if isinstance(query, MeasureComponent):
        return pointers.measure_component(query, key)
    return thresholds.run(query, key)


def _bell_sample(query, key, state):
    if query.partner is not None:
        # The partner has amplitudes on all qubits.
        return bell.sample(copies.whole(query.program, query.angles, state), query.pairs, key, query.partner)
    found, qubits = copies.busy(query.program, query.angles, state)
    outcomes = bell.sample(found, query.pairs, key)
    n = query.program.num_qubits
    return outcomes if len(qubits) == n else bell.widened(outcomes, qubits, n, key)
