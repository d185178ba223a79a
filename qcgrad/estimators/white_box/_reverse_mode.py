"""Reverse-mode automatic differentiation of the simulation."""

from typing import Any, Self

from ...array_types import Key
from ...estimator import OneRoundEstimator, exact
from ...objective import Point, Reading
from ...queries import Access, Evaluate, ReverseSweep, Sweep
from .._programs import program_at
from ..accuracy import checked_accuracy


class ReverseMode(OneRoundEstimator):
    r"""Exact gradients by classical backpropagation through the simulated gates.

    JAX keeps the state after every gate and applies the chain rule backwards: what `Backprop` does to a
    network, done to a simulator. It needs no inverse gates, and memory that grows with the circuit.

    Access: white box. Exact up to rounding; variance zero.

    Cost: 1 + 2C gate applications a gate; one state of memory for each gate, and 5 + 5C to work in.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.ReverseMode())
        >>> print(e.gradient)
        [-0.47942554]

    References:
        A. Griewank, A. Walther, "Evaluating Derivatives", SIAM (2008), chapter 3.
    """

    access = Access.white_box
    pays_in = "gates"

    def plan(self, point: Point, key: Key | None) -> tuple[ReverseSweep]:
        program = program_at(point, self)
        return (ReverseSweep(program, point.coordinates, point.cotangents),)

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
