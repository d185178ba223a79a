"""Metric tensors from derivatives of the state."""

from typing import Any, Self

import numpy as np

from ...array_types import Key
from ...matrices import MatrixReading, MetricMethod, Problem
from ...queries import Access, Tangents, TangentSweep
from ..accuracy import checked_accuracy


class TangentMetric(MetricMethod):
    r"""The metric tensor exactly, from all derivatives of the state carried through the circuit together.

    The real part of `qcgrad.geometric_tensor`.

    Access: white box. Exact up to rounding; variance zero.

    Cost: 1 + N gate applications a gate, 1 + N states of memory.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "Z")
        >>> print(qg.metric_tensor(objective, [0.5, 0.1], qg.TangentMetric()).matrix.diagonal().round(4))
        [0.25   0.0575]

    References:
        J. Stokes et al., "Quantum natural gradient", Quantum 4, 269 (2020), arXiv:1909.02108.
    """

    access = Access.white_box

    def plan(self, problem: Problem, key: Key | None) -> tuple[TangentSweep]:
        point = problem.point
        return (TangentSweep(problem.program, point.coordinates, problem.directions),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Tangents]) -> MatrixReading:
        found = answers[0]
        metric = (found.gram - np.outer(found.overlap.conj(), found.overlap)).real[None]
        return MatrixReading(metric, np.zeros_like(metric))

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        """The method itself: it is exact up to rounding."""
        checked_accuracy(epsilon, 0.5 if delta is None else delta)
        return cls()
