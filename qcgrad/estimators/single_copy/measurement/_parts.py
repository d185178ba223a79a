"""Evaluations asked group by group: what they are made into, and what the answers add up to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ....array_types import Array
from ....arrays import namespace
from ....cost import Cost
from ....ir.measured_groups import MeasuredGroup
from ....queries import AbstractQuery, Evaluate, Fidelity, Means, together


class Parts(NamedTuple):
    """One evaluation of all strings as several, one for each group.

    Attributes:
        whole: what was asked.
        groups: G of them.
        shots: (B, G) shots of each setting in each group; a group without any is not asked.
    """

    whole: Evaluate
    groups: tuple[MeasuredGroup, ...]
    shots: Int[np.ndarray, "B G"]

    @property
    def measured(self) -> list[int]:
        """Groups that are asked."""
        return np.flatnonzero(self.shots.any(axis=0)).tolist()

    @property
    def queries(self) -> tuple[Evaluate, ...]:
        return tuple(
            replace(self.whole, program=self.groups[g].program, shots=tuple(self.shots[:, g].tolist()))
            for g in self.measured
        )

    def combined(self, answers: Sequence[Means]) -> Means:
        """The answer to the whole; NaN for observables with strings that nothing measured.

        Strings of one group are read off the same shots, so their covariances are in the variance of the group's sum,
        and different groups are independent.
        """
        dtype = self.whole.angles.dtype
        xp = namespace(list(answers))
        shape = self.whole.num_parts, self.whole.program.num_observables
        mean: Array = xp.broadcast_to(xp.asarray(self.whole.program.constants, dtype), shape)
        variance, bias = xp.zeros(shape, dtype), None
        for answer in answers:
            mean, variance = mean + answer.mean, variance + answer.variance
            if answer.bias is not None:
                bias = answer.bias if bias is None else bias + answer.bias
        unknown = np.zeros(shape[1], bool)
        for g in set(range(len(self.groups))).difference(self.measured):
            unknown |= self.groups[g].is_used_by
        nothing = xp.asarray(np.broadcast_to(np.where(unknown, np.nan, 0.0), shape), dtype)
        return Means(
            mean + nothing, variance + nothing, bias, Fidelity(together(answer.fidelity for answer in answers))
        )


def is_divisible_by_groups(query: AbstractQuery) -> bool:
    """Whether it asks for sums of strings, with shots."""
    return isinstance(query, Evaluate) and query.shots is not None and len(query.program.bases) > 0


def answers_by_part(parts: Sequence["Parts | None"], answers: Sequence[Means]) -> list[tuple[Means, ...]]:
    """The answers that belong to each question; to one that has no groups there is one answer."""
    found, start = [], 0
    for part in parts:
        count = 1 if part is None else len(part.measured)
        found.append(tuple(answers[start : start + count]))
        start += count
    return found


def most_gates(parts: Parts) -> Cost:
    """The cost of as many shots in as many circuits, all with the dearest basis change."""
    programs = [group.program for group in parts.groups]
    dearest = max(program.num_gates + sum(program.basis_rotations) for program in programs)
    total = int(parts.shots.sum())
    return Cost(total, total, int(np.count_nonzero(parts.shots)), total * dearest, programs[0].num_qubits)
