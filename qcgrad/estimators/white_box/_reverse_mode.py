"""Reverse-mode automatic differentiation of the simulation."""

from ...array_types import Key
from ...objective import Point
from ...queries import ReverseSweep
from .._programs import program_at
from ._exact_sweep import ExactSweep


class ReverseMode(ExactSweep):
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

    def plan(self, point: Point, key: Key | None) -> tuple[ReverseSweep]:
        program = program_at(point, self)
        return (ReverseSweep(program, point.coordinates, point.cotangents),)
