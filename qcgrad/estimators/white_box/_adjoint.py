"""Adjoint differentiation."""

from typing import Any, Self

from ...array_types import Key
from ...estimator import OneRoundEstimator, exact
from ...objective import Point, Reading
from ...queries import Access, AdjointSweep, Evaluate, Sweep
from .._programs import program_at
from ..accuracy import checked_accuracy


class Adjoint(OneRoundEstimator):
    r"""Exact gradients in one forward and one backward pass with constant memory.

    With \(|\lambda\rangle = O|\psi\rangle\) carried backwards beside the un-computed state,

    .. math:: \partial_t F = 2\,\mathrm{Im}\,\langle\lambda|G|\psi\rangle, \qquad U = e^{-itG}.

    For K observables one adjoint state is carried for each cotangent.

    Access: white box. Exact up to rounding; variance zero.

    Cost: (2 + C) gate applications a gate, where a run takes one: cost(gradient)/cost(value) is
    constant in M, so it has backpropagation scaling, on a simulator. Memory: 2 + C states.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.Adjoint())
        >>> print(e.gradient, e.cost.gates)
        [-0.47942554] 3

    References:
        T. Jones, J. Gacon, "Efficient calculation of gradients in classical simulations of variational
        quantum algorithms", 2020, arXiv:2009.02823.
    """

    access = Access.white_box
    pays_in = "gates"
    is_typical = True

    def plan(self, point: Point, key: Key | None) -> tuple[AdjointSweep]:
        program = program_at(point, self)
        return (AdjointSweep(program, point.coordinates, point.cotangents),)

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
