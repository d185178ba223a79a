"""Hessians by parameter shifts."""

from typing import Any, Self

import equinox as eqx
import numpy as np

from ...array_types import Key
from ...matrices import HessianMethod, MatrixReading, Problem
from ...objective import Reading
from ...queries import Access, Evaluate, Means
from .._programs import check_scale
from ._accuracy import allowed_spread, fewest
from ._pairs import Pairs, by_parameters, checked_shots, pieces, spreads_of_kinds


class SecondOrderShift(HessianMethod):
    r"""Unbiased Hessians from evaluations with one or two angles shifted.

    With the shift rules \(c_\mu, s_\mu\) of two gates,

    .. math:: \partial_a \partial_b F = \sum_{\mu\nu} c_\mu c_\nu\, F(\theta_a + s_\mu, \theta_b + s_\nu), \qquad
              \partial_a^2 F = d_0 F(\theta) + \sum_\mu d_\mu F(\theta_a + s_\mu) .

    The diagonal, the gradient and the value share their evaluations. Rules are general: four terms for controlled
    rotations, 2R for any known spectrum. Gates of a shared parameter are differentiated in pairs and summed.

    Args:
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.
        pair_shots: shots of the evaluations with two angles shifted, where it is not the same number: entries off the
            diagonal take fewer.

    Access: single copy. Unbiased. Variances are exact functions of the sample variances, also where entries share
    evaluations or a parameter drives several gates; NaN for a single shot.

    Cost: \(1 + \sum_a 2R_a + \sum_{a<b} 4 R_a R_b\) evaluations: \(1 + 2A^2\) for A two-term gates, as many as an
    expectation value has Fourier coefficients in each pair of angles.

    Raises:
        ValueError: shots that are no positive integer, pair_shots without shots.
        TooLarge: settings that would not fit into memory.
        NotApplicable: a gate's spectrum is not known, or its shift rule ill conditioned.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> found = qg.hessian(objective, [0.5], qg.SecondOrderShift(shots=10_000), key=0)
        >>> bool(abs(found.matrix[0, 0] + 0.8776) < 5 * found.standard_error[0, 0]), found.cost.shots
        (True, 30000)

    References:
        A. Mari, T. R. Bromley, N. Killoran, Phys. Rev. A 103, 012405 (2021), arXiv:2008.06517; D. Wierichs et al.,
        Quantum 6, 677 (2022), arXiv:2107.12390.
    """

    shots: int | None = eqx.field(static=True)
    pair_shots: int | None = eqx.field(static=True)
    access = Access.single_copy

    def __init__(self, shots: int | None = None, pair_shots: int | None = None):
        self.shots, self.pair_shots = checked_shots(shots, pair_shots)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Evaluate]:
        program, angles = problem.program, problem.point.coordinates
        check_scale(program, angles.dtype, self.shots is not None)
        pairs = Pairs.of(program.circuit.angle_gates)
        settings = pairs.settings(program.circuit, angles, type(self).__name__)
        return (Evaluate(program, settings, pairs.shots(self.shots, self.pair_shots)),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Means]) -> MatrixReading:
        answer, point = answers[0], problem.point
        pairs = Pairs.of(problem.program.circuit.angle_gates)
        found = pieces(pairs, answer.mean, answer.variance, point.cotangents, answer.bias)
        dtype = point.coordinates.dtype
        stats = pairs.freedom(self.shots, self.pair_shots)
        first = Reading(
            answer.mean[0],
            found.gradient.astype(dtype),
            found.along[2].astype(dtype),
            answer.variance[0],
            None if found.bias is None else found.bias[1].astype(dtype),
            None if answer.bias is None else answer.bias[0],
            stats=stats,
        )
        return MatrixReading(*by_parameters(found, problem.directions, problem.bends), first, stats)

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        r"""Shots by Hoeffding's inequality, one number for single shifts and one for pairs.

        An entry is a sum \(\sum_u w_u \bar X_u\) of means of independent outcomes between \(-r_b\) and \(r_b\), so that
        it is sub-Gaussian with \(\sum_u w_u^2 \sum_b r_b^2/N_u\).
        """
        program, point = problem.program, problem.point
        check_scale(program, point.coordinates.dtype, samples=True)
        allowed = allowed_spread(problem, len(point.cotangents), epsilon, delta)
        pairs = Pairs.of(program.circuit.angle_gates)
        sizes = sum((np.abs(basis.coefficients).sum(axis=1) ** 2 for basis in program.bases), np.zeros(1))
        sizes = np.broadcast_to(sizes, program.num_observables)
        spreads = spreads_of_kinds(pairs, sizes, point.cotangents, problem)
        return cls(*fewest(cls, spreads, pairs.counts, allowed, epsilon))
