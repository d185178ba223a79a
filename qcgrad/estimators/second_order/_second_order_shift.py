"""Hessians by parameter shifts."""

from typing import Any

import equinox as eqx

from ...array_types import Key
from ...matrices import HessianMethod, MatrixReading, Problem
from ...objective import Reading
from ...queries import Access, Evaluate, Means
from .._checks import checked_count
from .._programs import check_scale
from ._pairs import Pairs, by_parameters, pieces


class SecondOrderShift(HessianMethod):
    r"""Unbiased Hessians from evaluations with one or two angles shifted.

    With the shift rules \(c_\mu, s_\mu\) of two gates,

    .. math:: \partial_a \partial_b F = \sum_{\mu\nu} c_\mu c_\nu\, F(\theta_a + s_\mu, \theta_b + s_\nu), \qquad
              \partial_a^2 F = d_0 F(\theta) + \sum_\mu d_\mu F(\theta_a + s_\mu) .

    The diagonal, the gradient and the value share their evaluations. Rules are general: four terms for controlled
    rotations, 2R for any known spectrum. Gates of a shared parameter are differentiated in pairs and summed.

    Args:
        shots: shots per circuit evaluation, in each measurement basis of the observable; None for exact ones.

    Access: single copy. Unbiased. Variances are exact functions of the sample variances, also where entries share
    evaluations or a parameter drives several gates; NaN for a single shot.

    Cost: \(1 + \sum_a 2R_a + \sum_{a<b} 4 R_a R_b\) evaluations: \(1 + 2A^2\) for A two-term gates, as many as an
    expectation value has Fourier coefficients in each pair of angles.

    Raises:
        ValueError: shots that are no positive integer.
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
    access = Access.single_copy

    def __init__(self, shots: int | None = None):
        self.shots = None if shots is None else checked_count("shots", shots)

    def plan(self, problem: Problem, key: Key | None) -> tuple[Evaluate]:
        program, angles = problem.program, problem.point.coordinates
        check_scale(program, angles.dtype, self.shots is not None)
        settings = Pairs.of(program.circuit.angle_gates).settings(program.circuit, angles, type(self).__name__)
        return (Evaluate(program, settings, self.shots),)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Means]) -> MatrixReading:
        answer, point = answers[0], problem.point
        pairs = Pairs.of(problem.program.circuit.angle_gates)
        found = pieces(pairs, answer.mean, answer.variance, point.cotangents, answer.bias)
        dtype = point.coordinates.dtype
        stats = {} if self.shots is None else {"degrees_of_freedom": self.shots - 1}
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
