"""Metric tensors from overlaps with shifted states."""

from typing import Any, Self

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...matrices import MatrixReading, MetricMethod, Problem
from ...queries import Access, Means, Overlaps
from ._accuracy import allowed_spread, fewest
from ._pairs import Pairs, by_parameters, checked_shots, pieces, spreads_of_kinds

# Of second derivatives of the overlap in the metric.
_FACTOR = np.array([[-0.5]])


class OverlapShift(MetricMethod):
    r"""The full metric tensor from overlaps of the state with itself at shifted angles: run, then undo.

    The overlap \(f(\delta) = |\langle\psi(\theta)|\psi(\theta+\delta)\rangle|^2\) has the frequencies of an expectation
    value, is 1 at 0, and even along each angle, so

    .. math:: g_{ab} = -\tfrac12 \sum_{\mu\nu} c_\mu c_\nu f(s_\mu e_a + s_\nu e_b), \qquad
              g_{aa} = -\tfrac12 \big(d_0 + 2 \sum_{s_\mu > 0} d_\mu f(s_\mu e_a)\big) .

    Args:
        shots: shots per overlap; None for exact ones.
        pair_shots: shots of the overlaps with two angles shifted, where it is not the same number.

    Access: single copy. Unbiased. Variances are exact functions of the sample variances; NaN for a single shot.

    Cost: \(\sum_a R_a + \sum_{a<b} 4 R_a R_b\) overlaps, each of twice the circuit's gates: \(2A^2 - A\) for A two-term
    gates.

    Raises:
        ValueError: shots that are no positive integer, pair_shots without shots.
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
    pair_shots: int | None = eqx.field(static=True)
    access = Access.single_copy

    def __init__(self, shots: int | None = None, pair_shots: int | None = None):
        self.shots, self.pair_shots = checked_shots(shots, pair_shots)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Overlaps]:
        program, angles = problem.program, problem.point.coordinates
        pairs = Pairs.of(program.circuit.angle_gates)
        settings = pairs.settings(program.circuit, angles, type(self).__name__)
        asked, shots = self._asked(pairs), pairs.shots(self.shots, self.pair_shots)
        if isinstance(shots, tuple):
            shots = tuple(np.array(shots)[asked].tolist())
        return (Overlaps(program, angles, settings[asked], shots),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Means]) -> MatrixReading:
        answer = answers[0]
        pairs = Pairs.of(problem.program.circuit.angle_gates)
        asked = self._asked(pairs)
        mean, variance, bias = (np.zeros((len(asked), 1)) for _ in range(3))
        mean[0] = 1.0
        mean[asked], variance[asked] = answer.mean, answer.variance
        if answer.bias is not None:
            bias[asked] = answer.bias
        found = pieces(_doubled(pairs), mean, variance, _FACTOR, None if answer.bias is None else bias)
        stats = pairs.freedom(self.shots, self.pair_shots)
        return MatrixReading(*by_parameters(found, problem.directions, None), stats=stats)

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        r"""Shots by Hoeffding's inequality, one number for single shifts and one for pairs.

        An outcome is 0 or 1, so that an entry \(\sum_u w_u \bar X_u\) is sub-Gaussian with \(\sum_u w_u^2/4N_u\).
        """
        allowed = allowed_spread(problem, 1, epsilon, delta)
        pairs = Pairs.of(problem.program.circuit.angle_gates)
        # The overlap without a shift is 1, and not measured.
        measured = _doubled(pairs)._replace(center=np.zeros_like(pairs.center))
        one, two = spreads_of_kinds(measured, np.array([0.25]), _FACTOR, problem)
        single = int(np.count_nonzero(pairs.single.shifts > 0))
        return cls(*fewest(cls, (one, two), (single, pairs.counts[1]), allowed, epsilon))

    @staticmethod
    def _asked(pairs: Pairs) -> np.ndarray:
        """(1 + singles + pairs,) which settings are run: not the one that gives 1, and one of two opposite shifts."""
        return np.concatenate([[False], pairs.single.shifts > 0, np.ones(len(pairs.first), bool)])


def _doubled(pairs: Pairs) -> Pairs:
    """With one overlap for both signs of a shift, and twice the factor."""
    return pairs._replace(curvature=2 * pairs.curvature * (pairs.single.shifts > 0))
