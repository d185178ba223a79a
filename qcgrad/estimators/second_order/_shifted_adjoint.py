"""Exact Hessians on a simulator."""

from typing import Any, Self

import numpy as np

from ...array_types import Key
from ...matrices import HessianMethod, MatrixReading, Problem
from ...objective import Reading
from ...queries import Access, AdjointSweep, Sweep
from .._programs import check_scale
from ..accuracy import checked_accuracy
from ..single_copy.shifts._evaluations import Evaluations


class ShiftedAdjoint(HessianMethod):
    r"""Exact Hessians: the shift rule, which is exact, of adjoint gradients.

    .. math:: \partial_a \partial_b F = \sum_\mu c_\mu\, (\partial_b F)(\theta_a + s_\mu) .

    Access: white box. Exact up to rounding; variance zero.

    Cost: one adjoint gradient, and 2R for each angle whose gate has R frequencies; memory does not grow with their
    number.

    Raises:
        NotApplicable: a gate's spectrum is not known, or its shift rule ill conditioned: then
            `jax.hessian(qcgrad.as_jax(objective, qcgrad.Adjoint()))` carries derivatives through the adjoint sweep.

    Example:
        >>> import qcgrad as qg
        >>> objective = qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z")
        >>> found = qg.hessian(objective, [0.5], qg.ShiftedAdjoint())
        >>> print(found.matrix.round(4), found.cost.gates)
        [[-0.8776]] 9

    References:
        T. Jones, J. Gacon, 2020, arXiv:2009.02823; D. Wierichs et al., Quantum 6, 677 (2022), arXiv:2107.12390.
    """

    access = Access.white_box

    def plan(self, problem: Problem, key: Key | None) -> tuple[AdjointSweep, ...]:
        point, program = problem.point, problem.program
        check_scale(program, point.coordinates.dtype, samples=False)
        shifts = Evaluations.of(program.circuit.angle_gates)
        settings = shifts.settings(program.circuit, point.coordinates)
        return tuple(AdjointSweep(program, angles, point.cotangents) for angles in settings)

    def combine(self, problem: Problem, queries: tuple[Any, ...], answers: tuple[Sweep, ...]) -> MatrixReading:
        shifts = Evaluations.of(problem.program.circuit.angle_gates)
        gradients = np.stack([np.asarray(answer.gradient, float) for answer in answers])  # (1 + B, C, A)
        start = np.zeros((shifts.num_gates, *gradients.shape[1:]))
        np.add.at(start, shifts.owner, shifts.coefficients[:, None, None] * gradients[1:])
        rows = np.asarray(problem.directions, float)
        # Symmetric but for rounding.
        matrix = rows @ ((start.swapaxes(0, 1) + start.transpose(1, 2, 0)) / 2) @ rows.T
        if problem.bends is not None:
            matrix = matrix + np.einsum("ca,aij->cij", gradients[0], np.asarray(problem.bends, float))
        value, gradient = (np.asarray(part) for part in answers[0])
        first = Reading(value, gradient, np.zeros_like(gradient), np.zeros_like(value))
        return MatrixReading(matrix, np.zeros_like(matrix), None, first)

    @classmethod
    def for_accuracy(cls, problem: Problem, epsilon: float, delta: float | None) -> Self:
        """The method itself: it is exact up to rounding."""
        checked_accuracy(epsilon, 0.5 if delta is None else delta)
        return cls()
