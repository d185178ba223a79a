"""Metric tensors from overlaps with shifted states."""

from typing import Any

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...matrices import MatrixReading, MetricMethod, Problem
from ...queries import Access, Means, Overlaps
from .._checks import checked_count
from ._pairs import Pairs, by_parameters, pieces


class OverlapShift(MetricMethod):
    r"""The full metric tensor from overlaps of the state with itself at shifted angles: run, then undo.

    The overlap \(f(\delta) = |\langle\psi(\theta)|\psi(\theta+\delta)\rangle|^2\) has the frequencies of an expectation
    value, is 1 at 0, and even along each angle, so

    .. math:: g_{ab} = -\tfrac12 \sum_{\mu\nu} c_\mu c_\nu f(s_\mu e_a + s_\nu e_b), \qquad
              g_{aa} = -\tfrac12 \big(d_0 + 2 \sum_{s_\mu > 0} d_\mu f(s_\mu e_a)\big) .

    Args:
        shots: shots per overlap; None for exact ones.

    Access: single copy. Unbiased. Variances are exact functions of the sample variances; NaN for a single shot.

    Cost: \(\sum_a R_a + \sum_{a<b} 4 R_a R_b\) overlaps, each of twice the circuit's gates: \(2A^2 - A\) for A two-term
    gates.

    Raises:
        ValueError: shots that are no positive integer.
        TooLarge: settings that would not fit into memory.
        NotApplicable: a gate's spectrum is not known, or its shift rule ill conditioned.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0).rz(0, param=1), "Z")
        >>> found = qg.metric_tensor(objective, [0.5, 0.1], qg.OverlapShift(shots=10_000), key=0)
        >>> bool(abs(found.matrix[1, 1] - 0.0575) < 5 * found.standard_error[1, 1]), found.cost.shots
        (True, 60000)

    References:
        A. Mari, T. R. Bromley, N. Killoran, Phys. Rev. A 103, 012405 (2021), arXiv:2008.06517.
    """

    shots: int | None = eqx.field(static=True)
    access = Access.single_copy

    def __init__(self, shots: int | None = None):
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Overlaps]:
        program, angles = problem.program, problem.point.coordinates
        pairs = Pairs.of(program.circuit.angle_gates)
        settings = pairs.settings(program.circuit, angles, type(self).__name__)
        return (Overlaps(program, angles, settings[self._asked(pairs)], self.shots),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Means]) -> MatrixReading:
        answer = answers[0]
        pairs = Pairs.of(problem.program.circuit.angle_gates)
        asked, single = self._asked(pairs), pairs.single
        mean, variance, bias = (np.zeros((len(asked), 1)) for _ in range(3))
        mean[0] = 1.0
        mean[asked], variance[asked] = answer.mean, answer.variance
        if answer.bias is not None:
            bias[asked] = answer.bias
        # One overlap stands for both signs of a shift, with twice the factor.
        positive = single.shifts > 0
        doubled = pairs._replace(curvature=2 * pairs.curvature * positive)
        found = pieces(doubled, mean, variance, np.array([[-0.5]]), None if answer.bias is None else bias)
        stats = {} if self.shots is None else {"degrees_of_freedom": self.shots - 1}
        return MatrixReading(*by_parameters(found, problem.directions, None), stats=stats)

    def _asked(self, pairs: Pairs) -> np.ndarray:
        """(1 + singles + pairs,) which settings are run: not the one that gives 1, and one of two opposite shifts."""
        return np.concatenate([[False], pairs.single.shifts > 0, np.ones(len(pairs.first), bool)])
