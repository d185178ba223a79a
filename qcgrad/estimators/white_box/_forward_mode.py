"""Forward-mode automatic differentiation of the simulation."""

from typing import Any, Self

from ...array_types import Key
from ...estimator import OneRoundEstimator, exact
from ...objective import Point, Reading
from ...queries import Access, Evaluate, ForwardSweeps, Sweep
from .._programs import program_at
from ..accuracy import checked_accuracy


class ForwardMode(OneRoundEstimator):
    r"""Exact gradients by one run for each angle, with the derivative of the state by it carried along.

    .. math:: \partial_a F = 2\,\mathrm{Re}\,\langle O\psi|\partial_a\psi\rangle .

    What reverse mode saves: the time grows with the square of the number of gates, the memory not at all. All outputs
    are differentiated at once, so it wins where there are many more outputs than angles.

    Access: white box. Exact up to rounding; variance zero.

    Cost: 1 + 2A gate applications a gate for A angles, whatever the number of outputs; two states of memory and one to
    work in.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.ForwardMode())
        >>> print(e.gradient, e.cost.gates)
        [-0.47942554] 3

    References:
        A. Griewank, A. Walther, "Evaluating Derivatives", SIAM (2008), chapter 3.
    """

    access = Access.white_box
    pays_in = "gates"

    def plan(self, point: Point, key: Key | None) -> tuple[ForwardSweeps]:
        program = program_at(point, self)
        return (ForwardSweeps(program, point.coordinates, point.cotangents),)

    def combine(self, point: Point, queries: tuple[Any, ...], answers: tuple[Sweep]) -> Reading:
        return exact(*answers[0])

    def value_query(self, point: Point) -> Evaluate:
        return Evaluate(program_at(point, self), point.coordinates[None])

    @classmethod
    def for_accuracy(cls, point: Point, epsilon: float, delta: float) -> Self:
        """The method itself: it is exact up to rounding."""
        checked_accuracy(epsilon, delta)
        program_at(point, cls)
        return cls()
