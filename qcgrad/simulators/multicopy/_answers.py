"""Which simulation answers which question about several copies."""

from dataclasses import replace

from ...array_types import Key
from ...ir import pauli
from ...queries import (
    BellOutcomes,
    BellSample,
    MajorityVotes,
    Means,
    MeasureComponent,
    PointerOutcomes,
    PointerSweep,
    SweepStop,
    ThresholdSweep,
    Votes,
)
from . import _bell as bell
from . import _copies as copies
from . import _pointers as pointers
from . import _thresholds as thresholds
from . import votes

QUESTIONS = BellSample | MajorityVotes | PointerSweep | MeasureComponent | ThresholdSweep
"""What `answer` takes."""

Answer = BellOutcomes | Votes | PointerOutcomes | Means | SweepStop
"""What it gives."""


def answer(query: QUESTIONS, key: Key, state: copies.StateOf, max_bytes: int | None = None) -> Answer:
    """The record that the query's docstring names.

    Args:
        query: what is asked.
        key: JAX random key.
        state: function from a program and its angles to amplitudes (2^n,).
        max_bytes: refuse what needs more; by default 80 % of the memory that the host has free. Nothing here runs on
            an accelerator.

    Raises:
        StateTooLarge: before anything is allocated, with the number of bytes.
    """
    if isinstance(query, BellSample):
        return _bell_sample(query, key, state, max_bytes)
    if isinstance(query, MajorityVotes):
        return _majority_votes(query, key, state, max_bytes)
    if isinstance(query, PointerSweep):
        return pointers.sweep(query, key, max_bytes)
    if isinstance(query, MeasureComponent):
        return pointers.measure_component(query, key, max_bytes)
    return thresholds.run(query, key, max_bytes)


def _majority_votes(query, key, state, max_bytes):
    found, qubits = copies.seen(query.program, query.x, query.z, query.angles, state, max_bytes)
    x, z = (pauli.squeezed(masks, qubits, query.program.num_qubits) for masks in (query.x, query.z))
    return votes.draw(found, replace(query, x=x, z=z), key)


def _bell_sample(query, key, state, max_bytes):
    bell.check_pairs(query.pairs, query.program.num_qubits, max_bytes)
    if query.partner is not None:
        # The partner has amplitudes on all qubits.
        found = copies.whole(query.program, query.angles, state, max_bytes)
        return bell.sample(found, query.pairs, key, query.partner)
    found, qubits = copies.busy(query.program, query.angles, state, max_bytes)
    outcomes = bell.sample(found, query.pairs, key)
    n = query.program.num_qubits
    return outcomes if len(qubits) == n else bell.widened(outcomes, qubits, n, key)
