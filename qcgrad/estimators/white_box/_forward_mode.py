"""Forward-mode automatic differentiation of the simulation."""

from ...array_types import Key
from ...objective import Point
from ...queries import ForwardSweeps
from .._programs import program_at
from ._exact_sweep import ExactSweep


class ForwardMode(ExactSweep):
    r"""Exact gradients by one run for each angle, with the derivative of the state by it carried along.

    .. math:: \partial_a F = 2\,\mathrm{Re}\,\langle O\psi|\partial_a\psi\rangle .

    What reverse mode saves: the time grows with the square of the number of gates, the memory not at all. All outputs
    are differentiated at once, so it wins where there are many more outputs than angles.

    Access: white box. Exact up to rounding; variance zero.

    Cost: 1 + 2A gate applications a gate for A angles, whatever the number of outputs; two states of memory and one to
    work in. A simulator carries several derivatives together where they are small, some MiB of them.

    Example:
        >>> import jax, qcgrad as qg
        >>> jax.config.update("jax_enable_x64", True)
        >>> e = qg.estimate(qg.Expectation(qg.Circuit(1).ry(0, param=0), "Z"), [0.5], qg.ForwardMode())
        >>> print(e.gradient, e.cost.gates)
        [-0.47942554] 3

    References:
        A. Griewank, A. Walther, "Evaluating Derivatives", SIAM (2008), chapter 3.
    """

    def plan(self, point: Point, key: Key | None) -> tuple[ForwardSweeps]:
        program = program_at(point, self)
        return (ForwardSweeps(program, point.coordinates, point.cotangents),)
