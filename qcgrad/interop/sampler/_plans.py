"""Questions as circuits to measure: which, how often, and how the answer is read off their outcomes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...array_types import Masks
from ...ir import pauli
from ...ir.basis_change import product_change
from ...ir.circuit import Circuit
from ...ir.gates import Gate
from ...ir.program import MeasurementBasis
from ...queries import Evaluate, Means, Overlaps


class Run(NamedTuple):
    """A circuit without parameters, all of whose qubits are measured so often."""

    circuit: Circuit
    shots: int


Outcomes = Sequence[Masks | None]
"""(shots,) masks of all qubits for each run; None for runs that are still missing."""


class Plan(NamedTuple):
    """What answers a question.

    Attributes:
        runs: all of them, one batch.
        read: the answer from the outcomes.
        known: the answer to the first parts of a question that is divisible, where they are complete, else None.
    """

    runs: tuple[Run, ...]
    read: Callable[[Sequence[Masks]], Any]
    known: Callable[[Outcomes], Any] = lambda outcomes: None


def followed(circuit: Circuit, gates: Iterable[Gate]) -> Circuit:
    """The circuit, then some more gates."""
    return Circuit(circuit.num_qubits, (*circuit.gates, *gates), circuit.name)


def evaluate(query: Evaluate) -> Plan:
    """Each setting in each of the program's bases."""
    program, bases = query.program, query.program.bases
    changes = [product_change(int(basis.x), int(basis.z), program.num_qubits) for basis in bases]
    runs = [
        Run(followed(circuit, change), int(shots))
        for circuit, shots in zip(map(program.bound, query.angles), query.shots_per_setting, strict=True)
        for change in changes
    ]

    def read(outcomes) -> Means:
        settings = len(outcomes) // len(bases) if bases else query.num_parts
        shape, dtype = (settings, program.num_observables), query.angles.dtype
        mean, variance = np.broadcast_to(program.constants, shape).astype(dtype), np.zeros(shape, dtype)
        for i, found in enumerate(outcomes):
            share, spread = mean_and_variance(bases[i % len(bases)], found)
            mean[i // len(bases)] += share
            variance[i // len(bases)] += spread
        return Means(mean, variance)

    def known(outcomes) -> Means | None:
        first = next((i for i, found in enumerate(outcomes) if found is None), len(outcomes))
        complete = first - first % len(bases) if bases else 0
        return read(outcomes[:complete]) if complete else None

    return Plan(tuple(runs), read, known)


def overlaps(query: Overlaps) -> Plan:
    """Each setting undone at the first angles; a qubit is 0 where its bit in the mask of the outcome is."""
    undone = query.program.bound(query.angles).inverse().gates
    runs = [
        Run(followed(query.program.bound(angles), undone), int(shots))
        for angles, shots in zip(query.others, query.shots_per_setting, strict=True)
    ]

    def read(outcomes) -> Means:
        return query.counted(
            np.array([[np.count_nonzero(np.asarray(found) == 0)] for found in outcomes]).reshape(-1, 1)
        )

    def known(outcomes) -> Means | None:
        first = next((i for i, found in enumerate(outcomes) if found is None), len(outcomes))
        return read(outcomes[:first]) if first else None

    return Plan(tuple(runs), read, known)


def mean_and_variance(basis: MeasurementBasis, outcomes: Masks) -> tuple[np.ndarray, np.ndarray]:
    """What a basis adds to the K observables, (K,), and the unbiased variances (K,) of that, NaN for one shot.

    Strings of one basis are read off the same shots, so their covariances are in the spread of their sum.
    """
    distinct, counts = np.unique(outcomes, return_counts=True)
    signs = 1 - 2 * (pauli.popcount(distinct & basis.supports[:, None]) & 1)
    values, shots = basis.coefficients @ signs, int(counts.sum())
    mean = values @ counts / shots
    spread = np.square(values - mean[:, None]) @ counts / shots
    return mean, spread / (shots - 1) if shots > 1 else np.full(len(mean), np.nan)
